/** Sums and means over periods, as every series store gives them. */
import { describe, expect, it } from 'vitest';
import type { DrainedSeries } from '../../connectors/series/store.ts';
import { Quality } from '../../engine/model/quality.ts';
import { dayBounds, SLOT_MS } from '../../engine/model/time.ts';
import { slotsOf } from './series.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');

export function describeTotals(store: () => DrainedSeries): void {
  describe('totals', () => {
    const range = (meter: string, from: number, count: number) => ({
      meter,
      quantity: 'import_kWh',
      from_ms: T0 + from * SLOT_MS,
      to_ms: T0 + (from + count) * SLOT_MS,
    });

    it('sums local days of 92 and 100 slots, with spans in the day they end in', async () => {
      for (const [day, slots] of [
        ['2026-03-28', 92],
        ['2026-10-24', 100],
      ] as const) {
        const from = Date.parse(`${day}T12:00:00Z`);
        const bounds_ms = dayBounds(from, from + 2 * 86_400_000, 'Europe/Berlin');
        const start = bounds_ms[0]!;
        const count = (bounds_ms.at(-1)! - start) / SLOT_MS;
        const where = { meter: `dst${slots}`, quantity: 'import_kWh', from_ms: start, to_ms: bounds_ms.at(-1)! };
        const end = bounds_ms[2]!;
        await store().slots.replace('a', where, slotsOf(start, new Array(count).fill(1)), [
          { from_ms: end - 8 * SLOT_MS, to_ms: end, value: 0.5, quality: Quality.ESTIMATED },
        ]);
        const totals = await store().slots.totals('a', {
          meters: [where.meter],
          quantity: 'import_kWh',
          bounds_ms,
          aggregate: 'sum',
        });
        expect(totals.map((row) => row.value)).toEqual([96, slots + 0.5, 96]);
        expect(totals.map((row) => row.slots)).toEqual([96, slots, 96]);
        expect(totals.map((row) => row.quality)).toEqual([0, Quality.ESTIMATED, 0]);
      }
    });

    it('answers totals of all meters of a tenant, means too, and leaves out empty periods', async () => {
      const bounds_ms = [0, 4, 8, 12].map((slot) => T0 + slot * SLOT_MS);
      for (const [tenant, meter, base] of [
        ['t', 'x', 1],
        ['t', 'y', 10],
        ['u', 'x', 100],
      ] as const)
        await store().slots.replace(
          tenant,
          range(meter, 0, 12),
          slotsOf(T0, [base, base, base, 3 * base, Number.NaN]),
          [],
        );
      const query = { meters: null, quantity: 'import_kWh', bounds_ms };
      const sums = await store().slots.totals('t', { ...query, aggregate: 'sum' });
      expect(sums.filter((row) => row.value !== null)).toEqual([
        { meter: 'x', period: 0, value: 6, quality: 0, slots: 4 },
        { meter: 'y', period: 0, value: 60, quality: 0, slots: 4 },
      ]);
      const means = await store().slots.totals('t', { ...query, meters: ['y', 'nobody'], aggregate: 'mean' });
      expect(means.filter((row) => row.value !== null)).toEqual([
        { meter: 'y', period: 0, value: 15, quality: 0, slots: 4 },
      ]);
    });

    it('sums periods of many lengths of meters that were not named one after another', async () => {
      const bounds_ms = [0];
      for (let index = 0; index < 20; index++) bounds_ms.push(bounds_ms.at(-1)! + (1 + (index % 3)) * SLOT_MS);
      for (const [index, bound] of bounds_ms.entries()) bounds_ms[index] = T0 + bound;
      const meters = Array.from({ length: 11 }, (_, index) => `many${index}`);
      for (const [index, meter] of meters.entries())
        await store().slots.replace('m', range(meter, 0, 39), slotsOf(T0, new Array(39).fill(index), index), []);
      const wanted = meters.filter((_, index) => index % 2 === 0);
      const totals = await store().slots.totals('m', {
        meters: wanted,
        quantity: 'import_kWh',
        bounds_ms,
        aggregate: 'sum',
      });
      expect(totals).toHaveLength(6 * 20);
      for (const { meter, period, value, quality, slots } of totals) {
        const index = meters.indexOf(meter);
        expect([value, quality, slots]).toEqual([(1 + (period % 3)) * index, index, 1 + (period % 3)]);
      }
    });
  });
}
