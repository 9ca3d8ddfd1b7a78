/** Reads the fields of a site from a form; what is wrong is said beside the field. */
import type { EnergyPrice } from '../../../engine/model/site.ts';
import type { Ui } from '../../../web/ui.ts';
import type { SiteSettings } from '../../services.ts';

export type FormValues = Record<string, string>;

/** A form's text fields; files and repeated fields are left out. */
export function textValues(body: Record<string, unknown>): FormValues {
  const entries = Object.entries(body).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return Object.fromEntries(entries.map(([name, value]) => [name, value.trim()]));
}

/**
 * @param options `price`: false for a site whose tariff is more than one price, which has no such fields
 * @returns the settings, or what is wrong by field name
 */
export function readSiteForm(
  values: FormValues,
  id: string,
  ui: Ui,
  options: { price: boolean } = { price: true },
): { settings: SiteSettings; errors: FormValues } {
  const errors: FormValues = {};
  const needed = (name: string) => {
    if (!values[name]) errors[name] = ui.t('setup.fault_needed');
    return values[name] ?? '';
  };
  const number = (name: string) => {
    const value = Number((values[name] ?? '').replace(',', '.'));
    if (!values[name] || !Number.isFinite(value)) errors[name] = ui.t('setup.fault_number');
    return value;
  };
  const priceOf = (): EnergyPrice => {
    const vat_percent = number('vat_percent');
    if (values.price_kind !== 'day-ahead') return { kind: 'fixed', per_kWh: number('per_kWh'), vat_percent };
    const [factor, fee_per_kWh] = [number('factor'), number('fee_per_kWh')];
    return { kind: 'day-ahead', area: needed('area'), factor, fee_per_kWh, vat_percent };
  };
  const energy_price = options.price ? priceOf() : undefined;
  const place = values.place ?? '';
  const settings: SiteSettings = {
    id,
    name: needed('name'),
    place,
    ...coordinatesOf(place),
    time_zone: needed('time_zone'),
    country: needed('country'),
    currency: needed('currency'),
    energy_price,
  };
  return { settings, errors };
}

/** Latitude and longitude where the place is given as two numbers. */
function coordinatesOf(place: string): { latitude: number | null; longitude: number | null } {
  const match = /(-?\d{1,2}(?:\.\d+)?)\s*[,;]\s*(-?\d{1,3}(?:\.\d+)?)\s*$/.exec(place);
  if (!match) return { latitude: null, longitude: null };
  const [latitude, longitude] = [Number(match[1]), Number(match[2])];
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180
    ? { latitude, longitude }
    : { latitude: null, longitude: null };
}
