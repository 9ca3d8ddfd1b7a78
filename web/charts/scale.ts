/** Geometry of charts: axes, ticks and paths in a box 1000 wide and 100 high. Pure; NaN is a gap. */

export const WIDTH = 1000;
export const HEIGHT = 100;

export type Scale = { min: number; max: number; ticks: number[] };

/**
 * A scale with round ticks that holds every finite value. With `zero` it starts at 0 (or ends there when all values
 * are negative). Without any finite value it is 0…1 with the single tick 0.
 */
export function niceScale(values: Iterable<number>, options: { zero: boolean; count?: number }): Scale {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return { min: 0, max: 1, ticks: [0] };
  if (options.zero) {
    min = Math.min(0, min);
    max = Math.max(0, max);
  }
  if (min === max) {
    const room = Math.abs(min) * 0.1 || 1;
    if (!options.zero) min -= room;
    max += room;
  }
  const step = niceStep((max - min) / (options.count ?? 4));
  const first = Math.floor(min / step + 1e-9);
  const last = Math.ceil(max / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { min: ticks[0]!, max: ticks.at(-1)!, ticks };
}

/** The smallest of 1, 2, 2.5, 5 × 10ⁿ that is not below `rough`. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(rough));
  for (const factor of [1, 2, 2.5, 5]) if (factor * power >= rough * 0.999) return factor * power;
  return 10 * power;
}

export type Range = { from_ms: number; to_ms: number };

/** Place of an instant from left to right, 0…1000. */
export function xOf(at_ms: number, range: Range): number {
  return ((at_ms - range.from_ms) / (range.to_ms - range.from_ms)) * WIDTH;
}

/** Place of a value from top to bottom, 0…100. */
export function yOf(value: number, scale: Scale): number {
  return (1 - (value - scale.min) / (scale.max - scale.min)) * HEIGHT;
}

/** Two digits are finer than any screen; rounding by number is far faster than by text. */
const digits = (value: number) => Math.round(value * 100) / 100;

export type Points = { at_ms: ArrayLike<number>; values: ArrayLike<number> };

/** Indices of runs without gaps: a NaN, or a distance above `gap_ms`, ends a run. */
export function runsOf({ at_ms, values }: Points, gap_ms: number): [number, number][] {
  const runs: [number, number][] = [];
  let start = -1;
  for (let i = 0; i < at_ms.length; i++) {
    const ends = start >= 0 && i > 0 && at_ms[i]! - at_ms[i - 1]! > gap_ms;
    if (start >= 0 && (ends || Number.isNaN(values[i]!))) {
      runs.push([start, i]);
      start = -1;
    }
    if (start < 0 && !Number.isNaN(values[i]!)) start = i;
  }
  if (start >= 0) runs.push([start, at_ms.length]);
  return runs;
}

/** A line through the values; a lone value becomes a short dash so that it can be seen. */
export function linePath(points: Points, range: Range, scale: Scale, gap_ms: number): string {
  let path = '';
  for (const [from, to] of runsOf(points, gap_ms)) {
    for (let i = from; i < to; i++) {
      const x = digits(xOf(points.at_ms[i]!, range));
      const y = digits(yOf(points.values[i]!, scale));
      path += `${i === from ? 'M' : 'L'}${x} ${y}`;
    }
    if (to - from === 1) path += 'h3';
  }
  return path;
}

/** Steps: each value holds from its instant for `hold_ms`. With `fill` the steps are closed down to zero. */
export function stepPath(points: Points, range: Range, scale: Scale, hold_ms: number, fill = false): string {
  let path = '';
  const zero = digits(yOf(Math.min(Math.max(0, scale.min), scale.max), scale));
  for (const [from, to] of runsOf(points, hold_ms)) {
    const start = digits(xOf(points.at_ms[from]!, range));
    path += fill ? `M${start} ${zero}` : '';
    for (let i = from; i < to; i++) {
      const y = digits(yOf(points.values[i]!, scale));
      path += i === from && !fill ? `M${start} ${y}` : `V${y}`;
      path += `H${digits(xOf(points.at_ms[i]! + hold_ms, range))}`;
    }
    if (fill) path += `V${zero}Z`;
  }
  return path;
}

export type Band = { at_ms: ArrayLike<number>; lower: ArrayLike<number>; upper: ArrayLike<number> };

/** The area between two lines. */
export function bandPath({ at_ms, lower, upper }: Band, range: Range, scale: Scale, gap_ms: number): string {
  const both = Array.from(at_ms, (_, i) => lower[i]! + upper[i]!);
  let path = '';
  for (const [from, to] of runsOf({ at_ms, values: both }, gap_ms)) {
    for (let i = from; i < to; i++)
      path += `${i === from ? 'M' : 'L'}${digits(xOf(at_ms[i]!, range))} ${digits(yOf(upper[i]!, scale))}`;
    for (let i = to - 1; i >= from; i--) path += `L${digits(xOf(at_ms[i]!, range))} ${digits(yOf(lower[i]!, scale))}`;
    path += 'Z';
  }
  return path;
}

export type TimeTick = { at_ms: number; kind: 'day' | 'hour' };

const QUARTER_MS = 15 * 60_000;

/**
 * Ticks at full hours of the wall clock, every 1, 2, 3, 6, 12 or 24 of them so that about `count` remain; midnights are
 * of kind `day`. Right on days of 23 and 25 hours, since the wall clock is asked.
 */
export function timeTicks(
  range: Range,
  wall: (at_ms: number) => { hour: number; minute: number },
  count = 9,
): TimeTick[] {
  const hours = (range.to_ms - range.from_ms) / 3_600_000;
  const every = [1, 2, 3, 6, 12, 24].find((n) => hours / n <= count) ?? 24;
  const ticks: TimeTick[] = [];
  let last_ms = Number.NEGATIVE_INFINITY;
  let last = -1;
  for (let at_ms = Math.ceil(range.from_ms / QUARTER_MS) * QUARTER_MS; at_ms <= range.to_ms; at_ms += QUARTER_MS) {
    const { hour, minute } = wall(at_ms);
    const isRepeated = hour === last && at_ms - last_ms < 2 * 3_600_000;
    if (minute !== 0 || hour % every !== 0 || isRepeated) continue;
    last = hour;
    last_ms = at_ms;
    ticks.push({ at_ms, kind: hour === 0 ? 'day' : 'hour' });
  }
  return ticks;
}
