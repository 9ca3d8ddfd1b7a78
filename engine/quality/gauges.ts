/** Instantaneous values: time-weighted mean per slot, the last observation carried forward up to a limit. */
import { Quality } from '../model/quality.ts';
import { HOUR_MS, SLOT_MS } from '../model/time.ts';
import { type Accumulator, CONTEXT_MS, type Usable } from './accumulator.ts';

/** A value holds three times as long as the meter's usual spacing, at least (meters that publish on change) and at most: */
const SHORTEST_HOLD_MS = 5 * 60_000;
const LONGEST_HOLD_MS = SLOT_MS;
const SPACINGS = 5;

/** Quantities that never stand still on a live meter. Zero is not stuck: a switched-off load measures it. */
const RESTLESS = /^(voltage|frequency|power|current)_/;
const STUCK_AFTER_MS = 5 * HOUR_MS;
const STUCK_READINGS = 12;

export function gaugeSlots(readings: Usable, quantity: string, out: Accumulator): void {
  out.asMean();
  if (/^power_/.test(quantity)) leaveOutSpikes(readings, out);
  const { at_ms, values, quality, count } = readings;
  const restless = RESTLESS.test(quantity);
  let runStart = 0;
  for (let i = 0; i < count; i++) {
    if (values[i] !== values[runStart]) runStart = i;
    const stuck = restless && values[i] !== 0 && stoodStill(at_ms, runStart, i);
    if (stuck && !stoodStill(at_ms, runStart, i - 1)) out.event('stuck', at_ms[i]!, values[i]!, values[i]!);
    const next_ms = i + 1 < count ? at_ms[i + 1]! : Infinity;
    const soon = next_ms - at_ms[i]! <= SHORTEST_HOLD_MS;
    const held_to = soon ? next_ms : Math.min(next_ms, at_ms[i]! + holdOf(at_ms, i));
    out.spread(at_ms[i]!, held_to, values[i]!, quality[i]! | (stuck ? Quality.STUCK : 0), true);
  }
}

/**
 * Power that one reading says and its neighbours deny becomes energy where there is no register: a megawatt out of a few
 * kilowatts, or one of the numbers by which devices say "not available" (0x7FFF, 0x8000, 0xFFFF and their 32-bit kin, NaN
 * read as a number), in W or tenths of it.
 */
const SPIKE_W = 1e6;
const SPIKE_FACTOR = 50;
const NOT_AVAILABLE = new Set(
  [0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fc00000].flatMap((code) => [
    code,
    code / 10,
    code * 10,
  ]),
);
const NOT_AVAILABLE_FACTOR = 3;
const BESIDE = 3;
const BESIDE_MS = HOUR_MS;

function leaveOutSpikes(r: Usable, out: Accumulator): void {
  const left = Array.from({ length: r.count }, (_, i) => isSpike(r, i));
  let kept = 0;
  for (let i = 0; i < r.count; i++) {
    if (left[i]) {
      out.mark(r.at_ms[i]!, Quality.SPIKE | r.quality[i]!);
      out.event('spike', r.at_ms[i]!, r.values[Math.max(0, i - 1)]!, r.values[i]!);
      continue;
    }
    r.at_ms[kept] = r.at_ms[i]!;
    r.values[kept] = r.values[i]!;
    r.quality[kept] = r.quality[i]!;
    kept++;
  }
  r.count = kept;
}

/** Codes of "not available" may come in a row; what stands between them is compared with the good ones beside. */
function isSpike(r: Usable, i: number): boolean {
  const size = Math.abs(r.values[i]!);
  const isCode = NOT_AVAILABLE.has(size);
  if ((!isCode && size <= SPIKE_W) || r.quality[i]! & Quality.REPAIRED) return false;
  const beside: number[] = [];
  for (let k = i - BESIDE; k <= i + BESIDE; k++) {
    if (k === i || k < 0 || k >= r.count || Math.abs(r.at_ms[k]! - r.at_ms[i]!) > BESIDE_MS) continue;
    if (r.values[k] !== r.values[i]) beside.push(Math.abs(r.values[k]!));
  }
  if (beside.length < 2) return false;
  return size > (isCode ? NOT_AVAILABLE_FACTOR : SPIKE_FACTOR) * Math.max(1, ...beside);
}

/** Whether the same value was read often and long enough, up to `i`, that the meter must have stopped measuring. */
function stoodStill(at_ms: Float64Array, runStart: number, i: number): boolean {
  if (i - runStart < STUCK_READINGS || at_ms[i]! - at_ms[runStart]! <= STUCK_AFTER_MS) return false;
  return at_ms[i]! - at_ms[i - STUCK_READINGS]! <= STUCK_AFTER_MS;
}

/** How long the value at `i` holds: from the median of the spacings shortly before it. */
function holdOf(at_ms: Float64Array, i: number): number {
  const spacings: number[] = [];
  for (let k = i; k > 0 && spacings.length < SPACINGS && at_ms[i]! - at_ms[k - 1]! <= CONTEXT_MS; k--)
    spacings.push(at_ms[k]! - at_ms[k - 1]!);
  if (spacings.length === 0) return LONGEST_HOLD_MS;
  spacings.sort((a, b) => a - b);
  const usual = spacings[Math.floor(spacings.length / 2)]!;
  return Math.min(LONGEST_HOLD_MS, Math.max(SHORTEST_HOLD_MS, 3 * usual));
}
