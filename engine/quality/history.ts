/** What a meter's own past says about it: the most it counts, and whether its unit is in doubt. */
import { Quality, type QualityFlags } from '../model/quality.ts';
import { HOUR_MS, SLOT_MS, slotStart } from '../model/time.ts';
import type { SlotColumns } from '../ports.ts';

const DAY_MS = 24 * HOUR_MS;
/** How much of the past is looked at. */
export const HISTORY_MS = 60 * DAY_MS;
/** Nothing is called usual before so many days with at least half their slots are known. */
const LEAST_DAYS = 10;
const LEAST_SLOTS = 48;
/** The largest slot of each day is taken, and of those the largest but two: that many may have been false. */
const FALSE_DAYS = 2;
const DOUBTFUL: QualityFlags =
  Quality.JUMP | Quality.RESET | Quality.SPIKE | Quality.UNIT | Quality.MIXED | Quality.STUCK | Quality.PARTIAL;

export type RegisterHistory = {
  /** Units per hour; left out while too few days are known. */
  usual_max_per_h?: number;
  /** Whether the newest slot with a mark or value was counted in another unit. */
  unit_in_doubt: boolean;
};

/**
 * Up to when slots tell of readings that begin at `first_ms`: where that is an edge (the last one before `wanted_ms`, a
 * slot's edge, from which on all were asked for) its slot ends with it, otherwise its slot begins with it.
 */
export function historyEnd(first_ms: number, wanted_ms: number): number {
  return slotStart(first_ms) + (first_ms < wanted_ms ? SLOT_MS : 0);
}

/**
 * Robust: a few false slots in the past do not raise what is usual, because the two busiest days do not count.
 * @param slots energy or volume per slot, before the time that is to be judged
 */
export function learnHistory(slots: SlotColumns): RegisterHistory {
  const days = new Map<number, { most: number; slots: number }>();
  for (const [i, value] of slots.values.entries()) {
    if (Number.isNaN(value) || slots.quality[i]! & DOUBTFUL) continue;
    const key = Math.floor(slots.at_ms[i]! / DAY_MS);
    const day = days.get(key) ?? { most: 0, slots: 0 };
    days.set(key, { most: Math.max(day.most, value), slots: day.slots + 1 });
  }
  const most = [...days.values()].flatMap((day) => (day.slots >= LEAST_SLOTS ? [day.most] : [])).sort((a, b) => b - a);
  const unit_in_doubt = ((slots.quality.at(-1) ?? 0) & Quality.UNIT) !== 0;
  if (most.length < LEAST_DAYS) return { unit_in_doubt };
  const usual = most[FALSE_DAYS]!;
  return { usual_max_per_h: (usual * HOUR_MS) / SLOT_MS, unit_in_doubt };
}
