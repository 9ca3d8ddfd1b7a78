/**
 * Features of each hour of a local day to come for models that see all hours alike. What concerns the target is taken
 * relative to its mean of the last week and in units of its typical deviation of the last four, so that a model learned
 * at one level of prices holds at another.
 */
import { meanOf } from './mean.ts';
import { DAY_HOURS, type Panel, type View, weekdayOf } from './panel.ts';

const LEVEL_DAYS = 7;
const DEVIATION_DAYS = 28;
const YEAR_DAYS = 365.25;
const TARGET_LAGS = [1, 2, 3, 7];

export type HourRows = {
  readonly names: readonly string[];
  /** Indices of features whose values are categories. */
  readonly categorical: readonly number[];
  /** Features of `day` as known at its origin, kept: do not write to them. */
  day(day: number): DayOfHours;
};

export type DayOfHours = {
  /** Row-major, 24 × names; NaN is missing. */
  readonly x: Float64Array;
  /** target = level + deviation · what the model learns; NaN where nothing is known. */
  readonly level: number;
  readonly deviation: number;
};

/** @param least smallest deviation, in the target's unit. */
export function createHourRows(panel: Panel, least = 0.5): HourRows {
  const kept = new Map<number, DayOfHours>();
  const names = namesOf(panel);
  return {
    names,
    categorical: [],
    day(day) {
      const known = kept.get(day);
      if (known) return known;
      const made = makeDay(panel, day, names.length, least);
      kept.set(day, made);
      return made;
    },
  };
}

const [HOURLY_TARGET, DAILY_TARGET] = [
  ['d-1', 'd-1 hour before', 'd-1 hour after', 'd-2', 'd-3', 'd-7'],
  ['d-1 h23', 'd-1 h22', 'd-1 min', 'd-1 max', 'd-1 mean', 'd-2 mean', 'd-7 mean'],
];
const EXOGENOUS = [
  'now',
  'less d-1',
  'less d-7',
  'less last week',
  'hour before',
  'hour after',
  'mean less d-1',
  'mean',
  'max',
  'min',
  'mean less last week',
];

function namesOf({ names: [target, ...others] }: Panel): string[] {
  return [
    ...[...HOURLY_TARGET, ...DAILY_TARGET].map((what) => `${target} ${what}`),
    `${target} level`,
    `${target} deviation`,
    ...others.flatMap((name) => EXOGENOUS.map((what) => `${name} ${what}`)),
    'hour',
    'weekday',
    'season (sine)',
    'season (cosine)',
  ];
}

/** 24 values of a day. */
const hoursOf = (view: View, series: number, day: number): Float64Array =>
  Float64Array.from({ length: DAY_HOURS }, (_, hour) => view.value(series, day, hour));

const lowest = (values: Float64Array) => values.reduce((a, b) => Math.min(a, b), Infinity);
const highest = (values: Float64Array) => values.reduce((a, b) => Math.max(a, b), -Infinity);

function daysBefore(view: View, series: number, day: number, days: number): number[] {
  return Array.from({ length: days }, (_, back) => [...hoursOf(view, series, day - 1 - back)]).flat();
}

function makeDay(panel: Panel, day: number, width: number, least: number): DayOfHours {
  const view = panel.viewAt(panel.origin(day));
  const level = meanOf(daysBefore(view, 0, day, LEVEL_DAYS));
  const month = daysBefore(view, 0, day, DEVIATION_DAYS);
  const monthMean = meanOf(month);
  const deviation = least + meanOf(month.map((value) => Math.abs(value - monthMean)));
  const columns = [
    ...targetColumns(view, day, level, deviation),
    constant(level),
    constant(deviation),
    ...panel.names.slice(1).flatMap((_, k) => exogenousColumns(view, day, k + 1)),
    ...calendarColumns(panel, day),
  ];
  const x = new Float64Array(DAY_HOURS * width);
  for (const [c, column] of columns.entries())
    for (let hour = 0; hour < DAY_HOURS; hour++) x[hour * width + c] = column[hour]!;
  return { x, level, deviation };
}

const constant = (value: number): Float64Array => new Float64Array(DAY_HOURS).fill(value);
/** The value `by` hours later (earlier where negative); at the day's ends the last. */
const shifted = (values: Float64Array, by: number): Float64Array =>
  values.map((_, hour) => values[Math.min(DAY_HOURS - 1, Math.max(0, hour + by))]!);

function targetColumns(view: View, day: number, level: number, deviation: number): Float64Array[] {
  const relative = (value: number) => (value - level) / deviation;
  const [d1, d2, d3, d7] = TARGET_LAGS.map((lag) => hoursOf(view, 0, day - lag).map(relative)) as Float64Array[];
  return [
    d1!,
    shifted(d1!, -1),
    shifted(d1!, 1),
    d2!,
    d3!,
    d7!,
    ...[d1![23]!, d1![22]!, lowest(d1!), highest(d1!), meanOf(d1!), meanOf(d2!), meanOf(d7!)].map(constant),
  ];
}

function exogenousColumns(view: View, day: number, series: number): Float64Array[] {
  const [now, d1, d7] = [0, 1, 7].map((lag) => hoursOf(view, series, day - lag)) as Float64Array[];
  const week = meanOf(daysBefore(view, series, day, LEVEL_DAYS));
  const mean = meanOf(now!);
  return [
    now!,
    now!.map((value, hour) => value - d1![hour]!),
    now!.map((value, hour) => value - d7![hour]!),
    now!.map((value) => value - week),
    shifted(now!, -1).map((value, hour) => value - now![hour]!),
    shifted(now!, 1).map((value, hour) => value - now![hour]!),
    ...[mean - meanOf(d1!), mean, highest(now!), lowest(now!), mean - week].map(constant),
  ];
}

function calendarColumns(panel: Panel, day: number): Float64Array[] {
  const phase = (2 * Math.PI * (panel.first_day + day)) / YEAR_DAYS;
  return [
    Float64Array.from({ length: DAY_HOURS }, (_, hour) => hour),
    constant((weekdayOf(panel, day) + 6) % 7),
    constant(Math.sin(phase)),
    constant(Math.cos(phase)),
  ];
}
