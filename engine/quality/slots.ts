/**
 * From raw readings to 15-minute slots: registers by interpolation at slot edges, intervals by their share, gauges by
 * time-weighted means. Pure, and local: a value depends only on readings within CONTEXT_MS, so that computing a year
 * in pieces gives what computing it at once gives.
 */
import { InvalidDataError } from '../errors.ts';
import { EXCLUDED, Quality } from '../model/quality.ts';
import { quantityInfo } from '../model/quantity.ts';
import { HOUR_MS, SLOT_MS } from '../model/time.ts';
import type { SlotColumns } from '../ports.ts';
import { type Accumulator, createAccumulator, type SlotResult, type Usable } from './accumulator.ts';
import { leaveOutForeign } from './foreign.ts';
import { gaugeSlots } from './gauges.ts';
import { intervalSlots } from './intervals.ts';
import { registerSlots } from './registers.ts';

export { CONTEXT_MS, GAP_MS, type QualityEvent, type SlotResult } from './accumulator.ts';

export type SlotInput = {
  quantity: string;
  /** Readings, ascending in time; NaN values and values with an EXCLUDED flag never enter a slot. */
  at_ms: Float64Array;
  values: Float64Array;
  quality: Int32Array;
  /** Start of each interval for interval quantities, otherwise null. */
  starts_ms: Float64Array | null;
  /** Slots with from_ms ≤ start < to_ms are computed; both are slot edges. */
  from_ms: number;
  to_ms: number;
  /** Largest power the connection can carry, where known: faster registers are impossible. */
  max_power_W?: number;
  /** What the device is rated for, where known: a single step far beyond it, between slow ones, is no consumption. */
  rated_power_W?: number;
  /** The most that the meter has counted on its busier days (`learnHistory`), in units per hour, where known. */
  usual_max_per_h?: number;
  /** Whether the readings begin in another unit than the register's (`learnHistory`). */
  unit_in_doubt?: boolean;
};

/**
 * Computes the slots of one series. Sum of slots and spans = register difference, less what resets made unknowable;
 * nothing is negative for registers and intervals.
 * @throws InvalidDataError for an unknown quantity, ranges off the slot grid, or columns of unequal length.
 */
export function computeSlots(input: SlotInput): SlotResult {
  const info = quantityInfo(input.quantity);
  if (!info) throw new InvalidDataError(`"${input.quantity}" is no known quantity.`, 'See engine/model/quantity.ts.');
  checkShape(input);
  const out = createAccumulator(input.from_ms, input.to_ms);
  const usable = usableReadings(input, out);
  const limit_per_h = input.max_power_W === undefined ? null : input.max_power_W / 1000;
  if (input.usual_max_per_h !== undefined) usable.usual_max_per_h = input.usual_max_per_h;
  if (info.kind === 'register') {
    leaveOutForeign(usable, input.unit_in_doubt ?? false, out);
    registerSlots(usable, limit_per_h, out);
  } else if (info.kind === 'interval') intervalSlots(usable, limit_per_h, out);
  else gaugeSlots(usable, input.quantity, out);
  return out.result();
}

function checkShape({ at_ms, values, quality, starts_ms, from_ms, to_ms }: SlotInput): void {
  if (from_ms % SLOT_MS !== 0 || to_ms % SLOT_MS !== 0 || !(from_ms <= to_ms))
    throw new InvalidDataError('The range to compute is not on slot edges.', 'Give multiples of 15 minutes, UTC.');
  const lengths = [values.length, quality.length, ...(starts_ms ? [starts_ms.length] : [])];
  if (lengths.some((length) => length !== at_ms.length))
    throw new InvalidDataError('The columns of readings differ in length.', 'Supply one value per instant.');
}

/** Sorts where needed, keeps the last of several readings of one instant, sets aside what may not enter a sum. */
function usableReadings(input: SlotInput, out: Accumulator): Usable {
  const order = ascending(input.at_ms);
  const n = input.at_ms.length;
  const usable: Usable = {
    count: 0,
    at_ms: new Float64Array(n),
    values: new Float64Array(n),
    quality: new Int32Array(n),
    starts_ms: input.starts_ms ? new Float64Array(n) : null,
  };
  if (input.rated_power_W !== undefined && quantityInfo(input.quantity)?.unit === 'kWh')
    usable.rated_per_h = input.rated_power_W / 1000;
  for (let k = 0; k < n; k++) {
    const i = order ? order[k]! : k;
    const next = k + 1 < n ? (order ? order[k + 1]! : k + 1) : -1;
    if (next >= 0 && input.at_ms[next] === input.at_ms[i]) continue;
    if (input.quality[i]! & EXCLUDED) {
      out.mark(input.at_ms[i]!, input.quality[i]!);
      continue;
    }
    if (!Number.isFinite(input.values[i]!) || !Number.isFinite(input.at_ms[i]!)) continue;
    usable.at_ms[usable.count] = input.at_ms[i]!;
    usable.values[usable.count] = input.values[i]!;
    usable.quality[usable.count] = input.quality[i]!;
    if (usable.starts_ms) usable.starts_ms[usable.count] = input.starts_ms![i]!;
    usable.count++;
  }
  return usable;
}

/** @returns null where the instants ascend already, otherwise the stable order that makes them so. */
function ascending(at_ms: Float64Array): Uint32Array | null {
  let sorted = true;
  for (let i = 1; i < at_ms.length && sorted; i++) sorted = at_ms[i]! >= at_ms[i - 1]!;
  if (sorted) return null;
  return Uint32Array.from(at_ms.keys()).sort((a, b) => at_ms[a]! - at_ms[b]! || a - b);
}

/**
 * Energy per slot from mean power, for meters without a register: `import` takes the positive part, `export` the
 * negative. Within a slot both directions may have occurred; the mean's sign decides.
 * @param power mean W per slot; values marked STUCK give no energy (NaN).
 * @returns kWh per slot, marked FROM_POWER and with the power's own marks.
 */
export function energyFromPower(power: SlotColumns, direction: 'import' | 'export'): SlotColumns {
  const sign = direction === 'import' ? 1 : -1;
  const hours = SLOT_MS / HOUR_MS;
  return {
    at_ms: power.at_ms.slice(),
    values: power.values.map((watts, i) =>
      power.quality[i]! & Quality.STUCK ? NaN : (Math.max(0, sign * watts) * hours) / 1000,
    ),
    quality: power.quality.map((bits) => bits | Quality.FROM_POWER),
  };
}
