/** Quiet hours: a span of the wall clock of the site in which a person is not told what can wait. */
import { addDays, instantOf, localTime } from '../model/time.ts';

/** Minutes of the local day (0–1439); `from_min` > `to_min` spans midnight. They are never equal. */
export type QuietHours = { from_min: number; to_min: number };

/**
 * When the quiet hours that hold at `at_ms` end, or null outside of them. They run between two instants of the wall
 * clock: an end that a clock change shows twice is the first, one that it skips is the moment of the change.
 */
export function quietUntil(at_ms: number, { from_min, to_min }: QuietHours, time_zone: string): number | null {
  // The day before yesterday's span never reaches today; yesterday's may.
  for (const day of [-1, 0]) {
    const start_ms = wallClock(at_ms, day, from_min, time_zone);
    const end_ms = wallClock(at_ms, to_min > from_min ? day : day + 1, to_min, time_zone);
    if (start_ms <= at_ms && at_ms < end_ms) return end_ms;
  }
  return null;
}

function wallClock(at_ms: number, days: number, minute: number, time_zone: string): number {
  const { year, month, day } = localTime(addDays(at_ms, days, time_zone), time_zone);
  return instantOf(time_zone, year, month, day, Math.floor(minute / 60), minute % 60);
}
