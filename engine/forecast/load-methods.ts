/** Methods that forecast a local day of a measured series, behind the port of forecasts: means of days, ridge, trees. */
import { InvalidDataError } from '../errors.ts';
import {
  createLoadHistory,
  type DayCalendar,
  daysAgo,
  LAST_WEEK,
  type LoadHistory,
  type LoadPast,
  meanOfDays,
} from '../features/load-past.ts';
import type { LoadUnit } from '../features/load-rows.ts';
import { DAY_HOURS, type Panel } from '../features/panel.ts';
import { fitLoadRidge, loadRidgeNames, loadRidgeRow, type RidgeState } from './load-ridge.ts';
import { createLoadRows, forecastLoadTrees, type LoadRows, trainLoadForest, trainLoadTrees } from './load-trees.ts';
import type { Explanation, ForecastMethod, TrainedForecaster } from './port.ts';
import { type Booster, type BoosterState, boosterState, predictRow, reviveBooster } from './trees/boost.ts';
import { explainRow } from './trees/shap.ts';

export type LoadMethodOptions = {
  calendar: DayCalendar;
  unit: LoadUnit;
  seed: number;
  /** Rounds of the trees, and after how many days they learn anew. */
  rounds?: number;
  refit_days?: number;
  /** Beside others of the same kind. */
  name?: string;
};

/** Days that trees learn from. */
const TREES_DAYS = 730;

/** The past of a panel is made once for all methods. */
export type Pasts = { history(panel: Panel): LoadHistory; rows(panel: Panel): LoadRows };

/** @param weather whether methods that read from it see the weather of the panel. */
export function createPasts(calendar: DayCalendar, unit: LoadUnit, weather = false): Pasts {
  const kept = new WeakMap<Panel, { history: LoadHistory; rows: LoadRows }>();
  const of = (panel: Panel) => {
    const known = kept.get(panel);
    if (known) return known;
    const history = createLoadHistory(panel, calendar, { weather });
    const made = { history, rows: createLoadRows([history], unit) };
    kept.set(panel, made);
    return made;
  };
  return { history: (panel) => of(panel).history, rows: (panel) => of(panel).rows };
}

type Learned = {
  forecast(panel: Panel, day: number): Float64Array;
  explain(panel: Panel, day: number, hour: number): Explanation;
  state: unknown;
};

/** A method of what `learn` makes and `revive` brings back. */
function methodOf(
  name: string,
  refit_days: number,
  learn: (panel: Panel, day: number) => unknown,
  revive: (state: unknown) => Omit<Learned, 'state'>,
): ForecastMethod {
  const trained = (trained_day: number, state: unknown): TrainedForecaster => ({
    method: name,
    trained_day,
    ...revive(state),
    serialise: () => ({ method: name, trained_day, state }),
  });
  return {
    name,
    train(panel, day, previous) {
      const age = previous?.method === name ? day - previous.trained_day : -1;
      return age >= 0 && age < refit_days ? previous! : trained(day, learn(panel, day));
    },
    revive({ method, trained_day, state }) {
      if (method !== name)
        throw new InvalidDataError(`This is a model of ${method}, not of ${name}.`, 'Train the model anew.');
      return trained(trained_day, state);
    },
  };
}

const byHour = (of: (hour: number) => number): Float64Array =>
  Float64Array.from({ length: DAY_HOURS }, (_, hour) => of(hour));

/** Mean of some days before; learns nothing. */
function createDayMean(name: string, pasts: Pasts, choose: (past: LoadPast, day: number) => readonly number[]) {
  return methodOf(
    `${name}/1`,
    Infinity,
    () => null,
    () => ({
      forecast(panel, day) {
        const past = pasts.history(panel).before(day);
        const mean = meanOfDays(past, choose(past, day));
        if (mean.some(Number.isNaN))
          throw new InvalidDataError(
            'Too few days are known.',
            'Wait until more was measured, or import older values.',
          );
        return mean;
      },
      explain(panel, day, hour) {
        const past = pasts.history(panel).before(day);
        const known = choose(past, day).filter((one) => !Number.isNaN(past.at(one, hour)));
        const contributions = known.map((one) => {
          const value = past.at(one, hour);
          return { feature: `d-${day - one}`, value, adds: value / known.length };
        });
        return { base: 0, contributions: largestFirst(contributions) };
      },
    }),
  );
}

const largestFirst = (parts: Explanation['contributions']): Explanation['contributions'] =>
  parts.filter(({ adds }) => adds !== 0).sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds));

