/** Boosted trees that learn from several series at once what each of them does next, each in units of its own level. */
import { InvalidDataError } from '../errors.ts';
import type { LoadHistory } from '../features/load-past.ts';
import { type LoadDay, type LoadUnit, loadDay, loadFeatures, SERIES_FEATURE } from '../features/load-rows.ts';
import { DAY_HOURS } from '../features/panel.ts';
import { createRandom } from '../random.ts';
import { BOOST_DEFAULTS, type Booster, type BoostOptions, type Loss, predictRow, trainBooster } from './trees/boost.ts';
import { FOREST_DEFAULTS, trainForest } from './trees/forest.ts';

export type LoadRowsOptions = { unit: LoadUnit; window_days: number };
export type LoadTreesOptions = Partial<Omit<BoostOptions, 'random' | 'loss' | 'onRound' | 'categorical'>> &
  LoadRowsOptions & { seed: number; loss?: Loss };

/** Days on which features do not exist yet. */
const FIRST_DAYS = 28;
const LEAST_ROWS = 300;
/** An envelope below this share of the day's best is night: nothing to learn, and nothing to expect. */
const NIGHT = 0.004;

export type LoadRows = {
  readonly histories: readonly LoadHistory[];
  /** Names of the features, one for each column. */
  readonly features: readonly string[];
  /** Features of a day of series `id`, kept. */
  day(id: number, day: number): LoadDay;
};

export function createLoadRows(histories: readonly LoadHistory[], unit: LoadUnit): LoadRows {
  const kept = histories.map(() => new Map<number, LoadDay>());
  return {
    histories,
    features: histories[0] ? loadFeatures(unit, histories[0]) : [],
    day(id, day) {
      const known = kept[id]!.get(day);
      if (known) return known;
      const made = loadDay(histories[id]!, day, unit, id);
      kept[id]!.set(day, made);
      return made;
    },
  };
}

/** Learns from all series up to the day before `day`. @throws InvalidDataError where there is too little. */
export function trainLoadTrees(rows: LoadRows, day: number, o: LoadTreesOptions): Booster {
  const { columns, target } = gatherLoadRows(rows, day, o);
  const large = target.length > 100_000;
  return trainBooster(columns, target, {
    ...BOOST_DEFAULTS,
    learning_rate: large ? 0.06 : 0.04,
    leaves: large ? 63 : 24,
    min_rows: large ? 100 : 40,
    rounds: 250,
    ...o,
    loss: o.loss ?? { kind: 'absolute' },
    categorical: [SERIES_FEATURE],
    random: createRandom(o.seed),
  });
}

/** The same rows for a random forest, kept as a booster. @throws InvalidDataError where there is too little. */
export function trainLoadForest(rows: LoadRows, day: number, o: LoadRowsOptions & { seed: number }): Booster {
  const { columns, target } = gatherLoadRows(rows, day, o);
  const sizes = { trees: 60, leaves: 127, categorical: [SERIES_FEATURE] };
  return trainForest(columns, target, { ...FOREST_DEFAULTS, ...sizes, random: createRandom(o.seed) });
}

/**
 * What is learned from: a row for each hour of the days before `day`, in columns, and its target in the day's unit.
 * @throws InvalidDataError where there is too little.
 */
export function gatherLoadRows(rows: LoadRows, day: number, o: LoadRowsOptions) {
  const width = rows.features.length;
  const most = rows.histories.length * o.window_days * DAY_HOURS;
  const columns = Array.from({ length: width }, () => new Float64Array(most));
  const target = new Float64Array(most);
  let count = 0;
  for (const [id, history] of rows.histories.entries()) {
    const view = history.panel.viewAt(history.panel.origin(day));
    for (let d = Math.max(FIRST_DAYS, day - o.window_days); d < day; d++) {
      const { x, unit } = rows.day(id, d);
      for (let hour = 0; hour < DAY_HOURS; hour++) {
        const value = view.value(0, d, hour) / unit[hour]!;
        if (!Number.isFinite(value) || isNight(o.unit, unit, hour)) continue;
        for (let f = 0; f < width; f++) columns[f]![count] = x[hour * width + f]!;
        target[count++] = Math.min(10, Math.max(-10, value));
      }
    }
  }
  if (count < LEAST_ROWS)
    throw new InvalidDataError(`${count} hours are too few to learn from.`, `The trees need ${LEAST_ROWS}.`);
  return { columns: columns.map((column) => column.subarray(0, count)), target: target.subarray(0, count) };
}

function isNight(kind: LoadUnit, unit: Float64Array, hour: number): boolean {
  return kind === 'envelope' && !(unit[hour]! > NIGHT * unit.reduce((a, b) => Math.max(a, b), 0));
}

/** 24 values of `day` of series `id`, in its own unit; NaN where its level is not known. */
export function forecastLoadTrees(booster: Booster, rows: LoadRows, id: number, day: number, kind: LoadUnit) {
  const { x, unit } = rows.day(id, day);
  return Float64Array.from({ length: DAY_HOURS }, (_, hour) =>
    isNight(kind, unit, hour) ? 0 : Math.max(0, unit[hour]! * predictRow(booster, x, hour * rows.features.length)),
  );
}
