import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHourlyFeatures } from '../../../engine/forecast/hourly-features.ts';
import { createLocalGrid } from '../../../engine/forecast/local-grid.ts';
import { HOUR_MS, instantOf, SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';

const TZ = 'Europe/Berlin';
const START = instantOf(TZ, 2026, 1, 5);
const DAYS = 60;

function noise(until_ms: number): Columns {
  const n = Math.floor((until_ms - START) / SLOT_MS);
  const at_ms = Float64Array.from({ length: n }, (_, i) => START + i * SLOT_MS);
  return { at_ms, values: at_ms.map((_, i) => ((i * 7919) % 1009) + (i % 96)), quality: new Int32Array(n) };
}
const gridUntil = (from_ms: number) =>
  createLocalGrid({
    history: noise(START + DAYS * 24 * HOUR_MS),
    from_ms,
    slots: 1,
    time_zone: TZ,
    quantiles: [],
    floor: null,
  });

describe('the features of a training row', () => {
  it('are those that were known on its day, to the bit', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: DAYS - 6 }),
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 0, max: 23 }),
        (day, from_hour, ahead, hour) => {
          fc.pre(ahead > 0 || hour >= from_hour);
          const later = gridUntil(START + (DAYS - 1) * 24 * HOUR_MS + from_hour * HOUR_MS);
          const then = gridUntil(START + day * 24 * HOUR_MS + from_hour * HOUR_MS);
          const [a, b] = [createHourlyFeatures(later, from_hour), createHourlyFeatures(then, from_hour)];
          const [x, y] = [new Float64Array(a.width), new Float64Array(b.width)];
          expect(a.write(day, ahead, hour, x, 0)).toBe(true);
          expect(b.write(day, ahead, hour, y, 0)).toBe(true);
          expect([...x]).toEqual([...y]);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('the local grid', () => {
  it('bridges the hour that spring skips and averages the one that autumn repeats', () => {
    const spring = createLocalGrid({
      ...{ slots: 1, time_zone: TZ, quantiles: [], floor: null },
      from_ms: instantOf(TZ, 2026, 3, 30),
      history: noise(instantOf(TZ, 2026, 3, 30)),
    });
    expect(spring.days).toBe(85);
    const sunday = spring.slots.subarray(83 * 96, 84 * 96);
    expect(sunday.some(Number.isNaN)).toBe(false);
    expect(sunday[8]).toBeCloseTo(sunday[7]! + (sunday[12]! - sunday[7]!) / 5, 9);
    expect(spring.placeOf(instantOf(TZ, 2026, 3, 31, 6, 15))).toEqual({ day: 85, slot: 25 });
  });
});
