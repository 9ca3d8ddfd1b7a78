/** Readings per second from the wire to the durable acknowledgement, against a bare broker in the same run. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  makeDevices,
  makeHome,
  makeKey,
  makeSite,
  type RunningBox,
  readMetrics,
  removeHome,
  startBox,
} from './load/box.ts';
import { comparePushed, drained } from './load/compare.ts';
import { type LoadClient, type LoadOrder, type LoadResult, quantile } from './load/protocol.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'readings per second over MQTT and HTTP: --seconds 10 --meters 100 (--window 1: messages a meter has under way)';

const DAY_MS = 86_400_000;
const RATE = 1000;
const HTTP_CONNECTIONS = 16;
const PAGE_EVERY_MS = 100;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const seconds = Number(options.seconds ?? 10);
  const meters = Number(options.meters ?? 100);
  const window = Number(options.window ?? 1);
  const clients = fork(join(import.meta.dirname, 'load/clients.ts'));
  try {
    const bare = await measureBare(clients, { seconds, meters, window }, progress);
    const box = await measureBox(clients, { seconds, meters, window }, progress);
    const ratio = Number(box.mqtt_per_s) / Number(bare.bare_per_s);
    return { seconds, meters, window, ...bare, ...box, ratio: round(ratio, 3) };
  } finally {
    clients.disconnect();
  }
}

type Size = { seconds: number; meters: number; window: number };

async function measureBare(clients: ChildProcess, size: Size, progress: (line: string) => void): Promise<BenchResult> {
  const broker = fork(join(import.meta.dirname, 'load/bare-broker.ts'));
  const port = await new Promise<number>((done) => broker.once('message', (said: { port: number }) => done(said.port)));
  const loaders: LoadClient[] = Array.from({ length: size.meters }, (_, i) => {
    const id = `bench-${i}`;
    return { username: id, password: id, client_id: id, topic: `meters/${id}/readings`, meter: id };
  });
  const base: LoadOrder = {
    ...{
      kind: 'mqtt',
      port,
      clients: loaders,
      seconds: size.seconds,
      window: size.window,
      rate: null,
      base_ms: Date.now(),
    },
  };
  // The first second of a process compiles; it is nobody's steady state, the box's least of all.
  await load(clients, { ...base, seconds: 1 });
  const full = await load(clients, base);
  const slow = await load(clients, { ...base, rate: RATE });
  broker.disconnect();
  progress(`bare aedes with group commit: ${perSecond(full)}/s, p99 at ${RATE}/s ${round(slow.p99_ms, 2)} ms`);
  return {
    bare_per_s: perSecond(full),
    bare_ack_p50_ms: round(slow.p50_ms, 2),
    bare_ack_p99_ms: round(slow.p99_ms, 2),
  };
}

async function measureBox(clients: ChildProcess, size: Size, progress: (line: string) => void): Promise<BenchResult> {
  const home = await makeHome();
  let box: RunningBox | null = null;
  try {
    box = await startBox(home);
    progress(`the box started in ${round(box.start_s, 2)} s`);
    const key = await makeKey(home);
    await makeSite(box.url, key);
    const devices = await makeDevices(home, size.meters, 'bench');
    return await measurePhases(clients, { box, key, devices }, size, progress);
  } catch (error) {
    progress(box?.output() ?? 'the box did not start');
    throw error;
  } finally {
    await box?.stop();
    await removeHome(home);
  }
}

type Bench = { box: RunningBox; key: string; devices: LoadClient[] };

async function measurePhases(
  clients: ChildProcess,
  { box, key, devices }: Bench,
  { seconds, window }: Size,
  progress: (line: string) => void,
): Promise<BenchResult> {
  const { url } = box;
  const now = Date.now();
  const mqtt: LoadOrder = {
    ...{ kind: 'mqtt', port: box.mqtt_port, clients: devices, seconds, window, rate: null, base_ms: now - 20 * DAY_MS },
  };
  const warm = await load(clients, { ...mqtt, seconds: 1, base_ms: now - 25 * DAY_MS });
  const page = watchPage(url, key);
  const full = await load(clients, mqtt);
  const page_p95_ms = await page.end();
  const drain_s = await drained(url, key);
  progress(`MQTT: ${perSecond(full)}/s, page p95 ${round(page_p95_ms, 1)} ms, drained ${round(drain_s, 1)} s later`);

  const http: LoadOrder = {
    ...{ kind: 'http', port: Number(new URL(url).port), clients: devices.slice(0, HTTP_CONNECTIONS), key },
    ...{ seconds, window: 1, rate: null, base_ms: now - 15 * DAY_MS },
  };
  const posted = await load(clients, http);
  progress(`HTTP: ${perSecond(posted)}/s, one reading per request`);
  const slow = await load(clients, { ...mqtt, rate: RATE, base_ms: now - 10 * DAY_MS });
  progress(`at ${RATE}/s: p50 ${round(slow.p50_ms, 2)} ms, p99 ${round(slow.p99_ms, 2)} ms`);
  await drained(url, key);
  // Counts of readings reach the metrics once a second.
  await sleep(1500);

  const metric = await readMetrics(url, key);
  const rss_mb = metric('process_resident_memory_bytes') / 1024 ** 2;
  const stored = ['accepted', 'flagged'].reduce((sum, o) => sum + metric('luna_readings_total', `outcome="${o}"`), 0);
  let duplicated = Math.max(0, metric('luna_drained_records_total') - stored);
  let lost = 0;
  for (const [order, result] of [
    [{ base_ms: now - 25 * DAY_MS }, warm],
    [mqtt, full],
    [http, posted],
    [{ base_ms: now - 10 * DAY_MS }, slow],
  ] as const) {
    const pushed = await comparePushed(url, key, order.base_ms, result.acknowledged);
    lost += pushed.lost;
    duplicated += pushed.duplicated;
  }
  return {
    ...{ mqtt_per_s: perSecond(full), http_per_s: perSecond(posted), page_p95_ms: round(page_p95_ms, 1) },
    ...{ ack_p50_ms: round(slow.p50_ms, 2), ack_p99_ms: round(slow.p99_ms, 2), drain_s: round(drain_s, 1) },
    ...{ rss_mb: Math.round(rss_mb), lost, duplicated },
  };
}

function load(clients: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const exited = () => reject(new Error('the process of the clients ended'));
    clients.once('exit', exited);
    clients.once('message', ({ result }: { result: LoadResult }) => {
      clients.off('exit', exited);
      if (result.faults.length > 0) reject(new Error(`the load failed: ${result.faults[0]}`));
      else resolve(result);
    });
    clients.send({ order });
  });
}

/** Asks for the Now page again and again meanwhile. */
function watchPage(url: string, key: string): { end(): Promise<number> } {
  const took: number[] = [];
  let watching = true;
  const watched = (async () => {
    while (watching) {
      const begun = performance.now();
      const answer = await fetch(`${url}/`, { headers: { authorization: `Bearer ${key}` }, redirect: 'manual' });
      if (answer.status !== 200) throw new Error(`the Now page answered ${answer.status}`);
      await answer.text();
      took.push(performance.now() - begun);
      await sleep(PAGE_EVERY_MS);
    }
  })();
  // Looked at by `end`; until then a failure must not end the bench as unhandled.
  watched.catch(() => {});
  return {
    async end() {
      watching = false;
      await watched;
      return quantile(
        took.sort((a, b) => a - b),
        0.95,
      );
    },
  };
}

const perSecond = ({ acked, seconds }: LoadResult): number => Math.round(acked / seconds);

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
