import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Quality } from '../../../engine/model/quality.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import { HISTORY_MS, historyEnd, learnHistory } from '../../../engine/quality/history.ts';
import { CONTEXT_MS, computeSlots } from '../../../engine/quality/slots.ts';
import { type BenchMeter, LOADS, loadMeters } from '../../bench/meter-data.ts';

const T0 = Date.UTC(2026, 2, 1);
const DATA = resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data');

/** `days` days of quarter hours that reach `most_kWh` in the evening. */
function slots(days: number, most_kWh = 2, change: (i: number) => [value: number, bits: number] | null = () => null) {
  const count = days * 96;
  const made = { at_ms: new Float64Array(count), values: new Float64Array(count), quality: new Int32Array(count) };
  for (let i = 0; i < count; i++) {
    const [value, bits] = change(i) ?? [i % 96 === 76 ? most_kWh : 0.1, 0];
    made.at_ms[i] = T0 + i * SLOT_MS;
    made.values[i] = value;
    made.quality[i] = bits;
  }
  return made;
}

describe("a meter's own past", () => {
  it('the most that is usual, in units per hour, once ten days are known', () => {
    expect(learnHistory(slots(9))).toEqual({ unit_in_doubt: false });
    expect(learnHistory(slots(10))).toEqual({ usual_max_per_h: 8, unit_in_doubt: false });
  });

  it('two false slots, or marked ones, do not raise it', () => {
    const falsified = slots(20, 2, (i) => (i === 500 || i === 900 ? [120, 0] : i > 1500 ? [80, Quality.JUMP] : null));
    expect(learnHistory(falsified).usual_max_per_h).toBe(8);
  });

  it('the unit is in doubt while the newest slot says so', () => {
    const from = (first: number, end: number) =>
      slots(12, 2, (i) => (i >= first && i < end ? [Number.NaN, Quality.UNIT] : null));
    expect(learnHistory(from(1000, 2000)).unit_in_doubt).toBe(true);
    expect(learnHistory(from(1000, 1100)).unit_in_doubt).toBe(false);
  });
});

/** Slots of a register that counts what the meter counted, piece by piece with what was learnt, as the box does. */
function eventsOf(meter: BenchMeter): number {
  const count = meter.values.length;
  const at_ms = Float64Array.from({ length: count }, (_, i) => meter.from_ms + (i + 1) * HOUR_MS);
  let register = 1000;
  const values = meter.values.map((kWh) => {
    register += kWh || 0;
    return register;
  });
  const piece_ms = 31 * 24 * HOUR_MS;
  let past = { at_ms: [] as number[], values: [] as number[], quality: [] as number[] };
  let events = 0;
  for (let from_ms = meter.from_ms; from_ms < at_ms.at(-1)!; from_ms += piece_ms) {
    const to_ms = Math.min(from_ms + piece_ms, at_ms.at(-1)!);
    const first = Math.max(0, Math.floor((from_ms - CONTEXT_MS - at_ms[0]!) / HOUR_MS) - 1);
    const end = Math.min(count, Math.ceil((to_ms + CONTEXT_MS - at_ms[0]!) / HOUR_MS) + 1);
    const end_ms = historyEnd(at_ms[first]!, from_ms - CONTEXT_MS);
    const kept = past.at_ms.map((at, i) => (at >= end_ms - HISTORY_MS && at < end_ms ? i : -1)).filter((i) => i >= 0);
    const before = {
      at_ms: Float64Array.from(kept, (i) => past.at_ms[i]!),
      values: Float64Array.from(kept, (i) => past.values[i]!),
      quality: Int32Array.from(kept, (i) => past.quality[i]!),
    };
    const result = computeSlots({
      ...{ quantity: 'import_kWh', starts_ms: null, from_ms, to_ms, quality: new Int32Array(end - first) },
      ...{ at_ms: at_ms.subarray(first, end), values: values.subarray(first, end), ...learnHistory(before) },
    });
    events += result.events.length;
    const join = (a: number[], b: Iterable<number>) => [...a.slice(-7000), ...b];
    past = {
      at_ms: join(past.at_ms, result.slots.at_ms),
      values: join(past.values, result.slots.values),
      quality: join(past.quality, result.slots.quality),
    };
  }
  return events;
}

describe.skipIf(!existsSync(join(DATA, LOADS)))('real meters', () => {
  it('false alarms about jumps stay below one in a hundred months', () => {
    const picked = [...loadMeters(DATA)].filter((_, k) => k % 12 === 1);
    const months = picked.reduce((sum, meter) => sum + meter.values.length / 720, 0);
    const events = picked.reduce((sum, meter) => sum + eventsOf(meter), 0);
    expect(months).toBeGreaterThan(200);
    expect(events / months).toBeLessThan(0.01);
  });
});
