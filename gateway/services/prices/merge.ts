/**
 * Which of a source's prices may be stored over what is there. The rule: sources rank as `price_sources` lists them,
 * a table that a person loaded ranks above all. A source overwrites its own prices and those of lesser ones; in a
 * market day that holds a price of a better source it only fills holes; a null never replaces a price. Pure.
 */
import type { PriceSeries, PriceSlot } from '../../../engine/model/price.ts';
import { addDays, dayStart } from '../../../engine/model/time.ts';
import type { StoredPrices } from '../../../engine/ports.ts';

/** Name under which prices are blanked when the demo leaves; it never counts as a source. */
export const NO_SOURCE = 'none';

export function rankOf(source: string, order: readonly string[]): number {
  if (source === NO_SOURCE) return Number.POSITIVE_INFINITY;
  const place = order.indexOf(source);
  if (source === 'csv' && place < 0) return -1;
  return place < 0 ? order.length : place;
}

/** The slots of one market day that may be stored. `stored` are the prices of that day. */
export function acceptedSlots(
  series: Pick<PriceSeries, 'source' | 'slots'>,
  stored: StoredPrices,
  order: readonly string[],
): PriceSlot[] {
  const known = new Map(Array.from(stored.at_ms, (at_ms, i) => [at_ms, stored.values[i] ?? Number.NaN]));
  const rank = rankOf(series.source, order);
  const only_holes = stored.sources.some((source) => rankOf(source, order) < rank);
  return series.slots.filter(({ at_ms, value }) => {
    const before = known.get(at_ms);
    const is_hole = before === undefined || Number.isNaN(before);
    if (value === null) return before === undefined;
    return is_hole || !only_holes;
  });
}

/** Slots by local day of the market, ascending. */
export function byDay(
  slots: readonly PriceSlot[],
  time_zone: string,
): { from_ms: number; to_ms: number; slots: PriceSlot[] }[] {
  const days: { from_ms: number; to_ms: number; slots: PriceSlot[] }[] = [];
  for (const slot of slots) {
    let day = days.at(-1);
    if (!day || slot.at_ms >= day.to_ms) {
      const from_ms = dayStart(slot.at_ms, time_zone);
      day = { from_ms, to_ms: addDays(from_ms, 1, time_zone), slots: [] };
      days.push(day);
    }
    day.slots.push(slot);
  }
  return days;
}
