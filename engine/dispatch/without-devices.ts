/**
 * What a month would have cost without the plan's devices being moved, on what was measured: the battery at rest, cars
 * charged as soon as they came, loads run at the begin of their window. Pure.
 */
import { SLOT_MS } from '../model/time.ts';

export type Measured = {
  at_ms: Float64Array;
  /** At the grid connection; NaN is unknown. */
  import_kWh: Float64Array;
  export_kWh: Float64Array;
};
export type GridCourse = Pick<Measured, 'import_kWh' | 'export_kWh'>;

/**
 * The grid with `change` (kWh, + is more consumption) in each slot. What was both taken and given within a slot stays so.
 * Where the change or the grid is unknown, so is the result.
 */
export function shiftedGrid(grid: GridCourse, change: Float64Array): GridCourse {
  const [import_kWh, export_kWh] = [new Float64Array(change.length), new Float64Array(change.length)];
  for (let t = 0; t < change.length; t++) {
    const [taken, given] = [grid.import_kWh[t]!, grid.export_kWh[t]!];
    const both = Math.min(taken, given);
    const net = taken - given + change[t]!;
    import_kWh[t] = Math.max(0, net) + both;
    export_kWh[t] = Math.max(0, -net) + both;
  }
  return { import_kWh, export_kWh };
}

/** What is measured at the battery, taken back: what it gave is bought, what it took is not. */
export function batteryTakenBack(charged_kWh: Float64Array, discharged_kWh: Float64Array): Float64Array {
  return charged_kWh.map((charged, t) => discharged_kWh[t]! - charged);
}

/**
 * The energy of each span as soon as it begins, at most `power_kW`; what lies outside of spans stays where it is.
 * @param used_kWh as measured; NaN is unknown, and its span stays as it is
 * @returns the change in each slot; its sum is 0
 */
export function takenAtOnce(
  at_ms: Float64Array,
  used_kWh: Float64Array,
  spans: readonly { from_ms: number; to_ms: number }[],
  power_kW: number,
): Float64Array {
  const change = new Float64Array(at_ms.length);
  const most = (power_kW * SLOT_MS) / 3_600_000;
  for (const { from_ms, to_ms } of spans) {
    const inside = [...at_ms.keys()].filter((t) => at_ms[t]! >= from_ms && at_ms[t]! + SLOT_MS <= to_ms);
    if (inside.some((t) => Number.isNaN(used_kWh[t]!))) continue;
    let left = inside.reduce((sum, t) => sum + used_kWh[t]!, 0);
    // More than its power at once was measured: the last slot takes the rest, so that nothing is lost.
    inside.forEach((t, i) => {
      const now = i === inside.length - 1 ? left : Math.min(most, left);
      change[t] = now - used_kWh[t]!;
      left -= now;
    });
  }
  return change;
}

export type HeatCourse = {
  /** Number of the local day of each slot. */
  day: Int32Array;
  /** Heat the building needs in each slot, in any unit; NaN where the weather is unknown. */
  demand: Float64Array;
  /** Heat per electricity in each slot. */
  cop: Float64Array;
};

/**
 * A heat pump that follows the building instead of a plan: the heat that it made on each local day is made when the
 * building needs it, at the efficiency of that hour. What it could not make by its power comes in the slots after.
 * A day with a missing reading or without weather or need of heat stays as it is.
 * @param used_kWh electric, as measured; NaN is unknown
 * @returns the change in each slot; over a day it is what the other hours' efficiency costs or saves
 */
export function takenAsNeeded(
  used_kWh: Float64Array,
  { day, demand, cop }: HeatCourse,
  power_kW: number,
): Float64Array {
  const change = new Float64Array(used_kWh.length);
  const most = (power_kW * SLOT_MS) / 3_600_000;
  for (let from = 0, to = 0; from < day.length; from = to) {
    while (to < day.length && day[to] === day[from]) to++;
    const slots = Array.from({ length: to - from }, (_, i) => from + i);
    const sum = (of: (t: number) => number) => slots.reduce((total, t) => total + of(t), 0);
    const [heat, need] = [sum((t) => used_kWh[t]! * cop[t]!), sum((t) => demand[t]!)];
    if (!(heat > 0) || !(need > 0)) continue;
    let owed = 0;
    for (const t of slots) {
      owed += (heat * demand[t]!) / need;
      // The last slot of the day takes what is left, so that no heat is lost.
      const electric = t === to - 1 ? owed / cop[t]! : Math.min(most, owed / cop[t]!);
      owed -= electric * cop[t]!;
      change[t] = electric - used_kWh[t]!;
    }
  }
  return change;
}
