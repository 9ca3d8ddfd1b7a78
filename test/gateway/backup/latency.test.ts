/** Promise 7: who sends readings does not notice that a backup is made. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { durableSeq } from '../../../connectors/journal/reader.ts';
import type { BackupMade, BackupOrder } from '../../../gateway/backup/make.ts';
import { createTaskProcesses } from '../../../gateway/workers/process.ts';
import { openRig, type Rig, T0 } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
  for (let n = 0; n < 100; n++)
    await rig.record(
      `m${n}`,
      T0,
      Array.from({ length: 2000 }, (_, i) => Math.sin(i) * 1000),
    );
  await rig.drain();
}, 120_000);
afterAll(() => rig?.end());

/** Sends a reading every few milliseconds until `over`; how long each waited for its acknowledgement, ascending. */
async function send(over: () => boolean): Promise<number[]> {
  const waits: number[] = [];
  const sent: Promise<void>[] = [];
  for (let n = 0; !over() || n < 200; n++, await sleep(5)) {
    const begun = performance.now();
    sent.push(rig.record('live', T0 + n * 1000, [n]).then(() => void waits.push(performance.now() - begun)));
  }
  await Promise.all(sent);
  return waits.sort((a, b) => a - b);
}
const at = (waits: readonly number[], share: number) =>
  Math.round(waits[Math.floor(share * (waits.length - 1))]! * 10) / 10;
/** What the serving process itself computes for one reading, which a machine that builds does not change much. */
async function costOf(over: () => boolean) {
  const before = process.cpuUsage();
  const waits = await send(over);
  const { user, system } = process.cpuUsage(before);
  return { waits, cpu_ms: (user + system) / 1000 / waits.length };
}

it('acknowledges readings as quickly while a backup is made in a process of its own', async () => {
  const snapshot = join(rig.home, '.backup', 'series.duckdb');
  await mkdir(join(rig.home, '.backup'));
  await rig.series.snapshot?.(snapshot);
  await send(() => true);
  const calm = await costOf(() => true);
  const processes = createTaskProcesses();
  let done = false;
  const order: BackupOrder = {
    ...{ folder: rig.folder, home: rig.home, box: 'box-1', claimed: false, luna: '0.1.0', started_ms: T0 },
    ...{ passphrase_file: join(rig.root, 'passphrase'), cluster: rig.db.cluster ?? null, snapshot, after_seq: 0 },
    ...{ journal_dir: join(rig.home, 'journal'), durable_seq: durableSeq(rig.journal.durable)() },
    ...{ environment: [], keep: null, reserve_bytes: 0, held: null },
  };
  const making = processes.run<BackupMade>('backup-make', order).finally(() => {
    done = true;
  });
  const during = await costOf(() => done);
  const { summary } = await making;
  await processes.close();
  expect(summary.rows).toBeGreaterThan(200_000);
  // A backup in the serving process costs it ten times as much a reading.
  expect(during.cpu_ms).toBeLessThan(3 * calm.cpu_ms);
  expect(at(during.waits, 0.99)).toBeLessThan(200 + 10 * at(calm.waits, 0.99));
}, 120_000);
