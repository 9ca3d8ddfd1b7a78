/** What `hourly-ridge` knows about one hour to come, seen from an origin (a day and the first hour not known on it). */
import { meanOf } from '../features/mean.ts';
import { DAY_HOURS, type LocalGrid, weekday } from './local-grid.ts';

const WEEKS_OF_PROFILE = 4;
const YEAR_DAYS = 365.2425;
/** Annual waves only where the history shows a whole year and more. */
const ANNUAL_FROM_DAYS = 400;

/** Names of the features, in the order of a row; the waves of the year come only with a long history. */
export const HOURLY_FEATURES: readonly string[] = [
  ...['mean of four same weekdays', 'd-7', 'newest same hour', 'same hour a day before that'],
  ...[
    'newest same hour off the usual',
    'the day before off the usual',
    'last hour off the usual',
    'last 24 h off the usual',
  ],
  ...['last 24 h', 'last 168 h', 'last 24 h min', 'last 24 h max', 'last hour'],
  ...['Monday', 'Saturday', 'Sunday'],
  ...['season (sine)', 'season (cosine)', 'half season (sine)', 'half season (cosine)'],
];

export type HourlyFeatures = {
  width: number;
  /** Hourly value (NaN where not known) at [day × 24 + hour]. */
  hours: Float64Array;
  /** Writes the features of hour `hour` of day `origin + ahead` into row `row` of `x`.
   * @returns false where too little is known for this row. */
  write(origin: number, ahead: number, hour: number, x: Float64Array, row: number): boolean;
};

/** @param from_hour first hour of each origin day that counts as not known. */
export function createHourlyFeatures(grid: LocalGrid, from_hour: number): HourlyFeatures {
  const hours = grid.hours;
  const off = hours.map((value, k) => value - profileAt(hours, k));
  const annual = grid.days >= ANNUAL_FROM_DAYS;
  const width = 16 + (annual ? 4 : 0);
  const recents = grid.hours.length > 0 ? recentOf(hours, off, from_hour) : [];

  function write(origin: number, ahead: number, hour: number, x: Float64Array, row: number): boolean {
    const recent = recents[origin];
    if (!recent) return false;
    const target = origin + ahead;
    const k = target * DAY_HOURS + hour;
    // Newest day whose value at this hour is known at the origin.
    const back = ahead === 0 || hour < from_hour ? Math.max(1, ahead) : ahead + 1;
    const lag = (days: number) => valueAt(hours, k - days * DAY_HOURS);
    const offLag = (days: number) => valueAt(off, k - days * DAY_HOURS);
    const profile = profileAt(hours, k);
    const newest = firstKnown(lag(back), lag(back + 1), lag(7), profile);
    const usual = firstKnown(profile, newest);
    const week = firstKnown(lag(7), usual);
    if (Number.isNaN(newest) || Number.isNaN(usual)) return false;
    const day = weekday(grid, target);
    const base = row * width;
    x[base] = usual;
    x[base + 1] = week;
    x[base + 2] = newest;
    x[base + 3] = firstKnown(lag(back + 1), newest);
    x[base + 4] = firstKnown(offLag(back), 0);
    x[base + 5] = firstKnown(offLag(back + 1), 0);
    x[base + 6] = firstKnown(recent.off_hour, 0);
    x[base + 7] = firstKnown(recent.off_day, 0);
    x[base + 8] = firstKnown(recent.day, newest);
    x[base + 9] = firstKnown(recent.week, usual);
    x[base + 10] = firstKnown(recent.low, newest);
    x[base + 11] = firstKnown(recent.high, newest);
    x[base + 12] = firstKnown(recent.hour, newest);
    x[base + 13] = day === 1 ? 1 : 0;
    x[base + 14] = day === 6 ? 1 : 0;
    x[base + 15] = day === 0 ? 1 : 0;
    if (annual) writeWaves(x, base + 16, grid.first_day + target);
    return true;
  }
  return { width, hours, write };
}

/** First and second harmonic of the year. */
function writeWaves(x: Float64Array, base: number, dayNumber: number): void {
  const phase = (2 * Math.PI * dayNumber) / YEAR_DAYS;
  x[base] = Math.sin(phase);
  x[base + 1] = Math.cos(phase);
  x[base + 2] = Math.sin(2 * phase);
  x[base + 3] = Math.cos(2 * phase);
}

/** Mean of the same hour of the same weekday in the four weeks before; NaN where none is known. */
function profileAt(hours: Float64Array, k: number): number {
  let [sum, count] = [0, 0];
  for (let week = 1; week <= WEEKS_OF_PROFILE; week++) {
    const value = valueAt(hours, k - week * 7 * DAY_HOURS);
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return count === 0 ? NaN : sum / count;
}

type Recent = {
  /** The last known hour, mean of the last 24 and of the last 168. */
  hour: number;
  day: number;
  week: number;
  low: number;
  high: number;
  /** How far the last hour and the last 24 were off their weekly profile. */
  off_hour: number;
  off_day: number;
};

/** Level before the origin of each day. */
function recentOf(hours: Float64Array, off: Float64Array, from_hour: number): Recent[] {
  return Array.from({ length: hours.length / DAY_HOURS }, (_, day) => {
    const end = day * DAY_HOURS + from_hour;
    const last = hours.subarray(Math.max(0, end - DAY_HOURS), end);
    const known = last.filter((value) => !Number.isNaN(value));
    return {
      hour: valueAt(hours, end - 1),
      day: meanOf(last),
      week: meanOf(hours.subarray(Math.max(0, end - 7 * DAY_HOURS), end)),
      low: known.length === 0 ? NaN : Math.min(...known),
      high: known.length === 0 ? NaN : Math.max(...known),
      off_hour: valueAt(off, end - 1),
      off_day: meanOf(off.subarray(Math.max(0, end - DAY_HOURS), end)),
    };
  });
}

const valueAt = (values: Float64Array, k: number): number => (k >= 0 && k < values.length ? values[k]! : NaN);

function firstKnown(...candidates: number[]): number {
  return candidates.find((value) => !Number.isNaN(value)) ?? NaN;
}