export const createWeekAgo = (pasts: Pasts): ForecastMethod =>
  createDayMean('week-ago', pasts, (_, day) => daysAgo(day, [7]));
export const createWeekMean = (pasts: Pasts): ForecastMethod =>
  createDayMean('week-mean', pasts, (_, day) => daysAgo(day, LAST_WEEK));
export const createDaysAlike = (pasts: Pasts): ForecastMethod =>
  createDayMean('days-alike', pasts, (past) => past.alike(5));

/** Ridge on whole profiles of days before; learns anew each week. @param name beside others of the same penalty. */
export function createLoadRidgeMethod(pasts: Pasts, penalty: number, name = `load-ridge-${penalty}/1`): ForecastMethod {
  return methodOf(
    name,
    7,
    (panel, day): RidgeState => fitLoadRidge(pasts.history(panel), day, penalty),
    (state) => {
      const fit = state as RidgeState;
      const parts = (panel: Panel, day: number, hour: number): Explanation => {
        const history = pasts.history(panel);
        const row = loadRidgeRow(history, day);
        if (row.some(Number.isNaN)) throw new InvalidDataError('Yesterday is not known.', 'Wait for its readings.');
        const contributions = loadRidgeNames(history).map((feature, c) => {
          const z = fit.deviation[c] === 0 ? 0 : (row[c]! - fit.mean[c]!) / fit.deviation[c]!;
          return { feature, value: row[c]!, adds: fit.targets[hour]!.deviation * fit.targets[hour]!.weights[c]! * z };
        });
        return notBelowZero({ base: fit.targets[hour]!.mean, contributions });
      };
      return {
        forecast: (panel, day) => byHour((hour) => total(parts(panel, day, hour))),
        explain: (panel, day, hour) => {
          const { base, contributions } = parts(panel, day, hour);
          return { base, contributions: largestFirst(contributions) };
        },
      };
    },
  );
}

const total = ({ base, contributions }: Explanation): number =>
  contributions.reduce((sum, { adds }) => sum + adds, base);

/** What lies below nothing is taken back, as a part of its own. */
function notBelowZero({ base, contributions }: Explanation): Explanation {
  const sum = total({ base, contributions });
  return sum >= 0
    ? { base, contributions }
    : { base, contributions: [...contributions, { feature: 'never below 0', value: 0, adds: -sum }] };
}

/** Boosted trees on features relative to the series' level. */
export function createLoadTreesMethod(pasts: Pasts, options: LoadMethodOptions): ForecastMethod {
  const { unit, seed, rounds = 150, refit_days = 14, name = 'load-trees/1' } = options;
  return treesOf(name, refit_days, pasts, unit, (rows, day) =>
    trainLoadTrees(rows, day, { unit, seed, rounds, window_days: TREES_DAYS }),
  );
}

/** A random forest on the same features. */
export function createLoadForestMethod(
  pasts: Pasts,
  { unit, seed, refit_days = 28 }: LoadMethodOptions,
): ForecastMethod {
  return treesOf('load-forest/1', refit_days, pasts, unit, (rows, day) =>
    trainLoadForest(rows, day, { unit, seed, window_days: TREES_DAYS }),
  );
}

function treesOf(
  name: string,
  refit_days: number,
  pasts: Pasts,
  unit: LoadUnit,
  learn: (rows: LoadRows, day: number) => Booster,
): ForecastMethod {
  return methodOf(
    name,
    refit_days,
    (panel, day): BoosterState => boosterState(learn(pasts.rows(panel), day)),
    (state) => {
      const booster: Booster = reviveBooster(state as BoosterState);
      return {
        forecast: (panel, day) => forecastLoadTrees(booster, pasts.rows(panel), 0, day, unit),
        explain(panel, day, hour) {
          const rows = pasts.rows(panel);
          const { x, unit: units } = rows.day(0, day);
          const { features } = rows;
          const at = hour * features.length;
          const [size, value] = [units[hour]!, forecastLoadTrees(booster, rows, 0, day, unit)[hour]!];
          const { base, adds } = explainRow(booster, x, at);
          const contributions = features.map((feature, f) => ({
            feature,
            value: x[at + f]!,
            adds: size * adds[f]!,
          }));
          // Night, or below 0: what was cut off is a part of its own.
          const cut = value - size * predictRow(booster, x, at);
          if (cut !== 0) contributions.push({ feature: 'never below 0', value: 0, adds: cut });
          return { base: size * base, contributions: largestFirst(contributions) };
        },
      };
    },
  );
}
