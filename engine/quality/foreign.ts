/**
 * Readings that are not of this register: counted in another unit (an update turned kWh into Wh), or of a second meter
 * that sends under the same name. They are set aside before the register is looked at, with a mark that says why.
 */
import { Quality } from '../model/quality.ts';
import { HOUR_MS, slotStart } from '../model/time.ts';
import type { Accumulator, Usable } from './accumulator.ts';

/** A change of unit is a factor of 1000, as exact as what was counted meanwhile allows. */
const UNIT_FACTOR = 1000;
const UNIT_TOLERANCE = 0.002;
/** Below this a register has too few digits to tell a factor from a coincidence. */
const UNIT_LEAST = 1;
/** Two meters alternate: so many falls within so long a time, between two levels that both only grow. */
const MIXED_FALLS = 3;
const MIXED_MS = HOUR_MS;
const MIXED_LEAST = 1;

/** @param in_doubt whether the first reading is in another unit already */
export function leaveOutForeign(r: Usable, in_doubt: boolean, out: Accumulator): void {
  const foreign = new Int32Array(r.count);
  markMixed(r, foreign, out);
  markUnits(r, in_doubt, foreign, out);
  keepOwn(r, foreign);
}

function keepOwn(r: Usable, foreign: Int32Array): void {
  let kept = 0;
  for (let i = 0; i < r.count; i++) {
    if (foreign[i]) continue;
    r.at_ms[kept] = r.at_ms[i]!;
    r.values[kept] = r.values[i]!;
    r.quality[kept] = r.quality[i]!;
    kept++;
  }
  r.count = kept;
}

/** A slot carries UNIT exactly where the unit is in doubt at its end, so that the next range can go on from there. */
function markUnits(r: Usable, in_doubt: boolean, foreign: Int32Array, out: Accumulator): void {
  let doubt = in_doubt;
  let last = -1;
  for (let i = 0; i < r.count; i++) {
    if (foreign[i]) continue;
    const repaired = (r.quality[i]! & Quality.REPAIRED) !== 0;
    if (last >= 0 && (repaired ? doubt : changesUnit(r, last, i, foreign, doubt))) {
      doubt = !doubt;
      if (doubt) out.event('unit', r.at_ms[i]!, r.values[last]!, r.values[i]!);
    }
    last = i;
    if (!doubt) continue;
    foreign[i] = 1;
    const next = i + 1;
    const goesOn = next >= r.count || slotStart(r.at_ms[next]!) !== slotStart(r.at_ms[i]!);
    if (goesOn) out.mark(r.at_ms[i]!, Quality.UNIT);
  }
}

/** Whether the level changes by the factor between `a` and `b` and stays there; back from doubt one reading suffices. */
function changesUnit(r: Usable, a: number, b: number, foreign: Int32Array, doubt: boolean): boolean {
  if (!isFactor(r.values[a]!, r.values[b]!)) return false;
  if (doubt) return true;
  let c = b + 1;
  while (c < r.count && foreign[c]) c++;
  return c < r.count && r.values[c]! >= r.values[b]! && isFactor(r.values[a]!, r.values[c]!);
}

function isFactor(a: number, b: number): boolean {
  const [low, high] = a < b ? [a, b] : [b, a];
  return low >= UNIT_LEAST && Math.abs(high / low / UNIT_FACTOR - 1) <= UNIT_TOLERANCE;
}

function markMixed(r: Usable, foreign: Int32Array, out: Accumulator): void {
  const falls: number[] = [];
  for (let i = 1; i < r.count; i++)
    if (r.values[i - 1]! - r.values[i]! > MIXED_LEAST && !((r.quality[i]! | r.quality[i - 1]!) & Quality.REPAIRED))
      falls.push(i);
  for (let k = 0; k + MIXED_FALLS <= falls.length; k++) {
    const run = falls.slice(k, k + MIXED_FALLS);
    const [first, last] = [run[0]!, run.at(-1)!];
    if (r.at_ms[last]! - r.at_ms[first - 1]! > MIXED_MS || !areTwoRegisters(r, run)) continue;
    for (let i = first - 1; i <= last; i++) {
      if (foreign[i] === 0) out.event('mixed', r.at_ms[i]!, r.values[Math.max(0, i - 1)]!, r.values[i]!);
      foreign[i] = 1;
      out.mark(r.at_ms[i]!, Quality.MIXED);
    }
  }
}

/** Whether the values before the falls and those after them are each a register of its own: neither falls, the lower
 * one counts too (a dip to an old value or to zero stands still), and both count little against their distance. */
function areTwoRegisters(r: Usable, falls: readonly number[]): boolean {
  const highs = falls.map((i) => r.values[i - 1]!);
  const lows = falls.map((i) => r.values[i]!);
  const grown = (values: readonly number[]) => values.at(-1)! - values[0]!;
  const distance = highs[0]! - lows.at(-1)!;
  const monotone = [highs, lows].every((values) => values.every((value, k) => k === 0 || value >= values[k - 1]!));
  return monotone && lows[0]! > 0 && grown(lows) > 0 && Math.max(grown(highs), grown(lows)) < 0.1 * distance;
}
