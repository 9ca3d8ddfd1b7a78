/** kill -9 of the whole box at random moments under load: every acknowledged reading must be in the store afterwards. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../recommender/random.ts';
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
import { countLost, drained } from './load/compare.ts';
import { type LoadOrder, type LoadResult, quantile } from './load/protocol.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'kill -9 under mixed load: --kills 20 --seed 1 (--meters 8)';

const DAY_MS = 86_400_000;
const HTTP_CLIENTS = 2;
const WINDOW = 4;
/** A life of the box after it serves. */
const LIFE_MS = { least: 100, most: 2500 };

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const kills = Number(options.kills ?? 20);
  const seed = Number(options.seed ?? 1);
  const meters = Number(options.meters ?? 8);
  const random = createRandom(seed);
  const home = await makeHome();
  const mqtt = fork(join(import.meta.dirname, 'load/clients.ts'));
  const http = fork(join(import.meta.dirname, 'load/clients.ts'));
  let box: RunningBox | null = null;
  try {
    box = await startBox(home);
    const key = await makeKey(home);
    await makeSite(box.url, key);
    const devices = await makeDevices(home, meters + HTTP_CLIENTS, 'crash');
    const common = { seconds: 1e6, rate: null, persistent: true, base_ms: Date.now() - 5 * DAY_MS };
    const loads = [
      load(mqtt, {
        ...common,
        kind: 'mqtt',
        port: box.mqtt_port,
        clients: devices.slice(HTTP_CLIENTS),
        window: WINDOW,
      }),
      load(http, {
        ...common,
        kind: 'http',
        port: portOf(box),
        clients: devices.slice(0, HTTP_CLIENTS),
        window: 1,
        key,
      }),
    ];
    const starts: number[] = [];
    for (let n = 1; n <= kills; n++) {
      await sleep(LIFE_MS.least + random() * (LIFE_MS.most - LIFE_MS.least));
      await box.kill();
      box = await startBox(home);
      starts.push(box.start_s);
      mqtt.send({ port: box.mqtt_port });
      http.send({ port: portOf(box) });
      progress(`kill ${n} of ${kills}: serves again after ${box.start_s.toFixed(2)} s`);
    }
    await sleep(1000);
    for (const clients of [mqtt, http]) clients.send({ stop: true });
    const results = await Promise.all(loads);
    await drained(box.url, key);
    const acknowledged = results.flatMap((result) => result.acknowledged);
    const start_p95_s = quantile(
      starts.sort((a, b) => a - b),
      0.95,
    );
    return {
      ...{ kills, seed, acknowledged: results.reduce((sum, { acked }) => sum + acked, 0) },
      lost: await countLost(box.url, key, common.base_ms, acknowledged),
      duplicated: (await readMetrics(box.url, key))('luna_drain_doubled_records'),
      start_p95_s: kills === 0 ? null : Number(start_p95_s.toFixed(2)),
    };
  } finally {
    mqtt.disconnect();
    http.disconnect();
    await box?.stop();
    await removeHome(home);
  }
}

function load(clients: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    clients.once('exit', () => reject(new Error('a process of clients ended')));
    clients.once('message', ({ result }: { result: LoadResult }) => resolve(result));
    clients.send({ order });
  });
}

const portOf = (box: RunningBox): number => Number(new URL(box.url).port);
