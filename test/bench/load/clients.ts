/** A process of its own that loads a broker or a web server: gets a LoadOrder, answers with a LoadResult. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createHttpClient } from './http-client.ts';
import { type Counters, createMqttClient, type RawMqttClient } from './mqtt-client.ts';
import { type LoadOrder, type LoadResult, quantile } from './protocol.ts';

const LATENCIES_KEPT = 2 ** 20;
const LAST_ACKS_MS = 5000;

let stop: () => void = () => {};
let port = 0;

process.on('message', (message: { order?: LoadOrder; port?: number; stop?: true }) => {
  if (message.port !== undefined) port = message.port;
  if (message.stop) stop();
  if (message.order) void carryOut(message.order).then((result) => process.send!({ result }));
});
process.on('disconnect', () => process.exit(0));

async function carryOut(order: LoadOrder): Promise<LoadResult> {
  const counters: Counters = { acked: 0, latencies: new Float64Array(LATENCIES_KEPT), stopped: false };
  const faults: string[] = [];
  stop = () => {
    counters.stopped = true;
  };
  port = order.port;
  const clients = order.clients.map((client) => makeClient(order, client, counters));
  for (const client of clients) await client.open();
  // Who kills boxes waits until all are connected.
  if (order.persistent) process.send!({ opened: true });
  const begun = performance.now();
  for (const client of clients) drive(client, order, counters, faults);
  if (order.rate !== null) await keepRate(clients, order.rate, order.seconds, counters);
  else for (let waited = 0; waited < order.seconds * 1000 && !counters.stopped; waited += 20) await sleep(20);
  const acked = counters.acked;
  const seconds = (performance.now() - begun) / 1000;
  counters.stopped = true;
  for (let waited = 0; waited < LAST_ACKS_MS && clients.some((client) => client.underWay() > 0); waited += 20)
    await sleep(20);
  for (const client of clients) client.end();
  const latencies = counters.latencies.slice(0, Math.min(counters.acked, LATENCIES_KEPT)).sort();
  return {
    acked,
    seconds,
    p50_ms: quantile(latencies, 0.5),
    p99_ms: quantile(latencies, 0.99),
    acknowledged: clients.map(({ meter, sent, acknowledged }) => ({ meter, sent: sent(), ...acknowledged.result() })),
    faults,
  };
}

function makeClient(order: LoadOrder, client: LoadOrder['clients'][number], counters: Counters): RawMqttClient {
  if (order.kind === 'mqtt') return createMqttClient(() => port, client, order.base_ms, counters);
  return createHttpClient(() => port, client, order.key ?? '', order.base_ms, counters, order.persistent ?? false);
}

/** Keeps a client's window full until stopped; over broken connections where the order says so. */
function drive(client: RawMqttClient, order: LoadOrder, counters: Counters, faults: string[]): void {
  client.onAcks((count) => {
    if (!counters.stopped && order.rate === null) client.send(count);
  });
  if (order.rate === null) client.send(order.window);
  if (order.persistent) client.onClose(() => void reopen(client, counters));
  else client.onClose(() => !counters.stopped && faults.push('a connection was closed'));
}

async function reopen(client: RawMqttClient, counters: Counters): Promise<void> {
  while (!counters.stopped) {
    try {
      await client.open();
      client.onClose(() => void reopen(client, counters));
      client.resend();
      return;
    } catch {
      await sleep(50);
    }
  }
}

async function keepRate(clients: RawMqttClient[], rate: number, seconds: number, counters: Counters): Promise<void> {
  const begun = performance.now();
  let sent = 0;
  while (!counters.stopped && performance.now() - begun < seconds * 1000) {
    const due = Math.floor(((performance.now() - begun) / 1000) * rate);
    for (; sent < due; sent++) clients[sent % clients.length]!.send(1);
    await sleep(1);
  }
}
