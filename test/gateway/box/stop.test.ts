/**
 * SIGTERM while devices send, a page waits, the series store hangs and the database has stopped: the real process ends in
 * time, and nothing is lost.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, stat } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeDevices, makeKey, makeSite, readMetrics } from '../../bench/load/box.ts';
import { comparePushed, drained } from '../../bench/load/compare.ts';
import type { LoadOrder, LoadResult } from '../../bench/load/protocol.ts';
import { type Box, startBox } from '../../setup/box.ts';
import { copyTemplate } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';

/** The promise is 5 s, of which the box takes 4.2 at the most; the rest is the machine's. What hangs would hold for ever. */
const STOP_MS = 8000;
const BASE_MS = Date.UTC(2026, 5, 1);

/** A store that takes every connection and never says a word. */
let hanging: Server;
const sockets = new Set<Socket>();
let home: string;
let box: Box | null = null;
const children: ChildProcess[] = [];

beforeAll(async () => {
  hanging = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
  });
  await new Promise<void>((done) => hanging.listen(0, '127.0.0.1', done));
  home = await mkdtemp(join(tmpdir(), 'luna-stop-'));
  await copyTemplate(home);
}, 60_000);
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const socket of sockets) socket.destroy();
  hanging.close();
  await box?.remove();
});

async function postmaster(): Promise<number> {
  return Number((await readFile(join(home, 'postgres/postmaster.pid'), 'utf8')).split('\n')[0]);
}

/** How the journal noted its newest segment at closing; a journal that was not closed says nothing. */
async function closedJournal(): Promise<string | null> {
  const numbers = await readFile(join(home, 'journal/released.json'), 'utf8').catch(() => '{}');
  return (JSON.parse(numbers) as { closed?: string | null }).closed ?? null;
}

async function newestSegment(): Promise<string> {
  const name = (await readdir(join(home, 'journal')))
    .filter((file) => file.endsWith('.journal'))
    .sort()
    .at(-1)!;
  return `${name} ${(await stat(join(home, 'journal', name))).size}`;
}

/** Who hears it may be gone by now. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It is.
  }
}

async function load(order: LoadOrder): Promise<{ child: ChildProcess; result: Promise<LoadResult> }> {
  const child = fork(join(import.meta.dirname, '../../bench/load/clients.ts'));
  children.push(child);
  const result = new Promise<LoadResult>((done) => {
    child.on('message', (message: { result?: LoadResult }) => message.result && done(message.result));
  });
  child.send({ order });
  await once(child, 'message');
  return { child, result };
}

it('ends within 5 s of SIGTERM under load with stores that hang, and drains the rest after the next start', {
  timeout: 180_000,
}, async () => {
  const { port } = hanging.address() as { port: number };
  box = await startBox({ LUNA_SERIES: `questdb://127.0.0.1:${port}?pg=${port}` }, home);
  const key = await makeKey(home);
  await makeSite(box.url, key);
  const devices = await makeDevices(home, 4, 'stop');
  const common = { seconds: 1e6, rate: null, persistent: true, base_ms: BASE_MS, window: 20, key };
  const loads = [
    await load({ ...common, kind: 'mqtt', port: box.mqtt_port, clients: devices.slice(1) }),
    await load({ ...common, kind: 'http', port: Number(new URL(box.url).port), clients: devices.slice(0, 1) }),
  ];
  const page = fetch(`${box.url}/stream`, { headers: { authorization: `Bearer ${key}` } }).catch(() => null);
  const lag = async () => (await readMetrics(box!.url, key))('luna_drain_lag_records');
  await until(async () => sockets.size > 0 && (await lag()) > 50, 'readings that wait for the store');

  const frozen = await postmaster();
  signal(frozen, 'SIGSTOP');
  const { took_ms } = await Promise.race([box.stop(), sleep(30_000, { took_ms: Number.POSITIVE_INFINITY })]);
  signal(frozen, 'SIGCONT');
  expect(took_ms, box.said()).toBeLessThan(STOP_MS);
  expect(await closedJournal()).toBe(await newestSegment());
  await page;

  for (const { child } of loads) child.send({ stop: true });
  const results = await Promise.all(loads.map(({ result }) => result));
  expect(results.reduce((sum, { acked }) => sum + acked, 0)).toBeGreaterThan(50);
  box = await box.restart({ LUNA_SERIES: 'duckdb' });
  await drained(box.url, key);
  const acknowledged = results.flatMap((result) => result.acknowledged);
  expect(await comparePushed(box.url, key, BASE_MS, acknowledged)).toEqual({ lost: 0, duplicated: 0 });
  expect((await readMetrics(box.url, key))('luna_drain_doubled_records')).toBe(0);
});

it('closes its journal and its database properly though devices, a page and the series store hang', {
  timeout: 120_000,
}, async () => {
  const { port } = hanging.address() as { port: number };
  await box?.stop();
  box = await startBox({ LUNA_SERIES: `questdb://127.0.0.1:${port}?pg=${port}` }, home);
  const key = await makeKey(home);
  const [device] = await makeDevices(home, 1, 'last');
  const lag = async () => (await readMetrics(box!.url, key))('luna_drain_lag_records');
  // What the test before left in the journal waits for this store as well.
  const before = await lag();
  const order = { seconds: 1e6, rate: null, persistent: true, base_ms: BASE_MS, window: 20, key };
  const { child, result } = await load({ ...order, kind: 'mqtt', port: box.mqtt_port, clients: [device!] });
  const page = fetch(`${box.url}/stream`, { headers: { authorization: `Bearer ${key}` } }).catch(() => null);
  await until(async () => (await lag()) > before + 50, 'readings that wait');
  expect(await postmaster()).toBeGreaterThan(0);
  expect((await box.stop()).took_ms, box.said()).toBeLessThan(STOP_MS);
  // Postgres removes the file when it has shut down; without that it would have to recover.
  await expect(readFile(join(home, 'postgres/postmaster.pid'))).rejects.toThrow(/ENOENT/);
  expect(await closedJournal()).toBe(await newestSegment());
  child.send({ stop: true });
  expect((await result).acked).toBeGreaterThan(10);
  await page;
});
