/** From the intervals that providers publish to 15-minute UTC slots. */
import { InvalidDataError } from '../../engine/errors.ts';
import type { PriceSlot } from '../../engine/model/price.ts';
import { SLOT_MS } from '../../engine/model/time.ts';

/** A price that holds over [from_ms, to_ms), per MWh. */
export type PriceInterval = { from_ms: number; to_ms: number; value: number | null };

/**
 * Slots of [from_ms, to_ms), ascending and without duplicates. Where intervals overlap, the shorter one wins: markets
 * that moved to 15 minutes publish hourly means beside the real prices.
 * @throws InvalidDataError when an interval does not start and end on a slot edge.
 */
export function slotsOfIntervals(
  provider: string,
  intervals: readonly PriceInterval[],
  range: { from_ms: number; to_ms: number },
): PriceSlot[] {
  const slots = new Map<number, { value: number | null; length_ms: number }>();
  for (const { from_ms, to_ms, value } of intervals) {
    const length_ms = to_ms - from_ms;
    if (!(length_ms > 0) || from_ms % SLOT_MS !== 0 || to_ms % SLOT_MS !== 0)
      throw new InvalidDataError(
        `${provider} names an interval that is no multiple of 15 minutes: ${isoOf(from_ms)} to ${isoOf(to_ms)}.`,
      );
    const end_ms = Math.min(to_ms, range.to_ms);
    for (let at_ms = Math.max(from_ms, firstSlot(range.from_ms)); at_ms < end_ms; at_ms += SLOT_MS) {
      const known = slots.get(at_ms);
      if (!known || length_ms <= known.length_ms) slots.set(at_ms, { value, length_ms });
    }
  }
  return [...slots].map(([at_ms, { value }]) => ({ at_ms, value })).sort((a, b) => a.at_ms - b.at_ms);
}

function firstSlot(from_ms: number): number {
  return Math.ceil(from_ms / SLOT_MS) * SLOT_MS;
}

function isoOf(at_ms: number): string {
  return Number.isFinite(at_ms) ? new Date(at_ms).toISOString() : String(at_ms);
}
