/**
 * Keeps slots in step with readings: what was touched is computed again, at once for live readings (a quick pass over
 * the newest slots) and later in full, when the readings around it that decide about spikes, dips and resets are in.
 */
import type { DrainedSeries, SlotReplacement } from '../../connectors/series/store.ts';
import { quantityInfo, slotQuantity } from '../../engine/model/quantity.ts';
import type { MeterRole } from '../../engine/model/site.ts';
import { HOUR_MS, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { ReadingColumns, SlotColumns, TouchedSeries } from '../../engine/ports.ts';
import { historyEnd, learnHistory } from '../../engine/quality/history.ts';
import {
  CONTEXT_MS,
  computeSlots,
  type QualityEvent,
  type SlotInput,
  type SlotResult,
} from '../../engine/quality/slots.ts';
import { keepOlder } from './kept-slots.ts';
import { addEnergy, ENERGY, givesWhenPositive, roleOf, turnEnergyAround } from './slot-energy.ts';
import { createSlotHistory, joinSlots, type SlotHistory } from './slot-history.ts';

export type SlotKeeper = {
  /** Notes series whose readings changed. */
  touch(touched: readonly TouchedSeries[], now_ms: number): void;
  /** When something is due (`now_ms` or before: now), null when nothing waits. */
  due_ms(): number | null;
  /** Computes what is due, at most `limit` series. Nothing may be appended to the store meanwhile.
   * `behind`: a backlog is under way, which goes first and touches the same series again and again. */
  work(now_ms: number, options?: { limit?: number; behind?: boolean }): Promise<SlotsChanged[]>;
  /** Computes these at once, in full. */
  now(touched: readonly TouchedSeries[], now_ms: number): Promise<SlotsChanged[]>;
  /** Full pass over everything that waits, as far as `until_ms` allows (performance clock). */
  flush(until_ms: number): Promise<void>;
  /** Forgets erased meter points. */
  forget(tenant: string, meters: readonly string[] | null): void;
  /** Tells the meter points' roles: they say whether power without a register is import or export. */
  setRoles(roles: readonly MeterRoleOf[]): Promise<void>;
};
/** `rated_power_W` is what the meter point's device is rated for, where its profile says so. */
export type MeterRoleOf = { tenant: string; meter: string; role: MeterRole; rated_power_W?: number };
export type SlotsChanged = TouchedSeries & { events: readonly QualityEvent[] };

type Pass = 'quick' | 'full';
type Range = { from_ms: number; to_ms: number };
type Waiting = {
  key: TouchedSeries;
  quick: Range | null;
  full: Range;
  quick_due_ms: number;
  full_due_ms: number;
};

type Due = { one: Waiting; pass: Pass };

/** A full pass waits until the series has had this long; marks in the store survive until then. */
const FULL_MS = 15 * 60_000;
/** What is older than this is history: it waits for a pause in its arrival, then is done in full. */
const HISTORY_MS = HOUR_MS;
/** Computing gets at most about these shares of the worker's time: while a backlog is drained, and otherwise. */
const SHARE = { behind: 0.2, otherwise: 0.8 };
/** So many series are asked for at once of a server of its own, as long as it is not much of them together. */
const TOGETHER = 4;
const TOGETHER_MS = 24 * HOUR_MS;
/** Full passes of one turn end at about this, so that readings are not drained minutes late behind them. */
const TURN_MS = 1_000;
/** Longer ranges are computed in pieces, to bound memory; those of many readings in shorter ones, to bound a turn. */
const PIECE_MS = 31 * 24 * HOUR_MS;
const PIECE_READINGS = 100_000;
/** As long as the readings on each side that a full pass looks at beside its piece. */
const LEAST_PIECE_MS = 2 * CONTEXT_MS;

/**
 * @param every_ms a series is computed at most this often
 * @param readings_from_ms readings before this may be gone already: slots that are stored stay there
 * @param giveWay lets questions to the store come first, between one piece of work and the next
 */
export function createSlotKeeper(
  store: DrainedSeries,
  every_ms = 2_000,
  readings_from_ms: () => number = () => Number.NEGATIVE_INFINITY,
  giveWay: () => Promise<void> = async () => {},
): SlotKeeper {
  const waiting = new Map<string, Waiting>();
  const roles = new Map<string, MeterRole>();
  const ratings = new Map<string, number>();
  const history = createSlotHistory(store);
  let rest_until_ms = 0;
  /** Time spent waiting for questions is no work: no rest is owed for it. */
  let waited_ms = 0;
  const wait = async () => {
    const begun = performance.now();
    await giveWay();
    waited_ms += performance.now() - begun;
  };

  const due_ms = () => {
    let due = Number.POSITIVE_INFINITY;
    for (const one of waiting.values()) due = Math.min(due, dueOf(one));
    return Number.isFinite(due) ? Math.max(due, rest_until_ms) : null;
  };

  /** Does the quick ones of the list and as many of the full ones as fit into a turn, at least one. */
  async function run(all: readonly Due[], turn_ms = Infinity): Promise<SlotsChanged[]> {
    const list: Due[] = [];
    const end_ms = performance.now() + turn_ms;
    const replacements: SlotReplacement[] = [];
    const changed: SlotsChanged[] = [];
    const quick = await readQuick(
      store,
      all.flatMap(({ one, pass }) => (pass === 'quick' ? one : [])),
    );
    for (const some of together(all, store.kind === 'questdb' ? TOGETHER : 1)) {
      if (list.at(-1)?.pass === 'full' && performance.now() > end_ms) break;
      list.push(...some);
      const computed = some.map(({ one, pass }) => {
        const range = pass === 'quick' ? one.quick! : one.full;
        const near = pass === 'quick' ? quick.get(one) : undefined;
        const known = { roles, ratings, history, giveWay: wait };
        return computeSeries(store, known, one.key, range, pass, replacements, near);
      });
      changed.push(...(await Promise.all(computed)));
    }
    // A slot near the limit needs readings from before it.
    const kept_until_ms = slotEnd(readings_from_ms() + CONTEXT_MS);
    await store.slots.replaceMany(await Promise.all(replacements.map((one) => keepOlder(store, one, kept_until_ms))));
    const full = list.filter(({ pass }) => pass === 'full');
    if (full.length > 0) await store.dirty.done(full.map(({ one }) => one.key));
    for (const { one, pass } of list) {
      one.quick = null;
      if (pass === 'full') waiting.delete(nameOf(one.key));
    }
    return changed;
  }

  return {
    touch(touched, now_ms) {
      for (const key of touched) note(waiting, key, now_ms, every_ms);
    },
    due_ms,
    async now(touched, now_ms) {
      for (const key of touched) note(waiting, key, now_ms, every_ms);
      const names = new Set(touched.map(nameOf));
      if (names.size === 0) return [];
      return run([...names].map((name) => ({ one: waiting.get(name)!, pass: 'full' as const })));
    },
    async work(now_ms, { limit = 64, behind = false } = {}) {
      const full = (one: Waiting) => one.full_due_ms <= now_ms && (!behind || isLong(one.full));
      const quick = (one: Waiting) => one.quick !== null && one.quick_due_ms <= now_ms && !full(one);
      // What is live is quickly done and comes before what may take long.
      const list = [
        ...pick(waiting, quick, limit).map((one) => ({ one, pass: 'quick' as const })),
        ...pick(waiting, full, limit).map((one) => ({ one, pass: 'full' as const })),
      ];
      if (list.length === 0) return [];
      const begun = performance.now();
      waited_ms = 0;
      const changed = await run(list, TURN_MS);
      const worked_ms = Math.max(0, performance.now() - begun - waited_ms);
      const share = behind ? SHARE.behind : SHARE.otherwise;
      rest_until_ms = now_ms + worked_ms / share;
      return changed;
    },
    async flush(until_ms) {
      for (const one of [...waiting.values()]) {
        if (performance.now() > until_ms) return;
        await run([{ one, pass: one.quick ? 'quick' : 'full' }]);
      }
    },
    forget(tenant, meters) {
      for (const [name, { key }] of waiting)
        if (key.tenant === tenant && (meters === null || meters.includes(key.meter))) waiting.delete(name);
      history.forget(tenant, meters);
    },
    async setRoles(list) {
      for (const { tenant, meter, role, rated_power_W } of list) {
        const name = JSON.stringify([tenant, meter]);
        if (rated_power_W === undefined) ratings.delete(name);
        else ratings.set(name, rated_power_W);
        const before = roles.get(name);
        roles.set(name, role);
        if (before && givesWhenPositive(before) !== givesWhenPositive(role))
          await turnEnergyAround(store, roles, tenant, meter);
      }
    },
  };
}

const dueOf = (one: Waiting) => Math.min(one.quick ? one.quick_due_ms : Number.POSITIVE_INFINITY, one.full_due_ms);

/** The first `limit` that fit, by when they were due. */
function pick(waiting: ReadonlyMap<string, Waiting>, fits: (one: Waiting) => boolean, limit: number): Waiting[] {
  return [...waiting.values()]
    .filter(fits)
    .sort((a, b) => dueOf(a) - dueOf(b))
    .slice(0, limit);
}

/** The list in pieces that are computed side by side. */
function together(list: readonly Due[], most: number): Due[][] {
  const pieces: Due[][] = [];
  let spent_ms = 0;
  for (const due of list) {
    const length_ms = due.pass === 'quick' ? 0 : due.one.full.to_ms - due.one.full.from_ms;
    const piece = pieces.at(-1);
    if (piece && piece.length < most && piece[0]!.pass === due.pass && spent_ms + length_ms <= TOGETHER_MS) {
      piece.push(due);
      spent_ms += length_ms;
    } else {
      pieces.push([due]);
      spent_ms = length_ms;
    }
  }
  return pieces;
}

/** Worth a full pass though more of it is on the way: it reads as much again on each side. */
const isLong = ({ from_ms, to_ms }: Range) => to_ms - from_ms >= LEAST_PIECE_MS;

const nameOf = ({ tenant, meter, quantity }: TouchedSeries) => JSON.stringify([tenant, meter, quantity]);

function note(waiting: Map<string, Waiting>, key: TouchedSeries, now_ms: number, every_ms: number): void {
  const live = key.to_ms - key.from_ms <= HISTORY_MS && key.from_ms > now_ms - HISTORY_MS;
  const one = waiting.get(nameOf(key));
  if (!one) {
    waiting.set(nameOf(key), {
      key,
      quick: live ? key : null,
      full: key,
      quick_due_ms: now_ms + every_ms,
      full_due_ms: now_ms + (live ? FULL_MS : every_ms),
    });
    return;
  }
  one.full = union(one.full, key);
  if (live) {
    if (!one.quick) one.quick_due_ms = now_ms + every_ms;
    one.quick = one.quick ? union(one.quick, key) : key;
  } else one.full_due_ms = Math.min(one.full_due_ms, now_ms + every_ms);
}

function union(a: Range, b: Range): Range {
  return { from_ms: Math.min(a.from_ms, b.from_ms), to_ms: Math.max(a.to_ms, b.to_ms) };
}

const slotEnd = (at_ms: number) => slotStart(at_ms) + SLOT_MS;

type Known = {
  roles: ReadonlyMap<string, MeterRole>;
  ratings: ReadonlyMap<string, number>;
  history: SlotHistory;
  giveWay: () => Promise<void>;
};

/** Computes the slots that readings inside `touched` bear upon; adds what to write to `replacements`. */
async function computeSeries(
  store: DrainedSeries,
  { roles, ratings, history, giveWay }: Known,
  key: TouchedSeries,
  touched: Range,
  pass: Pass,
  replacements: SlotReplacement[],
  near?: ReadingColumns,
): Promise<SlotsChanged> {
  const { tenant, meter, quantity } = key;
  const known = await store.list(tenant);
  const has = (name: string) => known.some((one) => one.meter === meter && one.quantity === name);
  const info = quantityInfo(quantity);
  const target = slotQuantity(quantity);
  const looked = near ? { edges: near, piece_ms: PIECE_MS } : await lookAt(store, key, touched);
  const range = affected(looked.edges, key, touched, pass);
  const events: QualityEvent[] = [];
  const rated_power_W = ratings.get(JSON.stringify([tenant, meter]));
  // A register knows more than the same meter's intervals: its slots stand.
  if (!info || (info.kind === 'interval' && has(target))) return { ...key, ...range, events };
  const fromPower = quantity === 'power_W' && !ENERGY.some(has);
  let [last, before]: [SlotColumns | null, SlotColumns | null] = [null, null];
  for (let from_ms = range.from_ms; from_ms < range.to_ms; from_ms += looked.piece_ms) {
    const to_ms = Math.min(range.to_ms, from_ms + looked.piece_ms);
    const context_ms = pass === 'quick' ? 2 * HOUR_MS : CONTEXT_MS;
    await giveWay();
    const readings = near ?? (await read(store, key, from_ms - context_ms, to_ms + context_ms));
    // Quick passes read from a slot's edge on, without the reading before it.
    const wanted_ms = near ? Number.NEGATIVE_INFINITY : from_ms - context_ms;
    const end_ms = historyEnd(readings.at_ms[0] ?? from_ms, wanted_ms);
    const past = await history.of(key, end_ms, pass === 'full', before);
    const { slots, spans, ...found } = computeKnowing({
      ...{ quantity, ...inputOf(readings), from_ms, to_ms, ...past },
      ...(rated_power_W === undefined ? {} : { rated_power_W }),
    });
    history.note(key, slots);
    before = to_ms < range.to_ms ? joinSlots(last, slots) : null;
    last = slots;
    events.push(...found.events);
    replacements.push({ tenant, range: { meter, quantity: target, from_ms, to_ms }, slots, spans });
    if (fromPower) addEnergy(roleOf(roles, tenant, meter), tenant, { meter, from_ms, to_ms }, slots, replacements);
  }
  return { tenant, meter, quantity: target, ...range, events };
}

/** History that comes in one piece knows nothing of its past but itself. */
function computeKnowing(input: SlotInput): SlotResult {
  const result = computeSlots(input);
  if (input.usual_max_per_h !== undefined || quantityInfo(input.quantity)?.kind === 'gauge') return result;
  const { usual_max_per_h } = learnHistory(result.slots);
  return usual_max_per_h === undefined ? result : computeSlots({ ...input, usual_max_per_h });
}

/** How far back a quick pass looks; a series whose reading before lies further back is asked for by itself. */
const NEAR_MS = HOUR_MS / 2;

/** The newest readings of many live series with one question; only those that reach far enough back. */
async function readQuick(store: DrainedSeries, list: readonly Waiting[]): Promise<Map<Waiting, ReadingColumns>> {
  const near = new Map<Waiting, ReadingColumns>();
  if (list.length === 0) return near;
  const from_ms = Math.min(...list.map((one) => one.quick!.from_ms)) - NEAR_MS;
  const columns = await store.readings.readMany(
    list.map((one) => one.key),
    slotStart(from_ms),
    Number.MAX_SAFE_INTEGER,
  );
  for (const [index, one] of list.entries()) {
    const { at_ms } = columns[index]!;
    const before = at_ms.findLast((at) => at < one.quick!.from_ms);
    // The slot of the reading before is computed again too, from what leads up to it.
    if (before !== undefined && at_ms[0]! < slotStart(before)) near.set(one, columns[index]!);
  }
  return near;
}

function read(store: DrainedSeries, { tenant, meter, quantity }: TouchedSeries, from_ms: number, to_ms: number) {
  return store.readings.read(tenant, { meter, quantity, from_ms, to_ms }, { edges: true });
}

/** The readings at the edges of what was touched, and how long pieces may be at the rate that it begins with. */
async function lookAt(store: DrainedSeries, key: TouchedSeries, { from_ms, to_ms }: Range) {
  const first = await read(store, key, from_ms, Math.min(from_ms + HOUR_MS, to_ms) + 1);
  if (to_ms - from_ms <= HOUR_MS) return { edges: first, piece_ms: PIECE_MS };
  const last = await read(store, key, to_ms, to_ms + 1);
  const edges = { at_ms: Float64Array.of(first.at_ms[0] ?? from_ms, last.at_ms.at(-1) ?? to_ms) };
  const hours = Math.floor(PIECE_READINGS / Math.max(1, first.at_ms.length));
  return { edges, piece_ms: Math.min(PIECE_MS, Math.max(LEAST_PIECE_MS, hours * HOUR_MS)) };
}

function inputOf({ at_ms, values, quality, from_ms }: ReadingColumns) {
  return { at_ms, values, quality, starts_ms: from_ms };
}

/** The slots that may change: as far as the readings next to what was touched; in a full pass also those near them. */
function affected({ at_ms }: Pick<ReadingColumns, 'at_ms'>, key: TouchedSeries, touched: Range, pass: Pass): Range {
  const gauge = quantityInfo(key.quantity)?.kind === 'gauge';
  const reach_ms = pass === 'full' ? CONTEXT_MS : 0;
  let from_ms = slotStart(touched.from_ms) - reach_ms;
  let to_ms = slotEnd(touched.to_ms) + reach_ms;
  const first = at_ms.findLast((at) => at < touched.from_ms);
  const last = at_ms.find((at) => at > touched.to_ms);
  if (first !== undefined && first < from_ms)
    from_ms = gauge ? Math.max(slotStart(first), from_ms - HOUR_MS) : slotStart(first);
  if (last !== undefined && last >= to_ms) to_ms = gauge ? Math.min(slotEnd(last), to_ms + HOUR_MS) : slotEnd(last);
  return { from_ms, to_ms };
}
