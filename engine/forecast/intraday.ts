/**
 * The next hours of a measured series, each lead with a model of its own ("direct" forecasting): trees and ridge on the
 * newest hours, the same hour of days before, and how far the newest hours are off what is usual at their time.
 */
import { InvalidDataError } from '../errors.ts';
import type { DayCalendar } from '../features/load-past.ts';
import { DAY_HOURS } from '../features/panel.ts';
import { createRandom } from '../random.ts';
import { addRows, createMoments, fitRidge, type LinearFit, predict } from './linear-ridge.ts';
import { BOOST_DEFAULTS, type Booster, predictRow, trainBooster } from './trees/boost.ts';

const WEEK_HOURS = 168;
/** Hours before the first row, so that every feature has its past. */
const FIRST_HOUR = 4 * WEEK_HOURS + 24;
const NEWEST = 24;
const SAME_HOUR_DAYS = [1, 2, 3, 4, 5, 6, 7, 14, 21, 28];
const YEAR_DAYS = 365.25;
const LEAST_ROWS = 24 * 28;

export type IntradayRows = {
  readonly hours: number;
  readonly width: number;
  /** Measured value, NaN where missing: a target, never a feature. */
  measured(at: number): number;
  /** With holes filled from the same hour a week or a day before. */
  filled(at: number): number;
  /** Mean of the same hour on the seven days before. */
  usual(at: number): number;
  /** Features of hour `at` as known `lead` hours before it ends, i.e. with values up to hour at − lead. */
  write(at: number, lead: number, x: Float64Array, offset: number): void;
};

/** @param values hourly from midnight of `first_day` (days since 1970-01-01) on. */
export function createIntradayRows(values: Float64Array, first_day: number, calendar: DayCalendar): IntradayRows {
  const filled = fill(values);
  const sums = new Float64Array(filled.length + 1);
  for (let k = 0; k < filled.length; k++) sums[k + 1] = sums[k]! + filled[k]!;
  const at = (k: number): number => (k >= 0 && k < filled.length ? filled[k]! : NaN);
  const meanBefore = (end: number, hours: number) => (sums[end + 1]! - sums[end + 1 - hours]!) / hours;
  const meanOf = (k: number, steps: readonly number[]) =>
    steps.reduce((sum, step) => sum + at(k - step), 0) / steps.length;
  const WEEK = [1, 2, 3, 4, 5, 6, 7].map((days) => days * DAY_HOURS);
  const usual = (k: number) => meanOf(k, WEEK);
  const isOff = (k: number) => {
    const day = first_day + Math.floor(k / DAY_HOURS);
    const weekday = (((day + 4) % 7) + 7) % 7;
    return weekday === 0 || weekday === 6 || calendar.holiday(day) || calendar.special(day);
  };
  function features(k: number, lead: number): number[] {
    const now = k - lead;
    const day = first_day + Math.floor(k / DAY_HOURS);
    const phase = (2 * Math.PI * day) / YEAR_DAYS;
    const newest = Array.from({ length: NEWEST }, (_, back) => at(now - back));
    return [
      ...newest,
      ...SAME_HOUR_DAYS.map((days) => at(k - days * DAY_HOURS)),
      ...[at(k - 25), at(k - 169), at(k - 47), at(k - 167)],
      ...[usual(k), meanOf(k, [168, 336, 504, 672]), meanBefore(now, 3), meanBefore(now, 24), meanBefore(now, 168)],
      ...[0, 1, 2].map((back) => at(now - back) - usual(now - back)),
      ...[Math.sin(phase), Math.cos(phase), isOff(k) ? 1 : 0],
      ...[k % DAY_HOURS, (((day + 3) % 7) + 7) % 7],
    ];
  }
  const width = features(FIRST_HOUR, 1).length;
  return {
    hours: values.length,
    width,
    measured: (k) => values[k] ?? NaN,
    filled: at,
    usual,
    write(k, lead, x, offset) {
      for (const [f, value] of features(k, lead).entries()) x[offset + f] = value;
    },
  };
}

