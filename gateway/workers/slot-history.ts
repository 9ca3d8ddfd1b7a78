/** What each register's past says about it, learnt from its stored slots: at most once a day, and in a full pass only. */
import type { DrainedSeries } from '../../connectors/series/store.ts';
import { Quality } from '../../engine/model/quality.ts';
import { quantityInfo, slotQuantity } from '../../engine/model/quantity.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { SlotColumns, TouchedSeries } from '../../engine/ports.ts';
import { HISTORY_MS, learnHistory, type RegisterHistory } from '../../engine/quality/history.ts';

export type SlotHistory = {
  /** From the slots before `end_ms`. `fresh`: the store may be asked. `before`: slots that are computed already and not
   * yet stored. */
  of(key: TouchedSeries, end_ms: number, fresh: boolean, before: SlotColumns | null): Promise<RegisterHistory>;
  /** Notes new slots: where a unit is in doubt the store is asked each time. */
  note(key: TouchedSeries, slots: SlotColumns): void;
  /** Forgets erased meter points. */
  forget(tenant: string, meters: readonly string[] | null): void;
};

type Learnt = { key: TouchedSeries; at_ms: number; history: RegisterHistory; doubtful: boolean };
const DAY_MS = 24 * HOUR_MS;
const NOTHING: RegisterHistory = { unit_in_doubt: false };
const nameOf = ({ tenant, meter, quantity }: TouchedSeries) => JSON.stringify([tenant, meter, quantity]);
const isDoubtful = ({ quality }: SlotColumns) => quality.some((bits) => (bits & Quality.UNIT) !== 0);

export function createSlotHistory(store: Pick<DrainedSeries, 'slots'>): SlotHistory {
  const learnt = new Map<string, Learnt>();

  async function learn(key: TouchedSeries, end_ms: number): Promise<RegisterHistory> {
    const { tenant, meter } = key;
    const quantity = slotQuantity(key.quantity);
    const slots = await store.slots.read(tenant, { meter, quantity, from_ms: end_ms - HISTORY_MS, to_ms: end_ms });
    const history = learnHistory(slots);
    const doubtful = isDoubtful(slots) || (learnt.get(nameOf(key))?.doubtful ?? false);
    learnt.set(nameOf(key), { key, at_ms: end_ms, history, doubtful });
    return history;
  }

  return {
    async of(key, end_ms, fresh, before) {
      if (quantityInfo(key.quantity)?.kind === 'gauge') return NOTHING;
      if (before && before.at_ms.length > 0) return learnHistory(cutTo(before, end_ms));
      const known = learnt.get(nameOf(key));
      const outdated = !known || Math.abs(end_ms - known.at_ms) > DAY_MS;
      if (known?.doubtful || (fresh && outdated)) return learn(key, end_ms);
      return known?.history ?? NOTHING;
    },
    note(key, slots) {
      const known = learnt.get(nameOf(key));
      if (!isDoubtful(slots)) return;
      if (known) known.doubtful = true;
      else learnt.set(nameOf(key), { key, at_ms: Number.NEGATIVE_INFINITY, history: NOTHING, doubtful: true });
    },
    forget(tenant, meters) {
      for (const [name, { key }] of learnt)
        if (key.tenant === tenant && (meters === null || meters.includes(key.meter))) learnt.delete(name);
    },
  };
}

/** Slots of the time that is looked at before `end_ms`. */
function cutTo({ at_ms, values, quality }: SlotColumns, end_ms: number): SlotColumns {
  const [from, to] = [at_ms.findIndex((at) => at >= end_ms - HISTORY_MS), at_ms.findIndex((at) => at >= end_ms)];
  const [a, b] = [from < 0 ? at_ms.length : from, to < 0 ? at_ms.length : to];
  return { at_ms: at_ms.subarray(a, b), values: values.subarray(a, b), quality: quality.subarray(a, b) };
}

/** Two pieces one after the other. */
export function joinSlots(a: SlotColumns | null, b: SlotColumns): SlotColumns {
  if (!a) return b;
  return {
    at_ms: Float64Array.of(...a.at_ms, ...b.at_ms),
    values: Float64Array.of(...a.values, ...b.values),
    quality: Int32Array.of(...a.quality, ...b.quality),
  };
}
