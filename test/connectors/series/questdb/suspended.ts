/** Tables that QuestDB suspended because it cannot apply their log. */
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openQuestDbSeries } from '../../../../connectors/series/questdb/questdb.ts';
import { type DrainedSeries, SuspendedTableError } from '../../../../connectors/series/store.ts';
import type { QuestdbServer } from '../../../setup/questdb.ts';
import { numberedGroup, READINGS, START_MS } from '../numbered.ts';

const RANGE = { quantity: 'power_W', from_ms: 0, to_ms: START_MS * 2 };

/**
 * Suspends a table so that resuming it fails: the log of a transaction that it has not applied is moved away.
 * @returns what puts it back, or (`gone`) takes it away for good
 */
export async function breakTable(server: QuestdbServer, table: string, row: string) {
  await server.sql(`alter table ${table} suspend wal`);
  await server.sql(row);
  // Dropped tables leave folders of their own.
  const [[name]] = (await server.sql(`select directoryName from tables() where table_name = '${table}'`)) as [[string]];
  const folder = join(server.folder, 'db', name);
  const logs = readdirSync(folder).filter((name) => /^wal\d+$/.test(name));
  for (const log of logs) renameSync(join(folder, log), join(folder, `away-${log}`));
  return (gone = false) => {
    for (const log of logs)
      if (gone) rmSync(join(folder, `away-${log}`), { recursive: true });
      else renameSync(join(folder, `away-${log}`), join(folder, log));
  };
}

export const FOREIGN_ROW =
  'insert into luna_reading (series, value, quality, seq, at) values (99999, 1, 0, 0, 86400000000)';

export function describeSuspended(server: () => QuestdbServer): void {
  describe('a suspended table', () => {
    let store: DrainedSeries;
    const open = () => openQuestDbSeries({ url: server().url, limits: { apply_ms: 20_000 } });
    const count = async (meter: string) => (await store.readings.read('a', { meter, ...RANGE })).at_ms.length;
    beforeAll(async () => {
      await server().wipe();
      store = await open();
      await store.readings.append([numberedGroup(1)]);
    }, 120_000);
    afterAll(() => store.close());

    it('is asked to go on by the write that meets it, and by the watch that looks', async () => {
      await server().sql('alter table luna_reading suspend wal');
      await store.readings.append([numberedGroup(2)]);
      expect(await count('m0')).toBe(READINGS);
      await server().sql('alter table luna_forecast suspend wal');
      await store.ping();
      const left = await server().sql('select name from wal_tables() where suspended');
      expect(left).toEqual([]);
    }, 60_000);

    it('that cannot go on takes nothing: no reading counts as stored, and the table is named', async () => {
      const mend = await breakTable(server(), 'luna_reading', FOREIGN_ROW);
      const refused = await store.readings.append([numberedGroup(3)]).catch((error: unknown) => error);
      expect(refused).toBeInstanceOf(SuspendedTableError);
      expect(refused).toMatchObject({ name: 'UnavailableError', tables: ['luna_reading'] });
      expect((refused as Error).message).toMatch(/suspended luna_reading/);
      expect((refused as SuspendedTableError).remedy).toMatch(/ALTER TABLE luna_reading RESUME WAL/);
      expect(await store.readings.cursor()).toBe(2);
      await expect(store.ping()).rejects.toThrow(/suspended luna_reading/);
      await store.close();
      await expect(open()).rejects.toThrow(/suspended luna_reading/);
      mend();
      store = await open();
      // The rows were in its log all the time, or are offered again: once either way.
      await store.readings.append([numberedGroup(3)]);
      expect(await store.readings.cursor()).toBe(3);
      expect(await count('m0')).toBe((3 * READINGS) / 2);
      expect(await store.readings.changes('a', { meter: 'm0', ...RANGE })).toEqual([]);
    }, 90_000);

    it('whose broken transactions an operator skips gets their readings from the journal again', async () => {
      const mend = await breakTable(server(), 'luna_reading', FOREIGN_ROW);
      await expect(store.readings.append([numberedGroup(4)])).rejects.toThrow(/suspended/);
      await store.close();
      // A power cut that took the end of the log.
      await server().kill('SIGKILL');
      mend(true);
      await server().start();
      await expect(open()).rejects.toThrow(/suspended luna_reading/);
      const [[newest]] = (await server().sql("select sequencerTxn from wal_tables() where name = 'luna_reading'")) as [
        [number],
      ];
      await server().sql(`alter table luna_reading resume wal from transaction ${newest + 1}`);
      store = await open();
      expect(await store.readings.cursor()).toBe(3);
      expect(await store.readings.append([numberedGroup(3), numberedGroup(4)])).toMatchObject({
        applied: 1,
        ignored: 1,
      });
      expect(await count('m0')).toBe((4 * READINGS) / 2);
    }, 250_000);
  });
}
