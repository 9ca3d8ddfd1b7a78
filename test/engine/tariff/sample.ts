/** A tariff with nothing in it, and slots, for tests to fill. */
import type { TariffContext } from '../../../engine/tariff/prices.ts';
import type { DemandCharge, Tariff, Window } from '../../../engine/tariff/tariff.ts';

export const EMPTY: Tariff = {
  ...{ name: 'Test', currency: 'EUR', time_zone: 'Europe/Berlin', holidays: null, rounding: 'half-up' },
  ...{ energy: [], feed_in: [], standing: [], demand: [], limits: [], co2_g_per_kWh: null },
};
export const WINDOW: Window = { dates: null, weekdays: null, hours: null, holidays: 'count' };
export const DEMAND: DemandCharge = {
  ...{ name: 'Demand', vat_percent: 0, period: 'month', mean_min: 15, when: null, min_kW: 0, ratchet: null },
  peaks: { count: 1, distinct_days: false },
  price: { kind: 'linear', per_kW: 10 },
};
export const NOTHING: TariffContext = { isHoliday: () => false, market: () => undefined };

/** Starts of slots of [from, to). */
export function slotsBetween(from: string, to: string, slot_min = 15): Float64Array {
  const [from_ms, to_ms] = [Date.parse(from), Date.parse(to)];
  return Float64Array.from(
    { length: (to_ms - from_ms) / (slot_min * 60_000) },
    (_, i) => from_ms + i * slot_min * 60_000,
  );
}
