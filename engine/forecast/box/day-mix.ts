/**
 * `load-mix` and `price-mix` as recipes of the daily horizons: the ensemble of methods walks over the newest days,
 * each forecast from what was known at its origin, which yields its weights, its bands and its scores; then every method
 * learns once more from all. In use nothing is learned anew, but weights and bands follow each day that has passed.
 */
import { InvalidDataError } from '../../errors.ts';
import type { Panel } from '../../features/panel.ts';
import { weatherOf } from '../../features/weather.ts';
import { createEnsemble, type Ensemble, type EnsembleState, type WeightedMethod } from '../ensemble.ts';
import { createHourlyRidge } from '../hourly-ridge.ts';
import {
  createDaysAlike,
  createLoadForestMethod,
  createLoadRidgeMethod,
  createLoadTreesMethod,
  createWeekAgo,
  createWeekMean,
  type Pasts,
} from '../load-methods.ts';
import type { LocalGrid } from '../local-grid.ts';
import { createModelMethod } from '../model-method.ts';
import { createDayNet, type PreparedMethod } from '../neural/day-net.ts';
import type { NetworkTrainer } from '../neural/trainer.ts';
import type { Explanation, ForecastMethod } from '../port.ts';
import { createSitePriceForest, createSitePriceMethods } from '../price-methods.ts';
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
  type WalkMemory,
} from './model-port.ts';
import { BACKTEST_DAYS, daysUntilNow, fingerprintBefore, MOST_WALKED_DAYS, SETTLE_DAYS, scoreDay } from './scoring.ts';
import { pastsOf, unitOf } from './site-pasts.ts';
import { gridOf, localInstant, panelOf } from './slot-panel.ts';

const RIDGE_PENALTIES = [100, 1000];
/** Networks of a deep ensemble. */
const MEMBERS = 3;
const NOON = 12;
/** Days that a method needs before its first forecast. */
const FIRST_DAYS = 7;
const LEAST_DAYS = 28;
/** Days of history that are learned from. */
const MOST_DAYS = 730;

export type DayMixOptions = {
  /** Methods that see the weather that was forecast, beside those that do not: their weights tell what it is worth. */
  weather?: boolean;
  /** A random forest and deep ensembles of networks beside the others. */
  networks?: boolean;
};

type Artefact = {
  recipe: string;
  first_day: number;
  /** Day (of the panel) up to which was learned, and length of the history then. */
  trained_day: number;
  history_days: number;
  ensemble: EnsembleState;
};

export function createDayMix(kind: History['kind'], horizon: Horizon, options: DayMixOptions = {}): Recipe {
  const { weather = false, networks = false } = options;
  const name = `${kind}${weather ? '-weather' : ''}${networks ? '-deep' : ''}-mix/1`;
  const methods = [
    kind === 'price' ? 'lear, gp, trees, days' : 'trees, ridge, days',
    ...(weather ? ['trees and ridge with weather'] : []),
    ...(networks ? [`forest, ${MEMBERS} perceptrons, ${MEMBERS} LSTMs`] : []),
  ];
  const mix: Mix = { name, horizon, options };
  return {
    ...{ name, horizon, learns: true, weather, networks },
    parameters: {
      ...{ horizon, methods: methods.join(', '), backtest_days: BACKTEST_DAYS, settle_days: SETTLE_DAYS },
    },
    train(history, seed, progress) {
      if (networks) throw new InvalidDataError('Networks need a backend to be trained.', 'Give one.');
      return walkAndLearn(mix, setUp(mix, history, seed), progress);
    },
    ...(networks
      ? { trainNetworks: (history, seed, progress, trainer) => trainDeep(mix, history, seed, progress, trainer) }
      : {}),
    revive(artefact, memory) {
      const made = artefact as Artefact;
      if (made.recipe !== name)
        throw new InvalidDataError(`This is a model of ${made.recipe}, not of ${name}.`, 'Train the model anew.');
      return revive(made, mix, memory);
    },
  };
}

type Mix = { name: string; horizon: Horizon; options: DayMixOptions };

