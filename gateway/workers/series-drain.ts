/** Brings journal groups into the series store, in order, none twice, and its slots after them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppliedCounts } from '../../connectors/series/counts.ts';
import { createSerial } from '../../connectors/series/serial.ts';
import { type DrainedSeries, SuspendedTableError } from '../../connectors/series/store.ts';
import { UnavailableError } from '../../engine/errors.ts';
import { erasedBy } from '../../engine/model/erasure.ts';
import type { JournalledGroup } from '../../engine/model/reading.ts';
import type { JournalReader, TouchedSeries } from '../../engine/ports.ts';
import { createPoisonSearch } from './series-poison.ts';
import { createSlotKeeper, type MeterRoleOf, type SlotKeeper, type SlotsChanged } from './series-slots.ts';

export type DrainState = {
  up: boolean;
  /** When it went up or down. */
  since_ms: number;
  /** Why it is down, in words; null while up. */
  reason: string | null;
  /** Last journal record in the store; null until the store was asked. */
  applied_seq: number | null;
  /** Journal records that the store applied more than once, over all starts; null where it is not known. */
  doubled: number | null;
  /** What opening the store had to give up, in words. */
  recovery: string | null;
  /** How the store's settings endanger what it holds, in words. */
  warning?: string | null;
  /** Tables that take rows and do not show them: why it is down. */
  suspended?: readonly string[];
  /** What became of the readings up to `applied_seq`; null until the store was asked. */
  counts: AppliedCounts | null;
};
/** One batch that is in the store, or one group that was put aside. */
export type AppliedNow = {
  seq: number;
  touched: readonly TouchedSeries[];
  /** Journal records. */
  applied: number;
  doubled: number | null;
  counts: AppliedCounts;
};

export type DrainDeps = {
  open: () => Promise<DrainedSeries>;
  reader: JournalReader;
  /** Last sequence number that is durable in the journal. */
  durable_seq: () => number;
  /** What the journal had released when it was opened. */
  released_seq: number;
  /** The last number that the journal may have given out before: the store may know records that damage took since. */
  given_seq: number;
  onApplied: (now: AppliedNow) => void;
  /** Keeps a group that the store refuses, durably, before it is passed. */
  bury: (group: JournalledGroup, reason: string) => Promise<void>;
  /** Takes what an erasure is about out of what was put aside before it. */
  eraseBuried: (erasure: JournalledGroup) => Promise<void>;
  onSlots: (changed: readonly SlotsChanged[]) => void;
  onState: (state: DrainState) => void;
  now: () => number;
  /** Waits for questions to the store, in bounded time, between two steps of the work; at once where left out. */
  giveWay?: () => Promise<void>;
  slots_every_ms?: number;
  /** Readings older than this many days are removed; null or left out: none are. */
  keep_readings_days?: number | null;
};

export type Drain = {
  /** Drains and computes until `close`. */
  start(): void;
  wake(): void;
  /** The open store; throws UnavailableError at once while it is down. */
  store(): DrainedSeries;
  /** Runs `work` while nothing is drained or computed. */
  alone<T>(work: (store: DrainedSeries, keeper: SlotKeeper) => Promise<T>): Promise<T>;
  /** A call failed with UnavailableError: look whether the store is down. */
  suspect(): void;
  setRoles(roles: readonly MeterRoleOf[]): void;
  close(): Promise<void>;
};

/**
 * Bytes of journal read for one batch: about 5,000 messages of one reading, or 20,000. With DuckDB, which works in this
 * process, larger ones are hardly faster, need more memory and let questions wait longer; QuestDB is slow with small ones.
 */
const BATCH_BYTES = { duckdb: 512 * 1024, memory: 512 * 1024, questdb: 2 * 1024 * 1024 };
/** Small batches wait for more to come: each costs the store some milliseconds whatever it holds. */
const GATHER_MS = 300;
const SMALL_GROUPS = 4_000;
/** As many as make a batch however few of them fit into it. */
const GATHERED_GROUPS = 500;
/** A store that is back after a long time is noticed within seconds: opening one that is away costs next to nothing. */
const BACKOFF_MS = { first: 500, last: 8_000 };
const CLOSE_DRAIN_MS = 1_200;
const DAY_MS = 86_400_000;
const CLOSE_SLOTS_MS = 500;

type Opened = { store: DrainedSeries; keeper: SlotKeeper; applied_seq: number };

