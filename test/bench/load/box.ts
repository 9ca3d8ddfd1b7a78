/** A whole box in a process group of its own, over a temporary home, as `./luna run` starts it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendCommand } from '../../../gateway/control.ts';
import { NODE_ENVIRONMENT, NODE_FLAGS } from '../../setup/box.ts';
import type { LoadClient } from './protocol.ts';
import type { PolledMeter } from './seen-modbus.ts';

const MAIN = join(import.meta.dirname, '../../../gateway/main.ts');
const START_MS = 180_000;

export type RunningBox = {
  pid: number;
  url: string;
  mqtt_port: number;
  start_s: number;
  /** The end of what it printed. */
  output(): string;
  kill(): Promise<void>;
  stop(): Promise<void>;
};

export async function makeHome(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'luna-bench-'));
}

/** Starts the box and resolves when it serves and /readyz answers 200. */
export async function startBox(home: string, settings: Record<string, string> = {}): Promise<RunningBox> {
  const begun = performance.now();
  const env = {
    ...process.env,
    ...NODE_ENVIRONMENT,
    ...{ LUNA_HOME: home, LUNA_HOST: '127.0.0.1', LUNA_PORT: '0', LUNA_MQTT_PORT: '0' },
    ...{ LUNA_LOG_LEVEL: 'info', LUNA_WEATHER: 'off', LUNA_PRICE_SOURCES: '' },
    ...settings,
  };
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, 'run'], {
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (bytes: Buffer) => {
    said = (said + bytes).slice(-20_000);
  });
  child.stderr.on('data', (bytes: Buffer) => {
    said = (said + bytes).slice(-20_000);
  });
  const exited = new Promise<void>((done) => child.once('exit', () => done()));
  const end = async (signal: NodeJS.Signals) => {
    signalGroup(child, signal);
    await exited;
  };
  while (performance.now() - begun < START_MS) {
    const port = /ready:\s+https?:\/\/[^:\s]+:(\d+)/.exec(said)?.[1];
    const mqtt_port = /MQTT to: port (\d+)/.exec(said)?.[1];
    const url = `http://127.0.0.1:${port}`;
    if (port && mqtt_port && (await isReady(url))) {
      const start_s = (performance.now() - begun) / 1000;
      const ends = { kill: () => end('SIGKILL'), stop: () => end('SIGTERM') };
      return { pid: child.pid!, url, mqtt_port: Number(mqtt_port), start_s, output: () => said, ...ends };
    }
    if (child.exitCode !== null) break;
    await sleep(20);
  }
  signalGroup(child, 'SIGKILL');
  throw new Error(`the box did not start:\n${said}`);
}

/** The process that Node is, and those it started in its group. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(signal === 'SIGKILL' ? -child.pid : child.pid, signal);
  } catch {
    // It is gone already.
  }
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/readyz`).then(
    (answer) => answer.ok,
    () => false,
  );
}

/** Ends the Postgres that outlives a killed box, then removes the home. */
export async function removeHome(home: string): Promise<void> {
  for (const path of ['postgres/postmaster.pid', 'postgres/data/postmaster.pid']) {
    const pid = Number((await readFile(join(home, path), 'utf8').catch(() => '')).split('\n')[0]);
    if (pid > 0) process.kill(pid, 'SIGQUIT');
  }
  await sleep(200);
  await rm(home, { recursive: true, force: true, maxRetries: 5 });
}

async function command(home: string, name: string, args: Record<string, unknown>): Promise<Record<string, unknown>> {
  const result = await sendCommand(home, { name, args });
  if (!result) throw new Error('the box does not answer commands');
  return result.json;
}

export async function makeKey(home: string): Promise<string> {
  return (await command(home, 'key create', { role: 'admin', name: 'bench' })).key as string;
}

/** Devices without profile, each with one meter point. */
export async function makeDevices(home: string, count: number, prefix: string): Promise<LoadClient[]> {
  const clients: LoadClient[] = [];
  for (let i = 0; i < count; i++) {
    const made = await command(home, 'device create', { id: `${prefix}-${i}` });
    const { id, username, password, topic } = made as Record<string, string>;
    clients.push({ username: username!, password: password!, client_id: id!, topic: topic!, meter: id! });
  }
  return clients;
}

/** Devices that the box polls once a second, each with one meter point. */
export async function makePolled(home: string, port: number, units: readonly number[]): Promise<PolledMeter[]> {
  return Promise.all(
    units.map(async (unit) => {
      const connection = { kind: 'modbus-tcp', host: '127.0.0.1', port, unit, poll_s: 1 };
      const id = `polled-${unit}`;
      const { meters } = await command(home, 'device create', { id, profile: 'eastron-sdm630', connection });
      return { meter: (meters as string[])[0]!, unit };
    }),
  );
}

/** A site with a fixed price, as the set-up page would make it. */
export async function makeSite(url: string, key: string): Promise<void> {
  const fields = {
    ...{ start: 'empty', name: 'Bench', place: 'Freiburg', time_zone: 'Europe/Berlin', country: 'DE', currency: 'EUR' },
    ...{ price_kind: 'fixed', per_kWh: '0.25', vat_percent: '19' },
  };
  const headers = { authorization: `Bearer ${key}` };
  const answer = await fetch(`${url}/setup`, {
    method: 'POST',
    headers,
    body: new URLSearchParams(fields),
    redirect: 'manual',
  });
  if (answer.status !== 303)
    throw new Error(`set-up answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
}

/** Metric values summed over their labels. */
export async function readMetrics(url: string, key: string): Promise<(name: string, label?: string) => number> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) throw new Error(`/metrics answered ${answer.status}`);
  const lines = (await answer.text()).split('\n');
  return (name, label = '') =>
    lines
      .filter((line) => (line.startsWith(`${name}{`) || line.startsWith(`${name} `)) && line.includes(label))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

export type StoredReading = { at_ms: number; value: number; quality: string };

/** The stored raw readings of one series. */
export async function readStored(
  url: string,
  key: string,
  meter: string,
  from_ms: number,
  to_ms: number,
): Promise<StoredReading[]> {
  const asked = new URLSearchParams({ meter, quantity: 'power_W', from: String(from_ms), to: String(to_ms) });
  asked.set('resolution', 'raw');
  const answer = await fetch(`${url}/api/v1/data/query?${asked}`, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok)
    throw new Error(`/api/v1/data/query answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`);
  const { points } = (await answer.json()) as { points: { at: string; value: number; quality: string }[] };
  return points.map(({ at, value, quality }) => ({ at_ms: Date.parse(at), value, quality }));
}
