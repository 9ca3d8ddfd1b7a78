/** The series worker: the store, the drain into it and the computing of slots live here, off the serving thread. */
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { durableSeq, openJournalReader } from '../../connectors/journal/reader.ts';
import { verifySegments } from '../../connectors/journal/verify.ts';
import { openDuckDbSeries } from '../../connectors/series/duckdb/duckdb.ts';
import { openQuestDbSeries } from '../../connectors/series/questdb/questdb.ts';
import type { DrainedSeries } from '../../connectors/series/store.ts';
import { UnavailableError, UnsupportedError } from '../../engine/errors.ts';
import type { Repair } from '../../engine/ports.ts';
import { buryGroup, deadLetterFolder, eraseDeadLetters } from '../dead-letters.ts';
import { createQuestions } from './questions.ts';
import { createDrain, type Drain } from './series-drain.ts';
import { type FromWorker, type SeriesWorkerData, type ToWorker, toWire, transfers } from './series-protocol.ts';

const port = parentPort;
if (!port) throw new Error('gateway/workers/series.ts runs as a worker thread');
const { store: where, journal_dir, durable, released_seq, given_seq = 0, ...settings } = workerData as SeriesWorkerData;
/** At most this long the drain waits for questions between two batches, and the slots between two series. */
const GIVE_WAY_MS = 200;
/** Segments that were taken at their word are checked in about a tenth of the worker's time. */
const VERIFY = { after_ms: 10_000, rest: 9 };
const questions = createQuestions();
let closing = false;
/** Counts on from the time that the box believes; a jump of the wall clock makes nothing old or due. */
let believed_ms: number | null = null;
const now = () => (believed_ms === null ? Date.now() : believed_ms + performance.now());
const post = (message: FromWorker, moved: ArrayBuffer[] = []) => port.postMessage(message, moved);

const durable_seq = durableSeq(durable);
const damaged = new Set<string>();
/** Told before anything behind the damage is applied, so that the segment is set aside before it is released. */
function tellDamaged(segment: string): void {
  if (!damaged.has(segment)) post({ kind: 'damaged', segment });
  damaged.add(segment);
}

/** DuckDB ran out of what it usually keeps: it may keep all it has from then on. */
let short_of_memory = false;
const drain = createDrain({
  open: (): Promise<DrainedSeries> =>
    where.kind === 'duckdb'
      ? openDuckDbSeries({ ...where, ...(short_of_memory ? { kept: where.memory } : {}) })
      : openQuestDbSeries(where),
  reader: await openJournalReader(journal_dir, { durable_seq, onCorrupt: tellDamaged }),
  durable_seq,
  released_seq,
  given_seq,
  onApplied: (now) => post({ kind: 'applied', now }),
  bury: (group, reason) => buryGroup(deadLetterFolder(dirname(journal_dir)), group, { reason, refused_ms: Date.now() }),
  eraseBuried: (erasure) => eraseDeadLetters(deadLetterFolder(dirname(journal_dir)), erasure),
  onSlots: (changed) => post({ kind: 'slots', changed }),
  onState: (state) => {
    short_of_memory ||= /out of memory/i.test(state.reason ?? '');
    post({ kind: 'state', state });
  },
  now,
  slots_every_ms: settings.slots_every_ms,
  keep_readings_days: settings.keep_readings_days,
  giveWay: () => questions.answered(GIVE_WAY_MS),
});

port.on('message', (message: ToWorker) => {
  if (message.kind === 'call') void answer(message);
  else if (message.kind === 'start') begin();
  else if (message.kind === 'wake') drain.wake();
  else if (message.kind === 'now') believed_ms = message.now_ms - performance.now();
  else if (message.kind === 'roles') drain.setRoles(message.roles);
  else {
    closing = true;
    void drain.close().finally(() => port.close());
  }
});

function begin(): void {
  drain.start();
  const { unchecked = [] } = settings;
  if (unchecked.length > 0) setTimeout(() => void verify(unchecked), VERIFY.after_ms).unref();
}

/** The drain checks what it reads; this finds damage in what waits for a store that is away, or for the backup. */
async function verify(unchecked: readonly string[]): Promise<void> {
  let resumed_ms = performance.now();
  const pause = async () => {
    await sleep((performance.now() - resumed_ms) * VERIFY.rest, undefined, { ref: false });
    resumed_ms = performance.now();
    return !closing;
  };
  await verifySegments(journal_dir, unchecked, { onCorrupt: tellDamaged, pause }).catch((error: unknown) =>
    post({ kind: 'unverified', reason: (error as Error).message }),
  );
}

async function answer({ id, method, args }: Extract<ToWorker, { kind: 'call' }>): Promise<void> {
  try {
    const result = await questions.ask(() => call(drain, method, args));
    post({ kind: 'result', id, result }, transfers(result));
  } catch (error) {
    if (error instanceof UnavailableError) drain.suspect();
    post({ kind: 'error', id, error: toWire(error) });
  }
}

/** Methods of the store by their path; those that write readings go in turn with the drain. */
function call(drain: Drain, method: string, args: readonly unknown[]): Promise<unknown> {
  if (method === 'readings.repair') return repair(drain, args[0] as string, args[1] as readonly Repair[]);
  if (method === 'erase')
    return drain.alone(async (store, keeper) => {
      const [tenant, meters] = args as [string, readonly string[] | null];
      await store.erase(tenant, meters);
      keeper.forget(tenant, meters);
    });
  const store = drain.store();
  const [part, name] = method.includes('.') ? method.split('.') : [null, method];
  const target = (part === null ? store : store[part as 'slots']) as unknown as Record<string, unknown>;
  const callable = Object.hasOwn(METHODS, method) ? target[name!] : undefined;
  if (typeof callable !== 'function') throw new UnsupportedError(`The series store has no ${method}.`);
  return (callable as (...args: unknown[]) => Promise<unknown>).apply(target, [...args]);
}

const METHODS = Object.fromEntries(
  [
    ['ping', 'prune', 'list', 'snapshot', 'readings.cursor', 'readings.read', 'readings.changes', 'readings.append'],
    ['slots.replace', 'slots.read', 'slots.spans', 'slots.totals', 'slots.totalsColumns'],
    ['prices.write', 'prices.read', 'prices.remove', 'forecasts.write', 'forecasts.latest', 'forecasts.track'],
  ]
    .flat()
    .map((name) => [name, true]),
);

/** A repair is answered when the slots have it too. */
function repair(drain: Drain, tenant: string, repairs: readonly Repair[]): Promise<void> {
  return drain.alone(async (store, keeper) => {
    await store.readings.repair(tenant, repairs);
    const touched = repairs.map(({ meter, quantity, at_ms }) => ({
      tenant,
      meter,
      quantity,
      from_ms: at_ms,
      to_ms: at_ms,
    }));
    const changed = await keeper.now(touched, now());
    post({ kind: 'slots', changed });
  });
}
