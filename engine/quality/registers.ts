/**
 * Cumulative registers: which readings are believed, and what was counted between them. A register can only grow; a
 * fall is a reset, a rollover, a dip (comes back) or the end of a spike (was too high), told apart by the neighbours.
 */
import { Quality } from '../model/quality.ts';
import { type Accumulator, ESTIMATED_ABOVE_MS, GAP_MS, type Usable } from './accumulator.ts';
import { impossible, isUsual, rateNear } from './plausible.ts';
import { LATE_MS } from './validate.ts';

/** How far ahead or back the end of a spike or dip is looked for, in time and readings. */
const RUN_MS = GAP_MS;
const RUN_READINGS = 512;
/** Full scales at which registers wrap: decimal counters of 4 to 9 digits, and 16, 31 and 32 bits of Wh, 10 Wh, 100 Wh, kWh. */
const BITS = [2 ** 16, 2 ** 31, 2 ** 32];
const FULL_SCALES = [
  ...[1e4, 1e5, 1e6, 1e7, 1e8, 1e9],
  ...BITS.flatMap((scale) => [0.001, 0.01, 0.1, 1].map((unit) => scale * unit)),
];
/** Small scales are too easily met by chance. */
const SMALLEST_SCALE = 6000;

/** What the step to a believed reading means: counted, lost (reset, jump) or counted over the last digit. */
type Step = { index: number; counted: number | null; bits: number };

/** @param limit_per_h units per hour that the connection can carry, or null where that is not known. */
export function registerSlots(readings: Usable, limit_per_h: number | null, out: Accumulator): void {
  levelRounding(readings);
  const steps = believedSteps(readings, limit_per_h, out);
  for (let k = 0; k < steps.length; k++) {
    const { index, counted, bits } = steps[k]!;
    const b_ms = readings.at_ms[index]!;
    out.mark(b_ms, readings.quality[index]!);
    if (k === 0) continue;
    const before = steps[k - 1]!.index;
    const a_ms = readings.at_ms[before]!;
    if (counted === null) out.mark(b_ms - 1, bits);
    else if (isRetained(readings, before, b_ms)) continue;
    else if (b_ms - a_ms > GAP_MS) out.span(a_ms, b_ms, counted, bits | Quality.ESTIMATED | Quality.GAP);
    else out.spread(a_ms, b_ms, counted, bits | (b_ms - a_ms > ESTIMATED_ABOVE_MS ? Quality.ESTIMATED : 0));
  }
}

/** A message of a former time tells nothing of the months since: who knows which meter it was. A late backlog goes on. */
function isRetained({ at_ms, quality }: Usable, index: number, next_ms: number): boolean {
  return (quality[index]! & Quality.LATE) !== 0 && next_ms - at_ms[index]! > LATE_MS;
}

/**
 * Registers sent as 32-bit floats waver in their last bit; each waver up would be counted. A value that is below an
 * earlier one of the same stretch by no more than that is lifted to it.
 */
function levelRounding(r: Usable): void {
  const raw = r.values.slice(0, r.count);
  for (let i = 1; i < r.count; i++) {
    const value = raw[i]!;
    if (r.values[i - 1]! <= value || r.values[i - 1]! - value > rounding(value)) continue;
    for (let j = i - 1; j >= 0 && inRun(r, j, i) && Math.abs(raw[j]! - value) <= rounding(value); j--)
      r.values[i] = Math.max(r.values[i]!, raw[j]!);
  }
}

/** One pass over the readings that keeps a list of the believed ones; a fall may take the newest of them back. */
function believedSteps(r: Usable, limit_per_h: number | null, out: Accumulator): Step[] {
  const steps: Step[] = [];
  const leaveOut = (first: number, end: number, bit: number, good: number) => {
    for (let i = first; i < end; i++) {
      out.mark(r.at_ms[i]!, bit | r.quality[i]!);
      out.event(bit === Quality.SPIKE ? 'spike' : 'dip', r.at_ms[i]!, good, r.values[i]!);
    }
  };
  let i = 0;
  while (i < r.count) {
    const last = steps.at(-1);
    if (!last) {
      steps.push({ index: i++, counted: null, bits: 0 });
      continue;
    }
    const p = last.index;
    const rise = r.values[i]! - r.values[p]!;
    if (rise >= 0 && !impossible(r, p, i, rise, limit_per_h)) {
      steps.push({ index: i++, counted: rise, bits: 0 });
    } else if (rise >= 0) {
      const back = endOfSpike(r, p, i, limit_per_h);
      if (back !== null) {
        leaveOut(i, back, Quality.SPIKE, r.values[p]!);
        i = back;
      } else {
        out.event('jump', r.at_ms[i]!, r.values[p]!, r.values[i]!);
        steps.push({ index: i++, counted: null, bits: Quality.JUMP });
      }
    } else if (-rise <= rounding(r.values[p]!)) {
      steps.push({ index: i++, counted: 0, bits: 0 });
    } else {
      i = fall(r, steps, i, limit_per_h, out, leaveOut);
    }
  }
  return steps;
}

