/** `gbdt`: one ensemble of boosted trees for all hours of the day, on features relative to the recent level. */
import { InvalidDataError } from '../errors.ts';
import { createHourRows, type HourRows } from '../features/hour-rows.ts';
import { DAY_HOURS, type Panel } from '../features/panel.ts';
import { createRandom } from '../random.ts';
import type { ForecasterState, ForecastMethod, TrainedForecaster } from './port.ts';
import {
  BOOST_DEFAULTS,
  type Booster,
  type BoosterState,
  type BoostOptions,
  boosterState,
  predictRow,
  reviveBooster,
  trainBooster,
} from './trees/boost.ts';
import { FOREST_DEFAULTS, trainForest } from './trees/forest.ts';
import { explainRow } from './trees/shap.ts';

export type GbdtOptions = Omit<BoostOptions, 'random' | 'loss' | 'onRound' | 'categorical'> & {
  window_days: number;
  /** It learns anew after so many days; between, the newest days come in as features only. */
  refit_days: number;
  seed: number;
  /** A random forest instead of boosted trees. */
  forest?: boolean;
};
const DEFAULTS: GbdtOptions = {
  ...BOOST_DEFAULTS,
  rounds: 250,
  learning_rate: 0.06,
  window_days: 1092,
  refit_days: 7,
  seed: 1,
};
const LEAST_DAYS = 28;
const FOREST_SIZES = { trees: 60, leaves: 127 };
/** Targets count as at most so many deviations from the level. */
const MOST_DEVIATIONS = 15;

export function createGbdt(options: Partial<GbdtOptions> = {}): ForecastMethod {
  const o = { ...DEFAULTS, ...options };
  const name = `${o.forest ? 'forest' : 'gbdt'}-${o.window_days}/1`;
  return {
    name,
    train(panel, day, previous) {
      const kept = previous && keptOf.get(previous);
      const age = previous ? day - previous.trained_day : -1;
      // One that comes from storage has no panel yet.
      if (previous?.method === name && (kept?.panel ?? panel) === panel && age >= 0 && age < o.refit_days)
        return previous;
      const rows = kept?.panel === panel ? kept.rows : createHourRows(panel);
      return trained(name, day, train(o, panel, rows, day), { panel, rows });
    },
    revive({ method, trained_day, state }) {
      if (method !== name)
        throw new InvalidDataError(`This is a model of ${method}, not of ${name}.`, 'Train the model anew.');
      return trained(name, trained_day, reviveBooster(state as BoosterState), null);
    },
  };
}

type Kept = { panel: Panel; rows: HourRows };
const keptOf = new WeakMap<TrainedForecaster, Kept>();

function trained(method: string, trained_day: number, booster: Booster, first: Kept | null): TrainedForecaster {
  let kept = first;
  const rowsOf = (panel: Panel): HourRows => {
    if (kept?.panel !== panel) kept = { panel, rows: createHourRows(panel) };
    return kept.rows;
  };
  const made: TrainedForecaster = {
    method,
    trained_day,
    forecast(panel, day) {
      const { x, level, deviation } = rowsOf(panel).day(day);
      return Float64Array.from(
        { length: DAY_HOURS },
        (_, hour) => level + deviation * predictRow(booster, x, hour * booster.features),
      );
    },
    explain(panel, day, hour) {
      const rows = rowsOf(panel);
      const { x, level, deviation } = rows.day(day);
      const at = hour * booster.features;
      const { base, adds } = explainRow(booster, x, at);
      const contributions = [...adds.entries()]
        .filter(([, add]) => add !== 0)
        .map(([f, add]) => ({ feature: rows.names[f]!, value: x[at + f]!, adds: deviation * add }))
        .sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds));
      return { base: level + deviation * base, contributions };
    },
    serialise: (): ForecasterState => ({ method, trained_day, state: boosterState(booster) }),
  };
  if (first) keptOf.set(made, first);
  return made;
}

function train(o: GbdtOptions, panel: Panel, rows: HourRows, day: number): Booster {
  const view = panel.viewAt(panel.origin(day));
  const width = rows.names.length;
  const [from, most] = [Math.max(0, day - o.window_days), Math.min(day, o.window_days) * DAY_HOURS];
  const columns = Array.from({ length: width }, () => new Float64Array(most));
  const target = new Float64Array(most);
  let [count, days] = [0, 0];
  for (let d = from; d < day; d++) {
    const { x, level, deviation } = rows.day(d);
    const before = count;
    for (let hour = 0; hour < DAY_HOURS; hour++) {
      const value = (view.value(0, d, hour) - level) / deviation;
      // Without yesterday there is little to learn from.
      if (Number.isNaN(value) || Number.isNaN(x[hour * width]!)) continue;
      for (let f = 0; f < width; f++) columns[f]![count] = x[hour * width + f]!;
      target[count++] = Math.min(MOST_DEVIATIONS, Math.max(-MOST_DEVIATIONS, value));
    }
    if (count > before) days++;
  }
  if (days < LEAST_DAYS)
    throw new InvalidDataError(
      `${days} days are known before the forecast; the model needs ${LEAST_DAYS}.`,
      'Import older values, or wait until enough days were measured.',
    );
  const cut = columns.map((column) => column.subarray(0, count));
  const random = createRandom(o.seed);
  if (o.forest)
    return trainForest(cut, target.subarray(0, count), {
      ...{ ...FOREST_DEFAULTS, ...FOREST_SIZES, random },
      categorical: rows.categorical,
    });
  return trainBooster(cut, target.subarray(0, count), {
    ...o,
    loss: { kind: 'absolute' },
    categorical: rows.categorical,
    random,
  });
}
