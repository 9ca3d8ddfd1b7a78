/** LightGBM from PyPI on the same rows, in a Python process of its own. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BoostOptions } from '../../../engine/forecast/trees/boost.ts';

const runFile = promisify(execFile);
const INSTALL_LIMIT_MS = 180_000;
const FIT_LIMIT_MS = 1_200_000;

/** Finds it without loading it, which takes long on a busy machine. */
const HAS_LIGHTGBM = 'import importlib.util, sys; sys.exit(importlib.util.find_spec("lightgbm") is None)';

export type Rows = { columns: Float64Array[]; target: Float64Array };
export type PeerResult = { predicted: Float64Array; seconds: number; version: string };

/** @returns the Python to use, or the reason why there is none. */
export async function findLightGbm(
  wanted: string | undefined,
  folder: string,
): Promise<{ python: string } | { reason: string }> {
  if (wanted === 'none') return { reason: 'no Python is wanted' };
  for (const python of [wanted, join(folder, 'bin/python')]) {
    if (!python) continue;
    try {
      await runFile(python, ['-c', HAS_LIGHTGBM], { timeout: 60_000 });
      return { python };
    } catch (error) {
      if (python === wanted) return { reason: `${python} has no lightgbm: ${(error as Error).message.split('\n')[0]}` };
    }
  }
  try {
    await runFile('python3', ['-m', 'venv', folder], { timeout: INSTALL_LIMIT_MS });
    await runFile(join(folder, 'bin/pip'), ['install', '-q', 'lightgbm'], { timeout: INSTALL_LIMIT_MS });
    return { python: join(folder, 'bin/python') };
  } catch (error) {
    return { reason: `LightGBM cannot be installed here: ${(error as Error).message.split('\n')[0]}` };
  }
}

/** Trains with the same settings on one thread, and predicts `test`. */
export async function runLightGbm(
  python: string,
  train: Rows,
  test: Rows,
  o: BoostOptions,
  seed: number,
): Promise<PeerResult> {
  const folder = mkdtempSync(join(tmpdir(), 'luna-gbdt-'));
  try {
    writeColumns(join(folder, 'train_x.f64'), train.columns);
    writeColumns(join(folder, 'train_y.f64'), [train.target]);
    writeColumns(join(folder, 'test_x.f64'), test.columns);
    writeFileSync(join(folder, 'settings.json'), JSON.stringify(settingsOf(train, o, seed)));
    const script = join(import.meta.dirname, 'fit.py');
    const { stdout } = await runFile(python, [script, folder], { timeout: FIT_LIMIT_MS, maxBuffer: 1e7 });
    const { seconds, version } = JSON.parse(stdout.trim().split('\n').at(-1)!) as { seconds: number; version: string };
    const bytes = readFileSync(join(folder, 'predicted.f64'));
    const predicted = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    return { predicted, seconds, version };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function settingsOf(train: Rows, o: BoostOptions, seed: number) {
  return {
    features: train.columns.length,
    categorical: o.categorical,
    rounds: o.rounds,
    max_bin: o.bins,
    parameters: {
      objective: 'l1',
      learning_rate: o.learning_rate,
      num_leaves: o.leaves,
      min_data_in_leaf: o.min_rows,
      feature_fraction: o.feature_share,
      bagging_fraction: o.row_share,
      bagging_freq: 1,
      lambda_l2: o.l2,
      cat_smooth: o.category_smoothing,
      num_threads: 1,
      seed,
      verbose: -1,
    },
  };
}

function writeColumns(file: string, columns: readonly Float64Array[]): void {
  writeFileSync(
    file,
    Buffer.concat(columns.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength))),
  );
}
