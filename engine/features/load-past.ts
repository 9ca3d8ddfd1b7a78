/**
 * The past of a measured series as forecasts of load and generation see it: whole days, what is missing replaced by the
 * same hour a week or a day before. A day's past ends with the day before it: asking for more answers NaN.
 */
import { DAY_HOURS, type Panel, weekdayOf } from './panel.ts';

/** What is known of days in advance. Days are local day numbers (since 1970-01-01). */
export type DayCalendar = {
  holiday(day_number: number): boolean;
  /** Days that behave as none of the others do, as those between Christmas and New Year. */
  special(day_number: number): boolean;
};

export type LoadPast = {
  /** Filled value; NaN from the day being forecast on, and where nothing was measured before. */
  at(day: number, hour: number): number;
  /** The 24 of a day; NaN as `at`. */
  hours(day: number): Float64Array;
  /** Newest days of the same type as the day being forecast, newest first, at most `most` within 60 days. */
  alike(most: number): readonly number[];
};

export type LoadHistory = {
  readonly panel: Panel;
  /** Whether people are off: weekends, holidays, special days. Known for any day. */
  off(day: number): boolean;
  holiday(day: number): boolean;
  special(day: number): boolean;
  weekday(day: number): number;
  /** What was known when `day` was forecast. */
  before(day: number): LoadPast;
  /** Degrees north, where the place is known: forecasts of generation follow the sun. */
  readonly latitude?: number;
  /** Whether the weather in its panel counts. */
  readonly weather: boolean;
};

const ALIKE_DAYS = 60;

export function createLoadHistory(
  panel: Panel,
  calendar: DayCalendar,
  { latitude, weather = false }: { latitude?: number | undefined; weather?: boolean } = {},
): LoadHistory {
  const number = (day: number) => panel.first_day + day;
  const weekday = (day: number) => weekdayOf(panel, day);
  const off = (day: number) =>
    weekday(day) === 0 || weekday(day) === 6 || calendar.holiday(number(day)) || calendar.special(number(day));
  const filled: Float64Array[] = [];
  /** A day is filled from what was known at the next day's origin; later corrections do not change it. */
  const fillUpTo = (end: number) => {
    for (let day = filled.length; day < end; day++) {
      const view = panel.viewAt(panel.origin(day + 1));
      filled.push(fill((hour) => view.value(0, day, hour), filled[day - 7], filled[day - 1]));
    }
  };
  const nothing = new Float64Array(DAY_HOURS).fill(NaN);
  const before = (end: number): LoadPast => {
    fillUpTo(Math.min(end, panel.days));
    const hours = (day: number) => (day >= 0 && day < end ? (filled[day] ?? nothing) : nothing);
    return {
      hours,
      at: (day, hour) => hours(day)[hour]!,
      alike(most) {
        const found: number[] = [];
        for (let day = end - 1; day >= Math.max(0, end - ALIKE_DAYS) && found.length < most; day--)
          if (off(day) === off(end)) found.push(day);
        return found;
      },
    };
  };
  return {
    ...(latitude === undefined ? {} : { latitude }),
    panel,
    weather,
    off,
    weekday,
    before,
    holiday: (day) => calendar.holiday(number(day)),
    special: (day) => calendar.special(number(day)),
  };
}

function fill(measured: (hour: number) => number, week: Float64Array | undefined, day: Float64Array | undefined) {
  const made = new Float64Array(DAY_HOURS);
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    const candidates = [measured(hour), week?.[hour], day?.[hour], hour > 0 ? made[hour - 1] : undefined];
    made[hour] = candidates.find((value) => value !== undefined && !Number.isNaN(value)) ?? NaN;
  }
  return made;
}

/** Mean of the same hour over some days; NaN where none is known. */
export function meanOfDays(past: LoadPast, days: readonly number[]): Float64Array {
  const [sum, count] = [new Float64Array(DAY_HOURS), new Float64Array(DAY_HOURS)];
  for (const day of days) {
    const hours = past.hours(day);
    for (let hour = 0; hour < DAY_HOURS; hour++) {
      if (Number.isNaN(hours[hour]!)) continue;
      sum[hour]! += hours[hour]!;
      count[hour]!++;
    }
  }
  return sum.map((value, hour) => (count[hour] === 0 ? NaN : value / count[hour]!));
}

/** The days `lags` before `day`. */
export const daysAgo = (day: number, lags: readonly number[]): number[] => lags.map((lag) => day - lag);
export const LAST_WEEK = [1, 2, 3, 4, 5, 6, 7];
export const LAST_MONTH = Array.from({ length: 28 }, (_, k) => k + 1);
