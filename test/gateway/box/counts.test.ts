/** One box takes readings in all four ways, is killed, and its books come out even for each of them to the last reading. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openJournal } from '../../../connectors/journal/journal.ts';
import { deadLetterFolder, readDeadLetters } from '../../../gateway/dead-letters.ts';
import { openCountFile } from '../../../gateway/services/count-file.ts';
import { makeDevices, makeKey, makePolled, makeSite, readMetrics, readStored } from '../../bench/load/box.ts';
import { drained } from '../../bench/load/compare.ts';
import type { LoadClient } from '../../bench/load/protocol.ts';
import { type Box, startBox } from '../../setup/box.ts';
import { copyTemplate } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';

const DAY_MS = 86_400_000;
const BASE_MS = Math.floor(Date.now() / DAY_MS - 2) * DAY_MS;
/** Metrics are told once a second. */
const TOLD_MS = 1200;
const SOURCES = ['mqtt', 'http', 'import', 'modbus'];
const STATES = ['received', 'stored', 'duplicate', 'rejected', 'dead_lettered', 'waiting'] as const;

type Book = Record<(typeof STATES)[number], number>;

let box: Box;
let key: string;
let [pushed, posted]: LoadClient[] = [];
const meters = fork(join(import.meta.dirname, '../../bench/load/modbus-meters.ts'));
beforeAll(async () => {
  const home = await mkdtemp(join(tmpdir(), 'luna-counts-'));
  await copyTemplate(home);
  box = await startBox({}, home);
  key = await makeKey(home);
  await makeSite(box.url, key);
  [pushed, posted] = await makeDevices(home, 2, 'counts');
}, 120_000);
afterAll(async () => {
  meters.kill('SIGKILL');
  await box?.remove();
});

const at = (n: number) => BASE_MS + n * 1000;

/** Messages `from` to `to`, each acknowledged, `twice` of them twice; one more value that is no quantity each. */
async function overMqtt(from: number, to: number, twice: number): Promise<void> {
  const { username, password, client_id, topic } = pushed!;
  const client = await connectAsync(`mqtt://127.0.0.1:${box.mqtt_port}`, { username, password, clientId: client_id });
  const own = Array.from({ length: to - from }, (_, i) => from + i);
  const sent = own.flatMap((n) => (n < from + twice ? [n, n] : [n]));
  await Promise.all(sent.map((n) => client.publishAsync(topic, JSON.stringify({ at: at(n), power_W: n }), { qos: 1 })));
  // Said twice in one message: the first counts, the second is rejected.
  await client.publishAsync(
    topic,
    JSON.stringify([
      { at: at(to), power_W: to },
      { at: at(to), power_W: to + 1 },
    ]),
    { qos: 1 },
  );
  await client.endAsync();
}

