/** One home in Trondheim (docs/dispatch.md), hour by hour, and what can be known of its next hours. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

export const HOME_FILE = join(
  resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data'),
  'dispatch/trondheim_home_hourly.csv.gz',
);

export type Home = {
  load_kWh: Float64Array;
  day_ahead: Float64Array;
  time_of_use: Float64Array;
  hour: Int32Array;
  day: Int32Array;
  /** Months since year 0. */
  month: Int32Array;
  /** First hour of a year. */
  yearStart(year: number): number;
};

export function loadHome(): Home {
  if (!existsSync(HOME_FILE)) throw new Error(`${HOME_FILE} is missing: set LUNA_BENCH_DATA.`);
  const lines = gunzipSync(readFileSync(HOME_FILE)).toString('utf8').trim().split('\n').slice(1);
  const cells = lines.map((line) => line.split(','));
  const numbers = (column: number) =>
    Float64Array.from(cells, (row) => (row[column] === '' ? NaN : Number(row[column])));
  const at = cells.map((row) => Date.parse(`${row[0]}Z`));
  return {
    load_kWh: numbers(1),
    day_ahead: numbers(2),
    time_of_use: numbers(3),
    hour: Int32Array.from(at, (ms) => new Date(ms).getUTCHours()),
    day: Int32Array.from(at, (ms) => Math.floor(ms / 86_400_000)),
    month: Int32Array.from(at, (ms) => new Date(ms).getUTCFullYear() * 12 + new Date(ms).getUTCMonth()),
    yearStart: (year) => at.indexOf(Date.UTC(year, 0, 1)),
  };
}

/** Day-ahead prices are known to the day's end, from 13:00 on to the end of the next day. */
export function knownHours(hour: number): number {
  return hour < 13 ? 24 - hour : 48 - hour;
}

export type Courses = { load_kWh: Float64Array[]; price: Float64Array[] };

const WEEK = 168;
/** How much of the yearly swing of load follows the mean of the years before. */
const SEASONAL = 0.7;
/** The last hours' surprise fades by this each hour in a course, and for half of it in the mean of all. */
const FADE = 0.9;
const MEAN_FADE = 0.85;
/** A day counts this much less for the profile than the day after it; days of the other kind a quarter. */
const FORGET = 0.85;
const OTHER_KIND = 0.25;
const PROFILE_DAYS = 35;
/** From here on the weeks before speak alone, for they know the season. */
const PROFILE_ENDS = 336;

/**
 * Possible courses of load and price over the next hours, from the same hours of the `count` weeks before, brought to
 * today's level; their mean load is that of the last days' profile. Uses load up to and including hour t, and the
 * prices that are known by then.
 */
export function createCourses(home: Home, first: number, count: number): (t: number, hours: number) => Courses {
  const season = seasonOf(home, first);
  const { load_kWh, day_ahead, hour } = home;
  return (t, hours) => {
    const known = knownHours(hour[t]!);
    const level = dayLevel(home, t, known);
    const load = Array.from({ length: count }, () => new Float64Array(hours));
    const price = Array.from({ length: count }, () => new Float64Array(hours));
    for (let j = 0; j < count; j++) {
      const analog = (u: number, last: number) => u - WEEK * (j + Math.max(1, Math.ceil((u - last) / WEEK)));
      const likeLoad = (u: number) => {
        const source = analog(u, t);
        return load_kWh[source]! * (season[home.day[u]! % 366]! / season[home.day[source]! % 366]!) ** SEASONAL;
      };
      const surprise = surpriseOf(load_kWh, t, likeLoad);
      for (let k = 0; k < hours; k++) {
        const u = t + k;
        load[j]![k] = k === 0 ? load_kWh[t]! : Math.max(0.2, likeLoad(u) + surprise * FADE ** k);
        price[j]![k] =
          home.time_of_use[u]! + (k < known ? day_ahead[u]! : likePrice(home, analog(u, t + known - 1), level));
      }
    }
    centre(home, t, load);
    return { load_kWh: load, price };
  };
}

/** Mean of the last hours' load above what was expected, the last one most. */
function surpriseOf(load_kWh: Float64Array, t: number, expected: (u: number) => number): number {
  let [surprise, weight] = [0, 0];
  for (let k = 0; k < 6; k++) {
    surprise += 0.7 ** k * (load_kWh[t - k]! - expected(t - k));
    weight += 0.7 ** k;
  }
  return surprise / weight;
}

/** Moves all courses so that their mean is the forecast from the last days' profile. */
function centre(home: Home, t: number, load: readonly Float64Array[]): void {
  const profile = profileBefore(home, t - home.hour[t]!);
  const expected = (u: number) => profile[dayKind(home, u)]![home.hour[u]!]!;
  const surprise = surpriseOf(home.load_kWh, t, expected);
  for (let k = 1; k < Math.min(PROFILE_ENDS, load[0]!.length); k++) {
    const mean = load.reduce((sum, course) => sum + course[k]!, 0) / load.length;
    const forecast = expected(t + k) + 0.5 * surprise * MEAN_FADE ** k;
    const more = (1 - k / PROFILE_ENDS) * (forecast - mean);
    for (const course of load) course[k] = Math.max(0.2, course[k]! + more);
  }
}

/** 1 at weekends. */
const dayKind = ({ day }: Home, t: number) => ((day[t]! + 3) % 7 >= 5 ? 1 : 0);

/** Load by kind of day and hour over the weeks before a midnight, the last days most. */
function profileBefore(home: Home, midnight: number): Float64Array[] {
  const [sum, weight] = [0, 1].map(() => [new Float64Array(24), new Float64Array(24)]) as [
    Float64Array[],
    Float64Array[],
  ];
  for (let k = 1; k <= 24 * PROFILE_DAYS && k <= midnight; k++) {
    const t = midnight - k;
    const [kind, hour, recent] = [dayKind(home, t), home.hour[t]!, FORGET ** Math.floor((k - 1) / 24)];
    for (const other of [0, 1]) {
      const counts = other === kind ? recent : OTHER_KIND * recent;
      sum[other]![hour]! += counts * home.load_kWh[t]!;
      weight[other]![hour]! += counts;
    }
  }
  return sum.map((hours, kind) => hours.map((value, hour) => value / weight[kind]![hour]!));
}

/** The shape of a former day around the level of today. */
function likePrice(home: Home, source: number, level: number): number {
  const start = source - home.hour[source]!;
  let mean = 0;
  for (let k = 0; k < 24; k++) mean += home.day_ahead[start + k]! / 24;
  return Math.max(0.001, level + home.day_ahead[source]! - mean);
}

function dayLevel({ day_ahead }: Home, t: number, known: number): number {
  let sum = 0;
  for (let k = 0; k < 72; k++) sum += day_ahead[t + known - 1 - k]!;
  return sum / 72;
}

/** Mean load by day since 1970 modulo 366, smoothed over six weeks, from the years before `first`. */
function seasonOf({ load_kWh, day }: Home, first: number): Float64Array {
  const [sum, count] = [new Float64Array(366), new Float64Array(366)];
  for (let t = 0; t < first; t++) {
    sum[day[t]! % 366]! += load_kWh[t]!;
    count[day[t]! % 366]!++;
  }
  return Float64Array.from({ length: 366 }, (_, d) => {
    let [value, weight] = [0, 0];
    for (let k = -20; k <= 20; k++) {
      const other = (d + k + 366) % 366;
      value += (21 - Math.abs(k)) * sum[other]!;
      weight += (21 - Math.abs(k)) * count[other]!;
    }
    return weight > 0 ? value / weight : 1;
  });
}
