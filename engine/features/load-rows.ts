/** Features of each hour of a day for trees that forecast load or generation, relative to the series' own level. */
import { daysAgo, LAST_MONTH, LAST_WEEK, type LoadHistory, type LoadPast, meanOfDays } from './load-past.ts';
import { meanOf } from './mean.ts';
import { DAY_HOURS } from './panel.ts';
import { weatherColumns, weatherNames } from './weather.ts';

const YEAR_DAYS = 365.25;
const HOURLY_LAGS = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28];
/** How many days back the best of each hour is taken, as the envelope of a clear sky. */
const ENVELOPE_DAYS = 21;

/** `level`: the mean of four weeks, for loads. `envelope`: the best of three weeks at each hour, for generation. */
export type LoadUnit = 'level' | 'envelope';

export type LoadDay = {
  /** Row-major, 24 × `loadFeatures`. */
  readonly x: Float64Array;
  /** target = unit × what the model learns, per hour; NaN where nothing is known. */
  readonly unit: Float64Array;
};

const NAMES = [
  ...HOURLY_LAGS.map((lag) => `d-${lag}`),
  ...['d-1 hour before', 'd-1 hour after', 'd-7 hour before', 'd-7 hour after'],
  ...['d-1 mean', 'd-7 mean', 'd-1 h23', 'd-1 h22', 'd-1 h21', 'd-1 h18', 'd-1 min', 'd-1 max'],
  ...['week mean', 'week deviation', 'week max', 'week min', 'month mean', 'mean of four same weekdays'],
  ...['last day alike', 'five days alike', 'days alike, newest most', 'level of three days', 'envelope'],
  ...['yesterday against its kind', 'last evening against its kind'],
  ...['hour', 'weekday', 'off', 'holiday', 'special', 'off d-1', 'off d+1', 'off d-7'],
  ...['season (sine)', 'season (cosine)', 'series'],
];
/** How clear yesterday was, and how high the sun stands: generation only. */
const SKY = ['yesterday against the envelope', "yesterday's day against the envelope", 'sun'];
export const LOAD_FEATURES: readonly string[] = NAMES;
const GENERATION_FEATURES: readonly string[] = [...NAMES, ...SKY];
/** Names of the columns of `loadDay`. */
export const loadFeatures = (unit: LoadUnit, { panel, weather }: LoadHistory): readonly string[] => [
  ...(unit === 'level' ? LOAD_FEATURES : GENERATION_FEATURES),
  ...(weather ? weatherNames(panel) : []),
];
export const SERIES_FEATURE = NAMES.length - 1;

/** @param id number of the series among those that one model learns from. */
export function loadDay(history: LoadHistory, day: number, unit: LoadUnit, id: number): LoadDay {
  const past = history.before(day);
  const month = meanOfDays(past, daysAgo(day, LAST_MONTH));
  const level = meanOf(month) + 1e-6;
  const envelope = bestOf(past, day);
  const columns = [
    ...valueColumns(history, past, day, month, envelope).map((column) => column.map((value) => value / level)),
    ...calendarColumns(history, day),
    constant(id),
    ...(unit === 'level' ? [] : skyColumns(history, past, day, envelope)),
    ...(history.weather ? weatherColumns(history.panel, day) : []),
  ];
  const width = columns.length;
  const x = new Float64Array(DAY_HOURS * width);
  for (const [c, column] of columns.entries())
    for (let hour = 0; hour < DAY_HOURS; hour++) x[hour * width + c] = column[hour]!;
  return { x, unit: unit === 'level' ? constant(level) : envelope.map((value) => value + 1e-3 * level) };
}

function skyColumns(history: LoadHistory, past: LoadPast, day: number, envelope: Float64Array): Float64Array[] {
  const yesterday = past.hours(day - 1);
  const best = meanOf(envelope);
  return [
    yesterday.map((value, hour) => (envelope[hour]! > NIGHT * best ? value / envelope[hour]! : NaN)),
    constant(meanOf(yesterday) / best),
    sunHeight(history.panel.first_day + day, history.latitude ?? MIDDLE_LATITUDE),
  ];
}

/** Below this share of the day's mean an hour of the envelope is night. */
const NIGHT = 0.004;
/** Where no place is given: the sun's course over the year is what matters, not its height. */
const MIDDLE_LATITUDE = 45;
const EQUINOX_DAY = 81;
const OBLIQUITY_DEGREES = 23.44;

