/**
 * `hourly-ridge/1`: for each hour to come one ridge regression on what is known now (the same hour on the last days and
 * weeks, the recent level, day type, season), with the errors of a rolling back-test as quantiles. Each hour of the
 * horizon has its own regression whose training rows stand at the same wall clock as this forecast ("direct"
 * forecasting), so that the errors are those of exactly this time of day and lead. Regressions over several lengths of
 * history are averaged (Lago et al. 2021, Applied Energy 293, 116983).
 */
import { InvalidDataError } from '../errors.ts';
import { SLOT_MS } from '../model/time.ts';
import type { ForecastInput, ForecastModel, ForecastPoint } from '../ports.ts';
import { createHourlyFeatures, HOURLY_FEATURES, type HourlyFeatures } from './hourly-features.ts';
import { addRows, createMoments, fitRidge, type LinearFit, predict } from './linear-ridge.ts';
import { createLocalGrid, DAY_HOURS, DAY_SLOTS, hourShape, type LocalGrid, weekday } from './local-grid.ts';
import type { Explanation } from './port.ts';
import { pointQuantiles, quantileLevels } from './quantiles.ts';

/** Lengths of history that are averaged, in days before the origin. */
const WINDOWS = [56, 180, 1100];
const LAMBDAS = [0.001, 0.01, 0.05, 0.2, 1];
/** The newest days, of which the penalty is chosen and on which the back-test measures errors. */
const TAIL_SHARE = 0.3;
const TAIL_MOST = 70;
const TAIL_LEAST = 10;
/** The back-test fits anew this often within the tail. */
const BLOCKS = 5;
/** Fewer training days than this do not carry the regression. */
const LEAST_ROWS = 20;
const LONGEST_DAYS = 7;

export function createHourlyRidge(): ForecastModel {
  return { name: 'hourly-ridge/1', forecast, explain };
}

/** One hour to come with its training rows, oldest first; row `count` is the one to predict. */
type Target = { ahead: number; hour: number; count: number; origins: Int32Array; x: Float64Array; y: Float64Array };

type Prepared = {
  grid: LocalGrid;
  width: number;
  /** By (day of the grid × 24 + hour). */
  targets: Map<number, Target>;
  lambdas: number[];
  range: [number, number];
};

function prepare(input: ForecastInput): Prepared {
  const grid = createLocalGrid(input);
  if (input.slots > LONGEST_DAYS * DAY_SLOTS)
    throw new InvalidDataError(`${input.slots} slots are too many.`, `At most ${LONGEST_DAYS} days can be forecast.`);
  const features = createHourlyFeatures(grid, Math.floor(grid.from_slot / 4));
  const targets = new Map<number, Target>();
  for (let i = 0; i < input.slots; i++) {
    const { day, slot } = grid.placeOf(input.from_ms + i * SLOT_MS);
    const hour = Math.floor(slot / 4);
    const key = day * DAY_HOURS + hour;
    if (!targets.has(key)) targets.set(key, gatherRows(grid, features, day - (grid.days - 1), hour));
  }
  const lambdas = WINDOWS.map((window) => chooseLambda([...targets.values()], features.width, window));
  return { grid, width: features.width, targets, lambdas, range: plausibleRange(grid) };
}

function forecast(input: ForecastInput): ForecastPoint[] {
  const levels = quantileLevels(input.quantiles);
  const { grid, width, targets, lambdas, range } = prepare(input);
  const shape = hourShape(grid);
  const values = new Map<number, number>();
  for (const [key, target] of targets)
    values.set(key, clamp(predictRow(target, width, lambdas, target.count, target.count), range));
  const all = [...targets.values()];
  const errors = levels.length === 0 ? null : backTest(grid, all, width, lambdas, shape, range);
  return Array.from({ length: input.slots }, (_, i) => {
    const at_ms = input.from_ms + i * SLOT_MS;
    const { day, slot } = grid.placeOf(at_ms);
    const hour = Math.floor(slot / 4);
    const value = values.get(day * DAY_HOURS + hour)! + shape(weekday(grid, day), slot);
    const mean = Math.max(input.floor ?? -Infinity, value);
    const ofHour = errors?.(day - (grid.days - 1), hour) ?? new Float64Array(0);
    return { at_ms, mean, quantiles: pointQuantiles(mean, ofHour, levels, input.floor) };
  });
}

/** The lines of all windows, averaged; what the plausible range or the floor cut off is a part of its own. */
function explain(input: ForecastInput, at_ms: number): Explanation {
  const { grid, width, targets, lambdas, range } = prepare(input);
  const { day, slot } = grid.placeOf(at_ms);
  const target = targets.get(day * DAY_HOURS + Math.floor(slot / 4));
  if (!target) throw new InvalidDataError('This hour is not among those forecast.', 'Ask for one nearer to now.');
  const fits = WINDOWS.map((window, w) => fit(target, width, window, lambdas[w]!, target.count));
  const base = fits.reduce((sum, { offset }) => sum + offset, 0) / fits.length;
  const contributions = Array.from({ length: width }, (_, f) => {
    const value = target.x[target.count * width + f]!;
    const weight = fits.reduce((sum, { weights }) => sum + weights[f]!, 0) / fits.length;
    return { feature: HOURLY_FEATURES[f]!, value, adds: weight * value };
  });
  const raw = contributions.reduce((sum, { adds }) => sum + adds, base);
  const cut = Math.max(input.floor ?? -Infinity, clamp(raw, range)) - raw;
  if (cut !== 0) contributions.push({ feature: 'within the usual range', value: raw + cut, adds: cut });
  const known = contributions.filter(({ adds }) => adds !== 0);
  return { base, contributions: known.sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds)) };
}

