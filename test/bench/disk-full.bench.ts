/**
 * The disk of a whole box is filled to the last byte, and gets room again without a restart. What was acknowledged must
 * be there once, what was not must have been refused in words, an alert must be open within seconds, and every place
 * that writes must go on by itself.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkFileSites, type FileOutcome } from './disk/files.ts';
import { type Site, START_MS, sitesOf } from './disk/sites.ts';
import { canMount, mayMount, mountSmallDisk, runInNamespace, type SmallDisk } from './disk/small-disk.ts';
import { makeDevices, makeKey, makeSite, type RunningBox, readMetrics, readStored, startBox } from './load/box.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'the disk is full at every place that writes: --rounds 1 --megabytes 600 (needs unshare and mount)';

const ALARM_WITHIN_MS = 60_000;
const RECOVER_WITHIN_MS = 90_000;
const DRAIN_WITHIN_MS = 90_000;
const WHILE_FULL = 6;
const ANSWER_WITHIN_MS = 10_000;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  if (mayMount()) return runInside(options, progress);
  if (!canMount()) throw new Error('no small disk can be mounted here: unshare and mount are not allowed');
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const bench = join(import.meta.dirname, 'bench.ts');
  const lines = await runInNamespace(['--disable-warning=ExperimentalWarning', bench, 'disk-full', ...args], (line) => {
    if (!line.startsWith('{')) progress(line);
  });
  const { bench: _, ...result } = JSON.parse(lines.at(-1)!) as BenchResult & { bench: string };
  return result;
}

async function runInside(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const rounds = Number(options.rounds ?? 1);
  const disk = mountSmallDisk(Number(options.megabytes ?? 600));
  const home = join(disk.dir, 'home');
  const settings = {
    ...{ LUNA_DISK_LOW_BYTES: String(48 * 2 ** 20), LUNA_DISK_FULL_BYTES: String(16 * 2 ** 20) },
    LUNA_JOURNAL_SEGMENT_BYTES: String(2 ** 20),
  };
  const sent = { http: new Set<number>(), mqtt: new Set<number>() };
  let box: RunningBox | null = null;
  try {
    box = await startBox(home, settings);
    const key = await makeKey(home);
    await makeSite(box.url, key);
    const [device] = await makeDevices(home, 1, 'disk');
    const { sites, close } = sitesOf(home, key, device!, box, sent);
    let alarm_max_s = 0;
    let recovered = true;
    let n = 0;
    progress(`the box runs, ${sites.length} places write`);
    for (let round = 0; round < rounds; round++) {
      for (const site of sites) await expectDone(site, n++);
      disk.fill();
      alarm_max_s = Math.max(alarm_max_s, await whileFull(box, key, sites, n, progress));
      n += WHILE_FULL * sites.length;
      disk.makeRoom();
      recovered = (await recover(sites, n, progress)) && recovered;
      n += 1000;
    }
    await close();
    const corrupted = await faultsAfter(box, key, device!.meter, sent, progress);
    await box.stop();
    box = await startBox(home, settings);
    const after = await faultsAfter(box, key, device!.meter, sent, progress);
    const files: FileOutcome[] = [];
    await checkFileSites((outcome) => {
      files.push(outcome);
      progress(`${outcome.site}: ${outcome.faults.join('; ') || 'kept its promise'}`);
    });
    return {
      sites: sites.length + files.length,
      corrupted: corrupted + after + files.filter(({ faults }) => faults.length > 0).length,
      alarm_max_s: Number(alarm_max_s.toFixed(1)),
      recovered,
    };
  } catch (error) {
    progress(box?.output() ?? 'no box');
    throw error;
  } finally {
    await endAll(box, disk);
  }
}

async function endAll(box: RunningBox | null, disk: SmallDisk): Promise<void> {
  disk.makeRoom();
  await box?.stop();
  disk.end();
}

/** Whoever writes gets an answer in bounded time, whatever it is. */
async function within(site: Site, n: number): Promise<'done' | 'refused' | 'no answer'> {
  const late = new Promise<'no answer'>((done) => setTimeout(() => done('no answer'), ANSWER_WITHIN_MS).unref());
  const written = site.write(n);
  written.catch(() => {});
  return Promise.race([written, late]);
}