/** In one piece; two readings of each piece are of a meter that does not exist. */
async function overHttp(from: number, to: number): Promise<void> {
  const own = Array.from({ length: to - from }, (_, i) => ({
    meter: posted!.meter,
    at: at(from + i),
    power_W: from + i,
  }));
  const foreign = [0, 1].map((i) => ({ meter: 'nobody', at: at(from + i), power_W: i }));
  const answer = await fetch(`${box.url}/api/v1/readings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ readings: [...own, ...foreign] }),
  });
  expect(answer.status).toBeLessThan(300);
}

async function fromFile(from: number, to: number): Promise<void> {
  const rows = Array.from({ length: to - from }, (_, i) => [from + i, posted!.meter] as const);
  rows.push([from, 'nobody']);
  const lines = rows.map(([n, meter]) => `${new Date(at(1e4 + n)).toISOString()},${meter},${n}`);
  const answer = await fetch(`${box.url}/api/v1/data/load`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'text/csv' },
    body: ['at,meter,power_W', ...lines].join('\n'),
  });
  expect(await answer.json()).toMatchObject({ rejected: 1 });
}

/** The books are written down once a second: what is rejected later than that before a kill may be forgotten. */
async function untilWrittenDown(rejected: number): Promise<void> {
  const file = await openCountFile(join(box.home, 'counts'));
  const written = async () => ((await file.read()) as { came?: Record<string, { rejected: number }> } | null)?.came;
  await until(async () => (await written())?.mqtt?.rejected === rejected, 'the books to be written down');
  await file.close();
}

async function books(): Promise<Record<string, Book>> {
  const metric = await readMetrics(box.url, key);
  const of = (source: string) =>
    Object.fromEntries(STATES.map((state) => [state, metric(`luna_readings_${state}`, `source="${source}"`)])) as Book;
  expect(metric('luna_readings_missing')).toBe(0);
  return Object.fromEntries(SOURCES.map((source) => [source, of(source)]));
}

function expectEven(all: Record<string, Book>): void {
  for (const [source, { received, stored, duplicate, rejected, dead_lettered, waiting }] of Object.entries(all))
    expect({ source, received }).toEqual({ source, received: stored + duplicate + rejected + dead_lettered + waiting });
}

it('received is stored + duplicate + rejected + dead-lettered, exactly and for each way in, also after kill -9', {
  timeout: 300_000,
}, async () => {
  meters.send({ give: 'port' });
  const [{ port }] = (await once(meters, 'message')) as [{ port: number }];
  const polled = await makePolled(box.home, port, [1, 2]);
  await overMqtt(0, 30, 10);
  await overHttp(0, 40);
  await overHttp(20, 60);
  await fromFile(0, 25);
  await until(async () => (await books()).modbus!.stored > 4, 'polled readings');
  expectEven(await books());
  await overMqtt(31, 50, 5);
  await untilWrittenDown(2);
  await box.kill();

  // What a store cannot keep, among what it can: acknowledged by a box that was killed before it wrote it down.
  const journal = await openJournal({ dir: join(box.home, 'journal'), max_bytes: 2 ** 30, segment_bytes: 2 ** 22 });
  for (const at_ms of [at(1000), Number.NaN, at(1001)])
    await journal.append([
      {
        ...{ tenant: 'default', source: 'mqtt', device: pushed!.meter, received_ms: at(2000) },
        readings: [{ meter: pushed!.meter, quantity: 'power_W', at_ms, value: 7, quality: 0 }],
      },
    ]);
  await journal.close();
  box = await box.restart();
  // What the killed box had not answered is sent again.
  await overMqtt(49, 60, 0);
  await fromFile(20, 30);
  // Polling goes on until the meters are gone, so that the books stand still.
  meters.kill('SIGKILL');
  await drained(box.url, key);
  await until(async () => {
    const before = await books();
    await sleep(TOLD_MS);
    return JSON.stringify(before) === JSON.stringify(await books());
  }, 'the books to stand still');

  const now = await books();
  expectEven(now);
  // Against what the test itself sent.
  expect(now.mqtt).toEqual({
    received: 30 + 10 + 2 + (19 + 5 + 2) + 3 + (11 + 2),
    stored: 61 + 2,
    duplicate: 10 + 5 + 2,
    rejected: 3,
    dead_lettered: 1,
    waiting: 0,
  });
  expect(now.http).toEqual({ received: 84, stored: 60, duplicate: 20, rejected: 4, dead_lettered: 0, waiting: 0 });
  expect(now.import).toEqual({ received: 37, stored: 30, duplicate: 5, rejected: 2, dead_lettered: 0, waiting: 0 });
  const rows = async (meter: string) => (await readStored(box.url, key, meter, at(-100), Date.now() + DAY_MS)).length;
  expect(await rows(pushed!.meter)).toBe(now.mqtt!.stored);
  expect(await rows(posted!.meter)).toBe(now.http!.stored + now.import!.stored);
  const [one, two] = await Promise.all(polled.map(({ meter }) => rows(meter)));
  expect(now.modbus!.stored).toBeGreaterThanOrEqual(one! + two!);
  expect(await readDeadLetters(deadLetterFolder(box.home))).toHaveLength(1);
});
