/** What the tariff and the devices say of the grid's side: the price of a peak, and modules under § 14a EnWG. Pure. */
import type { PlanDevice } from '../../../engine/dispatch/plan-devices.ts';
import { subjectTo14a } from '../../../engine/dispatch/section-14a.ts';
import type { Tariff } from '../../../engine/tariff/tariff.ts';
import type { Section14a } from '../../../recommender/context.ts';

type PeakPrice = { demand_charge_per_kW: number; period: 'month' | 'year' };

/** The tariff's first price for power with one price a kW, VAT included; null where it has none. */
export function peakPrice(tariff: Tariff): PeakPrice | null {
  for (const { price, period, vat_percent } of tariff.demand)
    if (price.kind === 'linear' && price.per_kW > 0)
      return { demand_charge_per_kW: price.per_kW * (1 + vat_percent / 100), period };
  return null;
}

/**
 * Module 1: a sum a year, 110 to 190 EUR with VAT by grid area, 165 in the mean (Bundesnetzagentur, ruling BK8-22/010-A).
 * Module 2: the grid's price of energy falls to 40 % for what the devices take on a meter of their own; not above
 * 100,000 kWh a year. Module 3 comes on top of module 1 and shifts costs only: what it saves is not known here.
 */
const MODULE_1 = { saving_year: 165, low_year: 110, high_year: 190 } as const;
const MODULE_2_SHARE = 0.6;
const MODULE_2_MOST_KWH = 100_000;
const GERMAN_ZONES: ReadonlySet<string> = new Set(['Europe/Berlin', 'Europe/Busingen']);

/**
 * @param year_kWh what the site takes in a year; null: unknown. @param devices_kWh what its controllable devices take on
 * meters of their own in a year; null where one of them has none.
 * @returns null where § 14a says nothing: outside of Germany, or without a controllable device of more than 4.2 kW.
 */
export function section14aFacts(
  devices: readonly PlanDevice[],
  tariff: Tariff,
  { year_kWh, devices_kWh }: { year_kWh: number | null; devices_kWh: number | null },
): Section14a | null {
  const controllable = subjectTo14a(
    devices.flatMap(({ id, section_14a }) => (section_14a ? [{ id, ...section_14a }] : [])),
  );
  if (!GERMAN_ZONES.has(tariff.time_zone) || tariff.currency !== 'EUR' || controllable.length === 0) return null;
  const module = moduleOf(tariff);
  const fee = gridFee(tariff);
  const second =
    fee !== null && devices_kWh !== null && year_kWh !== null && year_kWh <= MODULE_2_MOST_KWH
      ? MODULE_2_SHARE * fee * devices_kWh
      : null;
  return {
    ...{ devices_W: controllable.reduce((sum, { power_W }) => sum + power_W, 0), module },
    modules: [
      { module: 1, ...MODULE_1 },
      ...(second === null
        ? []
        : [{ module: 2 as const, saving_year: second, low_year: 0.8 * second, high_year: 1.2 * second }]),
      ...(module === 3 ? [{ module, ...MODULE_1 }] : []),
    ],
  };
}

/** By the names of its charges, as the examples in docs/guides/tariffs.md write them. */
function moduleOf({ energy, standing }: Tariff): 1 | 2 | 3 | null {
  const named = (charges: readonly { name: string }[], words: RegExp) => charges.some(({ name }) => words.test(name));
  if (named(energy, /modul(e)? ?3/i)) return 3;
  if (named(energy, /modul(e)? ?2/i)) return 2;
  const reductions = standing.filter(({ amount }) => amount < 0);
  return named(reductions, /§ ?14a|modul(e)? ?1/i) ? 1 : null;
}

/** Price of a kWh for the grid, VAT included; null where the tariff does not tell it apart. */
function gridFee({ energy }: Tariff): number | null {
  const charge = energy.find(({ name, price }) => /netz|grid/i.test(name) && price.kind === 'fixed');
  return charge && charge.price.kind === 'fixed' ? charge.price.value * (1 + charge.vat_percent / 100) : null;
}
