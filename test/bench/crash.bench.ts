/**
 * kill -9 of the whole box at random moments under load over MQTT, HTTP and Modbus: every acknowledged reading must be in
 * the store afterwards, once, with nothing that was never sent, and the box must come back by itself. MQTT and HTTP readings count as acknowledged by
 * PUBACK and 200; for those that the box polls nobody is told, so the box is taken at its word (load/seen-modbus.ts).
 * Rounds of some kills have a home of their own; an interrupted run goes on with the round that it was in.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../../engine/random.ts';
import * as box from './load/box.ts';
import { comparePushed, drained } from './load/compare.ts';
import { type LoadOrder, type LoadResult, quantile, type Served } from './load/protocol.ts';
import { comparePolled, type Kept, noteKept, type PolledMeter } from './load/seen-modbus.ts';
import { openProgress } from './load/state.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'kill -9 under mixed load: --kills 20 --seed 1 (--meters 8, --round 50, --state FILE)';

const DAY_MS = 86_400_000;
const HTTP_CLIENTS = 2;
const POLLED_UNITS = [1, 2, 3];
const WINDOW = 4;
/** A life of the box after it serves. */
const LIFE_MS = { least: 100, most: 2500 };
const LOOK_EVERY_MS = 50;
/** The meters are polled once a second. */
const LAST_POLLS_MS = 1500;

type Tally = { acknowledged: number; lost: number; duplicated: number; repairs: number; starts: number[] };
type Say = (line: string) => void;
type Prepare = (home: string) => Promise<void>;

/** @param prepare puts into a new home what makes its first start quick */
export async function run(
  options: BenchOptions,
  progress: Say,
  prepare: Prepare = async () => {},
): Promise<BenchResult> {
  const kills = Number(options.kills ?? 20);
  const seed = Number(options.seed ?? 1);
  const meters = Number(options.meters ?? 8);
  const round = Number(options.round ?? 50);
  const fresh = { kills: 0, acknowledged: 0, lost: 0, duplicated: 0, repairs: 0, starts: [] as number[] };
  const { state, save } = openProgress(options.state, `crash --seed ${seed} --meters ${meters}`, fresh);
  while (state.kills < kills) {
    const count = Math.min(round, kills - state.kills);
    const random = createRandom(seed * 1_000_003 + state.kills);
    const say: Say = (line) => progress(`kill ${state.kills} of ${kills} and on: ${line}`);
    const tally = await killOften(count, meters, random, say, prepare);
    state.kills += count;
    for (const key of ['acknowledged', 'lost', 'duplicated', 'repairs'] as const) state[key] += tally[key];
    state.starts.push(...tally.starts);
    save();
    progress(`${state.kills} of ${kills} kills: ${state.acknowledged} acknowledged, ${state.lost} lost`);
  }
  const { acknowledged, lost, duplicated, repairs } = state;
  const starts = [...state.starts].sort((a, b) => a - b);
  const start_p95_s = starts.length === 0 ? null : Number(quantile(starts, 0.95).toFixed(2));
  const start_max_s = starts.length === 0 ? null : Number(starts.at(-1)!.toFixed(2));
  return { kills: state.kills, seed, acknowledged, lost, duplicated, repairs, start_p95_s, start_max_s };
}

/** The processes that load the box, and what they were told. */
type Load = {
  stop(): Promise<LoadResult[]>;
  /** The box has come back on other ports. */
  moved(running: box.RunningBox): void;
  served(): Promise<Served>;
  polled: readonly PolledMeter[];
  base_ms: number;
};

/** One round: a new home, its kills, and the comparison at the end. */
async function killOften(kills: number, meters: number, random: Random, say: Say, prepare: Prepare): Promise<Tally> {
  const home = await box.makeHome();
  const children = ['clients', 'clients', 'modbus-meters'].map((name) =>
    fork(join(import.meta.dirname, `load/${name}.ts`)),
  );
  let running: box.RunningBox | null = null;
  let watching = true;
  try {
    await prepare(home);
    running = await box.startBox(home);
    const key = await box.makeKey(home);
    const load = await beginLoad(children, running, home, key, meters);
    const kept: Kept = new Map();
    const watch = keepWatch(() => (watching ? (running?.url ?? null) : undefined), key, load.polled, kept);
    const starts: number[] = [];
    for (let n = 1; n <= kills; n++) {
      await sleep(LIFE_MS.least + random() * (LIFE_MS.most - LIFE_MS.least));
      const killed: box.RunningBox = running;
      running = null;
      await killed.kill();
      running = await box.startBox(home);
      starts.push(running.start_s);
      load.moved(running);
      say(`${n}: serves again after ${running.start_s.toFixed(2)} s`);
    }
    await sleep(LAST_POLLS_MS);
    const results = await load.stop();
    watching = false;
    await watch;
    return { ...(await compare(running.url, key, results, load, kept, say)), repairs: await setAside(home), starts };
  } finally {
    watching = false;
    for (const child of children) child.kill('SIGKILL');
    await running?.stop();
    await box.removeHome(home);
  }
}

