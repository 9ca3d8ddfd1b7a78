/**
 * Ridge regression of a day's 24 values on whole profiles of days before (yesterday, the day before, last week, means)
 * and the calendar. All hours and penalties share one Gram matrix that slides from day to day.
 */
import { InvalidDataError } from '../errors.ts';
import { daysAgo, LAST_WEEK, type LoadHistory, meanOfDays } from '../features/load-past.ts';
import { DAY_HOURS } from '../features/panel.ts';
import { weatherBlockNames, weatherBlocks } from '../features/weather.ts';
import { factorise, packedLength, solveFactored } from './cholesky.ts';
import { addRow, createGram, type Gram, type Standardised, standardise, standardiseTarget } from './gram.ts';

const WINDOW_DAYS = 364;
const FIRST_DAY = 21;
const LEAST_DAYS = 28;
const YEAR_DAYS = 365.25;

export type LoadRidge = {
  /** Forecasts of `day`, one per penalty, each of 24 values, none below 0. Days must be asked in ascending order.
   * @throws InvalidDataError while too few days are known. */
  forecast(day: number): Float64Array[];
};

/** @param penalties in rows, on standardised columns. */
export function createLoadRidge(history: LoadHistory, penalties: readonly number[]): LoadRidge {
  const gram = createGram(loadRidgeNames(history).length, DAY_HOURS);
  const window: { x: Float64Array; y: Float64Array }[] = [];
  let next = FIRST_DAY;
  const take = (day: number) => {
    const [x, y] = [loadRidgeRow(history, day), history.before(day + 1).hours(day)];
    if ([...x, ...y].some(Number.isNaN)) return;
    window.push({ x, y });
    addRow(gram, x, y, 1);
    if (window.length <= WINDOW_DAYS) return;
    const oldest = window.shift()!;
    addRow(gram, oldest.x, oldest.y, -1);
  };
  return {
    forecast(day) {
      // What lies before the window need not be learned.
      next = Math.max(next, day - WINDOW_DAYS);
      for (; next < day; next++) take(next);
      if (window.length < LEAST_DAYS)
        throw new InvalidDataError(`${window.length} days are too few to learn from.`, `Ridge needs ${LEAST_DAYS}.`);
      const x = loadRidgeRow(history, day);
      if (x.some(Number.isNaN)) throw new InvalidDataError('Yesterday is not known.', 'Wait for its readings.');
      const columns = standardise(gram);
      const targets = Array.from({ length: DAY_HOURS }, (_, hour) => standardiseTarget(gram, hour, columns));
      return penalties.map((penalty) => {
        const z = solveFor(gram, columns, penalty, x);
        return Float64Array.from(targets, ({ mean, deviation, xy }) =>
          Math.max(0, mean + deviation * xy.reduce((sum, value, c) => sum + value * z[c]!, 0)),
        );
      });
    },
  };
}

/** Regressors of a day as known at its origin; NaN where something is missing. */
export function loadRidgeRow(history: LoadHistory, day: number): Float64Array {
  const past = history.before(day);
  const phase = (2 * Math.PI * (history.panel.first_day + day)) / YEAR_DAYS;
  const weekday = Array.from({ length: 7 }, (_, k) => (history.weekday(day) === k ? 1 : 0));
  const flags = [
    history.holiday(day),
    history.special(day),
    history.off(day),
    history.off(day - 1),
    history.off(day + 1),
  ];
  return Float64Array.from([
    ...past.hours(day - 1),
    ...past.hours(day - 2),
    ...past.hours(day - 7),
    ...meanOfDays(past, daysAgo(day, LAST_WEEK)),
    ...meanOfDays(past, past.alike(5)),
    ...weekday,
    ...flags.map(Number),
    ...[Math.sin(phase), Math.cos(phase), Math.sin(2 * phase), Math.cos(2 * phase)],
    ...(history.weather ? weatherBlocks(history.panel, day) : []),
  ]);
}

/** One solution serves all hours, for the forecast is linear in the targets: what to multiply their correlations by. */
function solveFor(gram: Gram, columns: Standardised, penalty: number, x: Float64Array): Float64Array {
  const { mean, deviation } = columns;
  const z = x.map((value, c) => (deviation[c] === 0 ? 0 : (value - mean[c]!) / deviation[c]!));
  solveFactored(factorOf(gram, columns, penalty), gram.p, z);
  return z;
}

function factorOf(gram: Gram, { matrix, deviation }: Standardised, penalty: number): Float64Array {
  const { p } = gram;
  const factor = new Float64Array(packedLength(p));
  for (let i = 0, at = 0; i < p; i++) {
    for (let j = 0; j <= i; j++, at++) factor[at] = matrix[i * p + j]!;
    factor[at - 1]! += penalty / gram.rows + (deviation[i] === 0 ? 1 : 0);
  }
  factorise(factor, p);
  return factor;
}

/** Names of the regressors, in the order of a row. */
export function loadRidgeNames({ panel, weather }: LoadHistory): readonly string[] {
  const hours = Array.from({ length: DAY_HOURS }, (_, hour) => hour);
  return [
    ...['d-1', 'd-2', 'd-7', 'week mean', 'five days alike'].flatMap((name) => hours.map((hour) => `${name} h${hour}`)),
    ...['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
    ...['holiday', 'special', 'off', 'off d-1', 'off d+1'],
    ...['season (sine)', 'season (cosine)', 'half season (sine)', 'half season (cosine)'],
    ...(weather ? weatherBlockNames(panel) : []),
  ];
}

/** What was learned, plain JSON: target = mean + deviation · Σ weights · standardised column, per hour. */
export type RidgeState = {
  mean: number[];
  deviation: number[];
  targets: { mean: number; deviation: number; weights: number[] }[];
};

/** One fit for each hour on the days before `day`. @throws InvalidDataError while too few days are known. */
export function fitLoadRidge(history: LoadHistory, day: number, penalty: number): RidgeState {
  const gram = createGram(loadRidgeNames(history).length, DAY_HOURS);
  const view = history.panel.viewAt(history.panel.origin(day));
  for (let d = Math.max(FIRST_DAY, day - WINDOW_DAYS); d < day; d++) {
    const x = loadRidgeRow(history, d);
    const y = Float64Array.from({ length: DAY_HOURS }, (_, hour) => view.value(0, d, hour));
    if (![...x, ...y].some(Number.isNaN)) addRow(gram, x, y, 1);
  }
  if (gram.rows < LEAST_DAYS)
    throw new InvalidDataError(`${gram.rows} days are too few to learn from.`, `Ridge needs ${LEAST_DAYS}.`);
  const columns = standardise(gram);
  const factor = factorOf(gram, columns, penalty);
  const targets = Array.from({ length: DAY_HOURS }, (_, hour) => {
    const { xy, mean, deviation } = standardiseTarget(gram, hour, columns);
    solveFactored(factor, gram.p, xy);
    return { mean, deviation, weights: [...xy] };
  });
  return { mean: [...columns.mean], deviation: [...columns.deviation], targets };
}
