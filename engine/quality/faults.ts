/**
 * Faults of a meter that no single reading shows: it fell silent, it stands still, or it counts at night what it never
 * did. Judged against the same meter's own past weeks, the same hour's values above all. Pure.
 */
import { HOUR_MS, localTime, SLOT_MS } from '../model/time.ts';
import type { SlotColumns } from '../ports.ts';

export type FaultKind = 'gap' | 'stuck' | 'night_load';
export type MeterFault = {
  kind: FaultKind;
  from_ms: number;
  to_ms: number;
  /** Mean per hour in the fault; null where nothing is known. */
  value: number | null;
  /** What is usual in those hours; null where not enough is known. */
  usual: number | null;
};
/** One value an hour without holes in the grid; NaN is missing. */
export type Hours = { from_ms: number; values: Float64Array };

/** How sharp the eye is. Chosen on meters that are not those it is measured on: see test/bench/meter-faults.bench.ts. */
export type FaultLimits = {
  /** Missing hours in a row that are a gap, where the meter usually speaks at those hours. */
  gap_h: number;
  /** Equal hours in a row that are a standstill, at least, and as a multiple of the longest usual run. */
  stuck_h: number;
  stuck_runs: number;
  /** A night hour stands out above the second highest of its past by this share of its median and of the mean load. */
  night_share: number;
  night_mean_share: number;
};
export const FAULT_LIMITS: FaultLimits = {
  gap_h: 3,
  stuck_h: 5,
  stuck_runs: 2,
  night_share: 0.1,
  night_mean_share: 0.05,
};

/** How much of the past a value is compared with, and how many of the same hour must be known. */
export const PAST_DAYS = 28;
const LEAST_DAYS = 10;
/** Local hours of the night, and how many of them must stand out. */
const NIGHT_H = 5;
const NIGHT_LEAST = 4;
/** What stands out for longer is the new usual. */
const NEW_USUAL_NIGHTS = 7;
/** A meter speaks usually at an hour where it did on this share of the days; zero is unusual below this share. */
const SPEAKS_SHARE = 0.8;
const ZERO_SHARE = 0.02;

/** Sums of four quarter hours; an hour with a missing one is missing. */
export function hoursOf(slots: SlotColumns, from_ms: number, to_ms: number): Hours {
  const count = Math.max(0, Math.floor((to_ms - from_ms) / HOUR_MS));
  const values = new Float64Array(count);
  const known = new Uint8Array(count);
  for (const [i, at_ms] of slots.at_ms.entries()) {
    const hour = Math.floor((at_ms - from_ms) / HOUR_MS);
    if (hour < 0 || hour >= count || Number.isNaN(slots.values[i]!)) continue;
    values[hour]! += slots.values[i]!;
    known[hour]!++;
  }
  for (let hour = 0; hour < count; hour++) if (known[hour]! < HOUR_MS / SLOT_MS) values[hour] = NaN;
  return { from_ms, values };
}

/**
 * @param hours the time to judge and at least LEAST_DAYS days before it; PAST_DAYS are looked at
 * @param judge_from_ms faults that end before this are not told
 * @returns faults in order of kind and time; one that lasts ends with the hours
 */
export function findMeterFaults(
  hours: Hours,
  time_zone: string,
  judge_from_ms: number,
  limits: FaultLimits = FAULT_LIMITS,
): MeterFault[] {
  const local = Array.from(hours.values, (_, i) => localTime(hours.from_ms + i * HOUR_MS, time_zone).hour);
  const found = [...gaps(hours, local, limits), ...standstills(hours, local, limits), ...nights(hours, local, limits)];
  return found.filter((fault) => fault.to_ms > judge_from_ms);
}

/** Runs of hours for which `same` holds between neighbours, as [first, end). */
function runs(
  count: number,
  belongs: (i: number) => boolean,
  same: (a: number, b: number) => boolean,
): [number, number][] {
  const found: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    if (!belongs(i)) continue;
    let end = i + 1;
    while (end < count && belongs(end) && same(end - 1, end)) end++;
    found.push([i, end]);
    i = end - 1;
  }
  return found;
}

/** Known values of the local hour of `i` in the past weeks before `until`. */
function pastOf({ values }: Hours, local: readonly number[], hour: number, until: number, skip?: ReadonlySet<number>) {
  const past: number[] = [];
  let days = 0;
  for (let i = until - 1; i >= 0 && i >= until - PAST_DAYS * 24; i--) {
    if (local[i] !== hour) continue;
    days++;
    if (!Number.isNaN(values[i]!) && !skip?.has(i)) past.push(values[i]!);
  }
  return { past, days };
}

function gaps(hours: Hours, local: readonly number[], { gap_h }: FaultLimits): MeterFault[] {
  const { values } = hours;
  const missing = runs(
    values.length,
    (i) => Number.isNaN(values[i]!),
    () => true,
  );
  return missing.flatMap(([first, end]) => {
    if (end - first < gap_h) return [];
    const usual: number[] = [];
    let spoken = 0;
    const looked = Math.min(end, first + 24);
    for (let i = first; i < looked; i++) {
      const { past, days } = pastOf(hours, local, local[i]!, first);
      if (days < LEAST_DAYS) return [];
      if (past.length >= SPEAKS_SHARE * days) spoken++;
      if (past.length > 0) usual.push(median(past));
    }
    if (spoken < Math.max(1, (looked - first) / 2)) return [];
    return [faultOf('gap', hours, first, end, null, usual.length > 0 ? mean(usual) : null)];
  });
}

