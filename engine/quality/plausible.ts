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
 * Whether `counted` units between the readings `a` and `b` are beyond what the connection (`limit_per_h`, units per
 * hour) or, where that is not known, the meter's own neighbourhood makes possible.
 */
export function impossible(r: Usable, a: number, b: number, counted: number, limit_per_h: number | null): boolean {
  const hours = Math.max(r.at_ms[b]! - r.at_ms[a]!, SHORTEST_MS) / HOUR_MS;
  if (counted <= (limit_per_h ?? FLOOR_PER_H) * hours + TICK) return false;
  if (limit_per_h !== null) return true;
  return counted > Math.max(FLOOR_PER_H, MULTIPLE * usualRate(r, a, b)) * hours + TICK;
}

/** Third quartile of the rates of the steps around the one from `a` to `b`, in units per hour. */
function usualRate(r: Usable, a: number, b: number): number {
  const rates: number[] = [];
  for (let k = a; k > 0 && k > a - NEIGHBOURS; k--) rates.push(rateNear(r, k - 1, k, r.at_ms[b]!) ?? -1);
  for (let k = b; k + 1 < r.count && k < b + NEIGHBOURS; k++) rates.push(rateNear(r, k, k + 1, r.at_ms[a]!) ?? -1);
  const known = rates.filter((rate) => rate >= 0).sort((x, y) => x - y);
  return known[Math.floor(0.75 * known.length)] ?? 0;
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
