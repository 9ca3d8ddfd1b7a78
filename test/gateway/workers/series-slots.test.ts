import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { DrainedSeries } from '../../../connectors/series/store.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { createSlotKeeper } from '../../../gateway/workers/series-slots.ts';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-06-10T12:00:00Z');
const OLD = NOW - 40 * DAY_MS;
const ALL = { meter: 'm', quantity: 'import_kWh', from_ms: 0, to_ms: NOW + DAY_MS };
let dir: string;
let store: DrainedSeries;
let seq = 0;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'luna-slots-'));
  store = await openDuckDbSeries({ file: join(dir, 'series.duckdb'), memory: '256MB' });
});
afterEach(async () => {
  await store.close();
  rmSync(dir, { recursive: true, force: true });
});

async function append(readings: readonly (readonly [at_ms: number, value: number])[]) {
  const full = readings.map(([at_ms, value]) => ({ meter: 'm', quantity: 'import_kWh', at_ms, value, quality: 0 }));
  const group = { tenant: 'a', source: 'test', device: null, received_ms: NOW, readings: full, seq: ++seq };
  return (await store.readings.append([group])).touched;
}
const quarters = (from_ms: number, count: number, kWh = 1000) =>
  Array.from({ length: count }, (_, i) => [from_ms + i * SLOT_MS, kWh + i] as const);

it('a late reading of a time whose readings are gone changes no slot that was kept', async () => {
  const keeper = createSlotKeeper(store, 10, () => NOW - 30 * DAY_MS);
  await keeper.now(await append(quarters(OLD, 60)), NOW);
  const before = await store.slots.read('a', ALL);
  expect([...before.values].slice(0, 59)).toEqual(new Array(59).fill(1));
  await store.prune({
    ...{ readings_before_ms: NOW - 30 * DAY_MS, slots_before_ms: null, prices_before_ms: null },
    forecasts_before_ms: null,
  });
  await keeper.now(await append([[OLD + 20.5 * SLOT_MS, 1020.4]]), NOW);
  await keeper.now(await append([[OLD + 40.5 * SLOT_MS, 1040.4]]), NOW);
  expect(await store.slots.read('a', ALL)).toEqual(before);
  expect(await store.slots.spans('a', ALL)).toEqual([]);
});

it('history older than the readings that are kept still gets its slots', async () => {
  const keeper = createSlotKeeper(store, 10, () => NOW - 30 * DAY_MS);
  await keeper.now(await append(quarters(OLD, 10)), NOW);
  await keeper.now(await append(quarters(OLD + 10 * SLOT_MS, 10, 1010)), NOW);
  const { values } = await store.slots.read('a', ALL);
  expect([...values].slice(0, 19)).toEqual(new Array(19).fill(1));
});

it('the rating of a device tells a jump that a larger meter could have counted', async () => {
  const keeper = createSlotKeeper(store, 10);
  await keeper.setRoles([{ tenant: 'a', meter: 'm', role: 'load', rated_power_W: 2500 }]);
  const steps = [0.02, 0.02, 0.02, 0.02, 9, 0.02, 0.02, 0.02];
  const count = (until: number) => steps.slice(0, until + 1).reduce((kWh, step) => kWh + step, 5);
  const readings = steps.map((_, i) => [NOW - (8 - i) * SLOT_MS, count(i)] as const);
  const [changed] = await keeper.now(await append(readings), NOW);
  expect(changed?.events).toMatchObject([{ kind: 'jump' }]);
  const { values } = await store.slots.read('a', ALL);
  expect(values.reduce((sum, value) => sum + (Number.isNaN(value) ? 0 : value), 0)).toBeLessThan(0.2);
});
