/** Meters' data of many days in the stores of a box, lost and brought back. Shared by the test and the bench. */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { drained } from '../../bench/load/compare.ts';
import { startBox } from '../../setup/box.ts';
import { openRig, openStores, type Rig, T0 } from './rig.ts';

/** `quantities`: how many each meter has, of QUANTITIES. */
export type YearOptions = { meters: number; days: number; quantities: number; every_ms: number; seed: number };
export type YearResult = {
  backup_s: number;
  /** From the order to restore until a page is answered and everything is in the series store: the three that follow. */
  rto_s: number;
  restore_s: number;
  /** From the start of the box to its first page. */
  page_s: number;
  drain_s: number;
  backup_mb: number;
  rpo_s: number;
  rows: number;
  mismatched: number;
};

const SLOTS_A_DAY = 96;
const DAYS_AT_ONCE = 5;
const LIVE_MS = 50;
const ROUNDS = 2;

/** `mismatched` counts series (a quantity of a meter). Fills, backs up, goes on writing while the backup is continued, loses the home, restores, starts the box and compares each value. */
export async function loseAYear(options: YearOptions, progress: (line: string) => void): Promise<YearResult> {
  const rig = await openRig();
  let open = true;
  try {
    await fill(rig, options, progress);
    const { took_s: backup_s, value: made } = await timed(() => rig.backup());
    progress(`backup of ${made.summary.rows} rows in ${backup_s.toFixed(1)} s`);
    const acknowledged = await goOn(rig, options.every_ms);
    const lost_at_ms = Date.now();
    await rig.close();
    open = false;
    await rm(rig.home, { recursive: true, force: true });
    const { took_s: restore_s, value: report } = await timed(() => rig.restore('home'));
    progress(`restored ${report.rows} rows in ${restore_s.toFixed(1)} s`);
    const { page_s, drain_s } = await runAgain(rig.home);
    progress(`first page after ${page_s.toFixed(1)} s, drained ${drain_s.toFixed(1)} s later`);
    const { mismatched, live } = await compare(rig.home, options);
    const lost = acknowledged.slice(live.length);
    const kept = live.every((value, n) => value === n) && live.length <= acknowledged.length;
    return {
      ...{ backup_s: rounded(backup_s), rto_s: rounded(restore_s + page_s + drain_s), restore_s: rounded(restore_s) },
      ...{ page_s: rounded(page_s), drain_s: rounded(drain_s), backup_mb: rounded(made.summary.bytes / 1e6) },
      rpo_s: lost.length === 0 ? 0 : rounded((lost_at_ms - lost[0]!) / 1000),
      rows: report.rows,
      mismatched: mismatched + (kept ? 0 : 1),
    };
  } finally {
    if (open) await rig.close();
    await rm(rig.root, { recursive: true, force: true });
  }
}

/** The box itself, as people start it. */
async function runAgain(home: string): Promise<{ page_s: number; drain_s: number }> {
  const begun = performance.now();
  const box = await startBox({ LUNA_BACKUP_AT: 'off', LUNA_PRICE_SOURCES: '' }, home);
  try {
    const page = await fetch(`${box.url}/sign-in`);
    if (page.status !== 200 || !(await page.text()).includes('</html>'))
      throw new Error(`the page said ${page.status}`);
    const page_ms = performance.now();
    const { key } = await box.lunaJson<{ key: string }>('key', 'create', '--role', 'admin');
    await drained(box.url, key, 600);
    return { page_s: (page_ms - begun) / 1000, drain_s: (performance.now() - page_ms) / 1000 };
  } finally {
    await box.stop();
  }
}

const QUANTITIES = [
  'power_W',
  'import_kWh',
  'export_kWh',
  'voltage_V',
  'current_A',
  'frequency_Hz',
  'reactive_power_var',
];
const seriesOf = ({ meters, quantities }: YearOptions) =>
  Array.from({ length: meters }, (_, m) =>
    QUANTITIES.slice(0, quantities).map((quantity, q) => ({
      meter: meterOf(m),
      quantity,
      n: m * QUANTITIES.length + q,
    })),
  ).flat();
