import { OpenAPIHono } from '@hono/zod-openapi';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import { Quality } from '../../../engine/model/quality.ts';
import type { EnergyPrice } from '../../../engine/model/site.ts';
import { HOUR_MS, instantOf, localTime, SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns, Forecast, LunaEvent } from '../../../engine/ports.ts';
import { createForecastApi } from '../../../gateway/http/api/forecast.ts';
import { describeError, type Env, problem } from '../../../gateway/http/api.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createForecastService, type ForecastDeps } from '../../../gateway/services/forecasts.ts';
import forecastTask, { type ForecastTask } from '../../../gateway/workers/forecast.ts';
import { createWorkers } from '../../../gateway/workers/pool.ts';

const TZ = 'Europe/Berlin';
const DAY_MS = 24 * HOUR_MS;
const NOW = instantOf(TZ, 2026, 3, 28, 14, 7);
const DAY_AHEAD: EnergyPrice = { kind: 'day-ahead', area: 'DE-LU', factor: 1, fee_per_kWh: 0.1, vat_percent: 19 };

const wave = (at_ms: number) => 2000 + 1000 * Math.sin((localTime(at_ms, TZ).hour / 24) * 2 * Math.PI);
function grid(from_ms: number, to_ms: number, value: (at_ms: number) => number): Columns {
  const n = Math.max(0, (to_ms - from_ms) / SLOT_MS);
  const at_ms = Float64Array.from({ length: n }, (_, i) => from_ms + i * SLOT_MS);
  return { at_ms, values: at_ms.map(value), quality: new Int32Array(n) };
}

