/** Trains the recipes of a tenant's series in threads of their own, and records every run. */
import { createHash, randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BroadcastChannel } from 'node:worker_threads';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { DayScore, History, Horizon, Recipe, SeriesKind } from '../../../engine/forecast/box/model-port.ts';
import type { Base, Workers } from '../../services.ts';
import type { TrainResult, TrainTask } from '../../workers/train-model.ts';
import type { NeuralBackends } from '../neural-backends.ts';
import { finishRun, insertRun, type ModelRun, type SplitMetrics, writeDays } from './rows.ts';

const SEED = 1;
const SPLIT_DAYS = 7;
/** A model that takes longer is stopped: a small box has other things to do. */
const LONGEST_MS = 15 * 60_000;

export type Order = { series: SeriesKind; horizon: Horizon; recipe: Recipe; history: History };
export type TrainingDeps = Pick<Base, 'db' | 'files' | 'clock' | 'log' | 'metrics' | 'bus'> & {
  /** Threads that nobody waits for. */
  trainers: Pick<Workers, 'run'>;
  threads: number;
  code_version: string;
  /** Backends for networks; the processor's where left out. */
  neural?: Pick<NeuralBackends, 'order' | 'isFast'>;
};

/** Same code, data, parameters and seed give the same hash, on any machine. */
export const hashOf = (text: string | Uint8Array): string => createHash('sha256').update(text).digest('hex');

/** Release, and a hash of all that forecasts are computed with. */
export function codeVersion(root: string, release: string): string {
  const hash = createHash('sha256');
  for (const folder of ['engine/features', 'engine/forecast']) {
    const names = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    for (const name of names.sort())
      hash.update(`${name.replaceAll('\\', '/')}\0`).update(readFileSync(join(root, folder, name)));
  }
  return `${release}+${hash.digest('hex').slice(0, 12)}`;
}

/** The weather counts where the history has some. */
export function dataOf({ columns, from_ms, weather = [] }: History): NonNullable<ModelRun['data']> {
  const hash = createHash('sha256');
  let [first_ms, last_ms, values] = [from_ms, from_ms, 0];
  const row = new Float64Array(2);
  for (const [i, value] of columns.values.entries()) {
    const at_ms = columns.at_ms[i]!;
    if (Number.isNaN(value) || at_ms >= from_ms) continue;
    if (values++ === 0) first_ms = at_ms;
    last_ms = at_ms;
    row.set([at_ms, value]);
    hash.update(new Uint8Array(row.buffer));
  }
  for (const { name, lead_ms, at_ms, values: known } of weather)
    hash.update(`${name} ${lead_ms}\0`).update(bytesOf(at_ms)).update(bytesOf(known));
  return { from_ms: first_ms, to_ms: last_ms, values, hash: hash.digest('hex') };
}

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** @returns the runs, in the order of `orders`. Ends early, with what was trained, when `signal` says so. */
export async function trainAll(
  deps: TrainingDeps,
  tenant: string,
  orders: readonly Order[],
  signal: AbortSignal,
  onProgress: (done: number, total: number, text: string) => void,
): Promise<ModelRun[]> {
  const channel = `train-${randomUUID()}`;
  const shares = new Map<string, number>();
  const tell = (text: string) =>
    onProgress(
      [...shares.values()].reduce((a, b) => a + b, 0),
      orders.length,
      text,
    );
  const told = new BroadcastChannel(channel);
  told.onmessage = (event: unknown) => {
    const { data } = event as { data: { recipe: string; horizon: string; done: number } };
    shares.set(`${data.recipe} ${data.horizon}`, data.done);
    tell(data.recipe);
  };
  told.unref();
  const made: ModelRun[] = [];
  const waiting = [...orders.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next && !signal.aborted; next = waiting.shift()) {
      const [k, order] = next;
      made[k] = await trainOne(deps, tenant, order, channel, signal);
      shares.set(`${order.recipe.name} ${order.horizon}`, 1);
      tell(order.recipe.name);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.max(1, deps.threads) }, work));
  } finally {
    told.close();
  }
  return made.filter((run) => run !== undefined);
}

