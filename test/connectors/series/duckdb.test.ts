import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import { describeSeriesStore } from '../../contracts/series.ts';

describeSeriesStore('DuckDB', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'luna-duckdb-'));
  const open = () => openDuckDbSeries({ file: join(dir, 'series.duckdb'), memory: '256MB' });
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
});