describe('the forecast service', () => {
  let now_ms: number;
  let written: (Forecast & { tenant: string })[];
  let events: LunaEvent[];
  let tasks: ForecastTask[];
  let since_ms: number;
  let price: EnergyPrice;
  let deps: ForecastDeps;
  let load: (at_ms: number) => number;
  let jobs: { define: string[]; schedule: string[]; sent: object[]; run?: (payload: object) => Promise<void> };

  beforeEach(() => {
    [now_ms, since_ms, price, load] = [NOW, NOW - 40 * DAY_MS, DAY_AHEAD, wave];
    [written, events, tasks] = [[], [], []];
    jobs = { define: [], schedule: [], sent: [] };
    const log = pino({ level: 'silent' });
    const bus = createMemoryBus({ log });
    bus.subscribe((event) => events.push(event));
    deps = {
      clock: { now: () => now_ms },
      log,
      metrics: createMetrics({ defaults: false }),
      bus,
      forecasts: {
        write: async (tenant, forecast) => void written.push({ tenant, ...forecast }),
        latest: async (tenant, series, at_ms) =>
          written.findLast((one) => one.tenant === tenant && one.series === series && one.made_at_ms <= at_ms) ?? null,
        track: async (tenant, series, from_ms, to_ms, lead_ms) => {
          const known = grid(from_ms, to_ms, (at) => {
            const made = written.findLast(
              (one) => one.tenant === tenant && one.series === series && one.made_at_ms <= at - lead_ms,
            );
            return made?.points.find((point) => point.at_ms === at)?.mean ?? NaN;
          });
          return known;
        },
      },
      workers: {
        run: async <Output>(_: string, input: unknown) => {
          tasks.push(input as ForecastTask);
          return forecastTask(input as ForecastTask) as Output;
        },
        close: async () => {},
      },
      jobs: {
        define: (name, handler) => {
          jobs.define.push(name);
          jobs.run = (payload) => handler(payload as never, AbortSignal.timeout(1000));
        },
        send: async (_, payload) => void jobs.sent.push(payload),
        schedule: (name) => void jobs.schedule.push(name),
      },
      site: {
        tenants: () => ['default'],
        get: (tenant) =>
          tenant === 'default'
            ? {
                tenant,
                id: 'works',
                name: 'Works',
                place: '',
                latitude: null,
                longitude: null,
                time_zone: TZ,
                country: 'DE',
                currency: 'EUR',
                demo: false,
              }
            : null,
      },
      tariffs: { area: () => (price.kind === 'day-ahead' ? price.area : null) },
      balance: async (_, kind, from_ms, to_ms) =>
        grid(from_ms, to_ms, (at) => (kind === 'load' && at >= since_ms && at < now_ms ? load(at) : NaN)),
      market: async (area, market, from_ms, to_ms) => {
        const end = instantOf(TZ, 2026, 3, 30);
        const { at_ms, values } = grid(
          Math.max(from_ms, since_ms - (since_ms % SLOT_MS)),
          Math.min(to_ms, end),
          (at) => wave(at) / 20,
        );
        return {
          area,
          market,
          currency: 'EUR',
          at_ms,
          values,
          sources: ['x'],
          fetched_ms: now_ms,
          stale_since_ms: null,
        };
      },
    };
  });

  it('makes, stores and tells a forecast of two days and to the end of tomorrow, with all it knew', async () => {
    await createForecastService(deps).refresh('default', 'load');
    const [made] = written;
    expect(made).toMatchObject({ series: 'load', unit: 'W', made_at_ms: NOW });
    expect(made!.points[0]!.at_ms).toBe(NOW - 7 * 60_000);
    expect(made!.points.at(-1)!.at_ms + SLOT_MS).toBeGreaterThanOrEqual(instantOf(TZ, 2026, 3, 30));
    expect(made!.points.at(-1)!.at_ms + SLOT_MS).toBeGreaterThanOrEqual(NOW - 7 * 60_000 + 48 * HOUR_MS);
    expect(made!.inputs_known_ms).toBe(NOW - 7 * 60_000 - SLOT_MS);
    expect(Object.keys(made!.points[0]!.quantiles)).toEqual(['0.05', '0.1', '0.25', '0.5', '0.75', '0.9', '0.95']);
    const noon = made!.points.find((point) => point.at_ms === instantOf(TZ, 2026, 3, 29, 12))!;
    expect(noon.mean).toBeCloseTo(wave(noon.at_ms), -1);
    expect(events).toContainEqual({ type: 'forecast', tenant: 'default', series: 'load' });
  });

  it("the price begins after the last published one, in the market's currency", async () => {
    await createForecastService(deps).refresh('default', 'price');
    expect(written[0]).toMatchObject({ series: 'price', unit: 'EUR/MWh' });
    expect(written[0]!.points[0]!.at_ms).toBe(instantOf(TZ, 2026, 3, 30));
    expect(written[0]!.points).toHaveLength(96);
  });

  it('says why there is none: too short a history, no meter, a fixed price', async () => {
    since_ms = NOW - 5 * HOUR_MS;
    price = { kind: 'fixed', per_kWh: 0.3, vat_percent: 19 };
    const service = createForecastService(deps);
    await service.refresh('default');
    expect(written).toEqual([]);
    expect(service.reason?.('default', 'load')).toMatch(/hours of history; at least 48/);
    expect(service.reason?.('default', 'generation')).toMatch(/No meter measures generation/);
    expect(service.reason?.('default', 'price')).toMatch(/fixed/);
  });

  it('keeps the chosen model for a day, computes once per slot, and chooses again when the history is gone', async () => {
    const service = createForecastService(deps);
    await service.refresh('default', 'load');
    await service.refresh('default', 'load');
    expect(tasks.map((task) => task.model)).toEqual([null]);
    const before = load;
    load = (at) => before(at) + (at < NOW - 39 * DAY_MS ? 100 : 0);
    await service.refresh('default', 'load');
    expect(tasks).toHaveLength(2);
    tasks.pop();
    now_ms += SLOT_MS;
    await service.refresh('default', 'load');
    now_ms += DAY_MS;
    await service.refresh('default', 'load');
    expect(tasks.map((task) => task.model)).toEqual([null, written[0]!.model, null]);
    since_ms = now_ms - 3 * DAY_MS;
    now_ms += SLOT_MS;
    await service.refresh('default', 'load');
    expect(written.at(-1)!.model).toBe('seasonal-naive/1');
  });

  it('partly measured slots count as not known', async () => {
    const whole = deps.balance;
    deps.balance = async (...args) => {
      const columns = await whole(...args);
      columns.quality[columns.quality.length - 1] = Quality.PARTIAL;
      columns.values[columns.values.length - 1] = 1e6;
      return columns;
    };
    await createForecastService(deps).refresh('default', 'load');
    expect(Math.max(...tasks[0]!.history.values.filter((value) => !Number.isNaN(value)))).toBeLessThan(4000);
    expect(written[0]!.inputs_known_ms).toBe(NOW - 7 * 60_000 - 2 * SLOT_MS);
  });

  it('scores what was forecast a day ahead against last week; before that the held-out days', async () => {
    const service = createForecastService(deps);
    load = (at) => wave(at) + 100 * (Math.floor(at / (7 * DAY_MS)) % 2);
    await service.refresh('default', 'load');
    const held = await service.error('default', 'load', 14);
    expect(held).toMatchObject({ model: written[0]!.model, unit: 'W' });
    expect(held.naive_mae).not.toBeNull();
    now_ms += 2 * DAY_MS;
    const scored = await service.error('default', 'load', 1);
    expect(scored.slots).toBe(95);
    const past = await service.past(
      'default',
      'load',
      now_ms - (now_ms % SLOT_MS) - DAY_MS,
      now_ms - (now_ms % SLOT_MS),
    );
    const errors = Array.from(past.values, (value, i) => Math.abs(value - load(past.at_ms[i]!))).filter(
      (error) => !Number.isNaN(error),
    );
    expect(scored.mae).toBeCloseTo(errors.reduce((a, b) => a + b, 0) / 95, 6);
    expect(scored.naive_mae).toBeGreaterThan(0);
  });

  it('a store that is down is an error to try again, not a missing history', async () => {
    deps.balance = async () => Promise.reject(new UnavailableError('The series store is down.'));
    const service = createForecastService(deps);
    await expect(service.refresh('default', 'load')).rejects.toThrow(/down/);
    expect(service.reason?.('default', 'load')).toBeNull();
  });

  it("is scheduled, and new prices of the site's area queue the price", async () => {
    const service = createForecastService(deps);
    service.start();
    deps.bus.publish({ type: 'prices', tenant: null, area: 'AT' });
    deps.bus.publish({ type: 'prices', tenant: null, area: 'DE-LU' });
    expect(jobs).toMatchObject({ define: ['forecast'], schedule: ['forecast'] });
    expect(jobs.sent).toEqual([{ tenant: 'default', series: ['price'] }]);
    await jobs.run?.(jobs.sent[0]!);
    expect(written.map((one) => one.series)).toEqual(['price', 'price@planning']);
    service.stop();
    deps.bus.publish({ type: 'prices', tenant: null, area: 'DE-LU' });
    expect(jobs.sent).toHaveLength(1);
  });

  it('runs in a worker thread', async () => {
    const workers = createWorkers({ threads: 1 });
    try {
      await createForecastService({ ...deps, workers }).refresh('default', 'load');
      const inThread = written[0]!;
      await createForecastService(deps).refresh('default', 'load');
      expect(inThread.points).toEqual(written[1]!.points);
    } finally {
      await workers.close();
    }
  });

  it('is served as JSON, or with the reason why not', async () => {
    const service = createForecastService(deps);
    const app = new OpenAPIHono<Env>();
    app.use(async (c, next) => {
      c.set('actor', { tenant: 'default', person: 'ada', role: 'user', language: 'en' });
      await next();
    });
    app.route('/', createForecastApi({ forecasts: service, clock: deps.clock }));
    app.onError((error, c) => problem(c, describeError(error).status, describeError(error).detail));
    await service.refresh('default');
    const answer = await app.request('/api/v1/forecast?series=load');
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { points: object[] };
    expect(body).toMatchObject({
      series: 'load',
      unit: 'W',
      made_at: new Date(NOW).toISOString(),
      model: written[0]!.model,
    });
    expect(body.points[0]).toEqual({
      at: new Date(NOW - 7 * 60_000).toISOString(),
      mean: expect.any(Number),
      quantiles: expect.objectContaining({ '0.1': expect.any(Number), '0.9': expect.any(Number) }),
    });
    const none = await app.request('/api/v1/forecast?series=generation');
    expect(none.status).toBe(404);
    expect(((await none.json()) as { detail: string }).detail).toMatch(/No meter measures generation/);
    const early = await app.request(`/api/v1/forecast?series=load&at=${NOW - 1000}`);
    expect(early.status).toBe(404);
    expect((await app.request('/api/v1/forecast?series=weather')).status).toBe(404);
    expect((await app.request('/api/v1/forecast?series=load&at=yesterday')).status).toBe(400);
    expect(await (await app.request('/api/v1/forecast/error?series=load&days=3')).json()).toMatchObject({
      series: 'load',
    });
    expect((await app.request('/api/v1/forecast/refresh', { method: 'POST' })).status).toBe(403);
  });
});