type SiteMethod = WeightedMethod & { method: ForecastMethod | PreparedMethod };

/** The methods of a site. @param days of history: windows that are longer learn the same and count once. */
function methodsOf(history: History, seed: number, days: number, { weather, networks }: DayMixOptions): SiteMethod[] {
  const { kind } = history;
  const pasts = pastsOf(history);
  const means = [
    { method: createModelMethod(createHourlyRidge(), kind === 'price' ? null : 0), prior: 6 },
    { method: createDaysAlike(pasts), prior: 2 },
    { method: createWeekMean(pasts), prior: 1 },
    { method: createWeekAgo(pasts), prior: 1 },
  ];
  const deep = networks ? deepMethods(pasts, history, seed) : [];
  if (kind === 'price') return [...createSitePriceMethods(days, seed), ...means, ...deep];
  const options = { calendar: calendarOf(history), unit: unitOf(kind), seed };
  const ridges = (of: Pasts, name: string) =>
    RIDGE_PENALTIES.map((penalty) => ({
      method: createLoadRidgeMethod(of, penalty, `${name}-${penalty}/1`),
      prior: 4,
    }));
  const outdoors = pastsOf(history, true);
  return [
    { method: createLoadTreesMethod(pasts, options), prior: 8 },
    ...ridges(pasts, 'load-ridge'),
    ...means,
    ...(weather
      ? [
          { method: createLoadTreesMethod(outdoors, { ...options, name: 'load-trees-weather/1' }), prior: 8 },
          ...ridges(outdoors, 'load-ridge-weather'),
        ]
      : []),
    ...deep,
  ];
}

function deepMethods(pasts: Pasts, { kind, holidays }: History, seed: number): SiteMethod[] {
  const options = { calendar: calendarOf({ holidays }), unit: unitOf(kind), seed };
  const floor = kind === 'price' ? null : 0;
  return [
    kind === 'price' ? createSitePriceForest(seed) : { method: createLoadForestMethod(pasts, options), prior: 4 },
    { method: createDayNet(pasts, { kind: 'mlp', members: MEMBERS, seed, floor }), prior: 4 },
    { method: createDayNet(pasts, { kind: 'lstm', members: MEMBERS, seed, floor }), prior: 4 },
  ];
}

type SetUp = {
  grid: LocalGrid;
  first_day: number;
  panel: Panel;
  methods: SiteMethod[];
  /** Days of the panel: what is scored begins with `from`, what is not over yet with `end`. */
  from: number;
  end: number;
};

/** @throws InvalidDataError where too little is known. */
function setUp({ horizon, options }: Mix, history: History, seed: number): SetUp {
  const grid = gridOf(history);
  const first_day = Math.max(grid.first_day, grid.first_day + grid.days - MOST_DAYS);
  const { weather = false } = options;
  const panel = panelOf(history, horizon, grid, { first_day, weather });
  const end = grid.first_day + grid.days - 1 - first_day;
  if (end < LEAST_DAYS)
    throw new InvalidDataError(
      `${end} days are known; this model needs ${LEAST_DAYS}.`,
      'Wait, or import older values.',
    );
  const known = weather ? daysWithWeather(panel, end) : end;
  if (known < LEAST_DAYS)
    throw new InvalidDataError(
      `The weather of ${known} days was kept as it had been forecast; this model needs ${LEAST_DAYS}.`,
      'Wait: the box keeps what is forecast each hour.',
    );
  const methods = methodsOf(history, seed, grid.days, options);
  return { grid, first_day, panel, methods, from: Math.max(FIRST_DAYS, end - BACKTEST_DAYS - SETTLE_DAYS), end };
}

function daysWithWeather(panel: Panel, end: number): number {
  let days = 0;
  for (let day = 0; day < end; day++)
    if (weatherOf(panel).some(({ series }) => !Number.isNaN(panel.viewAt(panel.origin(day)).value(series, day, NOON))))
      days++;
  return days;
}

