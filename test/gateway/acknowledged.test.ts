/** The trace of a disk under load over MQTT and HTTP: nobody was told that a reading is safe before its sync had ended. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Packet } from 'mqtt-packet';
import { expect, it } from 'vitest';
import { type FileJournal, openJournal } from '../../connectors/journal/journal.ts';
import { decodeRecord, nextMarker, recordAt } from '../../connectors/journal/record.ts';
import type { Config } from '../../gateway/config.ts';
import { createReadingsApi } from '../../gateway/http/api/readings.ts';
import { createApiApp } from '../../gateway/http/api.ts';
import { createMetrics } from '../../gateway/metrics.ts';
import { createIntake } from '../../gateway/services/intake.ts';
import { createLiveValues } from '../../gateway/services/live.ts';
import type { Services } from '../../gateway/services.ts';
import type { DiskOperation } from '../bench/powercut/disk-model.ts';
import { recordingFiles } from '../bench/powercut/in-process.ts';
import { openRaw, publishPacket } from './broker/raw-client.ts';
import { meterPoint, openRig, PASSWORD, type Rig } from './broker/rig.ts';

const SYNC_MS = 8;
const BASE_MS = Date.UTC(2026, 0, 1);
const EACH = 60;

/**
 * The numbers that were acknowledged although no sync had ended that began after their bytes were written, or no sync of
 * the folder that began after their segment was created: without it the file has no name after a power cut.
 */
function unsafe(operations: readonly DiskOperation[]): number[] {
  const written = new Map<number, { file: number; index: number }>();
  const created = new Map<number, number>();
  const [safe, named] = [new Set<number>(), new Set<number>()];
  const begun = new Map<number, number>();
  const early: number[] = [];
  for (const [index, one] of operations.entries()) {
    if (one.op === 'write') for (const number of numbersIn(one.bytes)) written.set(number, { file: one.file, index });
    else if (one.op === 'create') created.set(one.file, index);
    else if (one.op === 'begin sync' || one.op === 'begin sync folder') begun.set(one.sync, index);
    else if (one.op === 'end sync') {
      for (const [number, at] of written) if (at.file === one.file && at.index < begun.get(one.sync)!) safe.add(number);
    } else if (one.op === 'end sync folder' && one.path === 'journal') {
      for (const [file, at] of created) if (at < begun.get(one.sync)!) named.add(file);
    } else if (one.op === 'acknowledge') {
      const file = written.get(one.number)?.file;
      if (!safe.has(one.number) || file === undefined || !named.has(file)) early.push(one.number);
    }
  }
  return early;
}

function numbersIn(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = nextMarker(bytes, 0); at >= 0; at = nextMarker(bytes, at + 1))
    if (recordAt(bytes, at).kind === 'record')
      numbers.push(...decodeRecord(bytes, at).readings.map(({ value }) => value));
  return numbers;
}

function openHttp(journal: FileJournal) {
  const clock = { now: () => Date.now() };
  const { intake, close } = createIntake({
    ...{ clock, journal, metrics: createMetrics({ defaults: false }), live: createLiveValues() },
    bus: { publish() {}, subscribe: () => () => {}, close: async () => {} },
    meters: { list: () => [meterPoint('web', null)], onChange: () => () => {} },
  });
  const app = createApiApp();
  app.use(async (c, next) => {
    c.set('actor', { tenant: 'default', person: 'key:x', role: 'analyst', language: 'en' });
    await next();
  });
  const unused = {} as Services;
  const config = { home: tmpdir(), upload_max_bytes: 1000 } as Config;
  app.route('/', createReadingsApi({ intake, clock, config, devices: unused.devices, loads: unused.loads }));
  return { app, close };
}

/**
 * With QoS 2 it is PUBREC that makes the sender forget its message.
 * @returns how many PUBCOMP came
 */
async function overMqttTwo(rig: Rig, first: number, acknowledge: (number: number) => void): Promise<number> {
  const client = await openRaw(rig.broker.port, {
    ...{ clientId: 'two', username: 'a', password: Buffer.from(PASSWORD) },
  });
  await client.next('connack');
  let completed = 0;
  client.onPacket((packet) => {
    if (packet.cmd === 'pubcomp') completed++;
    if (packet.cmd !== 'pubrec') return;
    acknowledge(first + packet.messageId! - 1);
    client.send({ cmd: 'pubrel', messageId: packet.messageId });
  });
  for (let i = 0; i < EACH; i++) {
    await sleep(3);
    const payload = JSON.stringify({ at: BASE_MS + first + i, power_W: first + i });
    client.send({ ...publishPacket('meters/a/readings', payload, i + 1), qos: 2 } as Packet);
  }
  for (let n = 0; n < 1000 && completed < EACH; n++) await sleep(10);
  client.end();
  return completed;
}

it('no PUBACK, no PUBREC and no HTTP 200 leaves before syncs that cover the bytes of its reading and the name of its segment have ended', async () => {
  const root = await mkdtemp(join(tmpdir(), 'luna-trace-'));
  const operations: DiskOperation[] = [];
  const files = recordingFiles(root, operations, SYNC_MS);
  const journal = await openJournal({ dir: join(root, 'journal'), max_bytes: 2 ** 24, segment_bytes: 4096, files });
  const rig = await openRig();
  const http = openHttp(journal);
  try {
    rig.append = (groups) => journal.append(groups);
    const acknowledge = (number: number) => operations.push({ op: 'acknowledge', number });
    const overMqtt = async (device: string, first: number) => {
      const client = await rig.connect(device);
      const sent = Array.from({ length: EACH }, async (_, i) => {
        await sleep(i * 3);
        const payload = JSON.stringify({ at: BASE_MS + first + i, power_W: first + i });
        await client.publishAsync(`meters/${device}/readings`, payload, { qos: 1 });
        acknowledge(first + i);
      });
      await Promise.all(sent);
    };
    const overHttp = Array.from({ length: EACH }, async (_, i) => {
      await sleep(i * 3);
      const body = JSON.stringify({ meter: 'web', at: BASE_MS + i, power_W: i + 1 });
      const headers = { 'content-type': 'application/json' };
      const answer = await http.app.request('/api/v1/readings', { method: 'POST', body, headers });
      expect(answer.status).toBe(200);
      acknowledge(i + 1);
    });
    const completed = overMqttTwo(rig, 3001, acknowledge);
    await Promise.all([overMqtt('a', 1001), overMqtt('b', 2001), completed, ...overHttp]);
    expect(await completed).toBe(EACH);
    expect(operations.filter(({ op }) => op === 'acknowledge')).toHaveLength(4 * EACH);
    expect(unsafe(operations)).toEqual([]);
    expect(operations.filter(({ op }) => op === 'end sync').length).toBeGreaterThan(5);
    expect(operations.filter((one) => one.op === 'create' && one.path.endsWith('.journal')).length).toBeGreaterThan(3);
    // The same trace without its syncs, of bytes and of names: this test can fail.
    expect(unsafe(operations.filter(({ op }) => op !== 'end sync'))).toHaveLength(4 * EACH);
    expect(unsafe(operations.filter(({ op }) => op !== 'end sync folder'))).toHaveLength(4 * EACH);
  } finally {
    http.close();
    await rig.close();
    await journal.close();
    await rm(root, { recursive: true, force: true });
  }
});
