import { afterAll, beforeAll, describe } from 'vitest';
import { openQuestDbSeries } from '../../../connectors/series/questdb/questdb.ts';
import { describeSeriesStore, type OpenStore } from '../../contracts/series.ts';
import { describeSeriesStoreMore } from '../../contracts/series-more.ts';
import { hasQuestdb, type QuestdbServer, startQuestdb } from '../../setup/questdb.ts';
import { describeDrain } from './questdb/drain.ts';
import { describeKill } from './questdb/kill.ts';
import { describeLag } from './questdb/lag.ts';
import { describeProxy } from './questdb/proxy.ts';
import { describeSchema } from './questdb/schema.ts';
import { describeSuspended } from './questdb/suspended.ts';

// One server for all: to start one takes seconds.
describe.skipIf(!hasQuestdb)('on a real QuestDB', () => {
  let server: QuestdbServer;
  const running = () => server;
  beforeAll(async () => {
    server = await startQuestdb();
  }, 200_000);
  afterAll(() => server?.stop(), 30_000);

  async function openStore(): Promise<OpenStore> {
    await server.wipe();
    const open = () => openQuestDbSeries({ url: server.url });
    let store = await open();
    return {
      store,
      async reopen() {
        await store.close();
        store = await open();
        return store;
      },
      end: () => store.close(),
    };
  }
  describeSeriesStore('QuestDB', openStore);
  describeSeriesStoreMore('QuestDB', openStore);
  describeSchema(running);
  describeLag(running);
  describeSuspended(running);
  describeProxy(running);
  describeKill(running);
  describeDrain(running);
});
