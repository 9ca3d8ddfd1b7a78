import { afterAll, beforeAll, describe } from 'vitest';
import { openQuestDbSeries } from '../../../connectors/series/questdb/questdb.ts';
import type { DrainedSeries } from '../../../connectors/series/store.ts';
import { describeSeriesStore } from '../../contracts/series.ts';
import { describeNames } from '../../contracts/series-names.ts';
import { describeRetention, describeTimes } from '../../contracts/series-times.ts';
import { hasQuestdb, type QuestdbServer, startQuestdb } from '../../setup/questdb.ts';
import { describeDrain } from './questdb/drain.ts';
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

  describeSeriesStore('QuestDB', async () => {
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
  });
  describe('as every series store', () => {
    let store: DrainedSeries;
    let seq = 0;
    const open = () => openQuestDbSeries({ url: server.url });
    const now = () => store;
    const next = () => ++seq;
    const reopen = async () => {
      await store.close();
      store = await open();
      return store;
    };
    beforeAll(async () => {
      await server.wipe();
      store = await open();
    }, 60_000);
    afterAll(() => store.close());
    describeNames(now, next, reopen);
    describeTimes(now, next);
    describeRetention(now, next, reopen);
  });
  describeSchema(running);
  describeLag(running);
  describeSuspended(running);
  describeProxy(running);
  describeDrain(running);
});