const meterOf = (n: number) => `meter-${n}`;
/** A curve that any number of series and slots tells apart. */
const curveAt = (seed: number, series: number, slot: number) =>
  Math.round(1000 * Math.sin((slot + seed) / 15.3) + series * 7.5 + (slot % 13));

/** As the drain does it, with slots; the journal counts from there. */
async function fill({ series, journal }: Rig, options: YearOptions, progress: (line: string) => void): Promise<void> {
  const { days, seed } = options;
  let seq = 0;
  for (let day = 0; day < days; day += DAYS_AT_ONCE) {
    const first = day * SLOTS_A_DAY;
    const count = Math.min(DAYS_AT_ONCE, days - day) * SLOTS_A_DAY;
    const curves = seriesOf(options).map((one) => ({
      ...one,
      values: Float64Array.from({ length: count }, (_, slot) => curveAt(seed, one.n, first + slot)),
    }));
    const at_ms = Float64Array.from({ length: count }, (_, n) => T0 + (first + n) * SLOT_MS);
    const common = { tenant: 'acme', source: 'test', device: null, received_ms: T0 };
    await series.readings.append(
      curves.map(({ meter, quantity, values }) => ({
        ...{ ...common, seq: ++seq },
        readings: [...values].map((value, n) => ({
          meter,
          quantity,
          at_ms: at_ms[n]!,
          value,
          quality: 0,
        })),
      })),
    );
    await series.slots.replaceMany(
      curves.map(({ meter, quantity, values }) => ({
        tenant: 'acme',
        range: { meter, quantity, from_ms: at_ms[0]!, to_ms: at_ms.at(-1)! + SLOT_MS },
        slots: { at_ms, values, quality: new Int32Array(count) },
        spans: [],
      })),
    );
    if (day % 50 === 0) progress(`day ${day} of ${days}`);
  }
  // As in a box that has computed them.
  await series.dirty.done(await series.dirty.list());
  await journal.release(seq);
}

/** Readings go on, and the backup is continued every so often; it ends right before the next time, which is the worst. */
async function goOn(rig: Rig, every_ms: number): Promise<number[]> {
  const acknowledged: number[] = [];
  const write = async (more: () => boolean) => {
    for (; more(); await sleep(LIVE_MS)) {
      await rig.record('live', T0 + acknowledged.length * 1000, [acknowledged.length]);
      acknowledged.push(Date.now());
    }
  };
  for (let n = 1; n <= ROUNDS; n++) {
    let copying = true;
    const copied = rig.round().finally(() => {
      copying = false;
    });
    await write(() => copying);
    await copied;
    const until = Date.now() + every_ms;
    await write(() => Date.now() < until);
  }
  return acknowledged;
}

async function compare(home: string, options: YearOptions) {
  const { days, seed } = options;
  await stat(join(home, 'series.duckdb'));
  const there = await openStores(home);
  try {
    await there.drain();
    let mismatched = 0;
    for (const { meter, quantity, n } of seriesOf(options)) {
      const range = { meter, quantity, from_ms: 0, to_ms: 1e15 };
      const [{ values }, slots] = [
        await there.series.readings.read('acme', range),
        (await there.series.slots.read('acme', range)).values,
      ];
      const right = (list: Float64Array) =>
        list.length === days * SLOTS_A_DAY && list.every((value, slot) => value === curveAt(seed, n, slot));
      if (!right(values) || !right(slots)) mismatched++;
    }
    return { mismatched, live: await there.values('live') };
  } finally {
    await there.close();
  }
}

async function timed<T>(work: () => Promise<T>): Promise<{ took_s: number; value: T }> {
  const begun = performance.now();
  const value = await work();
  return { took_s: (performance.now() - begun) / 1000, value };
}
const rounded = (value: number) => Math.round(value * 100) / 100;
