/** The series store as the serving thread sees it: a proxy to the worker that owns it, and the drain of the journal. */
import { Worker } from 'node:worker_threads';
import type { TotalsColumns } from '../connectors/series/store.ts';
import { UnavailableError } from '../engine/errors.ts';
import type { SeriesStore, SlotTable, TotalsQuery, TouchedSeries } from '../engine/ports.ts';
import { traced } from './tracing.ts';
import type { DrainState } from './workers/series-drain.ts';
import { type FromWorker, fromWire, type SeriesWorkerData, type ToWorker } from './workers/series-protocol.ts';
import type { MeterRoleOf, SlotsChanged } from './workers/series-slots.ts';

export type { DrainState, MeterRoleOf, SlotsChanged };

export type SeriesDrain = {
  /** Begins to drain; call once roles are set. Until the store is open, calls reject with UnavailableError. */
  start(): void;
  /** The journal has grown. Cheap: at most one message to the worker per 20 ms. */
  notify(): void;
  /** Journal records that are durable and not in the store yet. */
  lag(): number;
  state(): DrainState;
  /** After each batch: everything up to `seq` is in the store, the journal may release it. */
  onApplied(listener: (seq: number, touched: readonly TouchedSeries[], applied: number) => void): () => void;
  /** Slots were computed again. */
  onSlots(listener: (changed: readonly SlotsChanged[]) => void): () => void;
  onState(listener: (state: DrainState) => void): () => void;
  /** Damage was met in a segment of the journal; what is intact of it is drained all the same. */
  onDamaged(listener: (segment: string) => void): () => void;
  /** Old segments of the journal could not be checked, for this reason; those that are drained are checked again. */
  onUnverified(listener: (reason: string) => void): () => void;
  /** The time that the box believes. */
  setNow(now_ms: number): void;
  /** Roles of all meter points; again after each change. */
  setRoles(roles: readonly MeterRoleOf[]): void;
};

export type WorkerSeries = SeriesStore & {
  readonly drain: SeriesDrain;
  readonly slots: SlotTable & { totalsColumns(tenant: string, query: TotalsQuery): Promise<TotalsColumns> };
  /** Which series exist. */
  list(tenant: string): Promise<readonly { meter: string; quantity: string }[]>;
  /** Resolves when the store is open, rejects UnavailableError after `timeout_ms`. */
  ready(timeout_ms: number): Promise<void>;
};

/** A batch leaves a lot of short-lived garbage: in a small nursery it is collected before it takes memory of the box. */
const HEAP = { maxOldGenerationSizeMb: 640, maxYoungGenerationSizeMb: 8 };
const NOTIFY_MS = 20;
const CLOSE_MS = 5_000;

type Pending = { resolve: (value: never) => void; reject: (error: Error) => void };

/** Told of every question to the store, refused ones too. */
export type ObserveQuery = (labels: { table: string; operation: string }, seconds: number) => void;

