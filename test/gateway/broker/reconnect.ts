/** Many clients that lose their connection at the same moment, and all come back at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Counters, createMqttClient, type RawMqttClient } from '../../bench/load/mqtt-client.ts';
import type { LoadClient, LoadResult } from '../../bench/load/protocol.ts';

/** A thousand that try more often would take the machine from the box that starts. */
const RETRY_MS = 250;

export type Fleet = {
  /** Connects all at once. @returns how many are back within the limit, and the seconds until the last was */
  connect(limit_s: number): Promise<{ back: number; seconds: number }>;
  /** Cuts every connection. */
  drop(): void;
  /** Every client publishes a reading about once a second from now on. */
  publish(): void;
  /** Waits for what is under way, and leaves. @returns what was sent and acknowledged, by client */
  end(): Promise<LoadResult['acknowledged']>;
};

/** @param port is asked for anew with each try: a box that starts again may have another */
export function createFleet(port: () => number, accounts: readonly LoadClient[], base_ms: number): Fleet {
  const counters: Counters = { acked: 0, latencies: new Float64Array(1024), stopped: false };
  const clients = accounts.map((account) => createMqttClient(port, account, base_ms, counters));
  let publishing: NodeJS.Timeout | undefined;
  let turn = 0;
  const connected = new Set<RawMqttClient>();
  async function bring(client: RawMqttClient, until: number): Promise<boolean> {
    while (performance.now() < until) {
      const open = await client.open().then(
        () => true,
        () => false,
      );
      if (!open) {
        await sleep(RETRY_MS);
        continue;
      }
      connected.add(client);
      client.onClose(() => connected.delete(client));
      client.resend();
      return true;
    }
    return false;
  }
  return {
    async connect(limit_s) {
      const begun = performance.now();
      const came = await Promise.all(clients.map((client) => bring(client, begun + limit_s * 1000)));
      return { back: came.filter(Boolean).length, seconds: (performance.now() - begun) / 1000 };
    },
    drop() {
      for (const client of connected) client.end();
      connected.clear();
    },
    publish() {
      publishing = setInterval(() => {
        for (let n = 0; n < Math.ceil(clients.length / 50); n++) {
          const client = clients[turn++ % clients.length]!;
          if (connected.has(client)) client.send(1);
        }
      }, 20);
    },
    async end() {
      clearInterval(publishing);
      for (let waited = 0; waited < 10_000 && clients.some((client) => client.underWay() > 0); waited += 20)
        await sleep(20);
      for (const client of clients) client.end();
      return clients.map(({ meter, sent, acknowledged }) => ({ meter, sent: sent(), ...acknowledged.result() }));
    },
  };
}
