import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { Quality } from '../../../engine/model/quality.ts';
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import { historyEnd } from '../../../engine/quality/history.ts';
import { CONTEXT_MS, computeSlots, type SlotInput, type SlotResult } from '../../../engine/quality/slots.ts';
import { createSlotKeeper } from '../../../gateway/workers/series-slots.ts';

/** Energy is conserved: slots and spans are the register's difference, however its readings are cut, ordered, doubled or
 * missing. */
const T0 = Date.UTC(2026, 2, 28, 20);
const MIN_MS = 60_000;

type R = readonly [at_ms: number, value: number];
/** A register that counts up to 300 kW, read every 1 to 60 minutes, sometimes every one or two hours, sometimes not for up to two days. */
const register = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 9, arbitrary: fc.integer({ min: 1, max: 60 }) },
        // On both sides of where a gap becomes a sum, and of where its slots are estimated.
        { weight: 2, arbitrary: fc.integer({ min: 61, max: 125 }) },
        fc.integer({ min: 121, max: 2880 }),
      ),
      fc.integer({ min: 0, max: 5000 }),
    ),
    { minLength: 3, maxLength: 50 },
  )
  .map((steps) => {
    let [at_ms, wh] = [T0 + 7 * MIN_MS, 2_000_000];
    return [
      [at_ms, wh / 1000] as R,
      ...steps.map(([minutes, wh_per_min]): R => {
        at_ms += minutes * MIN_MS;
        wh += Math.round((wh_per_min * minutes) / 10);
        return [at_ms, wh / 1000];
      }),
    ];
  });
/** How the readings arrive: each once or more, in any order, in deliveries of any size. */
const arrival = fc.record({
  keys: fc.infiniteStream(fc.nat(1_000_000)),
  doubled: fc.array(fc.nat(49), { maxLength: 20 }),
  cuts: fc.infiniteStream(fc.integer({ min: 1, max: 12 })),
});
type Arrival = { keys: Iterator<number>; doubled: number[]; cuts: Iterator<number> };

function deliveries(readings: readonly R[], { keys, doubled, cuts }: Arrival): R[][] {
  const all = [...readings, ...doubled.map((k) => readings[k % readings.length]!)];
  const order = all.map((r) => ({ r, key: keys.next().value as number })).sort((a, b) => a.key - b.key);
  const parts: R[][] = [];
  for (let i = 0; i < order.length; ) {
    const size = cuts.next().value as number;
    parts.push(order.slice(i, i + size).map(({ r }) => r));
    i += size;
  }
  return parts;
}

function compute(readings: readonly R[], from_ms: number, to_ms: number, more: Partial<SlotInput> = {}): SlotResult {
  return computeSlots({
    ...{ quantity: 'import_kWh', starts_ms: null, from_ms, to_ms, usual_max_per_h: 300, ...more },
    at_ms: Float64Array.from(readings, (r) => r[0]),
    values: Float64Array.from(readings, (r) => r[1]),
    quality: new Int32Array(readings.length),
  });
}
const total = ({ slots, spans }: Pick<SlotResult, 'slots' | 'spans'>): number =>
  [...slots.values, ...spans.map((span) => span.value)].reduce(
    (sum, value) => sum + (Number.isNaN(value) ? 0 : value),
    0,
  );
const boundsOf = (readings: readonly R[]): [number, number] => [
  slotStart(readings[0]![0]),
  slotStart(readings.at(-1)![0]) + SLOT_MS,
];

/** Whether the unit is in doubt at the first reading, as the slots of a computation before say. */
function doubtBefore(readings: readonly R[], from_ms: number, { slots }: SlotResult): boolean {
  const end_ms = historyEnd(readings[0]![0], from_ms - CONTEXT_MS);
  const last = slots.at_ms.findLastIndex((at_ms) => at_ms < end_ms);
  return last >= 0 && (slots.quality[last]! & Quality.UNIT) !== 0;
}

