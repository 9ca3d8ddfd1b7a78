/** A server, or what stands before it, that is slow, lies, or breaks off: every write comes out once. */
import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openQuestDbSeries } from '../../../../connectors/series/questdb/questdb.ts';
import type { DrainedSeries } from '../../../../connectors/series/store.ts';
import { UnavailableError } from '../../../../engine/errors.ts';
import type { QuestdbServer } from '../../../setup/questdb.ts';
import { numberedGroup, READINGS, START_MS } from '../numbered.ts';

export const FAULTS = [
  'stalls',
  'drips',
  'says 200 with an error in the body',
  'says 204 and drops the rows',
  'says 500',
  'says 502 after the server took the rows',
  'breaks off before the request',
  'breaks off in the middle of the request',
  'breaks off before the answer',
] as const;
export type Fault = (typeof FAULTS)[number] | 'passes' | 'takes its time';

/** A proxy before the HTTP port, as good as `fault` lets it be. */
export async function openProxy(to_port: number) {
  const state: { fault: Fault; seen: number } = { fault: 'passes', seen: 0 };
  const server = createServer(async (incoming, answer) => {
    state.seen++;
    const { fault } = state;
    if (fault === 'breaks off before the request') return void incoming.destroy();
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const path = incoming.url ?? '/';
    if (fault === 'takes its time') await new Promise((resolve) => setTimeout(resolve, 300));
    if (fault === 'stalls') return;
    if (fault === 'drips') return drip(answer);
    if (fault === 'says 200 with an error in the body') return void answer.writeHead(200).end('{"error":"no"}');
    if (fault === 'says 204 and drops the rows') return void answer.writeHead(204).end();
    if (fault === 'says 500') return void answer.writeHead(500).end('oops');
    if (fault === 'breaks off in the middle of the request') {
      const half = request({ port: to_port, method: 'POST', path, headers: { 'content-length': body.length } });
      half.on('error', () => undefined).write(body.subarray(0, body.length >> 1));
      setTimeout(() => half.destroy(), 50);
      return void incoming.socket.destroy();
    }
    const status = await forward(to_port, path, body);
    if (fault === 'says 502 after the server took the rows') return void answer.writeHead(502).end('bad gateway');
    if (fault === 'breaks off before the answer') return void incoming.socket.destroy();
    answer.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    state,
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** A byte now and then, so that no silence is long, and never the end of the head. */
function drip(answer: ServerResponse): void {
  const socket = answer.socket!;
  socket.write('HTTP/1.1 204 No Content\r\nX-Slow: ');
  const timer = setInterval(() => socket.write('.'), 100);
  socket.on('close', () => clearInterval(timer)).on('error', () => undefined);
}

function forward(port: number, path: string, body: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const onward = request({ port, method: 'POST', path, headers: { 'content-length': body.length } }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    onward.on('error', reject).end(body);
  });
}

export function describeProxy(server: () => QuestdbServer): void {
  describe('what answers in place of QuestDB', () => {
    let proxy: Awaited<ReturnType<typeof openProxy>>;
    let store: DrainedSeries;
    let seq = 0;
    const open = () =>
      openQuestDbSeries({
        url: `questdb://127.0.0.1:${proxy.port}?pg=${server().pg_port}`,
        limits: { write_ms: 2_500, apply_ms: 30_000, ask_ms: 10_000 },
      });
    /** Everything up to `seq`, once. */
    async function check(): Promise<void> {
      const range = { meter: 'm0', quantity: 'power_W', from_ms: 0, to_ms: START_MS * 2 };
      const read = await store.readings.read('a', range);
      expect(read.at_ms.length).toBe((READINGS / 2) * seq);
      expect([...read.quality].filter((flags) => flags !== 0)).toHaveLength(Math.floor(seq / 10));
      expect(await store.readings.changes('a', range)).toHaveLength(Math.floor(seq / 10));
    }
    beforeAll(async () => {
      await server().wipe();
      proxy = await openProxy(server().http_port);
      store = await open();
      await store.readings.append([numberedGroup(++seq)]);
    }, 120_000);
    afterAll(async () => {
      await store.close();
      await proxy.close();
    });

    it('and takes its time is waited for', async () => {
      proxy.state.fault = 'takes its time';
      await store.readings.append([numberedGroup(++seq)]);
      await check();
    }, 60_000);

    for (const fault of FAULTS)
      it(`and ${fault} is found out in time, and nothing is lost or double`, async () => {
        proxy.state.fault = fault;
        const begun = performance.now();
        await expect(store.readings.append([numberedGroup(seq + 1)])).rejects.toThrow(UnavailableError);
        expect(performance.now() - begun).toBeLessThan(20_000);
        expect(await store.readings.cursor()).toBe(seq);
        proxy.state.fault = 'passes';
        // As the drain does: opened anew, it goes on behind the cursor that it finds.
        await store.close();
        store = await open();
        await store.readings.append([numberedGroup(seq), numberedGroup(seq + 1)]);
        seq++;
        expect(await store.readings.cursor()).toBe(seq);
        await check();
      }, 60_000);

    it('and says whose fault it is: only what QuestDB itself refuses counts against a reading', async () => {
      proxy.state.fault = 'says 500';
      await expect(store.readings.append([numberedGroup(seq + 1)])).rejects.toThrow(/does not answer: /);
      proxy.state.fault = 'passes';
      await store.close();
      store = await open();
      const before = { ...numberedGroup(seq + 1).readings[0]!, at_ms: -1 };
      const refused = { ...numberedGroup(seq + 1), readings: [before] };
      await expect(store.readings.append([refused])).rejects.toThrow(/QuestDB refused: /);
    }, 60_000);

    it('and is frozen is left alone in time, and all goes on when it thaws', async () => {
      await store.close();
      const limits = { write_ms: 1_500, apply_ms: 30_000, ask_ms: 1_500 };
      store = await openQuestDbSeries({ url: server().url, limits });
      server().signal('SIGSTOP');
      const begun = performance.now();
      try {
        await expect(store.readings.append([numberedGroup(seq + 1)])).rejects.toThrow(UnavailableError);
        await expect(store.ping()).rejects.toThrow(UnavailableError);
        // As the drain does: closed, and tried again.
        await store.close();
        await expect(openQuestDbSeries({ url: server().url, limits })).rejects.toThrow(UnavailableError);
        expect(performance.now() - begun).toBeLessThan(30_000);
      } finally {
        server().signal('SIGCONT');
      }
      store = await open();
      await store.readings.append([numberedGroup(seq + 1)]);
      seq++;
      await check();
    }, 60_000);
  });
}
