/** Our boosted trees beside LightGBM from PyPI: the same rows, the same settings, one thread each. */
import { join } from 'node:path';
import { createLoadHistory } from '../../engine/features/load-past.ts';
import { LOAD_FEATURES, SERIES_FEATURE } from '../../engine/features/load-rows.ts';
import { DAY_HOURS } from '../../engine/features/panel.ts';
import { createLoadRows, type LoadRows } from '../../engine/forecast/load-trees.ts';
import {
  BOOST_DEFAULTS,
  type Booster,
  type BoostOptions,
  predictRow,
  trainBooster,
} from '../../engine/forecast/trees/boost.ts';
import { explainRow } from '../../engine/forecast/trees/shap.ts';
import { createRandom } from '../../engine/random.ts';
import { CACHE } from '../setup/environment.ts';
import { findLightGbm, type Rows, runLightGbm } from './gbdt/peer.ts';
import { LOAD_SETS, type LoadSet, loadPanel } from './loads/sets.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'boosted trees beside LightGBM on Cambridge features: --series 20 --train-days 393 --days 91 --rounds 250 --seed 1 --python FILE';

const EXPLAINED_ROWS = 200;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const all = LOAD_SETS[options.set ?? 'cambridge']!();
  const count = Number(options.series ?? all.names.length);
  const set = { ...all, names: all.names.slice(0, count), values: all.values.slice(0, count) };
  const histories = set.values.map((values, k) =>
    createLoadHistory(loadPanel(set, set.names[k]!, values), set.calendar),
  );
  const rows = createLoadRows(histories, set.unit);
  const train_days = Number(options['train-days'] ?? 393);
  const train = gather(set, rows, set.test_from - train_days, set.test_from);
  const test = gather(set, rows, set.test_from, set.test_from + Number(options.days ?? 91));
  const seed = Number(options.seed ?? 1);
  const settings = settingsFor(train.target.length, Number(options.rounds ?? 250), seed);
  progress(`${train.target.length} rows of ${train.columns.length} features; ${test.target.length} to predict`);
  const began = process.cpuUsage();
  const booster = trainBooster(train.columns, train.target, settings);
  const { user, system } = process.cpuUsage(began);
  const seconds = (user + system) / 1e6;
  const mae = meanError(test, (row) => predictRow(booster, row));
  progress(`ours: ${seconds.toFixed(1)} CPU-s, MAE ${mae.toFixed(5)}`);
  const found = await findLightGbm(options.python, join(CACHE, 'lightgbm'));
  const ours = {
    mae: round(mae),
    cpu_s: round(seconds),
    shap_gap: shapGap(booster, test),
    rows: train.target.length,
    seed,
  };
  if ('reason' in found) {
    progress(`LightGBM: skipped. ${found.reason}`);
    return { ...ours, mae_lightgbm: null, mae_ratio: null, time_ratio: null };
  }
  const peer = await runLightGbm(found.python, train, test, settings, seed);
  progress(`LightGBM ${peer.version}: ${peer.seconds.toFixed(1)} CPU-s`);
  const mae_lightgbm =
    test.target.reduce((sum, value, i) => sum + Math.abs(value - peer.predicted[i]!), 0) / test.target.length;
  return {
    ...ours,
    mae_lightgbm: round(mae_lightgbm),
    mae_ratio: round(mae / mae_lightgbm),
    time_ratio: round(seconds / peer.seconds),
    cpu_s_lightgbm: round(peer.seconds),
  };
}

const round = (value: number): number => Math.round(value * 100_000) / 100_000;

function settingsFor(rows: number, rounds: number, seed: number): BoostOptions {
  const large = rows > 100_000;
  return {
    ...BOOST_DEFAULTS,
    loss: { kind: 'absolute' },
    learning_rate: large ? 0.06 : 0.04,
    leaves: large ? 63 : 24,
    min_rows: large ? 100 : 40,
    rounds,
    categorical: [SERIES_FEATURE],
    random: createRandom(seed),
  };
}

/** Rows of all series, relative to the level of each, as the product's trees learn them. */
function gather(set: LoadSet, rows: LoadRows, from: number, to: number): Rows {
  const width = LOAD_FEATURES.length;
  const most = set.names.length * (to - from) * DAY_HOURS;
  const columns = Array.from({ length: width }, () => new Float64Array(most));
  const target = new Float64Array(most);
  let count = 0;
  for (const [id, values] of set.values.entries())
    for (let day = from; day < to; day++) {
      const { x, unit } = rows.day(id, day);
      for (let hour = 0; hour < DAY_HOURS; hour++) {
        const value = values[day * DAY_HOURS + hour]! / unit[hour]!;
        if (!Number.isFinite(value)) continue;
        for (let f = 0; f < width; f++) columns[f]![count] = x[hour * width + f]!;
        target[count++] = Math.min(10, Math.max(-10, value));
      }
    }
  return { columns: columns.map((column) => column.subarray(0, count)), target: target.subarray(0, count) };
}

const rowAt = ({ columns }: Rows, i: number): Float64Array => Float64Array.from(columns, (column) => column[i]!);

function meanError(test: Rows, predict: (row: Float64Array) => number): number {
  let sum = 0;
  for (let i = 0; i < test.target.length; i++) sum += Math.abs(test.target[i]! - predict(rowAt(test, i)));
  return sum / test.target.length;
}

/** Largest gap between a prediction and the sum of its Shapley values, over evenly spread rows. */
function shapGap(booster: Booster, test: Rows): number {
  let gap = 0;
  for (let k = 0; k < EXPLAINED_ROWS; k++) {
    const row = rowAt(test, Math.floor((k * test.target.length) / EXPLAINED_ROWS));
    const { base, adds } = explainRow(booster, row);
    gap = Math.max(gap, Math.abs(adds.reduce((a, b) => a + b, base) - predictRow(booster, row)));
  }
  return gap;
}
