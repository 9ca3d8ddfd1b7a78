/**
 * A series on the grid of local days: 96 wall-clock slots a day, so that "the same time last week" stays the same time
 * over clock changes. The hour that spring skips is interpolated, the hour that autumn repeats is averaged.
 */
import { SLOT_MS, zoneOffset } from '../model/time.ts';
import type { ForecastInput } from '../ports.ts';

export const DAY_SLOTS = 96;
export const DAY_HOURS = 24;
const DAY_MS = DAY_SLOTS * SLOT_MS;
/** Gaps up to this many slots are interpolated. */
const BRIDGED_SLOTS = 4;
/** More history than this does not help and costs time. */
const MOST_DAYS = 1100;

export type LocalGrid = {
  /** Days from the first with history to the one that holds `from_ms`, which is the last. */
  days: number;
  /** Local day number (days since 1970) of day 0, and its weekday is (first_day + 4) mod 7 with 0 = Sunday. */
  first_day: number;
  /** [day × 96 + slot], NaN where not known. */
  slots: Float64Array;
  /** [day × 24 + hour]: mean of the hour, NaN unless at least half of it is known. */
  hours: Float64Array;
  /** First wall-clock slot of the last day that is not known any more. */
  from_slot: number;
  /** Place of an instant: day (may lie after the last) and wall-clock slot. */
  placeOf(at_ms: number): { day: number; slot: number };
};

/** Puts the history before `from_ms` on the grid; what is at or after it is never looked at. */
export function createLocalGrid({ history, from_ms, time_zone }: ForecastInput): LocalGrid {
  const dayOf = (at_ms: number) => Math.floor((at_ms + zoneOffset(at_ms, time_zone)) / DAY_MS);
  const last_day = dayOf(from_ms);
  const oldest_ms = from_ms - MOST_DAYS * DAY_MS;
  let first = history.at_ms.findIndex(
    (at, i) => at >= oldest_ms && at < from_ms && Number.isFinite(history.values[i]!),
  );
  if (first < 0) first = history.at_ms.length;
  const first_day = first < history.at_ms.length ? dayOf(history.at_ms[first]!) : last_day;
  const days = last_day - first_day + 1;
  const placeOf = (at_ms: number) => {
    const wall = at_ms + zoneOffset(at_ms, time_zone);
    const day = Math.floor(wall / DAY_MS);
    return { day: day - first_day, slot: Math.floor((wall - day * DAY_MS) / SLOT_MS) };
  };
  const slots = new Float64Array(days * DAY_SLOTS);
  const counts = new Uint8Array(days * DAY_SLOTS);
  for (let i = first; i < history.at_ms.length && history.at_ms[i]! < from_ms; i++) {
    const value = history.values[i]!;
    if (!Number.isFinite(value)) continue;
    const { day, slot } = placeOf(history.at_ms[i]!);
    slots[day * DAY_SLOTS + slot]! += value;
    counts[day * DAY_SLOTS + slot]!++;
  }
  for (let k = 0; k < slots.length; k++) slots[k] = counts[k] === 0 ? NaN : slots[k]! / counts[k]!;
  const from_slot = placeOf(from_ms).slot;
  bridge(slots, (days - 1) * DAY_SLOTS + from_slot);
  return { days, first_day, slots, hours: hourly(slots), from_slot, placeOf };
}

/** Interpolates short gaps that have a value on both sides. */
function bridge(slots: Float64Array, end: number): void {
  let known = -1;
  for (let k = 0; k < end; k++) {
    if (Number.isNaN(slots[k]!)) continue;
    const gap = k - known - 1;
    if (known >= 0 && gap > 0 && gap <= BRIDGED_SLOTS)
      for (let j = 1; j <= gap; j++) slots[known + j] = slots[known]! + ((slots[k]! - slots[known]!) * j) / (gap + 1);
    known = k;
  }
}

function hourly(slots: Float64Array): Float64Array {
  return Float64Array.from({ length: slots.length / 4 }, (_, hour) => {
    let [sum, count] = [0, 0];
    for (let q = 0; q < 4; q++) {
      const value = slots[hour * 4 + q]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    return count >= 2 ? sum / count : NaN;
  });
}

/** 0 = Sunday … 6 = Saturday. */
export function weekday(grid: LocalGrid, day: number): number {
  return (((grid.first_day + day + 4) % 7) + 7) % 7;
}

/** Weekdays, Saturdays and Sundays behave differently from one another and alike among themselves. */
export function dayType(weekdayNumber: number): 'weekday' | 'saturday' | 'sunday' {
  return weekdayNumber === 0 ? 'sunday' : weekdayNumber === 6 ? 'saturday' : 'weekday';
}

/** How the slots of an hour differ from its mean, from the last four weeks, per type of day. */
export function hourShape(grid: LocalGrid): (weekdayNumber: number, slot: number) => number {
  const types = ['weekday', 'saturday', 'sunday'] as const;
  const sums = Object.fromEntries(types.map((type) => [type, new Float64Array(DAY_SLOTS)]));
  const counts = Object.fromEntries(types.map((type) => [type, new Float64Array(DAY_SLOTS)]));
  for (let day = Math.max(0, grid.days - 28); day < grid.days; day++)
    for (let slot = 0; slot < DAY_SLOTS; slot++) {
      const from = grid.hours[day * DAY_HOURS + Math.floor(slot / 4)]! - grid.slots[day * DAY_SLOTS + slot]!;
      if (Number.isNaN(from)) continue;
      const type = dayType(weekday(grid, day));
      sums[type]![slot]! -= from;
      counts[type]![slot]!++;
    }
  return (weekdayNumber, slot) => {
    const type = dayType(weekdayNumber);
    return counts[type]![slot]! === 0 ? 0 : sums[type]![slot]! / counts[type]![slot]!;
  };
}
