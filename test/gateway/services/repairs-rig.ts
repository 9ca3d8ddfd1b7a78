/** A tenant with a counter, a power meter and an interval meter, over the real database and the real series worker. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { openJournal } from '../../../connectors/journal/journal.ts';
import type { Reading } from '../../../engine/model/reading.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { HOUR_MS, instantOf, SLOT_MS } from '../../../engine/model/time.ts';
import type { Forecast } from '../../../engine/ports.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { openSeriesWorker } from '../../../gateway/series.ts';
import { createDataService } from '../../../gateway/services/data.ts';
import { createForecastService } from '../../../gateway/services/forecasts.ts';
import { createQualityService } from '../../../gateway/services/quality.ts';
import { createRepairService, type RepairDeps } from '../../../gateway/services/repairs.ts';
import type { Actor } from '../../../gateway/services.ts';
import forecastTask, { type ForecastTask } from '../../../gateway/workers/forecast.ts';
import { silent, type TestDatabase } from '../../setup/database.ts';

export const TZ = 'Europe/Berlin';
/** Monday; 15 days of data from here on. */
export const T0 = instantOf(TZ, 2026, 3, 2);
const DAY_MS = 24 * HOUR_MS;
const DAYS = 15;
export const NOW = T0 + DAYS * DAY_MS;
/** kWh of each quarter hour: 1 at night, 3 by day. */
export const usual = (at_ms: number) => (((at_ms - T0) % DAY_MS) / HOUR_MS >= 8 ? 3 : 1);
export const ADA = (tenant: string): Actor => ({ tenant, person: 'ada', role: 'analyst', language: 'en' });

/** A seeded household is not needed: what matters is that every value is used by somebody. */
function readingsOf(gap: { from_ms: number; to_ms: number } | null): Reading[] {
  const readings: Reading[] = [];
  let counter = 5000;
  for (let at_ms = T0; at_ms <= NOW; at_ms += SLOT_MS) {
    const energy = usual(at_ms);
    if (!gap || at_ms <= gap.from_ms || at_ms >= gap.to_ms) {
      readings.push({ meter: 'main', quantity: 'import_kWh', at_ms, value: counter, quality: 0 });
      readings.push({ meter: 'pump', quantity: 'power_W', at_ms, value: energy * 400, quality: 0 });
      const from_ms = at_ms - SLOT_MS;
      readings.push({ meter: 'hall', quantity: 'import_interval_kWh', from_ms, at_ms, value: energy / 2, quality: 0 });
    }
    counter += energy;
  }
  return readings;
}

export type RepairRig = Awaited<ReturnType<typeof openRepairRig>>;

