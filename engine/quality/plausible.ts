/** What a meter can and cannot have counted in a time. */
import { HOUR_MS } from '../model/time.ts';
import type { Usable } from './accumulator.ts';

/** Without a known size of the connection nothing below 1 MW (1,000 kWh or m³ per hour) is called impossible. */
const FLOOR_PER_H = 1000;
/** … and nothing below this multiple of what the meter counts around that time. */
const MULTIPLE = 50;
const NEIGHBOURS = 4;
const NEAR_MS = 3 * HOUR_MS;
/** Registers tick in steps of up to one unit, whatever the time between two readings. */
const TICK = 1;
const SHORTEST_MS = 60_000;
/**
 * A single step that stands out of slow ones by MULTIPLE is no load from here on: a plant that starts goes on in the
 * next step, and one that ran for less than a step of 20 minutes has rarely counted more than a 500 kW charger.
 */
const ALONE_PER_H = 500;
const ALONE_MS = 20 * 60_000;
/** Large meters behind transformers tick in steps of up to 10 units. */
const ALONE_LEAST = 20;
/**
 * What a device is rated for is no hard limit: meters behind transformers measure more than their profile says, and a
 * register that stood still for a while catches up in one step.
 */
const RATED_HOURS = 1;
const QUIET_STEPS = 2;
/**
 * Against the meter's own past: twice the usual most, which counts as 22 kW at least (the largest new load that people
 * plug in without asking). What is counted in less than a slot is taken as if it had taken one, since registers tick.
 */
const BEYOND_USUAL = 2;
/** A plant that runs for one long step is nothing rare: such steps are judged only far beyond the usual. */
const BEYOND_USUAL_LONG = 10;
const NEW_LOAD_PER_H = 22;
const LEARNT_LEAST_H = 0.25;
/** A step that goes on is a new load, not a jump. */
const GOES_ON = 1;
/** A register that stood still for as long as is seen here and catches up may have stood so much longer. */
const STOOD_H = 24;
/** A load may be so much higher in the step that passes the last digit than in those around it. */
const EXPLAINED = 5;

/**
 * Whether `counted` units between the readings `a` and `b` are beyond what the connection (`limit_per_h`, units per
 * hour) or, where that is not known, the meter's own neighbourhood makes possible.
 */
export function impossible(r: Usable, a: number, b: number, counted: number, limit_per_h: number | null): boolean {
  const hours = Math.max(r.at_ms[b]! - r.at_ms[a]!, SHORTEST_MS) / HOUR_MS;
  if (limit_per_h !== null) return counted > limit_per_h * hours + TICK;
  if (standsAlone(r, a, b, counted, hours) || beyondUsual(r, a, b, counted, hours)) return true;
  if (backFromZero(r, a, b, counted, hours)) return true;
  if (counted <= FLOOR_PER_H * hours + TICK) return false;
  return counted > Math.max(FLOOR_PER_H, MULTIPLE * usualRate(r, a, b)) * hours + TICK;
}

/** Whether the step is far beyond the device's rating, or what any connection has at once, between slow ones. */
function standsAlone(r: Usable, a: number, b: number, counted: number, hours: number): boolean {
  const large = counted > Math.max(ALONE_LEAST, ALONE_PER_H * hours + TICK) && r.at_ms[b]! - r.at_ms[a]! <= ALONE_MS;
  const overrated = r.rated_per_h !== undefined && counted > r.rated_per_h * Math.max(RATED_HOURS, 2 * hours) + TICK;
  if (!large && !overrated) return false;
  const [before, after] = neighbourRates(r, a, b);
  if (before.length < QUIET_STEPS || after.length < QUIET_STEPS) return false;
  return counted > MULTIPLE * Math.max(...before, ...after) * hours + TICK;
}

/** Whether the step is far beyond what the meter has ever counted, and the steps around it are as usual. */
function beyondUsual(r: Usable, a: number, b: number, counted: number, hours: number): boolean {
  if (r.usual_max_per_h === undefined) return false;
  const long = r.at_ms[b]! - r.at_ms[a]! > ALONE_MS;
  const factor = long ? BEYOND_USUAL_LONG : BEYOND_USUAL;
  const most_per_h = factor * Math.max(r.usual_max_per_h, NEW_LOAD_PER_H);
  if (counted <= most_per_h * Math.max(hours, LEARNT_LEAST_H) + TICK) return false;
  const [before, after] = neighbourRates(r, a, b, r.at_ms[b]!);
  if (after.length < QUIET_STEPS || Math.max(...before, ...after) > GOES_ON * most_per_h) return false;
  return !(Math.max(...after) > 0 && counted <= most_per_h * stoodStillFor(r, a, b));
}

