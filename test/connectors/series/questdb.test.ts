import { describe } from 'vitest';
import { openQuestDbSeries } from '../../../connectors/series/questdb/questdb.ts';
import { describeSeriesStore } from '../../contracts/series.ts';
import { hasQuestdb, startQuestdb } from '../../setup/questdb.ts';

describe.skipIf(!hasQuestdb)('on a real QuestDB', () => {
  describeSeriesStore('QuestDB', async () => {
    const server = await startQuestdb();
    const open = () => openQuestDbSeries({ url: `questdb://127.0.0.1:${server.http_port}?pg=${server.pg_port}` });
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
        await server.stop();
      },
    };
  });
});