/** Networks learn for the backtest and for use; the others do that on the way. */
async function trainDeep(
  mix: Mix,
  history: History,
  seed: number,
  progress: Progress,
  trainer: NetworkTrainer,
): Promise<Trained> {
  const made = setUp(mix, history, seed);
  const waiting = made.methods.flatMap(({ method }) =>
    'prepare' in method ? [made.from, made.end].map((day) => ({ method, day })) : [],
  );
  for (const [k, { method, day }] of waiting.entries())
    await method.prepare(made.panel, day, trainer, (share) => progress((0.8 * (k + share)) / waiting.length));
  return walkAndLearn(mix, made, (done) => progress(0.8 + 0.2 * done));
}

function walkAndLearn(
  { name }: Mix,
  { grid, first_day, panel, methods, from, end }: SetUp,
  progress: Progress,
): Trained {
  const ensemble = createEnsemble({ methods, levels: BAND_LEVELS, every_days: 7 });
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

function revive(artefact: Artefact, { horizon, options }: Mix, first?: WalkMemory): LiveModel {
  const { first_day, trained_day, history_days, ensemble: state } = artefact;
  let kept = first;
  const openWalk = (history: History, from: EnsembleState) => {
    const grid = gridOf(history);
    const panel = panelOf(history, horizon, grid, { first_day, weather: options.weather ?? false });
    const methods = methodsOf(history, 0, history_days, options).map(({ method, prior }) => ({
      ...{ method: frozen(method), prior },
    }));
    return { grid, panel, ensemble: createEnsemble({ methods, levels: BAND_LEVELS, every_days: Infinity }, from) };
  };
  /** Days from the one it was trained on to `last`, so that weights and bands know the days between. */
  const beginOf = (last: number) => Math.max(last - MOST_WALKED_DAYS, Math.min(trained_day, last));

  function walk(history: History, last: number, each: (day: number, hours: HourForecast[] | null) => void) {
    const { grid, panel, ensemble } = openWalk(history, state);
    for (let day = beginOf(last - first_day); day <= last - first_day; day++)
      each(first_day + day, step(ensemble, panel, day));
    return { ensemble, panel, grid };
  }

  /** The same up to `last` alone, from what is remembered of the days before. */
  function arrive(history: History, last: number) {
    const end = last - first_day;
    const grid = gridOf(history);
    // What was learned by the day before hangs on what was known when that day began.
    const keyOf = (day: number) =>
      `${fingerprintBefore(grid, first_day + day - 1)} ${weatherKey(history, options, first_day + day - 1)}`;
    const isKnown = kept && kept.day <= end && kept.day >= beginOf(end) && kept.key === keyOf(kept.day);
    const from = isKnown ? { ...state, ...(kept!.state as Omit<EnsembleState, 'models'>) } : state;
    const { panel, ensemble } = openWalk(history, from);
    for (let day = isKnown ? kept!.day : beginOf(end); day < end; day++) step(ensemble, panel, day);
    kept = { day: end, key: keyOf(end), state: ensemble.memory() };
    return { hours: step(ensemble, panel, end), ensemble, panel };
  }

  return {
    memory: () => kept,
    forecast(history) {
      const { hours } = arrive(history, targetOf(history, horizon, gridOf(history)));
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
      const { ensemble, panel } = arrive(history, day);
      return ensemble.explain(panel, hour);
    },
  };
}

/** Tells the weather of hours before a local day: that of later ones is known anew each hour. */
function weatherKey({ weather = [], time_zone }: History, options: DayMixOptions, day: number): string {
  if (!options.weather) return '';
  const end_ms = localInstant(time_zone, day, 0);
  const sums = weather.map(({ at_ms, values, lead_ms }) => {
    const sum = values.reduce((total, value, k) => total + (at_ms[k]! < end_ms && value ? value : 0), 0);
    return `${lead_ms} ${sum}`;
  });
  return sums.join(' ');
}

/** The local day that a daily horizon forecasts now: today or tomorrow, for prices the first unpublished one. */
export function targetOf({ kind }: History, horizon: Horizon, grid: LocalGrid): number {
  const today = grid.first_day + grid.days - 1;
  return horizon === 'gate-closure' && kind !== 'price' ? today + 1 : today;
}