async function expectDone(site: Site, n: number): Promise<void> {
  if ((await within(site, n)) !== 'done') throw new Error(`${site.name} was refused although there is room`);
}

/** Writes everywhere again and again. @returns seconds until the alert was open */
async function whileFull(
  box: RunningBox,
  key: string,
  sites: readonly Site[],
  first: number,
  progress: (line: string) => void,
): Promise<number> {
  const begun = performance.now();
  const alarmed = untilTrue(ALARM_WITHIN_MS, () => hasAlert(box, key)).then((ok) => {
    if (!ok) throw new Error('no alert says that the disk is full');
    return (performance.now() - begun) / 1000;
  });
  alarmed.catch(() => {});
  const outcomes = new Map<string, number>();
  for (let n = 0; n < WHILE_FULL; n++)
    for (const [index, site] of sites.entries()) {
      const asked = performance.now();
      const outcome = await within(site, first + n * sites.length + index);
      const took_s = (performance.now() - asked) / 1000;
      if (took_s > 5) progress(`${site.name} took ${took_s.toFixed(1)} s: ${outcome}`);
      const name = `${site.name}: ${outcome}`;
      outcomes.set(name, (outcomes.get(name) ?? 0) + 1);
      await sleep(50);
    }
  const alarm_s = await alarmed;
  progress(
    `alert after ${alarm_s.toFixed(1)} s; ${[...outcomes].map(([name, count]) => `${name} ${count}`).join(', ')}`,
  );
  return alarm_s;
}

async function hasAlert({ url }: RunningBox, key: string): Promise<boolean> {
  const answer = await fetch(`${url}/api/v1/alerts?open=true`, { headers: { authorization: `Bearer ${key}` } });
  if (!answer.ok) return false;
  const { alerts } = (await answer.json()) as { alerts: { kind: string }[] };
  return alerts.some(({ kind }) => kind === 'disk_full');
}

/** Every place takes something again, without a restart. */
async function recover(sites: readonly Site[], first: number, progress: (line: string) => void): Promise<boolean> {
  const begun = performance.now();
  let n = first;
  for (const site of sites) {
    const ok = await untilTrue(RECOVER_WITHIN_MS, async () => (await within(site, n++)) === 'done');
    if (!ok) {
      progress(`${site.name} did not recover`);
      return false;
    }
  }
  progress(`everything goes on ${((performance.now() - begun) / 1000).toFixed(1)} s after there was room`);
  return true;
}

/** @returns readings that were acknowledged and are not stored as they were sent, books that do not come out even, and parts that are not well */
async function faultsAfter(
  box: RunningBox,
  key: string,
  meter: string,
  sent: { http: Set<number>; mqtt: Set<number> },
  progress: (line: string) => void,
): Promise<number> {
  const drained = await untilTrue(DRAIN_WITHIN_MS, async () => {
    const metric = await readMetrics(box.url, key);
    return metric('luna_readings_received') > 0 && metric('luna_drain_lag_records') === 0;
  });
  await sleep(1200);
  const stored = new Map(
    (await readStored(box.url, key, meter, START_MS, START_MS + 1e8)).map((one) => [one.at_ms, one.value]),
  );
  const lost = [
    ...[...sent.http].filter((n) => stored.get(START_MS + n * 1000) !== n),
    ...[...sent.mqtt].filter((n) => stored.get(START_MS + n * 1000 + 500) !== n),
  ];
  const metric = await readMetrics(box.url, key);
  const missing = metric('luna_readings_missing');
  const quarantined = metric('luna_journal_quarantined_segments');
  const ready = (await fetch(`${box.url}/readyz`)).ok;
  progress(
    `${sent.http.size + sent.mqtt.size} acknowledged, ${lost.length} lost, ${missing} missing in the books, ${quarantined} segments set aside`,
  );
  return lost.length + Math.abs(missing) + quarantined + (drained ? 0 : 1) + (ready ? 0 : 1);
}

async function untilTrue(limit_ms: number, done: () => Promise<boolean>): Promise<boolean> {
  for (const end = performance.now() + limit_ms; performance.now() < end; await sleep(200))
    if (await done()) return true;
  return false;
}
