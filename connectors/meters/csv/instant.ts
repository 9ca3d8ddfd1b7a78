/** Times as they stand in exported files: with a zone, as epoch, or as the wall clock of a place with its clock changes. */
import { HOUR_MS, instantOf, zoneOffset } from '../../../engine/model/time.ts';

/** Zone names that German and international exports put behind a time. */
const NAMED_OFFSETS_H: Readonly<Record<string, number>> = { UTC: 0, GMT: 0, CET: 1, MEZ: 1, CEST: 2, MESZ: 2 };

const ZONED = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$/i;
const YEAR_FIRST = /^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ,]+(.*))?$/;
const DAY_FIRST = /^(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?:[T ,]+(.*))?$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?(?:\s*Uhr)?(?:\s+([A-Z]{3,4}))?$/;

type Wall = {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  offset_h?: number;
};

/**
 * @param time_zone where the wall clock hangs; null: times must carry their zone
 * @param previous_ms the instant of the row before (of the same meter): in the hour that autumn has twice, a time
 * that does not lie after it belongs to the second pass
 * @returns epoch milliseconds, or what is wrong as a sentence
 */
export function decodeFileInstant(text: string, time_zone: string | null, previous_ms?: number): number | string {
  const trimmed = text.trim();
  if (/^\d{10}$/.test(trimmed)) return Number(trimmed) * 1000;
  if (/^\d{13}$/.test(trimmed)) return Number(trimmed);
  if (ZONED.test(trimmed)) {
    const at_ms = Date.parse(trimmed.replace(' ', 'T'));
    return Number.isNaN(at_ms) ? notATime(trimmed) : at_ms;
  }
  const wall = wallOf(trimmed);
  if (typeof wall === 'string') return wall;
  if (wall.offset_h !== undefined) return utcOf(wall) - wall.offset_h * HOUR_MS;
  if (time_zone === null) return `The time "${trimmed}" has no zone; choose the time zone of the file.`;
  return placed(wall, time_zone, previous_ms, trimmed);
}

function wallOf(text: string): Wall | string {
  const yearFirst = YEAR_FIRST.exec(text);
  if (yearFirst) return withClock(Number(yearFirst[1]), Number(yearFirst[2]), Number(yearFirst[3]), yearFirst[4], text);
  const dayFirst = DAY_FIRST.exec(text);
  if (!dayFirst) return notATime(text);
  const [, first, separator, second, years, clock] = dayFirst;
  const year = years!.length === 2 ? 2000 + Number(years) : Number(years);
  const [a, b] = [Number(first), Number(second)];
  // With dots the day comes first; with slashes it depends on the country, so only what can be one thing counts.
  if (separator !== '/' || a > 12) return withClock(year, b, a, clock, text);
  if (b > 12) return withClock(year, a, b, clock, text);
  return `The date "${text}" may be day/month or month/day; export it as 2026-03-29 or 29.03.2026.`;
}

function withClock(year: number, month: number, day: number, clock: string | undefined, text: string): Wall | string {
  const found = CLOCK.exec(clock === undefined || clock === '' ? '00:00' : clock.trim());
  if (!found) return notATime(text);
  const wall: Wall = {
    year,
    month,
    day,
    hour: Number(found[1]),
    minute: Number(found[2]),
    second: Number(found[3] ?? 0),
  };
  const { hour, minute, second } = wall;
  const real = new Date(Date.UTC(year, month - 1, day));
  if (real.getUTCMonth() !== month - 1 || real.getUTCDate() !== day) return notATime(text);
  if (minute > 59 || second > 59 || hour > 24 || (hour === 24 && minute + second > 0)) return notATime(text);
  const offset_h = found[4] === undefined ? undefined : NAMED_OFFSETS_H[found[4]];
  if (found[4] !== undefined && offset_h === undefined) return notATime(text);
  return offset_h === undefined ? wall : { ...wall, offset_h };
}

function utcOf({ year, month, day, hour, minute, second }: Wall): number {
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function placed(wall: Wall, time_zone: string, previous_ms: number | undefined, text: string): number | string {
  const wall_ms = utcOf(wall);
  // 24:00 is the next day's 00:00.
  const real = new Date(wall_ms);
  const [month, day] = [real.getUTCMonth() + 1, real.getUTCDate()];
  const seconds_ms = wall.second * 1000;
  const first_ms =
    instantOf(time_zone, real.getUTCFullYear(), month, day, real.getUTCHours(), real.getUTCMinutes()) + seconds_ms;
  if (first_ms + zoneOffset(first_ms, time_zone) !== wall_ms)
    return `The time "${text}" does not exist in ${time_zone}: the clock was put forward over it.`;
  const second_ms = first_ms + HOUR_MS;
  const twice = second_ms + zoneOffset(second_ms, time_zone) === wall_ms;
  return twice && previous_ms !== undefined && previous_ms >= first_ms ? second_ms : first_ms;
}

function notATime(text: string): string {
  return `"${text.slice(0, 40)}" is no time; give e.g. 2026-03-29T01:00:00Z or 29.03.2026 03:00.`;
}
