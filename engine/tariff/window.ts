/** When a tariff's conditions hold, on the wall clock of its time zone. */
import { zoneOffset } from '../model/time.ts';
import type { HolidayCalendar, Window } from './tariff.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** A local day. `number` counts days from 1970-01-01. */
export type LocalDay = {
  number: number;
  /** `YYYY-MM-DD`, and its parts `YYYY-MM` and `MM-DD`. */
  date: string;
  month: string;
  month_day: string;
  /** 1 is Monday, 7 Sunday. */
  weekday: number;
  holiday: boolean;
};
/** The wall clock at an instant. */
export type Wall = { day: LocalDay; minute: number };

/**
 * Reads the wall clock of one zone at many instants; days are worked out once. At a clock change an hour of the wall
 * clock is missing or comes twice, and so do the slots in it.
 */
export function createWallClock(
  time_zone: string,
  region: string | null,
  isHoliday: HolidayCalendar,
): (at_ms: number) => Wall {
  const days = new Map<number, LocalDay>();
  return (at_ms) => {
    const local_ms = at_ms + zoneOffset(at_ms, time_zone);
    const number = Math.floor(local_ms / DAY_MS);
    let day = days.get(number);
    if (!day) {
      day = localDayOf(number, region, isHoliday);
      days.set(number, day);
    }
    return { day, minute: Math.floor((local_ms - number * DAY_MS) / MINUTE_MS) };
  };
}

function localDayOf(number: number, region: string | null, isHoliday: HolidayCalendar): LocalDay {
  const date = new Date(number * DAY_MS).toISOString().slice(0, 10);
  return {
    number,
    date,
    month: date.slice(0, 7),
    month_day: date.slice(5),
    // 1970-01-01 was a Thursday
    weekday: ((((number + 3) % 7) + 7) % 7) + 1,
    holiday: region !== null && isHoliday(region, date),
  };
}

/** Whether `window` holds; no window always does. */
export function holds(window: Window | null, { day, minute }: Wall): boolean {
  if (window === null) return true;
  if (!holdsOn(window, day)) return false;
  return window.hours === null || window.hours.some(({ from_min, to_min }) => minute >= from_min && minute < to_min);
}

function holdsOn({ dates, weekdays, holidays }: Window, day: LocalDay): boolean {
  if (holidays === 'only' && !day.holiday) return false;
  if (holidays === 'never' && day.holiday) return false;
  const weekday = holidays === 'as-sunday' && day.holiday ? 7 : day.weekday;
  if (weekdays !== null && !weekdays.includes(weekday)) return false;
  return dates === null || dates.some((range) => holdsInYear(range, day.month_day));
}

function holdsInYear({ from, to }: { from: string; to: string }, month_day: string): boolean {
  return from <= to ? month_day >= from && month_day <= to : month_day >= from || month_day <= to;
}
