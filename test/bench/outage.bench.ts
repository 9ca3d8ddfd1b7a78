/**
 * The series store is gone for hours while meters send, then comes back. Every reading must be in it, once; the box must
 * stay small, show live values and say what is the case; and it must catch up much faster than readings come in.
 * What the meters would have sent is written into the journal by its own writer, at full speed.
 */
import { readFile } from 'node:fs/promises';
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
import { quantile } from './load/protocol.ts';
import type { BenchOptions, BenchResult } from './options.ts';
import { isRegister, type Outage, registerAt, writeJournal } from './outage/plant.ts';
import { type OutageStore, openDuckDbOutage, openQuestDbOutage } from './outage/stores.ts';

export const about = 'the series store away for long: --hours 2 --rate 200 --seed 1 (--series duckdb|questdb)';

/** Live readings must reach the pages while the store is away. */
const LIVE_WITHIN_MS = 5_000;
const PAGE_EVERY_MS = 250;
/** The slots of what was drained follow within this, or the whole at fifteen times real time. */
const SLOTS_WITHIN_MS = 300_000;
const SLOTS_SHARE = 1 / 15;
/** Seldom: the box answers questions before it goes on computing. */
const SLOTS_LOOK_MS = 2_000;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const hours = Number(options.hours ?? 2);
  const rate = Number(options.rate ?? 200);
  const seed = Number(options.seed ?? 1);
  const home = await makeHome();
  const store = options.series === 'questdb' ? await openQuestDbOutage() : await openDuckDbOutage(home);
  let box: RunningBox | null = null;
  try {
    box = await startBox(home, store.settings);
    const key = await makeKey(home);
    await makeSite(box.url, key);
    const devices = await makeDevices(home, rate, 'outage');
    await box.stop();
    const seconds = Math.round(hours * 3600);
    const meters = devices.map(({ meter }) => meter);
    const outage: Outage = { meters, seed, seconds, from_ms: Date.now() - (seconds + 3600) * 1000 };
    const journal_bytes = await writeJournal(home, outage, (share) => progress(`${Math.round(100 * share)} % written`));
    await store.goAway();
    box = await startBox(home, store.settings);
    progress(
      `the box started in ${box.start_s.toFixed(2)} s with ${Math.round(journal_bytes / 1e6)} MB in the journal`,
    );
    const site = { box, key, outage };
    const extra = await lookWhileAway(site, progress);
    const { drain_s, now_p95_ms } = await drain(site, store, progress);
    const rss_max_mb = await peak_MB(box.pid);
    await checkBooks(site, extra);
    await box.stop();
    box = null;
    const sent = rate * seconds + extra;
    const { rows, instants } = await store.count();
    return {
      ...{ hours, readings: sent, lost: Math.max(0, sent - instants), duplicated: rows - instants },
      ...{ rss_max_mb: Math.round(rss_max_mb), drain_x_realtime: Number((seconds / drain_s).toFixed(1)) },
      ...{ journal_mb: Math.round(journal_bytes / 1e6), now_p95_ms },
    };
  } catch (error) {
    progress(box?.output() ?? 'no box');
    throw error;
  } finally {
    await box?.kill();
    await store.end();
    await removeHome(home);
  }
}

type Site = { box: RunningBox; key: string; outage: Outage };

const authorized = (key: string) => ({ authorization: `Bearer ${key}` });

async function page({ box, key }: Site, path: string): Promise<string> {
  const answer = await fetch(box.url + path, { headers: authorized(key), redirect: 'manual' });
  if (answer.status !== 200) throw new Error(`${path} answered ${answer.status} while the store was away`);
  return answer.text();
}

/** Live values, the words on the pages and on Health. @returns how many readings were sent for it */
async function lookWhileAway(site: Site, progress: (line: string) => void): Promise<number> {
  const { box, key, outage } = site;
  // A power meter where there is one: its value stands on the list as it was sent.
  const meter = outage.meters[1] ?? outage.meters[0]!;
  const readings = [{ meter, at: new Date().toISOString(), power_W: 4321 }];
  const headers = { ...authorized(key), 'content-type': 'application/json' };
  const posted = await fetch(`${box.url}/api/v1/readings`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ readings }),
  });
  if (!posted.ok) throw new Error(`a reading was refused: ${posted.status} ${await posted.text()}`);
  const begun = performance.now();
  await until('the live value', LIVE_WITHIN_MS, async () =>
    /4[.,]321?\s*kW|4[.,]3\d?(&nbsp;|\s)*kW/.test(await page(site, '/meters')),
  );
  const live_ms = performance.now() - begun;
  for (const path of ['/', '/meters'])
    await until(`the words on ${path}`, 30_000, async () => (await page(site, path)).includes('Nothing is lost'));
  const health = await page(site, '/admin/health');
  if (!/wait in the journal; nothing is lost/.test(health)) throw new Error('Health does not say what waits');
  const waiting = outage.meters.length * outage.seconds + 1;
  // The metrics are told once a second.
  await until(`${waiting} readings to be said to wait`, 5000, async () => {
    const metric = await readMetrics(box.url, key);
    return metric('luna_readings_waiting') === waiting;
  });
  progress(`${waiting} readings wait; a live value was on the page after ${Math.round(live_ms)} ms`);
  return 1;
}