function standstills(hours: Hours, local: readonly number[], { stuck_h, stuck_runs }: FaultLimits): MeterFault[] {
  const { values } = hours;
  const equal = runs(
    values.length,
    (i) => !Number.isNaN(values[i]!),
    (a, b) => values[a] === values[b],
  );
  const found: MeterFault[] = [];
  for (const [k, [first, end]] of equal.entries()) {
    if (end - first < stuck_h || first < LEAST_DAYS * 24) continue;
    if (end - first < stuck_runs * longestBefore(equal, k, values[first]! === 0 ? 0 : null, values) + 1) continue;
    const usual: number[] = [];
    let unusual = 0;
    for (let i = first; i < Math.min(end, first + 24); i++) {
      const { past } = pastOf(hours, local, local[i]!, first);
      const alike = past.filter((value) => value === values[first]).length;
      if (past.length >= LEAST_DAYS && alike <= Math.max(1, ZERO_SHARE * past.length)) unusual++;
      if (past.length > 0) usual.push(median(past));
    }
    if (unusual < Math.min(end - first, 24) / 2) continue;
    found.push(faultOf('stuck', hours, first, end, values[first]!, mean(usual)));
  }
  return found;
}

/** The longest run of equal hours in the weeks before the `k`th; runs of zeros and of values count apart. */
function longestBefore(equal: readonly [number, number][], k: number, zero: 0 | null, values: Float64Array): number {
  const from = equal[k]![0] - PAST_DAYS * 24;
  let longest = 0;
  for (let j = k - 1; j >= 0 && equal[j]![1] > from; j--)
    if ((values[equal[j]![0]] === 0) === (zero === 0)) longest = Math.max(longest, equal[j]![1] - equal[j]![0]);
  return longest;
}

/** Nights in which most hours stand far above the same hours of the past weeks; those in a row are one fault. */
function nights(hours: Hours, local: readonly number[], limits: FaultLimits): MeterFault[] {
  const found: MeterFault[] = [];
  const skip = new Set<number>();
  let open: { first: number; end: number; count: number } | null = null;
  for (let i = 0; i < local.length; i++) {
    if (local[i] !== 0 || (i > 0 && local[i - 1] === 0)) continue;
    const end = Math.min(local.length, i + NIGHT_H);
    const night = judgeNight(hours, local, i, end, skip, limits);
    const goesOn = open !== null && i - open.end < 24;
    if (!night.stands_out) {
      if (!goesOn || night.known) open = null;
      continue;
    }
    if (open !== null && goesOn) {
      open.end = end;
      open.count++;
      found.pop();
    } else open = { first: i, end, count: 1 };
    if (open.count <= NEW_USUAL_NIGHTS) for (let j = i; j < end; j++) skip.add(j);
    else skip.clear();
    const first = open.first;
    found.push(faultOf('night_load', hours, first, end, night.value, night.usual));
  }
  return found;
}

function judgeNight(
  hours: Hours,
  local: readonly number[],
  first: number,
  end: number,
  skip: ReadonlySet<number>,
  { night_share, night_mean_share }: FaultLimits,
): { stands_out: boolean; known: boolean; value: number; usual: number } {
  const { values } = hours;
  const nothing = { stands_out: false, known: false, value: NaN, usual: NaN };
  let [above, known] = [0, 0];
  const [seen, usual]: [number[], number[]] = [[], []];
  const load = meanOf(values, Math.max(0, first - PAST_DAYS * 24), first);
  for (let i = first; i < end; i++) {
    const { past } = pastOf(hours, local, local[i]!, first, skip);
    if (Number.isNaN(values[i]!) || past.length < LEAST_DAYS) continue;
    known++;
    past.sort((a, b) => b - a);
    const middle = past[Math.floor(past.length / 2)]!;
    const margin = night_share * Math.abs(middle) + night_mean_share * load;
    if (values[i]! > past[1]! + margin) above++;
    seen.push(values[i]!);
    usual.push(middle);
  }
  if (known < NIGHT_LEAST) return nothing;
  return { stands_out: above >= NIGHT_LEAST, known: true, value: mean(seen), usual: mean(usual) };
}

function faultOf(
  kind: FaultKind,
  { from_ms }: Hours,
  first: number,
  end: number,
  value: number | null,
  usual: number | null,
): MeterFault {
  return { kind, from_ms: from_ms + first * HOUR_MS, to_ms: from_ms + end * HOUR_MS, value, usual };
}

function meanOf(values: Float64Array, from: number, to: number): number {
  let [sum, count] = [0, 0];
  for (let i = from; i < to; i++) {
    if (Number.isNaN(values[i]!)) continue;
    sum += Math.abs(values[i]!);
    count++;
  }
  return count > 0 ? sum / count : 0;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