/** Sine of the sun's height in the middle of each hour of local solar time, 0 below the horizon (Duffie & Beckman, 1.6). */
function sunHeight(day_number: number, latitude: number): Float64Array {
  const radians = Math.PI / 180;
  // Days since new year of 1970, near enough: the calendar drifts by less than a day.
  const of_year = day_number % YEAR_DAYS;
  const declination = OBLIQUITY_DEGREES * radians * Math.sin((2 * Math.PI * (of_year - EQUINOX_DAY)) / YEAR_DAYS);
  const [sin, cos] = [Math.sin(latitude * radians), Math.cos(latitude * radians)];
  return Float64Array.from({ length: DAY_HOURS }, (_, hour) =>
    Math.max(0, sin * Math.sin(declination) + cos * Math.cos(declination) * Math.cos((hour + 0.5 - 12) * 15 * radians)),
  );
}

const constant = (value: number): Float64Array => new Float64Array(DAY_HOURS).fill(value);
const shifted = (values: Float64Array, by: number): Float64Array =>
  values.map((_, hour) => values[Math.min(DAY_HOURS - 1, Math.max(0, hour + by))]!);

function perHour(days: readonly Float64Array[], of: (values: number[]) => number): Float64Array {
  return Float64Array.from({ length: DAY_HOURS }, (_, hour) =>
    of(days.map((values) => values[hour]!).filter((value) => !Number.isNaN(value))),
  );
}
const deviation = (values: number[]): number => {
  const centre = meanOf(values);
  return Math.sqrt(meanOf(values.map((value) => (value - centre) ** 2)));
};
const largest = (values: number[]): number => (values.length === 0 ? NaN : Math.max(...values));
const smallest = (values: number[]): number => (values.length === 0 ? NaN : Math.min(...values));

function bestOf(past: LoadPast, day: number): Float64Array {
  return perHour(
    Array.from({ length: ENVELOPE_DAYS }, (_, k) => past.hours(day - 1 - k)),
    largest,
  );
}

function valueColumns(
  history: LoadHistory,
  past: LoadPast,
  day: number,
  month: Float64Array,
  envelope: Float64Array,
): Float64Array[] {
  const lag = (days: number) => past.hours(day - days);
  const week = LAST_WEEK.map(lag);
  const alike = past.alike(5);
  const five = meanOfDays(past, alike);
  const d1 = lag(1);
  const kind = meanOfDays(history.before(day - 1), history.before(day - 1).alike(5));
  const against = d1.map((value, hour) => value - kind[hour]!);
  return [
    ...HOURLY_LAGS.map(lag),
    ...[shifted(d1, -1), shifted(d1, 1), shifted(lag(7), -1), shifted(lag(7), 1)],
    ...[meanOf(d1), meanOf(lag(7)), d1[23]!, d1[22]!, d1[21]!, d1[18]!, smallest([...d1]), largest([...d1])].map(
      constant,
    ),
    perHour(week, meanOf),
    perHour(week, deviation),
    perHour(week, largest),
    perHour(week, smallest),
    month,
    meanOfDays(past, daysAgo(day, [7, 14, 21, 28])),
    alike.length === 0 ? constant(NaN) : past.hours(alike[0]!),
    five,
    fading(past, past.alike(12)),
    constant(meanOf([1, 2, 3].map((back) => meanOf(lag(back))))),
    envelope,
    constant(meanOf(against)),
    constant(meanOf(against.subarray(20))),
  ];
}

/** Mean in which each older day counts 0.7 of the next. */
function fading(past: LoadPast, days: readonly number[]): Float64Array {
  return Float64Array.from({ length: DAY_HOURS }, (_, hour) => {
    let [sum, total, weight] = [0, 0, 1];
    for (const day of days) {
      const value = past.at(day, hour);
      if (!Number.isNaN(value)) {
        sum += weight * value;
        total += weight;
      }
      weight *= 0.7;
    }
    return total === 0 ? NaN : sum / total;
  });
}

function calendarColumns(history: LoadHistory, day: number): Float64Array[] {
  const phase = (2 * Math.PI * (history.panel.first_day + day)) / YEAR_DAYS;
  const flag = (value: boolean) => constant(value ? 1 : 0);
  return [
    Float64Array.from({ length: DAY_HOURS }, (_, hour) => hour),
    constant((history.weekday(day) + 6) % 7),
    flag(history.off(day)),
    flag(history.holiday(day)),
    flag(history.special(day)),
    ...[day - 1, day + 1, day - 7].map((other) => flag(history.off(other))),
    constant(Math.sin(phase)),
    constant(Math.cos(phase)),
  ];
}
