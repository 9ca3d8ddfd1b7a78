/** Puts faults into a real meter, looks for them, and counts what was found and what was not there. */
import { HOUR_MS, localTime } from '../../engine/model/time.ts';
import {
  FAULT_LIMITS,
  type FaultKind,
  type FaultLimits,
  findMeterFaults,
  type MeterFault,
} from '../../engine/quality/faults.ts';
import { createRandom, type Random } from '../../engine/random.ts';
import type { BenchMeter } from './meter-data.ts';

type Injected = { kind: FaultKind; first: number; end: number };
export type MeterScore = {
  months: number;
  injected: readonly (Injected & { found: boolean })[];
  false_events: readonly MeterFault[];
};

const DAY_H = 24;
const WARM_UP_DAYS = 35;
/** One fault every so many days on average: the past weeks of most are clean. */
const EVERY_DAYS = 40;
/** Runs of equal values in the data themselves are faults of the data (PROTOCOL.md of the data folder). */
const STOOD_H = 12;
const NIGHT_H = 5;
const KINDS: readonly FaultKind[] = ['stuck', 'gap', 'night_load'];

export function scoreMeter(
  meter: BenchMeter,
  { seed, years, limits = FAULT_LIMITS }: { seed: number; years: number; limits?: FaultLimits },
): MeterScore {
  const hours = Math.min(meter.values.length, Math.floor(years * 365.25 * DAY_H));
  const original = meter.values.slice(0, hours);
  const random = randomOf(`${seed} ${meter.name}`);
  const { values, injected } = inject(original, meter, random);
  const judge_from_ms = meter.from_ms + WARM_UP_DAYS * DAY_H * HOUR_MS;
  const faults = findMeterFaults({ from_ms: meter.from_ms, values }, meter.time_zone, judge_from_ms, limits);
  const place = (at_ms: number) => Math.round((at_ms - meter.from_ms) / HOUR_MS);
  const meets = (fault: MeterFault, one: { first: number; end: number }) =>
    place(fault.from_ms) < one.end && place(fault.to_ms) > one.first;
  const known = badRuns(original);
  return {
    months: (hours - WARM_UP_DAYS * DAY_H) / (30 * DAY_H),
    injected: injected.map((one) => ({
      ...one,
      found: faults.some((fault) => fault.kind === one.kind && meets(fault, one)),
    })),
    // What the data themselves lack, or where they stand still, is no false alarm.
    false_events: faults.filter((fault) => ![...injected, ...known].some((one) => meets(fault, one))),
  };
}

export function tally(scores: readonly MeterScore[], kind?: FaultKind) {
  const of = <T extends { kind: FaultKind }>(list: readonly T[]) => list.filter((one) => !kind || one.kind === kind);
  const injected = scores.flatMap((score) => of(score.injected));
  return {
    injected: injected.length,
    found: injected.filter((one) => one.found).length,
    false_events: scores.flatMap((score) => of(score.false_events)).length,
    months: scores.reduce((sum, score) => sum + score.months, 0),
  };
}

/**
 * stuck: 12 to 48 hours the last value, or (a register that stands) 0; gap: 6 to 48 hours missing; night load: in 2 to 5
 * nights something of half to one and a half times the mean load runs on.
 */
function inject(original: Float64Array, meter: BenchMeter, random: Random) {
  const values = original.slice();
  const injected: Injected[] = [];
  const load = meanOf(original);
  const days = Math.floor(original.length / DAY_H);
  for (let day = WARM_UP_DAYS; day < days - 7; day += Math.round(EVERY_DAYS * (0.75 + random() / 2))) {
    const kind = KINDS[Math.floor(random() * KINDS.length)]!;
    let first = day * DAY_H + Math.floor(random() * DAY_H);
    if (kind === 'night_load') while (localHour(meter, first) !== 0) first++;
    const length =
      kind === 'night_load'
        ? DAY_H * Math.floor(1 + random() * 4) + NIGHT_H
        : Math.round((kind === 'stuck' ? 12 : 6) + random() * (kind === 'stuck' ? 36 : 42));
    const end = first + length;
    // Only where the data are good can a fault of ours be told from theirs.
    if (original.subarray(first - 2, end + 2).some(Number.isNaN)) continue;
    const last = random() < 0.5 ? 0 : original[first - 1]!;
    const extra = load * (0.5 + random());
    for (let i = first; i < end; i++) {
      if (kind === 'stuck') values[i] = last;
      else if (kind === 'gap') values[i] = NaN;
      else if (localHour(meter, i) < NIGHT_H) values[i]! += extra;
    }
    injected.push({ kind, first, end });
  }
  return { values, injected };
}

/** Missing hours and long runs of equal ones in the data themselves. */
function badRuns(values: Float64Array): { first: number; end: number }[] {
  const bad: { first: number; end: number }[] = [];
  for (let i = 0; i < values.length; i++) {
    const first = i;
    const missing = Number.isNaN(values[i]!);
    while (i + 1 < values.length && (missing ? Number.isNaN(values[i + 1]!) : values[i + 1] === values[first])) i++;
    if (missing || i + 1 - first >= STOOD_H) bad.push({ first, end: i + 1 });
  }
  return bad;
}

const localHour = ({ from_ms, time_zone }: BenchMeter, i: number) => localTime(from_ms + i * HOUR_MS, time_zone).hour;

function meanOf(values: Float64Array): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/** The same faults for the same seed and meter, on every machine. */
function randomOf(text: string): Random {
  let seed = 0;
  for (const char of text) seed = (Math.imul(seed, 31) + char.charCodeAt(0)) | 0;
  return createRandom(seed);
}
