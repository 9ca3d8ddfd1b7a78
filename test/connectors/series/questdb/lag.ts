/** What QuestDB accepted shows some time later: nobody of ours may read in between. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openQuestDbSeries } from '../../../../connectors/series/questdb/questdb.ts';
import type { DrainedSeries } from '../../../../connectors/series/store.ts';
import { SLOT_MS } from '../../../../engine/model/time.ts';
import { group, slotsOf } from '../../../contracts/series.ts';
import type { QuestdbServer } from '../../../setup/questdb.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');
const ROWS = 1_500_000;
const RANGE = { meter: 'm', quantity: 'power_W', from_ms: T0, to_ms: T0 + 1e9 };

export function describeLag(server: () => QuestdbServer): void {
  describe('a table that lags behind its log', () => {
    let store: DrainedSeries;
    const open = () => openQuestDbSeries({ url: server().url, limits: { apply_ms: 90_000 } });
    beforeAll(async () => {
      await server().wipe();
      store = await open();
    }, 120_000);
    afterAll(() => store.close());

    /** Rows of nobody, out of order over many partitions: applying them takes the server a while. */
    async function burden(table: string, columns: string): Promise<void> {
      await server().sql(
        `insert into ${table} select ${columns}, ` +
          `cast(rnd_long(${T0 - 2e10}, ${T0 + 2e10}, 0) * 1000 as timestamp) from long_sequence(${ROWS})`,
      );
      const [[applied, accepted]] = (await server().sql(
        `select writerTxn, sequencerTxn from wal_tables() where name = '${table}'`,
      )) as [[number, number]];
      // Else the test would show nothing.
      expect(applied).toBeLessThan(accepted);
    }

    it('gives what was written a moment ago, and compares new values with it', async () => {
      await store.readings.append([group('a', [{ at_ms: T0, value: 1 }], 1)]);
      await burden('luna_reading', 'cast(rnd_int(90000, 99000, 0) as int), 1.0, 0, null, 0');
      await store.readings.append([group('a', [{ at_ms: T0, value: 2 }], 2)]);
      await store.readings.append([group('a', [{ at_ms: T0, value: 3 }], 3)]);
      expect([...(await store.readings.read('a', RANGE)).values]).toEqual([3]);
      const changes = await store.readings.changes('a', RANGE);
      expect(changes.map((one) => [one.value, one.replaced_by])).toEqual([
        [1, 2],
        [2, 3],
      ]);
    }, 120_000);

    it('gives slots written a moment ago', async () => {
      const range = { meter: 'm', quantity: 'import_kWh', from_ms: T0, to_ms: T0 + 4 * SLOT_MS };
      await store.slots.replace('a', range, slotsOf(T0, [1, 2, 3, 4]), []);
      await burden('luna_slot', 'cast(rnd_int(90000, 99000, 0) as int), 1.0, 0');
      await store.slots.replace('a', range, slotsOf(T0, [5, 6]), []);
      const bounds_ms = [T0, T0 + 4 * SLOT_MS];
      const totals = await store.slots.totals('a', {
        meters: ['m'],
        quantity: 'import_kWh',
        bounds_ms,
        aggregate: 'sum',
      });
      expect(totals.map((row) => row.value)).toEqual([11]);
    }, 120_000);

    it('knows its cursor only when the last accepted readings show', async () => {
      await store.close();
      await burden('luna_reading', 'cast(rnd_int(90000, 99000, 0) as int), 1.0, 0, null, 0');
      // What the box had sent when it was killed.
      await server().sql(`insert into luna_reading values (1, 4, 0, null, 7, ${T0}000)`);
      store = await open();
      expect(await store.readings.cursor()).toBe(7);
      expect([...(await store.readings.read('a', RANGE)).values]).toEqual([4]);
    }, 120_000);
  });
}