/** Decides what a fall at `i` is. @returns the next reading to look at. */
function fall(
  r: Usable,
  steps: Step[],
  i: number,
  limit_per_h: number | null,
  out: Accumulator,
  leaveOut: (first: number, end: number, bit: number, good: number) => void,
): number {
  const p = steps.at(-1)!.index;
  const back = endOfDip(r, p, i, limit_per_h);
  if (back !== null) {
    leaveOut(i, back, Quality.DIP, r.values[p]!);
    return back;
  }
  const wrapped = rollover(r, p, i, limit_per_h);
  if (wrapped !== null) {
    out.event('rollover', r.at_ms[i]!, r.values[p]!, r.values[i]!);
    steps.push({ index: i, counted: wrapped, bits: Quality.ROLLOVER });
    return i + 1;
  }
  const base = startOfSpike(r, steps, i);
  if (base !== null) {
    for (const step of steps.splice(base + 1)) {
      leaveOut(step.index, step.index + 1, Quality.SPIKE, r.values[steps.at(-1)!.index]!);
    }
    return i;
  }
  out.event('reset', r.at_ms[i]!, r.values[p]!, r.values[i]!);
  steps.push({ index: i, counted: null, bits: Quality.RESET });
  return i + 1;
}

/** An impossible rise at `i` that comes back to where a good register would be: the first good reading, or null where
 * it stays (the register was set to another level). At the newest reading it is too early to tell: left out. */
function endOfSpike(r: Usable, p: number, i: number, limit_per_h: number | null): number | null {
  if (r.quality[i]! & Quality.REPAIRED) return null;
  let j = i + 1;
  for (; inRun(r, i, j); j++) {
    const rise = r.values[j]! - r.values[p]!;
    if (rise >= 0 && r.values[j]! < r.values[j - 1]! && !impossible(r, p, j, rise, limit_per_h)) return j;
    if (r.quality[j]! & Quality.REPAIRED || rise < 0) return null;
  }
  return i + 1 === r.count ? r.count : null;
}

/** The reading at which a fall at `i` came back by most of the drop, or null. A slow climb is a reset's new count. */
function endOfDip(r: Usable, p: number, i: number, limit_per_h: number | null): number | null {
  const drop = r.values[p]! - r.values[i]!;
  for (let j = i; inRun(r, i, j); j++) {
    if (j > i && r.values[j]! >= r.values[p]!) {
      const step = r.values[j]! - r.values[j - 1]!;
      const abrupt = step >= 0.5 * drop && isAbrupt(r, p > 0 ? p - 1 : null, p, j - 1, j, j, r.at_ms[i]!);
      return abrupt && !impossible(r, p, j, r.values[j]! - r.values[p]!, limit_per_h) ? j : null;
    }
    if (r.quality[j]! & Quality.REPAIRED) return null;
  }
  return null;
}

/** What was counted when the register passed its full scale, or null where that does not explain the fall. */
function rollover(r: Usable, p: number, i: number, limit_per_h: number | null): number | null {
  for (const scale of FULL_SCALES) {
    if (scale < SMALLEST_SCALE) continue;
    if (r.values[p]! >= scale || r.values[p]! < 0.95 * scale || r.values[i]! > 0.05 * scale) continue;
    const counted = scale - r.values[p]! + r.values[i]!;
    if (counted <= 0.05 * scale && isUsual(r, p, i, counted) && !impossible(r, p, i, counted, limit_per_h))
      return counted;
  }
  return null;
}

/** Whether the believed readings before `i` were a spike that passed as possible: one abrupt rise from a value below
 * the one at `i`, undone now. @returns the place in `steps` of the last good one, or null. */
function startOfSpike(r: Usable, steps: readonly Step[], i: number): number | null {
  const p = steps.at(-1)!.index;
  for (let k = steps.length - 2; k >= 0 && steps.length - k < RUN_READINGS; k--) {
    const { index: q } = steps[k]!;
    const { index: first, counted } = steps[k + 1]!;
    if (counted === null || r.quality[first]! & Quality.REPAIRED || r.at_ms[i]! - r.at_ms[q]! > RUN_MS) return null;
    if (r.values[q]! > r.values[i]!) continue;
    const undone = r.values[p]! - r.values[i]! >= 0.5 * (r.values[p]! - r.values[q]!);
    const abrupt = isAbrupt(r, k > 0 ? steps[k - 1]!.index : null, q, q, first, i, r.at_ms[i]!);
    return undone && abrupt ? k : null;
  }
  return null;
}

const inRun = (r: Usable, i: number, j: number): boolean =>
  j < r.count && j - i < RUN_READINGS && r.at_ms[j]! - r.at_ms[i]! <= RUN_MS;

/** Whether the rise from `a` to `b` is well above what was counted before it (`before` → `from`) and after (`after`). */
function isAbrupt(
  r: Usable,
  before: number | null,
  from: number,
  a: number,
  b: number,
  after: number,
  reference_ms: number,
): boolean {
  const earlier = before === null ? 0 : (rateNear(r, before, from, reference_ms) ?? 0);
  const later = after + 1 < r.count ? (rateNear(r, after, after + 1, reference_ms) ?? 0) : 0;
  const rate = rateNear(r, a, b, reference_ms);
  return rate !== null && rate > 5 * Math.max(earlier, later, 0.001);
}

/** Two steps of a 32-bit float at this value (2⁻²² relative). */
const rounding = (value: number): number => 2.4e-7 * Math.abs(value);
