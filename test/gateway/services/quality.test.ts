import { OpenAPIHono } from '@hono/zod-openapi';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { addDays, dayStart, HOUR_MS, instantOf, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { LunaEvent, SeriesRange } from '../../../engine/ports.ts';
import { computeSlots } from '../../../engine/quality/slots.ts';
import { createAlertsApi } from '../../../gateway/http/api/alerts.ts';
import { createQualityApi } from '../../../gateway/http/api/quality.ts';
import { describeError, type Env, problem } from '../../../gateway/http/api.ts';
import type { SlotsChanged } from '../../../gateway/series.ts';
import { createAlertService } from '../../../gateway/services/alerts.ts';
import { createQualityService, type QualityDeps } from '../../../gateway/services/quality.ts';
import { createQualityWatch } from '../../../gateway/services/quality-watch.ts';
import type { AlertService } from '../../../gateway/services.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';

const TZ = 'Europe/Berlin';
const MIN = 60_000;
const NOW = instantOf(TZ, 2026, 3, 30, 10, 3);
const log = pino({ level: 'silent' });

describe('alerts and quality', () => {
  let test: TestDatabase;
  let tenant: string;
  let count = 0;
  let now_ms: number;
  let events: LunaEvent[];
  let alerts: AlertService;
  let deps: QualityDeps;
  let readings: { at: number; value: number }[];
  let live_ms: number | null;
  let tellSlots: (changed: readonly SlotsChanged[]) => void;
  let job: (() => Promise<void>) | undefined;
  let point: MeterPoint;

  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test?.close());
  beforeEach(async () => {
    tenant = `t${++count}`;
    await test.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]));
    [now_ms, live_ms, events, readings] = [NOW, null, [], []];
    const bus = createMemoryBus({ log });
    bus.subscribe((event) => events.push(event));
    const clock = { now: () => now_ms };
    alerts = createAlertService({ db: test.db, clock, bus });
    point = {
      tenant,
      id: 'main',
      site: 'works',
      name: 'Main',
      role: 'grid',
      device: 'dev',
      channel: 'main',
      parent: null,
      virtual: null,
    };
    const columnsOf = (rows: typeof readings) => ({
      at_ms: Float64Array.from(rows, (row) => row.at),
      values: Float64Array.from(rows, (row) => row.value),
      quality: new Int32Array(rows.length),
      from_ms: null,
    });
    const read = async (_: string, { from_ms, to_ms }: SeriesRange, options?: { edges?: boolean }) => {
      const before = options?.edges ? readings.filter((row) => row.at < from_ms).slice(-1) : [];
      const after = options?.edges ? readings.filter((row) => row.at >= to_ms).slice(0, 1) : [];
      return columnsOf([...before, ...readings.filter((row) => row.at >= from_ms && row.at < to_ms), ...after]);
    };
    const computed = ({ quantity, from_ms, to_ms }: SeriesRange) => {
      const [from, to] = [slotStart(from_ms), slotStart(to_ms)];
      return computeSlots({ quantity, ...columnsOf(readings), starts_ms: null, from_ms: from, to_ms: to });
    };
    deps = {
      clock,
      log,
      bus,
      db: test.db,
      alerts,
      site: { tenants: () => [tenant], get: () => ({ time_zone: TZ }) as never },
      meters: { list: () => [point], get: (_, id) => (id === 'main' ? point : null) },
      live: { last_ms: () => live_ms },
      jobs: {
        define: (_, handler) => {
          job = () => handler({} as never, AbortSignal.timeout(5000));
        },
        schedule: () => {},
      },
      series: {
        list: async () => (readings.length > 0 ? [{ meter: 'main', quantity: 'import_kWh' }] : []),
        readings: { read, append: never, cursor: never, changes: never, repair: never },
        slots: {
          read: async (_, range) => computed(range).slots,
          spans: async (_, range) => computed(range).spans,
          totals: async (_, { quantity, bounds_ms }) => {
            const [from_ms, to_ms] = [bounds_ms[0]!, bounds_ms.at(-1)!];
            const { at_ms, values } = computed({ meter: 'main', quantity, from_ms, to_ms }).slots;
            const measured = [...at_ms].filter((_, i) => !Number.isNaN(values[i]!));
            const periods = new Set(measured.map((at) => bounds_ms.findLastIndex((bound) => bound <= at)));
            return [...periods].map((period) => ({ meter: 'main', period, value: 1, quality: 0, slots: 4 }));
          },
        },
        drain: {
          onSlots: (listener) => {
            tellSlots = listener;
            return () => {};
          },
        },
      },
    };
  });
  const never = () => Promise.reject(new Error('not for this service'));
  const every = (minutes: number, from: number, to: number) => {
    for (let at = from; at <= to; at += minutes * MIN) readings.push({ at, value: 1000 + (at - from) / HOUR_MS });
  };
  const open = async () =>
    (await alerts.list(tenant, { open_only: true })).map((alert) => `${alert.kind} ${alert.object}`);

  it('one open alert per kind and object, told once, kept when over', async () => {
    await alerts.raise(tenant, 'prices_stale', 'DE-LU', 'warning', { since_ms: NOW - HOUR_MS });
    await Promise.all([1, 2, 3].map((n) => alerts.raise(tenant, 'prices_stale', 'DE-LU', 'warning', { n })));
    await alerts.raise(tenant, 'prices_stale', 'AT', 'info');
    expect(await open()).toEqual(['prices_stale AT', 'prices_stale DE-LU']);
    expect(events).toEqual(Array(2).fill({ type: 'alert', tenant }));
    const [, de] = await alerts.list(tenant);
    expect(de).toMatchObject({ opened_ms: NOW - HOUR_MS, closed_ms: null, severity: 'warning' });
    now_ms += MIN;
    await alerts.clear(tenant, 'prices_stale', 'DE-LU');
    await alerts.clear(tenant, 'prices_stale', 'DE-LU');
    expect(events).toHaveLength(3);
    expect(await alerts.list(tenant)).toMatchObject([{ object: 'AT' }, { object: 'DE-LU', closed_ms: NOW + MIN }]);
    await alerts.raise(tenant, 'prices_stale', 'DE-LU', 'fault');
    expect(await alerts.list(tenant)).toHaveLength(3);
    await test.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [`${tenant}-other`]));
    expect(await alerts.list(`${tenant}-other`)).toEqual([]);
  });

  it('a meter that falls silent is reported with the time, and clears when it speaks again', async () => {
    every(1, NOW - 3 * HOUR_MS, NOW - 14 * MIN);
    const watch = createQualityWatch(deps);
    await watch.round();
    expect(await open()).toEqual([]);
    now_ms += 3 * MIN;
    await watch.round();
    expect(await open()).toEqual(['meter_silent main']);
    expect((await alerts.list(tenant))[0]!.opened_ms).toBe(readings.at(-1)!.at);
    live_ms = now_ms;
    watch.arrived(tenant, ['main']);
    await watch.round();
    expect(await open()).toEqual([]);
  });

  it('a meter that reports every hour may be silent for five; a device that is off, for ever', async () => {
    every(60, NOW - 30 * HOUR_MS, NOW - 4 * HOUR_MS);
    await createQualityWatch(deps).round();
    expect(await open()).toEqual([]);
    now_ms += 2 * HOUR_MS;
    await createQualityWatch({ ...deps, enabled: () => false }).round();
    expect(await open()).toEqual([]);
    await createQualityWatch(deps).round();
    expect(await open()).toEqual(['meter_silent main']);
  });

  it('a long silent meter stays reported over a restart, until it is heard again', async () => {
    every(1, NOW - 9 * 24 * HOUR_MS, NOW - 8 * 24 * HOUR_MS);
    const since_ms = readings.at(-1)!.at;
    await alerts.raise(tenant, 'meter_silent', 'main', 'warning', { since_ms });
    await createQualityWatch(deps).round();
    expect(await open()).toEqual(['meter_silent main']);
    // Also where the store has forgotten it, and where only what was known before is said again.
    readings = [];
    const watch = createQualityWatch(deps);
    await watch.round();
    live_ms = since_ms;
    now_ms = since_ms + MIN;
    await watch.round();
    expect(await open()).toEqual(['meter_silent main']);
    now_ms = live_ms = NOW + MIN;
    await watch.round();
    expect(await open()).toEqual([]);
  });

  it('a meter that was silent for weeks while the box was off is reported at its start', async () => {
    every(60, NOW - 30 * 24 * HOUR_MS, NOW - 20 * 24 * HOUR_MS);
    await createQualityWatch(deps).round();
    expect(await open()).toEqual(['meter_silent main']);
    expect((await alerts.list(tenant))[0]!.opened_ms).toBe(readings.at(-1)!.at);
  });

  it.each([
    ['its device is switched off', () => ({ enabled: () => false })],
    ['it has no device any more', () => ({ meters: { ...deps.meters, list: () => [{ ...point, device: null }] } })],
    ['it is removed', () => ({ meters: { ...deps.meters, list: () => [] } })],
  ])('a silent meter is no news when %s', async (_, change) => {
    every(1, NOW - 9 * 24 * HOUR_MS, NOW - 8 * 24 * HOUR_MS);
    await alerts.raise(tenant, 'meter_silent', 'main', 'warning', { since_ms: readings.at(-1)!.at });
    await createQualityWatch({ ...deps, ...change() }).round();
    expect(await open()).toEqual([]);
  });

  it('the start looks once for all meters, whatever their number', async () => {
    every(1, NOW - 3 * HOUR_MS, NOW);
    const asked: string[] = [];
    const count = <Args extends unknown[], Result>(name: string, real: (...args: Args) => Result) => {
      return (...args: Args): Result => {
        asked.push(name);
        return real(...args);
      };
    };
    const ids = Array.from({ length: 50 }, (_, i) => `m${i}`);
    const { slots, readings: table } = deps.series;
    const watch = createQualityWatch({
      ...deps,
      meters: { ...deps.meters, list: () => ids.map((id) => ({ ...point, id })) },
      series: {
        ...deps.series,
        list: count('list', async () => ids.map((meter) => ({ meter, quantity: 'import_kWh' }))),
        readings: { ...table, read: count('readings', table.read) },
        slots: {
          ...{ read: count('slots', slots.read), spans: slots.spans },
          totals: count('totals', async (...args: Parameters<typeof slots.totals>) => {
            const rows = await slots.totals(...args);
            return ids.flatMap((meter) => rows.map((row) => ({ ...row, meter })));
          }),
        },
      },
    });
    await watch.round();
    const times = (name: string) => asked.filter((one) => one === name).length;
    expect([times('list'), times('totals'), times('slots'), times('readings')]).toEqual([1, 1, 0, 50]);
    await watch.round();
    expect(asked).toHaveLength(52);
    expect(await open()).toEqual([]);
  });

  it('a reset is reported once the readings after it are in, and is over after a day', async () => {
    const watch = createQualityWatch(deps);
    const at_ms = NOW - MIN;
    const changed = [
      {
        ...{ tenant, meter: 'main', quantity: 'import_kWh', from_ms: at_ms - HOUR_MS, to_ms: NOW },
        events: [{ kind: 'reset' as const, at_ms, from: 500, to: 0 }],
      },
    ];
    await watch.found(changed);
    expect(await open()).toEqual([]);
    now_ms += 15 * MIN;
    await watch.found(changed);
    await watch.found(changed);
    expect(await open()).toEqual(['register_reset main']);
    expect((await alerts.list(tenant))[0]).toMatchObject({ opened_ms: at_ms, detail: { from: 500, to: 0 } });
    live_ms = now_ms += 25 * HOUR_MS;
    await watch.round();
    expect(await open()).toEqual([]);
  });

  it('reports a day, stores it when it is over, makes it anew when its slots change', async () => {
    const day = dayStart(NOW - 24 * HOUR_MS, TZ);
    every(5, day - HOUR_MS, NOW);
    const quality = createQualityService(deps);
    quality.start();
    try {
      const report = await quality.report(tenant, 'main', '2026-03-29');
      expect(report).toMatchObject({ state: 'ok', day: '2026-03-29' });
      expect(report!.checks.find((check) => check.name === 'nulls')!.text).toBe('All 92 slots are known.');
      readings = readings.filter((row) => row.at < day + 3 * HOUR_MS || row.at > day + 9 * HOUR_MS);
      expect(await quality.report(tenant, 'main', '2026-03-29')).toEqual(report);
      tellSlots([{ tenant, meter: 'main', quantity: 'import_kWh', from_ms: day, to_ms: day + HOUR_MS, events: [] }]);
      await expect.poll(async () => (await quality.report(tenant, 'main', '2026-03-29'))!.state).toBe('warning');
      expect(await quality.report(tenant, 'main', '2026-03-31')).toBeNull();
      await expect(quality.report(tenant, 'main', '2026-02-30')).rejects.toThrow(/no day/);
      await expect(quality.report(tenant, 'other', '2026-03-29')).rejects.toThrow(/no meter point/);
    } finally {
      quality.stop();
    }
  });

  it('a day at fault raises an alert by the daily job', async () => {
    const day = dayStart(NOW - 24 * HOUR_MS, TZ);
    every(5, day - HOUR_MS, day + 2 * HOUR_MS);
    const quality = createQualityService(deps);
    quality.start();
    quality.stop();
    await job?.();
    expect(await open()).toEqual(['quality_fault main']);
    expect((await alerts.list(tenant))[0]!.detail).toMatchObject({ day: '2026-03-29' });
  });

  it('a meter, or an organisation, that cannot be read stops the hourly job for nobody else', async () => {
    const day = dayStart(NOW - 24 * HOUR_MS, TZ);
    every(5, day - HOUR_MS, day + 2 * HOUR_MS);
    const ids = ['bad', 'main'];
    const known = ids.map((meter) => ({ meter, quantity: 'import_kWh' }));
    const looked: string[] = [];
    const broken = (meter: string) => {
      if (meter === 'bad') throw new InvalidDataError('The series of "bad" cannot be read.', '');
    };
    const { series } = deps;
    const quality = createQualityService({
      ...deps,
      site: { tenants: () => [`${tenant}-gone`, tenant], get: deps.site.get },
      meters: {
        list: (of) => {
          if (of !== tenant) throw new InvalidDataError('The organisation cannot be read.', '');
          return ids.map((id) => ({ ...point, id }));
        },
        get: () => point,
      },
      series: {
        ...series,
        list: async () => known,
        readings: {
          ...series.readings,
          read: async (of, range, options) => {
            broken(range.meter);
            return series.readings.read(of, range, options);
          },
        },
        slots: {
          ...series.slots,
          read: async (of, range) => {
            if (range.to_ms === Math.floor(NOW / HOUR_MS) * HOUR_MS) looked.push(range.meter);
            broken(range.meter);
            return series.slots.read(of, range);
          },
        },
      },
    });
    quality.start();
    quality.stop();
    await job?.();
    expect(await open()).toEqual(['quality_fault main']);
    // The faults that weeks show were looked for as well.
    expect(looked).toEqual(['bad', 'main']);
  });

  it('a meter that cannot be read keeps no other from being reported silent', async () => {
    every(1, NOW - 3 * HOUR_MS, NOW - 2 * HOUR_MS);
    const watch = createQualityWatch({
      ...deps,
      meters: { ...deps.meters, list: () => ['bad', 'main'].map((id) => ({ ...point, id })) },
      series: {
        ...deps.series,
        list: async () => ['bad', 'main'].map((meter) => ({ meter, quantity: 'import_kWh' })),
        readings: {
          ...deps.series.readings,
          read: async (of, range, options) => {
            if (range.meter === 'bad') throw new InvalidDataError('The series of "bad" cannot be read.', '');
            return deps.series.readings.read(of, range, options);
          },
        },
      },
    });
    await watch.round();
    expect(await open()).toEqual(['meter_silent main']);
  });

  it('today is a strip of cells: marks, or −1 where nothing is known yet', async () => {
    every(5, dayStart(NOW, TZ), NOW);
    const { cells } = await createQualityService(deps).today(tenant, 'main');
    expect(cells).toHaveLength(96);
    const now = (slotStart(NOW) - dayStart(NOW, TZ)) / SLOT_MS;
    expect([cells[0], cells[now - 1], cells[now + 1]]).toEqual([0, 0, -1]);
    now_ms = addDays(NOW, -1, TZ);
    expect((await createQualityService(deps).today(tenant, 'main')).cells).toHaveLength(92);
  });

  it('both are served, in the language of the person', async () => {
    every(5, dayStart(NOW, TZ), NOW);
    await alerts.raise(tenant, 'meter_stuck', 'main', 'warning');
    const app = new OpenAPIHono<Env>();
    app.use(async (c, next) => {
      c.set('actor', { tenant, person: 'ada', role: 'user', language: 'de' });
      await next();
    });
    app.onError((error, c) => problem(c, describeError(error).status, describeError(error).detail));
    app.route(
      '/',
      createQualityApi({ quality: createQualityService(deps), site: deps.site as never, clock: deps.clock }),
    );
    app.route(
      '/',
      createAlertsApi({
        ...{ alerts, clock: deps.clock, meters: { get: () => null, ofDevice: () => [] }, devices: { get: () => null } },
        ...{ site: { get: () => null }, notify: { told: async () => [] } },
      }),
    );
    const report = await app.request('/api/v1/quality?meter=main');
    expect(await report.json()).toMatchObject({ meter: 'main', day: '2026-03-30', state: 'ok' });
    const english = await (await app.request('/api/v1/quality?meter=main&language=en')).text();
    expect(english).toContain('The meter reported without gaps.');
    expect((await app.request('/api/v1/quality?meter=none')).status).toBe(404);
    expect(await (await app.request('/api/v1/alerts?open=true')).json()).toMatchObject({
      alerts: [{ kind: 'meter_stuck', object: 'main', opened_at: new Date(NOW).toISOString(), closed_at: null }],
    });
  });
});