describe('energy conservation', () => {
  it('slots and spans are the register difference for any split, order, gap and duplication', () => {
    fc.assert(
      fc.property(register, arrival, fc.array(fc.nat(400), { maxLength: 5 }), (readings, how, splits) => {
        const [from_ms, to_ms] = boundsOf(readings);
        const arrived = deliveries(readings, how).flat();
        const whole = compute(arrived, from_ms, to_ms);
        expect(whole).toEqual(compute(readings, from_ms, to_ms));
        expect(whole.events).toEqual([]);
        expect(total(whole)).toBeCloseTo(readings.at(-1)![1] - readings[0]![1], 6);
        const cuts = splits.map((k) => from_ms + k * SLOT_MS).filter((at) => at < to_ms);
        const bounds = [...new Set([from_ms, ...cuts, to_ms])].sort((a, b) => a - b);
        const parts = bounds.slice(1).map((end, i) => compute(near(readings, bounds[i]!, end), bounds[i]!, end));
        expect(parts.reduce((sum, part) => sum + total(part), 0)).toBeCloseTo(total(whole), 6);
        expect(parts.flatMap((part) => [...part.slots.values])).toEqual([...whole.slots.values]);
        expect(parts.flatMap((part) => part.spans)).toEqual(whole.spans);
      }),
      { numRuns: 500, seed: 4 },
    );
  });

  it('faults are found the same in pieces: another unit, another meter, jumps that only the past tells', () => {
    const faults = fc.array(fc.tuple(fc.nat(49), fc.constantFrom('wh', 'kwh', 'other', 'jump', 'zero')), {
      maxLength: 4,
    });
    fc.assert(
      fc.property(register, faults, fc.nat(400), (readings, found, k) => {
        const faulty = withFaults(readings, found);
        const [from_ms, to_ms] = boundsOf(readings);
        const split = Math.min(to_ms, from_ms + k * SLOT_MS);
        const whole = compute(faulty, from_ms, to_ms, { usual_max_per_h: 60 });
        const parts = [
          [from_ms, split],
          [split, to_ms],
        ].map(([start, end]) => {
          const given = near(faulty, start!, end!);
          return compute(given, start!, end!, {
            usual_max_per_h: 60,
            unit_in_doubt: doubtBefore(given, start!, whole),
          });
        });
        expect(parts.flatMap((part) => [...part.slots.values])).toEqual([...whole.slots.values]);
        expect(parts.flatMap((part) => [...part.slots.quality])).toEqual([...whole.slots.quality]);
        expect(parts.flatMap((part) => part.spans)).toEqual(whole.spans);
      }),
      { numRuns: 1000, seed: 4 },
    );
  });

  it('the store ends with the same, whatever the order of arrival', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'luna-conserve-'));
    const store = await openDuckDbSeries({ file: join(dir, 'series.duckdb'), memory: '256MB' });
    try {
      const keeper = createSlotKeeper(store, 10);
      let [seq, runs] = [0, 0];
      await fc.assert(
        fc.asyncProperty(register, arrival, async (readings, how) => {
          const meter = `m${++runs}`;
          for (const part of deliveries(readings, how)) {
            const rows = part.map(([at_ms, value]) => ({ meter, quantity: 'import_kWh', at_ms, value, quality: 0 }));
            const group = { tenant: 'a', source: 'test', device: null, received_ms: at(readings), readings: rows };
            const { touched } = await store.readings.append([{ ...group, seq: ++seq }]);
            await keeper.now(touched, at(readings));
          }
          const [from_ms, to_ms] = boundsOf(readings);
          const range = { meter, quantity: 'import_kWh', from_ms: from_ms - SLOT_MS, to_ms: to_ms + SLOT_MS };
          const slots = await store.slots.read('a', range);
          const spans = await store.slots.spans('a', range);
          expect(total({ slots, spans })).toBeCloseTo(readings.at(-1)![1] - readings[0]![1], 6);
          const once = compute(readings, from_ms, to_ms);
          expect([...slots.at_ms]).toEqual([...once.slots.at_ms]);
          for (const [i, value] of slots.values.entries()) expect(value).toBeCloseTo(once.slots.values[i]!, 9);
        }),
        { numRuns: 12, seed: 4 },
      );
    } finally {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});

const at = (readings: readonly R[]): number => readings.at(-1)![0];

/** What a caller supplies for a range: context on both sides, and at least the last before and the first after. */
function near(readings: readonly R[], from_ms: number, to_ms: number): R[] {
  const before = readings.findLastIndex((r) => r[0] < from_ms - CONTEXT_MS);
  const after = readings.findIndex((r) => r[0] >= to_ms + CONTEXT_MS);
  return readings.slice(Math.max(0, before), after < 0 ? undefined : after + 1);
}

/** From a reading on the register counts in Wh or kWh again, or is 40 kWh higher; or single readings are another's. */
function withFaults(readings: readonly R[], faults: readonly (readonly [number, string])[]): R[] {
  const values = readings.map((r) => r[1]);
  for (const [k, fault] of faults) {
    const first = k % values.length;
    for (let i = first; i < values.length; i++) {
      if (fault === 'wh') values[i]! *= 1000;
      if (fault === 'kwh') values[i]! /= 1000;
      if (fault === 'jump') values[i]! += 40;
      if (fault === 'other' && (i - first) % 2 === 0 && i < first + 12) values[i] = 100 + i / 100;
      if (fault === 'zero' && i < first + 3) values[i] = 0;
    }
  }
  return readings.map((r, i) => [r[0], values[i]!]);
}