/**
 * Whether `counted` units in an interval of `hours` are beyond what the meter has ever counted, alone between usual
 * ones, or (past unknown) beyond a megawatt and far beyond the rates before and after.
 */
export function impossibleRate(
  counted: number,
  hours: number,
  before: readonly number[],
  after: readonly number[],
  usual_max_per_h: number | undefined,
): boolean {
  const rates = [...before, ...after].sort((x, y) => x - y);
  if (usual_max_per_h !== undefined && before.length > 0 && after.length > 0) {
    const factor = hours * HOUR_MS > ALONE_MS ? BEYOND_USUAL_LONG : BEYOND_USUAL;
    const most_per_h = factor * Math.max(usual_max_per_h, NEW_LOAD_PER_H);
    if (counted > most_per_h * Math.max(hours, LEARNT_LEAST_H) + TICK && Math.max(...rates) <= most_per_h) return true;
  }
  const usual = rates[Math.floor(0.75 * rates.length)] ?? 0;
  return counted > Math.max(FLOOR_PER_H, MULTIPLE * usual) * Math.max(hours, LEARNT_LEAST_H) + TICK;
}

/** Registers that are "not available" say 0: coming back from exactly there is no consumption, where slow steps follow. */
function backFromZero(r: Usable, a: number, b: number, counted: number, hours: number): boolean {
  if (r.values[a] !== 0 || counted <= TICK) return false;
  const [, after] = neighbourRates(r, a, b, r.at_ms[b]!);
  const most = Math.max(0, ...after);
  return after.length >= QUIET_STEPS && most > 0 && counted > MULTIPLE * most * hours + TICK;
}

/** Whether the rates around the step explain what is counted in it: what passes the last digit is nothing special. */
export function isUsual(r: Usable, a: number, b: number, counted: number): boolean {
  const hours = Math.max(r.at_ms[b]! - r.at_ms[a]!, SHORTEST_MS) / HOUR_MS;
  const [before, after] = neighbourRates(r, a, b, r.at_ms[b]!);
  return counted <= EXPLAINED * Math.max(0, ...before, ...after) * hours + TICK;
}

/** How long, in hours, a frozen register that moves again at `b` can have counted what it shows then. */
function stoodStillFor(r: Usable, a: number, b: number): number {
  let first = a;
  while (first > 0 && r.values[first - 1] === r.values[a] && r.at_ms[b]! - r.at_ms[first - 1]! <= NEAR_MS) first--;
  if (first === a) return 0;
  const reaches = first > 0 && r.values[first - 1] === r.values[a];
  return reaches ? STOOD_H : (r.at_ms[b]! - r.at_ms[first]!) / HOUR_MS;
}

/** Third quartile of the rates of the steps around the one from `a` to `b`, in units per hour. */
function usualRate(r: Usable, a: number, b: number): number {
  const known = neighbourRates(r, a, b)
    .flat()
    .sort((x, y) => x - y);
  return known[Math.floor(0.75 * known.length)] ?? 0;
}

/** Rates of the steps before `a` and after `b`, as far as they are near (those after: to `reference_ms`) and did not fall. */
function neighbourRates(
  r: Usable,
  a: number,
  b: number,
  reference_ms = r.at_ms[a]!,
): [before: number[], after: number[]] {
  const [before, after]: [number[], number[]] = [[], []];
  for (let k = a; k > 0 && k > a - NEIGHBOURS; k--) before.push(rateNear(r, k - 1, k, r.at_ms[b]!) ?? -1);
  for (let k = b; k + 1 < r.count && k < b + NEIGHBOURS; k++) after.push(rateNear(r, k, k + 1, reference_ms) ?? -1);
  const known = (rates: number[]) => rates.filter((rate) => rate >= 0);
  return [known(before), known(after)];
}

/**
 * Rate from reading `a` to reading `b` in units per hour. Null where the register fell, or where one of them is further
 * than NEAR_MS from `reference_ms`: what is far must not matter, or a range computed on its own would differ.
 */
export function rateNear(r: Usable, a: number, b: number, reference_ms: number): number | null {
  const far = Math.abs(r.at_ms[a]! - reference_ms) > NEAR_MS || Math.abs(r.at_ms[b]! - reference_ms) > NEAR_MS;
  const rise = r.values[b]! - r.values[a]!;
  return far || rise < 0 ? null : (rise * HOUR_MS) / Math.max(r.at_ms[b]! - r.at_ms[a]!, SHORTEST_MS);
}
