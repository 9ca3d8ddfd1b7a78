/** The box is killed while it appends to QuestDB. */
import { beforeAll, describe, it } from 'vitest';
import { openQuestDbSeries } from '../../../../connectors/series/questdb/questdb.ts';
import type { QuestdbServer } from '../../../setup/questdb.ts';
import { appendAndKill, checkKilled, KILLS } from '../append-and-kill.ts';

export function describeKill(server: () => QuestdbServer): void {
  describe('kill -9 while appending', () => {
    beforeAll(() => server().wipe(), 60_000);

    it('loses nothing and applies nothing twice in QuestDB', async () => {
      const { url } = server();
      for (let kill = 0; kill < KILLS; kill++) {
        const confirmed = await appendAndKill('questdb', url, 60 + 130 * kill);
        const store = await openQuestDbSeries({ url });
        await checkKilled(store, confirmed);
        await store.close();
      }
    }, 120_000);
  });
}
