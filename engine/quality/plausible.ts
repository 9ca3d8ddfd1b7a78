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
 * Whether `counted` units between the readings `a` and `b` are beyond what the connection (`limit_per_h`, units per
 * hour) or, where that is not known, the meter's own neighbourhood makes possible.
 */
export function impossible(r: Usable, a: number, b: number, counted: number, limit_per_h: number | null): boolean {
  const hours = Math.max(r.at_ms[b]! - r.at_ms[a]!, SHORTEST_MS) / HOUR_MS;
  if (limit_per_h !== null) return counted > limit_per_h * hours + TICK;
  if (standsAlone(r, a, b, counted, hours)) return true;
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

/** Third quartile of the rates of the steps around the one from `a` to `b`, in units per hour. */
function usualRate(r: Usable, a: number, b: number): number {
  const known = neighbourRates(r, a, b)
    .flat()
    .sort((x, y) => x - y);
  return known[Math.floor(0.75 * known.length)] ?? 0;
}

/** Rates of the steps before `a` and after `b`, as far as they are near and did not fall. */
function neighbourRates(r: Usable, a: number, b: number): [before: number[], after: number[]] {
  const [before, after]: [number[], number[]] = [[], []];
  for (let k = a; k > 0 && k > a - NEIGHBOURS; k--) before.push(rateNear(r, k - 1, k, r.at_ms[b]!) ?? -1);
  for (let k = b; k + 1 < r.count && k < b + NEIGHBOURS; k++) after.push(rateNear(r, k, k + 1, r.at_ms[a]!) ?? -1);
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
