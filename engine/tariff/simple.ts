/** The tariff of a set-up form: one price, fixed or by the market. Written as YAML that its owner can go on with. */
import type { EnergyPrice } from '../model/site.ts';
import type { TariffVersion } from './tariff.ts';

/** From when the first tariff of a site holds: all its past. */
export const FOR_EVER = '1970-01-01';

/** @returns the YAML. connectors/database/migrations/0010_tariffs.sql writes the same. */
export function simpleTariffText(price: EnergyPrice, site: { currency: string; time_zone: string }): string {
  const energy =
    price.kind === 'fixed'
      ? `  - name: Energy\n    price_per_kWh: ${decimal(price.per_kWh)}`
      : `  - name: Market price\n    market: { area: "${price.area}", kind: day-ahead, factor: ${decimal(price.factor)}, fee_per_kWh: ${decimal(price.fee_per_kWh)} }`;
  return `name: Energy price
currency: "${site.currency}"
time_zone: "${site.time_zone}"
vat_percent: ${decimal(price.vat_percent)}
energy:
${energy}
`;
}

/** Without an exponent, which YAML reads as a text. */
function decimal(value: number): string {
  const text = String(value);
  return text.includes('e') ? value.toFixed(12).replace(/\.?0+$/, '') : text;
}

/** The simple price that a tariff is, or null where it is more than that. */
export function asSimplePrice(versions: readonly TariffVersion[]): EnergyPrice | null {
  const [version, ...more] = versions;
  if (!version || more.length > 0 || version.valid_from !== FOR_EVER) return null;
  const { energy, feed_in, standing, demand, limits, co2_g_per_kWh, holidays } = version.tariff;
  const [charge, ...others] = energy;
  const extras = [...others, ...feed_in, ...standing, ...demand, ...limits].length > 0;
  if (!charge || extras || co2_g_per_kWh !== null || holidays !== null) return null;
  const { price, vat_percent, meter, without } = charge;
  if (meter !== null || without.length > 0) return null;
  if (price.kind === 'fixed') return { kind: 'fixed', per_kWh: price.value, vat_percent };
  if (price.kind !== 'market' || price.market !== 'day-ahead' || price.mean_min !== 15) return null;
  if (price.exchange !== null || price.min_per_kWh !== null || price.max_per_kWh !== null) return null;
  const { area, factor, fee_per_kWh } = price;
  return { kind: 'day-ahead', area, factor, fee_per_kWh, vat_percent };
}