/** Training rows of every past day for the hour `ahead` days later. */
function gatherRows(grid: LocalGrid, features: HourlyFeatures, ahead: number, hour: number): Target {
  const origin = grid.days - 1;
  const x = new Float64Array((origin + 1) * features.width);
  const y = new Float64Array(origin + 1);
  const origins = new Int32Array(origin + 1);
  let count = 0;
  for (let day = 7; day < origin; day++) {
    const k = (day + ahead) * DAY_HOURS + hour;
    // The hour in which the forecast is made may be half known: it is no target.
    const known = k < origin * DAY_HOURS + Math.floor(grid.from_slot / 4) && !Number.isNaN(grid.hours[k]!);
    if (!known || !features.write(day, ahead, hour, x, count)) continue;
    y[count] = grid.hours[k]!;
    origins[count++] = day;
  }
  if (count < LEAST_ROWS || !features.write(origin, ahead, hour, x, count))
    throw new InvalidDataError(
      `There are ${count} days to learn from; the regression needs ${LEAST_ROWS} and a known last day.`,
      'Until then the forecast is that of last week.',
    );
  return { ahead, hour, count, origins, x, y };
}

const tailStart = ({ count }: Target): number =>
  count - Math.min(TAIL_MOST, Math.max(TAIL_LEAST, Math.floor(TAIL_SHARE * count)));

/** Fit on the rows of the `window` days before row `end`. */
function fit(target: Target, width: number, window: number, lambda: number, end: number): LinearFit {
  const moments = createMoments(width);
  const oldest = target.origins[end - 1]! - window;
  let first = end - 1;
  while (first > 0 && target.origins[first - 1]! > oldest) first--;
  addRows(moments, target.x, target.y, Math.min(first, Math.max(0, end - LEAST_ROWS / 2)), end);
  return fitRidge(moments, lambda);
}

/** The penalty with the least absolute error on the newest days, from fits that have not seen them. */
function chooseLambda(targets: readonly Target[], width: number, window: number): number {
  const loss = LAMBDAS.map(() => 0);
  for (const target of targets) {
    const end = tailStart(target);
    if (end < LEAST_ROWS / 2) continue;
    for (const [l, lambda] of LAMBDAS.entries()) {
      const line = fit(target, width, window, lambda, end);
      for (let row = end; row < target.count; row++)
        loss[l]! += Math.abs(target.y[row]! - predict(line, target.x, row));
    }
  }
  return LAMBDAS[loss.indexOf(Math.min(...loss))]!;
}

/** Mean of the windows' fits on the rows before `end`, for row `row`. */
function predictRow(target: Target, width: number, lambdas: readonly number[], end: number, row: number): number {
  const fits = WINDOWS.map((window, w) => fit(target, width, window, lambdas[w]!, end));
  return fits.reduce((sum, line) => sum + predict(line, target.x, row), 0) / fits.length;
}

/**
 * Errors of the newest days, each forecast by fits on the days before its block only.
 * @returns ascending errors per slot for an hour so many days ahead; neighbouring hours of the same lead are pooled.
 */
function backTest(
  grid: LocalGrid,
  targets: readonly Target[],
  width: number,
  lambdas: readonly number[],
  shape: (weekday: number, slot: number) => number,
  range: [number, number],
): (ahead: number, hour: number) => Float64Array {
  const byTarget = new Map<number, number[]>();
  for (const target of targets) {
    const errors: number[] = [];
    byTarget.set(target.ahead * DAY_HOURS + target.hour, errors);
    const first = Math.max(LEAST_ROWS / 2, tailStart(target));
    for (let block = 0; block < BLOCKS; block++) {
      const from = first + Math.floor((block * (target.count - first)) / BLOCKS);
      const to = first + Math.floor(((block + 1) * (target.count - first)) / BLOCKS);
      if (from === to) continue;
      const fits = WINDOWS.map((window, w) => fit(target, width, window, lambdas[w]!, from));
      for (let row = from; row < to; row++) {
        const value = fits.reduce((sum, line) => sum + predict(line, target.x, row), 0) / fits.length;
        pushErrors(grid, target, row, clamp(value, range), shape, errors);
      }
    }
  }
  const pooled = new Map<number, Float64Array>();
  return (ahead, hour) => {
    const key = ahead * DAY_HOURS + hour;
    const known = pooled.get(key);
    if (known) return known;
    const near = [key - 1, key, key + 1].flatMap((k) => byTarget.get(k) ?? []);
    const sorted = Float64Array.from(near).sort();
    pooled.set(key, sorted);
    return sorted;
  };
}

/** Errors of the four slots of a back-tested hour. */
function pushErrors(
  grid: LocalGrid,
  target: Target,
  row: number,
  value: number,
  shape: (weekday: number, slot: number) => number,
  errors: number[],
): void {
  const day = target.origins[row]! + target.ahead;
  for (let q = 0; q < 4; q++) {
    const slot = target.hour * 4 + q;
    const actual = grid.slots[day * DAY_SLOTS + slot]!;
    if (!Number.isNaN(actual)) errors.push(actual - (value + shape(weekday(grid, day), slot)));
  }
}

/** The range of the last eight weeks, half as wide again on both sides: a line must not run away. */
function plausibleRange(grid: LocalGrid): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (const value of grid.hours.subarray(Math.max(0, grid.hours.length - 56 * DAY_HOURS))) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const margin = 0.5 * (high - low);
  return [low - margin, high + margin];
}

const clamp = (value: number, [low, high]: [number, number]): number => Math.min(high, Math.max(low, value));