/** Starts the worker; it opens the store when `drain.start()` is called and goes on trying while it is down. */
export async function openSeriesWorker(
  data: SeriesWorkerData,
  observe: ObserveQuery = () => {},
): Promise<WorkerSeries> {
  const url = new URL('./workers/series.ts', import.meta.url);
  const worker = new Worker(url, { workerData: data, resourceLimits: HEAP });
  const durable = new BigInt64Array(data.durable);
  const pending = new Map<number, Pending>();
  const listeners = {
    applied: createListeners<[number, readonly TouchedSeries[], number]>(),
    slots: createListeners<[readonly SlotsChanged[]]>(),
    state: createListeners<[DrainState]>(),
    damaged: createListeners<[string]>(),
    unverified: createListeners<[string]>(),
  };
  let state: DrainState = {
    ...{ up: false, since_ms: Date.now(), reason: 'starting', applied_seq: null, doubled: null },
    ...{ recovery: null, counts: null },
  };
  let next = 1;
  let gone: string | null = null;
  let closing = false;
  let timer: NodeJS.Timeout | null = null;
  const send = (message: ToWorker) => worker.postMessage(message);

  const end = (reason: string) => {
    gone = reason;
    state = { ...state, up: false, reason, since_ms: Date.now() };
    for (const { reject } of pending.values()) reject(new UnavailableError(reason, 'Start the box again.'));
    pending.clear();
    if (!closing) listeners.state.emit(state);
  };
  const exited = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  worker.on('error', (error) => end(`The series worker failed: ${error.message}`));
  worker.once('exit', () => {
    if (!gone) end('The series worker ended.');
  });
  worker.on('message', (message: FromWorker) => {
    if (message.kind === 'result' || message.kind === 'error') {
      const call = pending.get(message.id);
      pending.delete(message.id);
      if (message.kind === 'result') call?.resolve(message.result as never);
      else call?.reject(fromWire(message.error));
    } else if (message.kind === 'applied') {
      const { seq, touched, applied, doubled, counts } = message.now;
      state = { ...state, applied_seq: seq, doubled, counts };
      listeners.applied.emit(seq, touched, applied);
    } else if (message.kind === 'slots') listeners.slots.emit(message.changed);
    else if (message.kind === 'damaged') listeners.damaged.emit(message.segment);
    else if (message.kind === 'unverified') listeners.unverified.emit(message.reason);
    else {
      state = message.state;
      listeners.state.emit(state);
    }
  });

  const ask = (method: string, args: readonly unknown[]) =>
    new Promise<never>((resolve, reject) => {
      if (gone) return reject(new UnavailableError(gone, 'Start the box again.'));
      const id = next++;
      pending.set(id, { resolve, reject });
      send({ kind: 'call', id, method, args });
    });
  const call = (method: string) => {
    const [table, operation] = method.includes('.') ? method.split('.') : ['store', method];
    const labels = { table: table!, operation: operation! };
    return async (...args: readonly unknown[]): Promise<never> => {
      const begun = performance.now();
      try {
        return await traced(`series.${method}`, {}, () => ask(method, args));
      } finally {
        observe(labels, (performance.now() - begun) / 1000);
      }
    };
  };

  return {
    kind: data.store.kind,
    readings: {
      append: call('readings.append'),
      cursor: call('readings.cursor'),
      read: call('readings.read'),
      changes: call('readings.changes'),
      repair: call('readings.repair'),
    },
    slots: {
      replace: call('slots.replace'),
      read: call('slots.read'),
      spans: call('slots.spans'),
      totals: call('slots.totals'),
      totalsColumns: call('slots.totalsColumns'),
    },
    prices: { write: call('prices.write'), read: call('prices.read'), remove: call('prices.remove') },
    forecasts: { write: call('forecasts.write'), latest: call('forecasts.latest'), track: call('forecasts.track') },
    list: call('list'),
    ping: call('ping'),
    erase: call('erase'),
    prune: call('prune'),
    snapshot: call('snapshot'),
    async ready(timeout_ms) {
      await untilUp(() => state, listeners.state.add, timeout_ms);
    },
    drain: {
      start: () => send({ kind: 'start' }),
      notify() {
        timer ??= setTimeout(() => {
          timer = null;
          if (!gone) send({ kind: 'wake' });
        }, NOTIFY_MS);
      },
      lag: () => Math.max(0, Number(Atomics.load(durable, 0)) - (state.applied_seq ?? 0)),
      state: () => state,
      onApplied: listeners.applied.add,
      onSlots: listeners.slots.add,
      onState: listeners.state.add,
      onDamaged: listeners.damaged.add,
      onUnverified: listeners.unverified.add,
      setNow: (now_ms) => send({ kind: 'now', now_ms }),
      setRoles: (roles) => send({ kind: 'roles', roles }),
    },
    async close() {
      if (timer) clearTimeout(timer);
      if (gone) return;
      closing = true;
      send({ kind: 'close' });
      const late = new Promise<'late'>((resolve) => setTimeout(() => resolve('late'), CLOSE_MS).unref());
      if ((await Promise.race([exited, late])) === 'late') await worker.terminate();
      if (!gone) end('The series store is closed.');
    },
  };
}

function createListeners<Args extends unknown[]>() {
  const all = new Set<(...args: Args) => void>();
  return {
    add(listener: (...args: Args) => void) {
      all.add(listener);
      return () => void all.delete(listener);
    },
    emit(...args: Args) {
      for (const listener of all) listener(...args);
    },
  };
}

function untilUp(
  state: () => DrainState,
  onState: (listener: (state: DrainState) => void) => () => void,
  timeout_ms: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (state().up) return resolve();
    const done = (work: () => void) => {
      clearTimeout(timer);
      stop();
      work();
    };
    const timer = setTimeout(
      () =>
        done(() =>
          reject(new UnavailableError(`The series store is not open yet: ${state().reason}`, 'Ask again later.')),
        ),
      timeout_ms,
    );
    const stop = onState((now) => {
      if (now.up) done(resolve);
    });
  });
}
