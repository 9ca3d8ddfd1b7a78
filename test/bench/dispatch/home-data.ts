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

/** How much of the yearly swing of load follows the mean of the years before. */
const SEASONAL = 0.7;
/** The last hours' surprise fades by this each hour. */
const FADE = 0.9;
/** Weight of a day against the one after it, for load and price, and how far back each looks. */
const LOAD = { decay: 0.9, days: 35 };
const PRICE = { decay: 0.8, days: 14 };

/**
 * The course of load and price over the next hours to plan on: for each hour of a working day or weekend the mean of
 * the days before, recent ones counting more. Uses load up to and including hour t, and the prices known by then.
 * @param margin what is not known yet is taken higher by this share, so that the battery has something left for it
 */
export function createCourses(home: Home, first: number, margin: number): (t: number, hours: number) => Courses {
  const season = seasonOf(home, first);
  const { load_kWh, day_ahead, hour, day } = home;
  const weekend = (u: number) => +((day[u]! + 4) % 7 === 0 || (day[u]! + 4) % 7 === 6);
  const kind = (u: number) => 24 * weekend(u) + hour[u]!;
  const seasonAt = (u: number) => season[day[u]! % 366]!;
  return (t, hours) => {
    const known = knownHours(hour[t]!);
    const load_profile = profileOf(load_kWh, t, LOAD, kind, 48);
    const price_profile = profileOf(day_ahead, t + known, PRICE, (u) => hour[u]!, 24);
    let [level, weight] = [0, 0];
    for (let k = 1; k <= 240; k++) {
      level += LOAD.decay ** Math.floor(k / 24) * seasonAt(t - k);
      weight += LOAD.decay ** Math.floor(k / 24);
    }
    const likeLoad = (u: number) => load_profile[kind(u)]! * ((seasonAt(u) * weight) / level) ** SEASONAL;
    let [surprise, counted] = [0, 0];
    for (let k = 0; k < 6; k++) {
      surprise += 0.7 ** k * (load_kWh[t - k]! - likeLoad(t - k));
      counted += 0.7 ** k;
    }
    surprise /= counted;
    const [load, price] = [new Float64Array(hours), new Float64Array(hours)];
    for (let k = 0; k < hours; k++) {
      const u = t + k;
      load[k] = k === 0 ? load_kWh[t]! : (1 + margin) * Math.max(0.2, likeLoad(u) + surprise * FADE ** k);
      price[k] = home.time_of_use[u]! + (k < known ? day_ahead[u]! : price_profile[hour[u]!]!);
    }
    return { load_kWh: [load], price: [price] };
  };
}

type Memory = { decay: number; days: number };

/** Weighted mean by kind of hour, of the hours before `end`. */
function profileOf(
  values: Float64Array,
  end: number,
  memory: Memory,
  kind: (u: number) => number,
  kinds: number,
): Float64Array {
  const [sum, weight] = [new Float64Array(kinds), new Float64Array(kinds)];
  for (let k = 1; k <= 24 * memory.days; k++) {
    const share = memory.decay ** Math.floor(k / 24);
    sum[kind(end - k)]! += share * values[end - k]!;
    weight[kind(end - k)]! += share;
  }
  return sum.map((value, i) => value / weight[i]!);
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