/** Until every reading is stored and the slots of the registers are right; the Now page is looked at meanwhile. */
async function drain(
  site: Site,
  store: OutageStore,
  progress: (line: string) => void,
): Promise<{ drain_s: number; now_p95_ms: number }> {
  const { box, key, outage } = site;
  await store.comeBack();
  // The box tries again every half a minute at most.
  await until('the store to come back', 90_000, async () => {
    const metric = await readMetrics(box.url, key);
    return metric('luna_readings_waiting') < outage.meters.length * outage.seconds;
  });
  const begun = performance.now();
  const took: number[] = [];
  let told = 0;
  for (;;) {
    const asked = performance.now();
    await page(site, '/');
    took.push(performance.now() - asked);
    const waiting = (await readMetrics(box.url, key))('luna_readings_waiting');
    if (waiting === 0) break;
    if (performance.now() - told > 30_000) {
      told = performance.now();
      progress(`${waiting} readings wait, ${Math.round(await peak_MB(box.pid))} MB`);
    }
    await sleep(PAGE_EVERY_MS);
  }
  const stored_s = (performance.now() - begun) / 1000;
  progress(`stored after ${stored_s.toFixed(1)} s`);
  const slots_ms = Math.max(SLOTS_WITHIN_MS, outage.seconds * 1000 * SLOTS_SHARE);
  await until('the slots', slots_ms, () => slotsAreRight(site), SLOTS_LOOK_MS);
  const drain_s = (performance.now() - begun) / 1000;
  const p95 = quantile(
    took.sort((a, b) => a - b),
    0.95,
  );
  const per_s = Math.round((outage.meters.length * outage.seconds) / drain_s);
  progress(
    `stored after ${stored_s.toFixed(1)} s, slots after ${drain_s.toFixed(1)} s: ${per_s} readings/s; Now page p95 ${Math.round(p95)} ms`,
  );
  return { drain_s, now_p95_ms: Math.round(p95) };
}

/** The energy of every register over the whole outage, as the box gives it from its slots. */
async function slotsAreRight({ box, key, outage }: Site): Promise<boolean> {
  const { from_ms, seconds, seed } = outage;
  for (const [index, meter] of outage.meters.entries()) {
    if (!isRegister(index) || index % 20 !== 0) continue;
    const query = new URLSearchParams({
      ...{ meters: meter, quantity: 'import_kWh', resolution: 'hour' },
      ...{
        from: new Date(from_ms - 3_600_000).toISOString(),
        to: new Date(from_ms + (seconds + 3600) * 1000).toISOString(),
      },
    });
    const answer = await fetch(`${box.url}/api/v1/data/totals?${query}`, { headers: authorized(key) });
    if (!answer.ok) throw new Error(`the energy of ${meter}: ${answer.status} ${await answer.text()}`);
    const { meters } = (await answer.json()) as { meters: { values: (number | null)[] }[] };
    const sum = (meters[0]?.values ?? []).reduce<number>((total, value) => total + (value ?? 0), 0);
    const expected = registerAt(seed, index, seconds - 1) - registerAt(seed, index, 0);
    if (Math.abs(sum - expected) > 1e-6 * expected) return false;
  }
  return true;
}

/** The books must come out even, with every reading that was sent in them. */
async function checkBooks({ box, key, outage }: Site, extra: number): Promise<void> {
  const metric = await readMetrics(box.url, key);
  const sent = outage.meters.length * outage.seconds + extra;
  const [received, stored, missing] = ['received', 'stored', 'missing'].map((name) => metric(`luna_readings_${name}`));
  if (received !== sent || stored !== sent || missing !== 0)
    throw new Error(`${sent} sent, but the books say ${received} received, ${stored} stored, ${missing} missing`);
}

/** The most memory that the process of the box ever had, its threads included. */
async function peak_MB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

async function until(what: string, limit_ms: number, done: () => Promise<boolean>, every_ms = 200): Promise<void> {
  for (const end_ms = performance.now() + limit_ms; !(await done()); await sleep(every_ms))
    if (performance.now() > end_ms) throw new Error(`waited in vain for ${what}`);
}
