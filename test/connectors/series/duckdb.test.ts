import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { describeSeriesStore, group, type OpenStore } from '../../contracts/series.ts';
import { describeSeriesStoreMore } from '../../contracts/series-more.ts';

async function openStore(renew_rows?: number): Promise<OpenStore> {
  const dir = mkdtempSync(join(tmpdir(), 'luna-duckdb-'));
  const open = () => openDuckDbSeries({ file: join(dir, 'series.duckdb'), memory: '256MB', renew_rows });
  let store = await open();
  return {
    store,
    async reopen() {
      await store.close();
      store = await open();
      return store;
    },
    async end() {
      await store.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

describeSeriesStore('DuckDB', () => openStore());
describeSeriesStore('DuckDB, opened anew after every write', () => openStore(1));
describeSeriesStoreMore('DuckDB', () => openStore());

it('keeps the count of records applied twice, and begins a file from before the count with none', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'luna-duckdb-'));
  const file = join(dir, 'series.duckdb');
  const open = () => openDuckDbSeries({ file, memory: '256MB' });
  const withSql = async (sql: string) => {
    const instance = await DuckDBInstance.create(file);
    const connection = await instance.connect();
    await connection.run(sql);
    connection.closeSync();
    instance.closeSync();
  };
  const append = async () => {
    const store = await open();
    await store.readings.append([group('a', [], 1), group('a', [], 2), group('a', [], 3)]);
    const doubled = await store.readings.doubled();
    await store.close();
    return doubled;
  };
  try {
    expect(await append()).toBe(0);
    // A store whose cursor fell behind its readings.
    await withSql('update journal_cursor set seq = 1');
    expect(await append()).toBe(2);
    expect(await append()).toBe(2);
    await withSql('alter table journal_cursor drop column applied');
    expect(await append()).toBe(0);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});
