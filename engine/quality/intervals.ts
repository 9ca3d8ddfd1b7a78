/** Energy or volume per interval: each slot gets its share by overlap; time that is covered already counts once. */
import { Quality } from '../model/quality.ts';
import { HOUR_MS } from '../model/time.ts';
import { type Accumulator, ESTIMATED_ABOVE_MS, GAP_MS, type Usable } from './accumulator.ts';
import { impossibleRate } from './plausible.ts';

const TICK = 1;
const BESIDE = 4;
const NEAR_MS = 3 * HOUR_MS;

/** An interval longer than GAP_MS becomes a span. With `limit_per_h` (units per hour) faster ones are spikes. */
export function intervalSlots(readings: Usable, limit_per_h: number | null, out: Accumulator): void {
  let covered_to = -Infinity;
  for (let i = 0; i < readings.count; i++) {
    const end_ms = readings.at_ms[i]!;
    const start_ms = readings.starts_ms?.[i] ?? NaN;
    const value = readings.values[i]!;
    if (!(start_ms < end_ms) || value < 0) {
      out.mark(end_ms - 1, Quality.OUT_OF_RANGE);
      out.event('malformed', end_ms, value, value);
      continue;
    }
    if (isImpossible(readings, i, limit_per_h)) {
      out.mark(end_ms - 1, Quality.SPIKE);
      out.event('spike', end_ms, 0, value);
      continue;
    }
    const new_from = Math.max(start_ms, covered_to);
    if (new_from > start_ms) out.event('overlap', end_ms, value, (value * (end_ms - new_from)) / (end_ms - start_ms));
    addShare(readings, i, start_ms, new_from, out);
    covered_to = Math.max(covered_to, end_ms);
  }
}

/** Beyond the connection where that is known; otherwise beyond the meter's past, or its neighbours. */
function isImpossible(r: Usable, i: number, limit_per_h: number | null): boolean {
  const hours = (k: number) => (r.at_ms[k]! - (r.starts_ms?.[k] ?? NaN)) / HOUR_MS;
  if (r.quality[i]! & Quality.REPAIRED) return false;
  if (limit_per_h !== null) return r.values[i]! > limit_per_h * hours(i) + TICK;
  const rates = (from: number, end: number) => {
    const found: number[] = [];
    for (let k = Math.max(0, from); k < Math.min(r.count, end); k++) {
      const near = Math.abs(r.at_ms[k]! - r.at_ms[i]!) <= NEAR_MS;
      if (near && hours(k) > 0 && r.values[k]! >= 0) found.push(r.values[k]! / hours(k));
    }
    return found;
  };
  return impossibleRate(r.values[i]!, hours(i), rates(i - BESIDE, i), rates(i + 1, i + 1 + BESIDE), r.usual_max_per_h);
}

/** Counts the part of interval `i` from `new_from` on. */
function addShare(readings: Usable, i: number, start_ms: number, new_from: number, out: Accumulator): void {
  const end_ms = readings.at_ms[i]!;
  const share = new_from === start_ms ? 1 : (end_ms - new_from) / (end_ms - start_ms);
  const long = end_ms - start_ms > ESTIMATED_ABOVE_MS;
  const bits = readings.quality[i]! | (long || share < 1 ? Quality.ESTIMATED : 0);
  if (share <= 0) return;
  if (end_ms - start_ms > GAP_MS) out.span(new_from, end_ms, readings.values[i]! * share, bits);
  else out.spread(new_from, end_ms, readings.values[i]! * share, bits);
}
