import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import { openSeriesWorker } from '../../../gateway/series.ts';
import { backoff_ms } from '../../../gateway/workers/series-drain.ts';
import { hasQuestdb, startQuestdb } from '../../setup/questdb.ts';
import { until } from '../../setup/until.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');

/** A way to a port that can be cut and mended. */
async function openWay(to_port: number, at_port = 0): Promise<{ port: number; cut(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(to_port, '127.0.0.1');
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  server.listen(at_port, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async cut() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

describe('series worker while QuestDB is away', () => {
  it.skipIf(!hasQuestdb)(
    'keeps readings in the journal, rejects at once, and goes on in order',
    async () => {
      const dir = mkdtempSync(join(tmpdir(), 'luna-down-'));
      const server = await startQuestdb();
      let http = await openWay(server.http_port);
      let wire = await openWay(server.pg_port);
      const [http_port, pg_port] = [http.port, wire.port];
      const journal = await openJournal({ dir: join(dir, 'journal'), max_bytes: 1e9, segment_bytes: 1e6 });
      const series = await openSeriesWorker({
        store: { kind: 'questdb', url: `questdb://127.0.0.1:${http_port}?pg=${pg_port}` },
        journal_dir: join(dir, 'journal'),
        durable: journal.durable,
        released_seq: 0,
        slots_every_ms: 50,
      });
      const applied: number[] = [];
      series.drain.onApplied((seq) => applied.push(seq));
      const push = async (n: number) => {
        const reading = { meter: 'm', quantity: 'power_W', at_ms: T0 + n, value: n, quality: 0 };
        await journal.append([{ tenant: 'a', source: 'test', device: null, received_ms: T0, readings: [reading] }]);
        series.drain.notify();
      };
      try {
        series.drain.start();
        await push(1);
        await until(() => applied.at(-1) === 1, 'the first reading');

        await http.cut();
        await wire.cut();
        for (let n = 2; n <= 20; n++) await push(n);
        await until(() => !series.drain.state().up, 'the outage');
        const begun = Date.now();
        await expect(
          series.slots.read('a', { meter: 'm', quantity: 'power_W', from_ms: T0, to_ms: T0 + 1 }),
        ).rejects.toThrow(UnavailableError);
        expect(Date.now() - begun).toBeLessThan(5000);
        expect(series.drain.lag()).toBeGreaterThan(0);
        expect(series.drain.state().reason).toMatch(/QuestDB/);

        http = await openWay(server.http_port, http_port);
        wire = await openWay(server.pg_port, pg_port);
        await until(() => applied.at(-1) === 20, 'the rest');
        expect(applied).toEqual([...applied].sort((a, b) => a - b));
        expect(series.drain.lag()).toBe(0);
        const range = { meter: 'm', quantity: 'power_W', from_ms: T0, to_ms: T0 + 100 };
        const read = await series.readings.read('a', range);
        expect([...read.values]).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
        expect(await series.readings.changes('a', range)).toEqual([]);
      } finally {
        await series.close();
        await journal.close();
        await http.cut();
        await wire.cut();
        await server.stop();
        rmSync(dir, { recursive: true, force: true });
      }
    },
    90_000,
  );
});

it('a store that is back is looked for within ten seconds, however long it was away', () => {
  for (let failures = 0; failures < 2000; failures++) expect(backoff_ms(failures, 1)).toBeLessThanOrEqual(10_000);
  expect(backoff_ms(0, 0.5)).toBeLessThan(backoff_ms(3, 0.5));
});
