/** The drain of the journal while QuestDB restarts, suspends a table, or is stood in for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileJournal, openJournal } from '../../../../connectors/journal/journal.ts';
import { deadLetterFolder, readDeadLetters } from '../../../../gateway/dead-letters.ts';
import { openSeriesWorker, type WorkerSeries } from '../../../../gateway/series.ts';
import type { QuestdbServer } from '../../../setup/questdb.ts';
import { openProxy } from './proxy.ts';
import { breakTable, FOREIGN_ROW } from './suspended.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');
const RANGE = { meter: 'm', quantity: 'power_W', from_ms: T0, to_ms: T0 + 1e9 };

export function describeDrain(server: () => QuestdbServer): void {
  describe('the drain into QuestDB', () => {
    let dir: string;
    let journal: FileJournal;
    let series: WorkerSeries;
    let pushed = 0;
    let applied = 0;
    const openWorker = async (url: string) => {
      series = await openSeriesWorker({
        store: { kind: 'questdb', url },
        journal_dir: join(dir, 'journal'),
        durable: journal.durable,
        released_seq: 0,
        slots_every_ms: 100,
      });
      series.drain.onApplied((seq) => {
        applied = seq;
      });
      series.drain.start();
    };
    /** One acknowledged reading, the value its number. */
    const push = async (at_ms = T0 + pushed * 1000) => {
      const reading = { meter: 'm', quantity: 'power_W', at_ms, value: pushed++, quality: 0 };
      await journal.append([{ tenant: 'a', source: 'test', device: null, received_ms: T0, readings: [reading] }]);
      series.drain.notify();
    };
    const until = async (what: () => boolean, limit_ms = 90_000) => {
      for (const end = Date.now() + limit_ms; !what(); await sleep(20))
        if (Date.now() > end) throw new Error(`in vain: ${JSON.stringify(series.drain.state())}`);
    };
    const drained = () => until(() => series.drain.lag() === 0);
    const stored = async () => [...(await series.readings.read('a', RANGE)).values];
    const all = () => Array.from({ length: pushed }, (_, index) => index);

    beforeEach(async () => {
      await server().wipe();
      dir = mkdtempSync(join(tmpdir(), 'luna-drain-'));
      journal = await openJournal({ dir: join(dir, 'journal'), max_bytes: 1e9, segment_bytes: 1e6 });
      pushed = 0;
      applied = 0;
    });
    afterEach(async () => {
      await series.close();
      await journal.close();
      rmSync(dir, { recursive: true, force: true });
    });

    it('loses nothing and doubles nothing when QuestDB is killed or stopped under way, and goes on by itself', async () => {
      await openWorker(server().url);
      for (const [signal, mode] of [
        ['SIGKILL', 'sync'],
        ['SIGTERM', 'nosync'],
      ] as const) {
        let ending = false;
        const ingest = (async () => {
          while (!ending) {
            await push();
            await sleep(5);
          }
        })();
        try {
          const from = applied;
          await until(() => applied > from);
          await server().kill(signal);
          await until(() => !series.drain.state().up);
          await server().start({ QDB_CAIRO_COMMIT_MODE: mode });
        } finally {
          ending = true;
          await ingest;
        }
        await drained();
        expect(series.drain.state().up).toBe(true);
        // A server that does not sync is told of: the journal lets go of what it has.
        expect(series.drain.state().warning).toEqual(
          mode === 'sync' ? null : expect.stringMatching(/cairo.commit.mode=nosync.*QDB_CAIRO_COMMIT_MODE=sync/),
        );
      }
      expect(await stored()).toEqual(all());
      expect(await series.readings.changes('a', RANGE)).toEqual([]);
      expect(series.drain.state().counts).toEqual({ test: { stored: pushed, duplicate: 0, dead: 0 } });
    }, 600_000);

    it('names a suspended table within a minute, lets go of nothing meanwhile, and goes on when it is mended', async () => {
      await openWorker(server().url);
      await push();
      await drained();
      const mend = await breakTable(server(), 'luna_reading', FOREIGN_ROW);
      const begun = Date.now();
      for (let n = 0; n < 20; n++) await push();
      await until(() => series.drain.state().suspended?.includes('luna_reading') === true, 60_000);
      expect(Date.now() - begun).toBeLessThan(60_000);
      expect(series.drain.state()).toMatchObject({
        up: false,
        reason: expect.stringMatching(/suspended luna_reading/),
      });
      await sleep(1_500);
      expect(applied).toBe(1);
      mend();
      await drained();
      expect(series.drain.state()).toMatchObject({ up: true, suspended: [] });
      expect(await stored()).toEqual(all());
      expect(await series.readings.changes('a', RANGE)).toEqual([]);
    }, 240_000);

    it('puts no reading aside for what stands before QuestDB, but one that QuestDB refuses', async () => {
      const proxy = await openProxy(server().http_port);
      try {
        await openWorker(`questdb://127.0.0.1:${proxy.port}?pg=${server().pg_port}`);
        await push();
        await drained();
        for (const fault of ['says 500', 'says 204 and drops the rows'] as const) {
          proxy.state.fault = fault;
          const seen = proxy.state.seen;
          await push();
          // Once more than it takes to put a reading aside.
          await until(() => proxy.state.seen >= seen + 4);
          expect(await readDeadLetters(deadLetterFolder(dir))).toEqual([]);
          proxy.state.fault = 'passes';
          await drained();
        }
        expect(await stored()).toEqual(all());
        await push(-1);
        await push();
        await drained();
        expect((await readDeadLetters(deadLetterFolder(dir))).map(({ group }) => group.readings[0]!.at_ms)).toEqual([
          -1,
        ]);
        expect(await stored()).toEqual(all().filter((value) => value !== 3));
      } finally {
        await proxy.close();
      }
    }, 240_000);
  });
}