export async function openRepairRig(
  test: TestDatabase,
  tenant: string,
  gap: { from_ms: number; to_ms: number } | null = null,
) {
  const dir = mkdtempSync(join(tmpdir(), 'luna-repairs-'));
  await test.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]));
  const journal = await openJournal({ dir: join(dir, 'journal'), max_bytes: 1e9, segment_bytes: 1e6 });
  const series = await openSeriesWorker({
    store: { kind: 'duckdb', file: join(dir, 'series.duckdb'), memory: '256MB' },
    journal_dir: join(dir, 'journal'),
    durable: journal.durable,
    released_seq: 0,
    slots_every_ms: 20,
  });
  const point = (id: string, role: MeterPoint['role']) =>
    ({
      tenant,
      id,
      site: 'works',
      name: id,
      role,
      device: null,
      channel: id,
      parent: null,
      virtual: null,
    }) as MeterPoint;
  const points = [point('main', 'grid'), point('pump', 'load'), point('hall', 'load')];
  const clock = { now: () => NOW };
  const bus = createMemoryBus({ log: silent });
  const site = {
    tenants: () => [tenant],
    get: () => ({ time_zone: TZ, currency: 'EUR' }) as never,
  };
  const meters = { list: () => points, get: (_: string, id: string) => points.find((one) => one.id === id) ?? null };
  const at_ms = Float64Array.from({ length: DAYS * 96 + 200 }, (_, i) => T0 + i * SLOT_MS);
  const columns = { at_ms, values: at_ms.map((_, i) => 0.2 + (i % 7) / 100), quality: new Int32Array(at_ms.length) };
  const sitePrices = async () => ({ currency: 'EUR', columns, sources: [], stale_since_ms: null });
  const jobs = { define: () => {}, schedule: () => {}, send: async (name: string) => void sent.push(name) };
  const sent: string[] = [];
  const alerts = { raise: async () => {}, clear: async () => {} } as never;
  const base = { clock, log: silent, bus, db: test.db, metrics: createMetrics({ defaults: false }) };
  const data = createDataService({ series, meters, sitePrices });
  const quality = createQualityService({ ...base, series, site, meters, jobs, alerts, live: { last_ms: () => NOW } });
  quality.start();
  const made: Forecast[] = [];
  const forecasts = () =>
    createForecastService({
      ...{
        ...base,
        jobs,
        site,
        tariffs: { area: () => null },
        balance: data.balance,
        market: () => Promise.reject(new Error('no market')),
      },
      forecasts: {
        write: async (_: string, one: Forecast) => void made.push(one),
        latest: async () => null,
        track: async () => ({ ...columns, at_ms: new Float64Array(0) }),
      },
      workers: {
        run: async <Output>(_: string, input: unknown) => forecastTask(input as ForecastTask) as Output,
        close: async () => {},
      },
    });
  const deps: RepairDeps = { ...base, series, meters, site, sitePrices, jobs };
  await journal.append([{ tenant, source: 'test', device: null, received_ms: NOW, readings: readingsOf(gap) }]);
  series.drain.setRoles(points.map(({ id, role }) => ({ tenant, meter: id, role })));
  series.drain.start();
  await series.ready(20_000);
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) {
    const last = { meter: 'hall', quantity: 'import_kWh', from_ms: NOW - SLOT_MS, to_ms: NOW };
    if ((await series.slots.read(tenant, last)).at_ms.length > 0 && series.drain.lag() === 0) break;
  }
  await sleep(100);
  return {
    ...{ tenant, dir, journal, series, deps, data, quality, sent },
    repairs: createRepairService(deps),
    /** All that used the values of `day` (from 0), as one text: what differs in a bit differs here. */
    async used(day: number): Promise<Record<string, unknown>> {
      const from_ms = T0 + day * DAY_MS;
      const range = { from_ms, to_ms: from_ms + DAY_MS };
      const total = async (meter: string, resolution: 'day' | 'month') => {
        const found = await data.totals(tenant, {
          meters: [meter],
          quantity: 'import_kWh',
          ...range,
          resolution,
          tz: TZ,
        });
        return [...found.rows[0]!.values];
      };
      const service = forecasts();
      made.length = 0;
      await service.refresh(tenant, 'load');
      const name = new Date(from_ms + DAY_MS / 2).toISOString().slice(0, 10);
      return {
        day_total: await total('main', 'day'),
        month_total: await total('main', 'month'),
        pump_day: await total('pump', 'day'),
        hall_day: await total('hall', 'day'),
        slots: Object.fromEntries(
          await Promise.all(
            points.map(async ({ id }) => {
              const slots = await series.slots.read(tenant, {
                meter: id,
                quantity: 'import_kWh',
                from_ms: T0,
                to_ms: NOW,
              });
              return [id, [[...slots.values], [...slots.quality]]] as const;
            }),
          ),
        ),
        cost: await data.cost(tenant, range.from_ms, range.to_ms),
        report: await quality.report(tenant, 'main', name),
        forecast_inputs: [...(await data.balance(tenant, 'load', T0, NOW)).values],
        forecast: made.map(({ points: list, model }) => ({ model, list })),
      };
    },
    /** The readings as stored, repairs over them. */
    async shown(meter: string, quantity: string): Promise<unknown> {
      const found = await series.readings.read(tenant, { meter, quantity, from_ms: T0 - 1e9, to_ms: NOW + 1e9 });
      return [[...found.at_ms], [...found.values], [...found.quality]];
    },
    async close() {
      quality.stop();
      await series.close();
      await journal.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
