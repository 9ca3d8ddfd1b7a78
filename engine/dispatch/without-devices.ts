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