export function createDrain(deps: DrainDeps): Drain {
  const serial = createSerial();
  let opened: Opened | null = null;
  let state: DrainState = {
    ...{ up: false, since_ms: deps.now(), reason: 'starting', applied_seq: null, doubled: null },
    ...{ recovery: null, counts: null },
  };
  const poison = createPoisonSearch();
  let roles: readonly MeterRoleOf[] = [];
  let closing = false;
  let suspected = false;
  let wakeUp = () => {};
  let woken = false;
  let running: Promise<void> = Promise.resolve();

  const report = (change: Partial<DrainState>) => {
    const turned = change.up !== undefined && change.up !== state.up;
    state = { ...state, ...change, ...(turned ? { since_ms: deps.now() } : {}) };
    deps.onState(state);
  };
  /** Waits, but not on after `close`, nor (where `early`) after a wake-up, be it one that came before. */
  const pause = (ms: number, early: boolean) =>
    new Promise<void>((resolve) => {
      if (early && woken) return resolve();
      const timer = setTimeout(resolve, ms);
      wakeUp = () => {
        if (!early && !closing) return;
        clearTimeout(timer);
        resolve();
      };
    });

  const readingsFrom = () =>
    deps.keep_readings_days == null ? Number.NEGATIVE_INFINITY : deps.now() - deps.keep_readings_days * DAY_MS;

  async function ensureOpen(): Promise<Opened> {
    if (opened) return opened;
    const store = await deps.open();
    const keeper = createSlotKeeper(store, deps.slots_every_ms, readingsFrom, deps.giveWay);
    await keeper.setRoles(roles);
    const applied_seq = await matchJournal(store, Math.max(deps.durable_seq(), deps.given_seq));
    keeper.touch(await store.dirty.list(), deps.now());
    opened = { store, keeper, applied_seq };
    const lost = lostBetween(applied_seq, Math.max(deps.released_seq, state.applied_seq ?? 0));
    const recovery = [state.recovery, store.recovery, lost].filter(Boolean).join(' ') || null;
    const [doubled, counts] = [await store.readings.doubled(), await store.readings.counts()];
    const warning = store.warning ?? null;
    report({ up: true, reason: null, suspended: [], warning, applied_seq, doubled, recovery, counts });
    return opened;
  }
  /** One batch. @returns its size, 0 when the journal has nothing new. */
  async function drainOnce({ store, keeper, ...from }: Opened): Promise<number> {
    if (deps.durable_seq() <= from.applied_seq) return 0;
    const groups = await deps.reader.read(from.applied_seq, BATCH_BYTES[store.kind]);
    if (groups.length === 0) return 0;
    const first = groups[0]!;
    const erased = erasedBy(first);
    if (erased !== undefined) return erase(store, keeper, first, erased);
    // What came before an erasure goes in before it, and is erased with the rest.
    const until = groups.findIndex((group) => erasedBy(group) !== undefined);
    let taken = poison.take(until < 0 ? groups : groups.slice(0, until));
    while (!(await apply(store, keeper, taken))) taken = poison.take(taken);
    const applied_seq = taken.at(-1)!.seq;
    opened!.applied_seq = applied_seq;
    state = { ...state, applied_seq };
    // What was left out of the batch is there already.
    return taken.length < groups.length ? SMALL_GROUPS : groups.length;
  }
  /** Done again after a kill in between: nothing that came later is in the store before the cursor has moved. */
  async function erase(
    store: DrainedSeries,
    keeper: SlotKeeper,
    group: JournalledGroup,
    meters: readonly string[] | null,
  ): Promise<number> {
    const { tenant, seq } = group;
    await store.erase(tenant, meters).then(
      () => poison.applied(),
      async (error: unknown) => {
        if (poison.refused([group], error, await answers(store)) !== 'bury') throw error;
        await deps.bury(group, (error as Error).message);
        poison.buried();
      },
    );
    await deps.eraseBuried(group);
    keeper.forget(tenant, meters);
    // It holds no readings: nothing is counted as dead.
    await store.readings.skip({ ...group, readings: [] });
    const [doubled, counts] = [await store.readings.doubled(), await store.readings.counts()];
    deps.onApplied({ seq, touched: [], applied: 1, doubled, counts });
    opened!.applied_seq = seq;
    state = { ...state, applied_seq: seq };
    return SMALL_GROUPS;
  }
  /** @returns false when a smaller part of them is to be tried first. */
  async function apply(store: DrainedSeries, keeper: SlotKeeper, groups: readonly JournalledGroup[]): Promise<boolean> {
    const outcome = await store.readings.append(groups).then(
      (stored) => {
        poison.applied();
        return stored;
      },
      (error: unknown) => refused(store, groups, error),
    );
    if (outcome === 'smaller') return false;
    keeper.touch(outcome.touched, deps.now());
    const [doubled, counts] = [await store.readings.doubled(), await store.readings.counts()];
    const { touched, applied } = outcome;
    deps.onApplied({ seq: groups.at(-1)!.seq, touched, applied, doubled, counts });
    return true;
  }
  /** What the store does not take though it answers is looked for in halves, and put aside when it is alone. */
  async function refused(store: DrainedSeries, groups: readonly JournalledGroup[], error: unknown) {
    const verdict = poison.refused(groups, error, await answers(store));
    if (verdict === 'smaller') return verdict;
    if (verdict !== 'bury') throw error;
    await deps.bury(groups[0]!, (error as Error).message);
    await store.readings.skip(groups[0]!);
    poison.buried();
    return { touched: [], applied: 1 };
  }
  async function slotsOnce({ keeper }: Opened, behind: boolean): Promise<void> {
    const due = keeper.due_ms();
    if (due === null || due > deps.now()) return;
    const changed = await keeper.work(deps.now(), { behind });
    if (changed.length > 0) deps.onSlots(changed);
  }
  /** @returns how long to wait before the next turn. */
  async function turn(): Promise<{ ms: number; early: boolean }> {
    const now = await ensureOpen();
    woken = false;
    if (suspected) await now.store.ping();
    suspected = false;
    await deps.giveWay?.();
    const groups = await drainOnce(now);
    const waiting = deps.durable_seq() - (opened?.applied_seq ?? 0);
    const behind = groups >= SMALL_GROUPS || (groups > 0 && waiting >= Math.max(groups, GATHERED_GROUPS));
    await slotsOnce(now, behind);
    if (behind) return { ms: 0, early: false };
    return groups > 0 ? { ms: GATHER_MS, early: false } : { ms: idle(now.keeper, deps.now()), early: true };
  }
  async function run(): Promise<void> {
    let failures = 0;
    while (!closing) {
      try {
        const next = await serial(turn);
        failures = 0;
        if (next.ms > 0 && !closing) await pause(next.ms, next.early);
      } catch (error) {
        await serial(() => failed(error));
        await sleep(backoff_ms(failures, Math.random()), undefined, { ref: !closing });
        failures += 1;
      }
    }
  }
  /** Down means closed: the next turn opens the store anew and asks it for its cursor. */
  async function failed(error: unknown): Promise<void> {
    const broken = opened;
    opened = null;
    const suspended = error instanceof SuspendedTableError ? error.tables : [];
    report({ up: false, reason: (error as Error).message, suspended });
    await broken?.store.close().catch(() => undefined);
  }

  return {
    start() {
      running = run();
    },
    wake() {
      woken = true;
      wakeUp();
    },
    store() {
      if (opened) return opened.store;
      throw new UnavailableError(
        `The series store does not answer: ${state.reason ?? 'starting'}`,
        'Readings are kept in the journal meanwhile; ask again later.',
      );
    },
    alone: (work) =>
      serial(async () => {
        if (!opened) throw new UnavailableError('The series store does not answer.', 'Ask again later.');
        return work(opened.store, opened.keeper);
      }),
    suspect() {
      suspected = true;
      woken = true;
      wakeUp();
    },
    setRoles(list) {
      roles = list;
      void serial(async () => opened?.keeper.setRoles(list)).catch(() => undefined);
    },
    async close() {
      closing = true;
      wakeUp();
      await Promise.race([running, sleep(CLOSE_DRAIN_MS, undefined, { ref: false })]);
      await serial(() => finish(opened, drainOnce));
      await deps.reader.close();
    },
  };
}

