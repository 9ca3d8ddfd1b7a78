import { expect, it } from 'vitest';
import { emptyTotals } from '../../../connectors/series/totals.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { balanceOf } from '../../../gateway/services/data/balance.ts';
import type { DataSource } from '../../../gateway/services/data.ts';

const POINTS = Array.from(
  { length: 300 },
  (_, index): MeterPoint => ({
    ...{ tenant: 'a', id: `m${index}`, site: 's', name: '', role: 'load', device: null, channel: '' },
    ...{ parent: null, virtual: null },
  }),
);

it('the load of hundreds of meters costs the store a handful of questions, however long the time', async () => {
  let questions = 0;
  let largest = 0;
  const slots: Pick<DataSource['slots'], 'read' | 'spans' | 'totalsColumns'> = {
    read: () => Promise.reject(new Error('asked meter by meter')),
    spans: () => Promise.reject(new Error('asked meter by meter')),
    async totalsColumns(_, { meters, quantity, bounds_ms }) {
      questions++;
      // Every second meter has power, the others count.
      const known = meters!.filter((id) => (Number(id.slice(1)) % 2 === 0) === (quantity === 'power_W'));
      const totals = emptyTotals(quantity === 'export_kWh' ? [] : known, bounds_ms.length - 1);
      largest = Math.max(largest, meters!.length * (bounds_ms.length - 1));
      totals.values.fill(quantity === 'power_W' ? 100 : 0.025);
      return totals;
    },
  };
  const series = { slots } as unknown as DataSource;
  const meters = { list: () => POINTS, get: () => null };
  const hours = await balanceOf({ series, meters }, 'a', 'load', 0, 12 * SLOT_MS);
  expect([...hours.values]).toEqual(new Array(12).fill(30_000));
  expect(questions).toBe(3);
  questions = 0;
  const weeks = await balanceOf({ series, meters }, 'a', 'load', 0, 4_000 * SLOT_MS);
  expect(weeks.values).toHaveLength(4_000);
  expect(weeks.values.every((value) => Math.abs(value - 30_000) < 1e-6)).toBe(true);
  expect(questions).toBeLessThan(30);
  expect(largest).toBeLessThanOrEqual(200_000);
});