async function trainOne(
  deps: TrainingDeps,
  tenant: string,
  { series, horizon, recipe, history }: Order,
  channel: string,
  signal: AbortSignal,
): Promise<ModelRun> {
  const { db, files, clock, log, metrics } = deps;
  const begun = performance.now();
  const run: ModelRun = {
    ...{ id: randomUUID(), series, horizon, recipe: recipe.name, state: 'running', started_ms: clock.now() },
    ...{
      duration_ms: null,
      data: dataOf(history),
      code_version: deps.code_version,
      parameters: { ...recipe.parameters },
    },
    ...{ seed: SEED, device: 'cpu', metrics: {}, model_hash: null, artefact: null, artefact_bytes: null },
    ...{ reason: null, exported_ms: null },
  };
  await db.asTenant(tenant, (sql) => insertRun(sql, tenant, run));
  const done = { ...run };
  let scores: DayScore[] = [];
  try {
    const backends = recipe.networks && deps.neural ? { backends: deps.neural.order() } : {};
    const task: TrainTask = { history, recipe: recipe.name, horizon, seed: SEED, channel, ...backends };
    const result = await deps.trainers.run<TrainResult>('train-model', task, { signal, timeout_ms: LONGEST_MS });
    scores = result.scores;
    const bytes = new TextEncoder().encode(result.artefact);
    const artefact = `models/${run.id}.json`;
    await files.write(tenant, artefact, bytes);
    Object.assign(done, {
      state: 'done',
      metrics: metricsOf(scores),
      device: result.device,
      model_hash: hashOf(bytes),
      artefact,
      artefact_bytes: bytes.length,
    });
  } catch (error) {
    done.state = signal.aborted ? 'cancelled' : 'failed';
    done.reason = signal.aborted ? 'It was cancelled.' : error instanceof Error ? error.message : String(error);
    if (!(error instanceof InvalidDataError) && !signal.aborted)
      log.warn({ err: error, tenant_id: tenant, series, horizon, recipe: recipe.name }, 'a model could not be trained');
  }
  done.duration_ms = Math.round(performance.now() - begun);
  const kept = await db.asTenant(tenant, async (sql) => {
    const found = await finishRun(sql, done);
    if (found) await writeDays(sql, tenant, run.id, 'backtest', scores);
    return found;
  });
  // The site went meanwhile, with all that was learned of it.
  if (!kept) {
    if (done.artefact) await files.remove(tenant, done.artefact);
    return { ...done, state: 'cancelled', artefact: null, reason: 'The site was removed.' };
  }
  metrics.model_runs.inc({ series, horizon, outcome: done.state });
  return done;
}

/** Over all days, and of each week of the backtest. */
export function metricsOf(scores: readonly DayScore[]): ModelRun['metrics'] {
  if (scores.length === 0) return {};
  const splits: SplitMetrics[] = [];
  for (let k = 0; k < scores.length; k += SPLIT_DAYS) {
    const part = scores.slice(k, k + SPLIT_DAYS);
    const from = new Date(part[0]!.day * 86_400_000).toISOString().slice(0, 10);
    splits.push({ from, days: part.length, ...summaryOf(part) });
  }
  return { ...summaryOf(scores), splits };
}

export function summaryOf(scores: readonly DayScore[]) {
  const mean = (of: (score: DayScore) => number | null) => {
    const known = scores.filter((score) => of(score) !== null);
    const hours = known.reduce((sum, score) => sum + score.hours, 0);
    return hours === 0 ? null : known.reduce((sum, score) => sum + of(score)! * score.hours, 0) / hours;
  };
  return { mae: mean(({ mae }) => mae)!, naive_mae: mean((s) => s.naive_mae), inside90: mean((s) => s.inside90) };
}
