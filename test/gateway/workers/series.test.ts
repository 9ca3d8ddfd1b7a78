import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileJournal, openJournal } from '../../../connectors/journal/journal.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import { erasureOf } from '../../../engine/model/erasure.ts';
import { Quality } from '../../../engine/model/quality.ts';
import type { Reading } from '../../../engine/model/reading.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { openSeriesWorker, type WorkerSeries } from '../../../gateway/series.ts';
import { until as waitUntil } from '../../setup/until.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');
const ALL = { from_ms: T0 - 1e9, to_ms: T0 + 1e12 };

describe('series worker', () => {
  let dir: string;
  let journal: FileJournal;
  let series: WorkerSeries;

  const openBoth = async () => {
    journal = await openJournal({ dir: join(dir, 'journal'), max_bytes: 1e9, segment_bytes: 1e6 });
    series = await openSeriesWorker({
      store: { kind: 'duckdb', file: join(dir, 'series.duckdb'), memory: '256MB' },
      journal_dir: join(dir, 'journal'),
      durable: journal.durable,
      released_seq: journal.stats().released_seq,
      slots_every_ms: 50,
    });
  };
  const start = async () => {
    series.drain.start();
    await series.ready(10_000);
  };
  const push = async (readings: Partial<Reading>[]) => {
    const full = readings.map((one) => ({
      meter: 'm',
      quantity: 'import_kWh',
      at_ms: T0,
      value: 0,
      quality: 0,
      ...one,
    }));
    await journal.append([{ tenant: 'a', source: 'test', device: null, received_ms: Date.now(), readings: full }]);
    series.drain.notify();
  };
  const until = (what: () => Promise<boolean> | boolean, limit_ms = 20_000) => waitUntil(what, 'the store', limit_ms);
  const slots = (quantity = 'import_kWh', meter = 'm') => series.slots.read('a', { meter, quantity, ...ALL });

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'luna-series-'));
    await openBoth();
  });
  afterEach(async () => {
    await series.close();
    await journal.close();
    rmSync(dir, { recursive: true, force: true });
  });

  it('rejects at once until it is started, then serves', async () => {
    await expect(series.ping()).rejects.toThrow(UnavailableError);
    await start();
    await series.ping();
  });

  it('drains what is durable, says so, and computes slots of history', async () => {
    const applied: number[] = [];
    series.drain.onApplied((seq) => applied.push(seq));
    await push([0, 1, 2, 3, 4].map((n) => ({ at_ms: T0 + n * SLOT_MS, value: 10 + n })));
    expect(series.drain.lag()).toBe(1);
    await start();
    await until(() => applied.at(-1) === 1);
    expect(series.drain.lag()).toBe(0);
    await until(async () => (await slots()).at_ms.length >= 4);
    expect([...(await slots()).values].slice(0, 4)).toEqual([1, 1, 1, 1]);
    await push([{ at_ms: T0 + 2 * SLOT_MS, value: 12.5 }]);
    await until(async () => (await slots()).values[1] === 1.5);
    expect([...(await slots()).values].slice(0, 4)).toEqual([1, 1.5, 0.5, 1]);
  });

  it('erases in the order of the journal: what came before goes, also what had not been drained, and what came later stays', async () => {
    const erase = async (tenant: string, meters: string[] | null) => {
      await journal.append([erasureOf(tenant, meters, Date.now())]);
      series.drain.notify();
    };
    const shown = async (meter: string) => [
      ...(await series.readings.read('a', { meter, quantity: 'import_kWh', ...ALL })).values,
    ];
    const drainedTo = (seq: number) => until(async () => (await series.readings.cursor()) === seq);
    // All of it before the first drain: as after a restore.
    await push([{ value: 1 }, { value: 2, meter: 'other' }]);
    await erase('b', null);
    await erase('a', ['m']);
    await push([{ at_ms: T0 + 1, value: 3 }]);
    await start();
    await drainedTo(4);
    expect([await shown('m'), await shown('other')]).toEqual([[3], [2]]);
    await push([{ at_ms: T0 + 2, value: 4 }]);
    await erase('a', ['m']);
    await drainedTo(6);
    expect([await shown('m'), await shown('other')]).toEqual([[], [2]]);
    await erase('a', null);
    await drainedTo(7);
    expect(await shown('other')).toEqual([]);
    expect(series.drain.state()).toMatchObject({ doubled: 0, counts: { test: { stored: 4, dead: 0 } } });
  });

  it('computes a late reading as if it had come in time', async () => {
    await start();
    const hour = 4 * SLOT_MS;
    await push([
      { at_ms: T0, value: 0 },
      { at_ms: T0 + 10 * hour, value: 10 },
    ]);
    const range = { meter: 'm', quantity: 'import_kWh', ...ALL };
    await until(async () => (await series.slots.spans('a', range)).length === 1);
    await push([{ at_ms: T0 + 5 * hour, value: 4 }]);
    await until(async () => (await series.slots.spans('a', range)).length === 2);
    expect((await series.slots.spans('a', range)).map((span) => span.value)).toEqual([4, 6]);
    await push([1, 2, 3, 4].map((n) => ({ at_ms: T0 + n * hour, value: n * 0.8 })));
    await until(async () => (await series.slots.spans('a', range)).length === 1);
    const sum = (await slots()).values.reduce((total, value) => total + (Number.isNaN(value) ? 0 : value), 0);
    expect(sum).toBeCloseTo(4, 9);
  });

  it('gives live readings their slots within seconds', async () => {
    await start();
    const now = Date.now();
    await push([0, 1, 2].map((n) => ({ quantity: 'power_W', at_ms: now - 2000 + n * 1000, value: 500 })));
    await until(async () => (await slots('power_W')).at_ms.length > 0, 5_000);
    expect([...(await slots('power_W')).values].every((value) => Math.abs(value - 500) < 1e-9)).toBe(true);
  });

  it('makes energy from power where there is no register, by the role of the meter point', async () => {
    series.drain.setRoles([{ tenant: 'a', meter: 'pv', role: 'generation' }]);
    await start();
    const minutes = Array.from({ length: 61 }, (_, n) => ({
      quantity: 'power_W',
      at_ms: T0 + n * 60_000,
      value: 4000,
    }));
    await push(minutes.map((one) => ({ ...one, meter: 'pv' })));
    await push(minutes);
    await until(async () => (await slots('export_kWh', 'pv')).at_ms.length >= 4);
    await until(async () => (await slots('import_kWh', 'm')).at_ms.length >= 4);
    const made = await slots('export_kWh', 'pv');
    expect(made.values[1]).toBeCloseTo(1, 9);
    expect(made.quality[1]! & Quality.FROM_POWER).toBeTruthy();
    expect((await slots('export_kWh', 'm')).at_ms).toHaveLength(0);
    series.drain.setRoles([{ tenant: 'a', meter: 'pv', role: 'load' }]);
    await until(async () => (await slots('import_kWh', 'pv')).values[1] !== undefined);
    expect((await slots('import_kWh', 'pv')).values[1]).toBeCloseTo(1, 9);
    expect((await slots('export_kWh', 'pv')).at_ms).toHaveLength(0);
  });

  it('answers a repair when the slots have it', async () => {
    await start();
    await push([0, 1, 2].map((n) => ({ at_ms: T0 + n * SLOT_MS, value: 10 + n })));
    await until(async () => (await slots()).at_ms.length >= 2);
    const repair = { meter: 'm', quantity: 'import_kWh', at_ms: T0 + SLOT_MS, by: 'ada' };
    await series.readings.repair('a', [{ ...repair, value: 11.5 }]);
    expect([...(await slots()).values].slice(0, 2)).toEqual([1.5, 0.5]);
    await series.readings.repair('a', [{ ...repair, value: undefined }]);
    expect([...(await slots()).values].slice(0, 2)).toEqual([1, 1]);
  });

  it('goes on where it stood after a restart, slots included', async () => {
    await start();
    await push([0, 1].map((n) => ({ at_ms: T0 + n * SLOT_MS, value: n })));
    await until(() => series.drain.lag() === 0);
    await series.close();
    await journal.close();
    await openBoth();
    await push([{ at_ms: T0 + 2 * SLOT_MS, value: 2 }]);
    await start();
    await until(async () => [...(await slots()).values].filter((value) => value === 1).length === 2);
    expect(await series.readings.cursor()).toBe(2);
  });

  it('says so when the store knows less than the journal has released', async () => {
    await start();
    for (let n = 0; n < 3; n++) await push([{ at_ms: T0 + n, value: n }]);
    await until(() => series.drain.lag() === 0);
    await series.close();
    await journal.release(3);
    await journal.close();
    rmSync(join(dir, 'series.duckdb'));
    await openBoth();
    await start();
    expect(series.drain.state().recovery).toMatch(/up to record 0 only, though it had taken up to 3/);
  });

  it('counts anew when the journal was lost', async () => {
    await start();
    for (let n = 0; n < 3; n++) await push([{ at_ms: T0 + n, value: n }]);
    await until(() => series.drain.lag() === 0);
    await series.close();
    await journal.close();
    rmSync(join(dir, 'journal'), { recursive: true });
    await openBoth();
    await start();
    await push([{ at_ms: T0 + 9, value: 9 }]);
    const read = () => series.readings.read('a', { meter: 'm', quantity: 'import_kWh', ...ALL });
    await until(async () => series.drain.state().up && (await read()).at_ms.length === 4);
  });
});