/** @param chance from 0 to 1: boxes that lost the same store do not come back together */
export function backoff_ms(failures: number, chance: number): number {
  return Math.min(BACKOFF_MS.last, BACKOFF_MS.first * 2 ** failures) * (0.75 + chance / 2);
}

function answers(store: DrainedSeries): Promise<boolean> {
  return store.ping().then(
    () => true,
    () => false,
  );
}

function idle(keeper: SlotKeeper, now_ms: number): number {
  const due = keeper.due_ms();
  return due === null ? 60_000 : Math.max(1, Math.min(60_000, due - now_ms));
}

/** A store that stands before what the journal has released can get the readings between only if they are still there. */
function lostBetween(cursor: number, released_seq: number): string | null {
  if (cursor >= released_seq) return null;
  return (
    `The series store knows the journal up to record ${cursor} only, though it had taken up to ${released_seq}. ` +
    'Of the records between those are applied again that the journal still holds; the others are lost.'
  );
}

/** A cursor above all that the journal holds belongs to a journal that is gone: count from its successor. */
async function matchJournal(store: DrainedSeries, given_seq: number): Promise<number> {
  const cursor = await store.readings.cursor();
  if (cursor <= given_seq) return cursor;
  await store.rewind(0);
  return 0;
}

/** The last readings go into the store and the live slots are computed, as far as time allows. */
async function finish(opened: Opened | null, drainOnce: (opened: Opened) => Promise<number>): Promise<void> {
  if (!opened) return;
  const until_ms = performance.now() + CLOSE_DRAIN_MS;
  try {
    while (performance.now() < until_ms && (await drainOnce(opened)) > 0);
    await opened.keeper.flush(performance.now() + CLOSE_SLOTS_MS);
  } catch {
    // What is missing is in the journal and in the marks: the next start goes on there.
  }
  await opened.store.close();
}
