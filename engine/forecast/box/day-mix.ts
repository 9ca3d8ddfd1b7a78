/**
 * `load-mix` and `price-mix` as recipes of the daily horizons: the ensemble of methods walks over the newest days,
 * each forecast from what was known at its origin, which yields its weights, its bands and its scores; then every method
 * learns once more from all. In use nothing is learned anew, but weights and bands follow each day that has passed.
 */
import { InvalidDataError } from '../../errors.ts';
import { createEnsemble, type Ensemble, type EnsembleState, type WeightedMethod } from '../ensemble.ts';
import { createHourlyRidge } from '../hourly-ridge.ts';
import {
  createDaysAlike,
  createLoadRidgeMethod,
  createLoadTreesMethod,
  createPasts,
  createWeekAgo,
  createWeekMean,
} from '../load-methods.ts';
import type { LocalGrid } from '../local-grid.ts';
import { createModelMethod } from '../model-method.ts';
import type { Explanation, ForecastMethod } from '../port.ts';
import { createSitePriceMethods } from '../price-methods.ts';
import {
  BAND_LEVELS,
  calendarOf,
  type DayScore,
  type History,
  type Horizon,
  type HourForecast,
  type LiveModel,
  type Progress,
  type Recipe,
  type Trained,
} from './model-port.ts';
import { BACKTEST_DAYS, daysUntilNow, SETTLE_DAYS, scoreDay } from './scoring.ts';
import { gridOf, panelOf } from './slot-panel.ts';

const RIDGE_PENALTIES = [100, 1000];
/** Days that a method needs before its first forecast. */
const FIRST_DAYS = 7;
const LEAST_DAYS = 28;
/** Days of history that are learned from. */
const MOST_DAYS = 730;

type Artefact = {
  recipe: string;
  first_day: number;
  /** Day (of the panel) up to which was learned, and length of the history then. */
  trained_day: number;
  history_days: number;
  ensemble: EnsembleState;
};

export function createDayMix(kind: History['kind'], horizon: Horizon): Recipe {
  const name = kind === 'price' ? 'price-mix/1' : `${kind}-mix/1`;
  const parameters = {
    horizon,
    methods: kind === 'price' ? 'lear, gp, trees, days' : 'trees, ridge, days',
    backtest_days: BACKTEST_DAYS,
    settle_days: SETTLE_DAYS,
  };
  return {
    name,
    horizon,
    parameters,
    learns: true,
    train: (history, seed, progress) => train(name, horizon, history, seed, progress),
    revive(artefact) {
      const made = artefact as Artefact;
      if (made.recipe !== name)
        throw new InvalidDataError(`This is a model of ${made.recipe}, not of ${name}.`, 'Train the model anew.');
      return revive(made, horizon);
    },
  };
}

/** The methods of a site. @param days of history: windows that are longer learn the same and count once. */
function methodsOf(history: History, seed: number, days: number): WeightedMethod[] {
  const { kind } = history;
  const pasts = createPasts(calendarOf(history), kind === 'generation' ? 'envelope' : 'level');
  const means = [
    { method: createModelMethod(createHourlyRidge(), kind === 'price' ? null : 0), prior: 6 },
    { method: createDaysAlike(pasts), prior: 2 },
    { method: createWeekMean(pasts), prior: 1 },
    { method: createWeekAgo(pasts), prior: 1 },
  ];
  if (kind === 'price') return [...createSitePriceMethods(days, seed), ...means];
  const options = { calendar: calendarOf(history), unit: kind === 'generation' ? 'envelope' : 'level', seed } as const;
  return [
    { method: createLoadTreesMethod(pasts, options), prior: 8 },
    ...RIDGE_PENALTIES.map((penalty) => ({ method: createLoadRidgeMethod(pasts, penalty), prior: 4 })),
    ...means,
  ];
}