async function beginLoad(
  children: readonly ChildProcess[],
  running: box.RunningBox,
  home: string,
  key: string,
  meters: number,
): Promise<Load> {
  const [mqtt, http, modbus] = children as [ChildProcess, ChildProcess, ChildProcess];
  await box.makeSite(running.url, key);
  const devices = await box.makeDevices(home, meters + HTTP_CLIENTS, 'crash');
  modbus.send({ give: 'port' });
  const [{ port }] = (await once(modbus, 'message')) as [{ port: number }];
  const polled = await box.makePolled(home, port, POLLED_UNITS);
  const base_ms = Date.now() - 5 * DAY_MS;
  const common = { seconds: 1e6, rate: null, persistent: true, base_ms };
  const [pushing, posting] = [devices.slice(HTTP_CLIENTS), devices.slice(0, HTTP_CLIENTS)];
  const loads = await Promise.all([
    carry(mqtt, { ...common, kind: 'mqtt', port: running.mqtt_port, window: WINDOW, clients: pushing }),
    carry(http, { ...common, kind: 'http', port: portOf(running), window: 1, key, clients: posting }),
  ]);
  return {
    polled,
    base_ms,
    async stop() {
      for (const clients of [mqtt, http]) clients.send({ stop: true });
      return Promise.all(loads.map((load) => load.result));
    },
    moved(to) {
      mqtt.send({ port: to.mqtt_port });
      http.send({ port: portOf(to) });
    },
    async served() {
      modbus.send({ give: 'served' });
      return ((await once(modbus, 'message')) as [{ served: Served }])[0].served;
    },
  };
}

async function compare(
  url: string,
  key: string,
  results: readonly LoadResult[],
  load: Load,
  kept: Kept,
  say: Say,
): Promise<Pick<Tally, 'acknowledged' | 'lost' | 'duplicated'>> {
  await drained(url, key);
  const sent = results.flatMap((result) => result.acknowledged);
  const pushed = await comparePushed(url, key, load.base_ms, sent);
  const polled = await comparePolled(url, key, load.polled, kept, await load.served());
  say(`over Modbus ${polled.acknowledged} readings that the box said it had kept, ${polled.lost} lost`);
  return {
    acknowledged: results.reduce((sum, { acked }) => sum + acked, 0) + polled.acknowledged,
    lost: pushed.lost + polled.lost,
    duplicated: (await box.readMetrics(url, key))('luna_drain_doubled_records') + pushed.duplicated + polled.duplicated,
  };
}

/** Notes what the box says it has kept, until `where` is undefined; null means that it is being killed. */
async function keepWatch(
  where: () => string | null | undefined,
  key: string,
  polled: readonly PolledMeter[],
  kept: Kept,
): Promise<void> {
  for (let url = where(); url !== undefined; url = where()) {
    if (url !== null) await noteKept(url, key, polled, kept);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Files that were set aside as damaged: a person would have to look at them. */
async function setAside(home: string): Promise<number> {
  const names = [...(await readdir(home)), ...(await readdir(join(home, 'journal')))];
  return names.filter((name) => /\.quarantined$|\.damaged-/.test(name)).length;
}

/** Resolves with the coming result once all clients are connected. */
async function carry(clients: ChildProcess, order: LoadOrder): Promise<{ result: Promise<LoadResult> }> {
  const result = new Promise<LoadResult>((resolve, reject) => {
    clients.once('exit', () => reject(new Error('a process of clients ended')));
    clients.on('message', (message: { result?: LoadResult }) => message.result && resolve(message.result));
  });
  result.catch(() => {});
  clients.send({ order });
  await once(clients, 'message');
  return { result };
}

const portOf = ({ url }: box.RunningBox): number => Number(new URL(url).port);
