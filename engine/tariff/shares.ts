/** Local days, and which share of months and years they are. A day that has begun counts whole. */
import { addDays, dayStart, localTime } from '../model/time.ts';

/** Local days that [from_ms, to_ms) touches. */
export function daysBetween(from_ms: number, to_ms: number, time_zone: string): number {
  return localDays(from_ms, to_ms, time_zone).length;
}

/** How many months [from_ms, to_ms) is: each day is one part of its month's 28 to 31. */
export function daysOfMonth(from_ms: number, to_ms: number, time_zone: string): number {
  return inShares(localDays(from_ms, to_ms, time_zone).map(({ year, month }) => lengthOf(year, month)));
}

/** How many years: each day is one part of its year's 365 or 366. */
export function daysOfYear(from_ms: number, to_ms: number, time_zone: string): number {
  return inShares(localDays(from_ms, to_ms, time_zone).map(({ year }) => (lengthOf(year, 2) === 29 ? 366 : 365)));
}

/** Equal parts are counted first, so that 31 of 31 days are exactly 1. */
function inShares(lengths: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const length of lengths) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].reduce((sum, [length, count]) => sum + count / length, 0);
}

function lengthOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function localDays(from_ms: number, to_ms: number, time_zone: string): { year: number; month: number }[] {
  const days: { year: number; month: number }[] = [];
  for (let at = dayStart(from_ms, time_zone); at < to_ms; at = addDays(at, 1, time_zone))
    days.push(localTime(at, time_zone));
  return days;
}