function train(name: string, horizon: Horizon, history: History, seed: number, progress: Progress): Trained {
  const grid = gridOf(history);
  const first_day = Math.max(grid.first_day, grid.first_day + grid.days - MOST_DAYS);
  const panel = panelOf(history, horizon, grid, first_day);
  const end = grid.first_day + grid.days - 1 - first_day;
  if (end < LEAST_DAYS)
    throw new InvalidDataError(
      `${end} days are known; this model needs ${LEAST_DAYS}.`,
      'Wait, or import older values.',
    );
  const methods = methodsOf(history, seed, grid.days);
  const ensemble = createEnsemble({ methods, levels: BAND_LEVELS, every_days: 7 });
  const from = Math.max(FIRST_DAYS, end - BACKTEST_DAYS - SETTLE_DAYS);
  const scores: DayScore[] = [];
  for (let day = from; day < end; day++) {
    progress((day - from) / (end - from + 3));
    const hours = step(ensemble, panel, day);
    const score = hours && scoreDay(grid, first_day + day, hours);
    if (score && day >= end - BACKTEST_DAYS) scores.push(score);
  }
  // Learns from everything once more; the last days' outcomes count for weights and bands.
  const state = ensemble.serialise();
  const final = createEnsemble(
    { methods, levels: BAND_LEVELS, every_days: 1 },
    { ...state, models: state.models.map(() => null) },
  );
  final.forecast(panel, end);
  const learned = final.serialise();
  const pending = learned.pending.filter(({ day_number }) => day_number < first_day + end);
  const artefact: Artefact = {
    ...{ recipe: name, first_day, trained_day: end, history_days: grid.days },
    ensemble: { ...learned, pending },
  };
  return { artefact, scores };
}

/** @returns null where no method knows enough that day. */
function step(ensemble: Ensemble, panel: ReturnType<typeof panelOf>, day: number): HourForecast[] | null {
  try {
    const { mean, quantiles } = ensemble.forecast(panel, day);
    return Array.from(mean, (value, hour) => ({
      day: panel.first_day + day,
      hour,
      mean: value,
      quantiles: quantiles.map((ofLevel) => ofLevel[hour]!),
    }));
  } catch (error) {
    if (error instanceof InvalidDataError) return null;
    throw error;
  }
}

/** In use a method that has learned nothing stays out, whatever it could learn now. */
const frozen = (method: ForecastMethod): ForecastMethod => ({
  ...method,
  train(_panel, _day, previous) {
    if (previous) return previous;
    throw new InvalidDataError(`${method.name} has learned nothing.`, 'It takes part after the next training.');
  },
});

function revive(artefact: Artefact, horizon: Horizon): LiveModel {
  const { first_day, trained_day, history_days, ensemble: state } = artefact;
  /** Walks from the day it was trained to `last`, so that weights and bands know the days between. */
  function walk(history: History, last: number, each: (day: number, hours: HourForecast[] | null) => void) {
    const grid = gridOf(history);
    const panel = panelOf(history, horizon, grid, first_day);
    const methods = methodsOf(history, 0, history_days).map(({ method, prior }) => ({ method: frozen(method), prior }));
    const ensemble = createEnsemble({ methods, levels: BAND_LEVELS, every_days: Infinity }, state);
    for (let day = Math.min(trained_day, last - first_day); day <= last - first_day; day++)
      each(first_day + day, step(ensemble, panel, day));
    return { ensemble, panel, grid };
  }
  return {
    forecast(history) {
      let hours: HourForecast[] | null = null;
      walk(history, targetOf(history, horizon, gridOf(history)), (_, made) => {
        hours = made;
      });
      if (!hours) throw new InvalidDataError('Too little is known of the last days.', 'Wait for newer values.');
      return hours;
    },
    scores(history, from_day) {
      const scores: DayScore[] = [];
      const grid = gridOf(history);
      const days = daysUntilNow(grid, Math.max(from_day, first_day + trained_day));
      if (days.length === 0) return [];
      walk(history, days.at(-1)!, (day, hours) => {
        const score = day >= days[0]! && hours ? scoreDay(grid, day, hours) : null;
        if (score) scores.push(score);
      });
      return scores;
    },
    explain(history, day, hour): Explanation {
      const { ensemble, panel } = walk(history, day, () => {});
      return ensemble.explain(panel, hour);
    },
  };
}

/** The local day that a daily horizon forecasts now: today or tomorrow, for prices the first unpublished one. */
export function targetOf({ kind }: History, horizon: Horizon, grid: LocalGrid): number {
  const today = grid.first_day + grid.days - 1;
  return horizon === 'gate-closure' && kind !== 'price' ? today + 1 : today;
}