function fill(values: Float64Array): Float64Array {
  const made = values.slice();
  for (let k = 0; k < made.length; k++)
    if (Number.isNaN(made[k]!))
      made[k] =
        [made[k - WEEK_HOURS], made[k - DAY_HOURS], made[k - 1]].find((v) => v !== undefined && !Number.isNaN(v)) ?? 0;
  return made;
}

/** Hours whose value is known when the hour `end` begins, newest `most` of them. */
function trainingHours(rows: IntradayRows, end: number, most: number, chosen: (at: number) => boolean): number[] {
  const found: number[] = [];
  for (let at = Math.max(FIRST_HOUR, end - most); at < end; at++)
    if (chosen(at) && !Number.isNaN(rows.measured(at))) found.push(at);
  return found;
}

export type Forecaster = (at: number) => number;

/** @param end first hour that is not known. @returns trees for hours, each from what is known `lead` hours before. */
export function fitIntradayTrees(
  rows: IntradayRows,
  lead: number,
  end: number,
  o: { rounds: number; seed: number },
): Booster {
  const hours = trainingHours(rows, end, rows.hours, () => true);
  if (hours.length < LEAST_ROWS)
    throw new InvalidDataError(`${hours.length} hours are too few to learn from.`, `The trees need ${LEAST_ROWS}.`);
  const columns = Array.from({ length: rows.width }, () => new Float64Array(hours.length));
  const x = new Float64Array(rows.width);
  for (const [i, at] of hours.entries()) {
    rows.write(at, lead, x, 0);
    for (let f = 0; f < rows.width; f++) columns[f]![i] = x[f]!;
  }
  return trainBooster(columns, Float64Array.from(hours, rows.measured), {
    ...BOOST_DEFAULTS,
    min_rows: 60,
    rounds: o.rounds,
    loss: { kind: 'absolute' },
    random: createRandom(o.seed),
  });
}

export function trainIntradayTrees(
  rows: IntradayRows,
  lead: number,
  end: number,
  o: { rounds: number; seed: number },
): Forecaster {
  const booster = fitIntradayTrees(rows, lead, end, o);
  const x = new Float64Array(rows.width);
  return (at) => {
    rows.write(at, lead, x, 0);
    return predictRow(booster, x);
  };
}

const RIDGE_HOURS = 730 * DAY_HOURS;
/** Penalty per row on standardised columns. */
const RIDGE_PENALTY = 0.1;

/** One regression for each hour of the day, on the last two years. */
export function fitIntradayRidge(rows: IntradayRows, lead: number, end: number): LinearFit[] {
  return Array.from({ length: DAY_HOURS }, (_, hour): LinearFit => {
    const hours = trainingHours(rows, end, RIDGE_HOURS, (at) => at % DAY_HOURS === hour);
    if (hours.length < 28)
      throw new InvalidDataError(`${hours.length} days are too few to learn from.`, 'The regression needs 28.');
    const x = new Float64Array(hours.length * rows.width);
    for (const [i, at] of hours.entries()) rows.write(at, lead, x, i * rows.width);
    const moments = createMoments(rows.width);
    addRows(moments, x, Float64Array.from(hours, rows.measured), 0, hours.length);
    return fitRidge(moments, RIDGE_PENALTY);
  });
}

export function trainIntradayRidge(rows: IntradayRows, lead: number, end: number): Forecaster {
  const fits = fitIntradayRidge(rows, lead, end);
  const x = new Float64Array(rows.width);
  return (at) => {
    rows.write(at, lead, x, 0);
    return predict(fits[at % DAY_HOURS]!, x, 0);
  };
}

/** Names of the features, in the order of a row. `now-0` is the newest known hour. */
export const INTRADAY_FEATURES: readonly string[] = [
  ...Array.from({ length: NEWEST }, (_, back) => `now-${back}`),
  ...SAME_HOUR_DAYS.map((days) => `d-${days}`),
  ...['d-1 hour before', 'd-7 hour before', 'd-2 hour after', 'd-7 hour after'],
  ...['week mean', 'mean of four same weekdays', 'last 3 h', 'last 24 h', 'last 168 h'],
  ...[0, 1, 2].map((back) => `now-${back} off the usual`),
  ...['season (sine)', 'season (cosine)', 'off', 'hour', 'weekday'],
];
