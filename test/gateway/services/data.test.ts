import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { DrainedSeries } from '../../../connectors/series/store.ts';
import { Quality } from '../../../engine/model/quality.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import type { Span } from '../../../engine/ports.ts';
import { createDataApi } from '../../../gateway/http/api/data.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import { createDataService, MAX_POINTS } from '../../../gateway/services/data.ts';
import type { Actor, DataService } from '../../../gateway/services.ts';
import { group, slotsOf } from '../../contracts/series.ts';

const T0 = Date.parse('2026-03-28T23:00:00Z'); // 2026-03-29 00:00 in Berlin: a day of 92 slots
const point = (id: string, role: MeterPoint['role'], more: Partial<MeterPoint> = {}): MeterPoint => ({
  tenant: 'a',
  id,
  site: 's',
  name: id,
  role,
  device: 'd',
  channel: 'main',
  parent: null,
  virtual: null,
  ...more,
});
const POINTS = [
  point('grid', 'grid'),
  point('pv', 'generation'),
  point('shed', 'load', { parent: 'grid' }),
  point('rest', 'sub-meter', {
    virtual: [
      { meter: 'grid', factor: 1 },
      { meter: 'shed', factor: -1 },
    ],
  }),
  point('loop', 'sub-meter', { virtual: [{ meter: 'loop', factor: 1 }] }),
  point('=cmd', 'sub-meter'),
];

describe('data service', () => {
  let dir: string;
  let store: DrainedSeries;
  let data: DataService;
  const write = (meter: string, quantity: string, values: number[], spans: Span[] = [], from_ms = T0) =>
    store.slots.replace('a', { meter, quantity, from_ms, to_ms: from_ms + 1e9 }, slotsOf(from_ms, values), spans);

  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'luna-data-'));
    store = await openDuckDbSeries({ file: join(dir, 's.duckdb'), memory: '128MB' });
    data = createDataService({
      series: store,
      meters: {
        list: () => POINTS,
        get: (_tenant, id) => POINTS.find((one) => one.id === id) ?? null,
      },
      sitePrices: async (_tenant, from_ms, to_ms) => {
        const columns = slotsOf(from_ms, new Array((to_ms - from_ms) / SLOT_MS).fill(0.3));
        for (const [index, at] of columns.at_ms.entries())
          if (at === T0 + 5 * SLOT_MS) columns.values[index] = Number.NaN;
        return { currency: 'EUR', columns, sources: ['test'], stale_since_ms: null };
      },
    });
    await store.readings.append([
      group('a', [{ meter: 'grid', quantity: 'import_kWh', at_ms: T0 + 7, value: 1234.5, quality: Quality.RESET }], 1),
    ]);
    await write('grid', 'import_kWh', new Array(92 + 96).fill(1));
    await write('grid', 'power_W', new Array(8).fill(4000));
    await write('shed', 'import_kWh', [0.25, 0.25, Number.NaN, 0.25]);
  });
  afterAll(async () => {
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const query = (more: object) => ({
    meter: 'grid',
    quantity: 'import_kWh',
    from_ms: T0,
    to_ms: T0 + 92 * SLOT_MS,
    tz: 'Europe/Berlin',
    resolution: 'slot' as const,
    ...more,
  });

  it('gives raw registers, increases per slot and local periods', async () => {
    const raw = await data.query('a', query({ resolution: 'raw' }));
    expect(raw.unit).toBe('kWh');
    expect([...raw.columns.values]).toEqual([1234.5]);
    const slots = await data.query('a', query({ from_ms: T0 - SLOT_MS }));
    expect(slots.columns.at_ms).toHaveLength(93);
    expect([...slots.columns.values].slice(0, 2)).toEqual([Number.NaN, 1]);
    const days = await data.query('a', query({ resolution: 'day', to_ms: T0 + 100 * SLOT_MS }));
    expect([...days.columns.values]).toEqual([92, 96]);
    const months = await data.query('a', query({ resolution: 'month', to_ms: T0 + 188 * SLOT_MS }));
    expect([...months.columns.values]).toEqual([188]);
    const hours = await data.query('a', query({ resolution: 'hour', to_ms: T0 + 3 * HOUR_MS }));
    expect([...hours.columns.values]).toEqual([4, 4, 4]);
    const power = await data.query('a', query({ quantity: 'power_W', resolution: 'hour', to_ms: T0 + 3 * HOUR_MS }));
    expect([...power.columns.values]).toEqual([4000, 4000, Number.NaN]);
  });

  it('computes virtual meter points and leaves out where a part is missing', async () => {
    const rest = await data.query('a', query({ meter: 'rest', to_ms: T0 + 5 * SLOT_MS }));
    expect([...rest.columns.values]).toEqual([0.75, 0.75, Number.NaN, 0.75, Number.NaN]);
    const days = await data.query('a', query({ meter: 'rest', resolution: 'day', to_ms: T0 + 100 * SLOT_MS }));
    expect([...days.columns.values]).toEqual([91.25, Number.NaN]);
    await expect(data.query('a', query({ meter: 'rest', resolution: 'raw' }))).rejects.toThrow(/virtual/);
    await expect(data.query('a', query({ meter: 'loop' }))).rejects.toThrow(/refers to itself/);
  });

  it('refuses what it does not know, in words', async () => {
    await expect(data.query('a', query({ meter: 'nobody' }))).rejects.toThrow(/no meter point "nobody"/);
    await expect(data.query('a', query({ quantity: 'joy' }))).rejects.toThrow(/no known quantity/);
    await expect(data.query('a', query({ to_ms: T0 }))).rejects.toThrow(/not before/);
    await expect(data.query('a', query({ resolution: 'day', tz: 'Mars/Base' }))).rejects.toThrow(/no time zone/);
    await expect(data.query('a', query({ to_ms: T0 + (MAX_POINTS + 1) * SLOT_MS }))).rejects.toThrow(/400,000/);
    await expect(data.query('a', query({ resolution: 'hour', to_ms: T0 * 4 }))).rejects.toThrow(/400,000/);
  });

  it('answers totals of chosen and of all meter points', async () => {
    const both = {
      quantity: 'import_kWh',
      from_ms: T0,
      to_ms: T0 + 100 * SLOT_MS,
      resolution: 'day' as const,
      tz: 'Europe/Berlin',
    };
    const chosen = await data.totals('a', { ...both, meters: ['shed', 'grid', 'pv'] });
    expect(chosen.bounds_ms).toHaveLength(3);
    expect(chosen.rows.map((row) => [row.meter, ...row.values])).toEqual([
      ['shed', 0.75, Number.NaN],
      ['grid', 92, 96],
      ['pv', Number.NaN, Number.NaN],
    ]);
    POINTS.splice(4, 1);
    const all = await data.totals('a', { ...both, meters: null });
    expect(all.rows.map((row) => [row.meter, ...row.values])).toEqual([
      ['grid', 92, 96],
      ['rest', 91.25, Number.NaN],
      ['shed', 0.75, Number.NaN],
    ]);
  });

  it('balances the building by roles; a register that stood still over the night is zero', async () => {
    const night: Span = { from_ms: T0, to_ms: T0 + 12 * SLOT_MS, value: 0, quality: Quality.ESTIMATED };
    await write('pv', 'export_kWh', [...new Array(12).fill(Number.NaN), 0.5], [night]);
    const generation = await data.balance('a', 'generation', T0, T0 + 14 * SLOT_MS);
    expect([...generation.values]).toEqual([...new Array(12).fill(0), 2000, Number.NaN]);
    const load = await data.balance('a', 'load', T0, T0 + 14 * SLOT_MS);
    expect([...load.values]).toEqual([...new Array(12).fill(4000), 6000, Number.NaN]);
    const battery = await data.balance('a', 'battery', T0, T0 + SLOT_MS);
    expect([...battery.values]).toEqual([Number.NaN]);
  });

  it('costs what is known and counts what is not', async () => {
    const cost = await data.cost('a', T0, T0 + 10 * SLOT_MS);
    expect(cost).toMatchObject({ currency: 'EUR', import_kWh: 10, missing_slots: 1 });
    expect(cost.amount).toBeCloseTo(2.7, 9);
    const late = T0 + 5e9 - (5e9 % SLOT_MS);
    await write(
      'grid',
      'import_kWh',
      [1],
      [{ from_ms: late + SLOT_MS, to_ms: late + 13 * SLOT_MS, value: 6, quality: 1 }],
      late,
    );
    const gap = await data.cost('a', late, late + 14 * SLOT_MS);
    expect(gap).toMatchObject({ import_kWh: 7, missing_slots: 1 });
    expect(gap.amount).toBeCloseTo(2.1, 9);
    expect(await data.cost('a', T0 - 4 * SLOT_MS, T0)).toMatchObject({
      amount: null,
      import_kWh: null,
      missing_slots: 4,
    });
  });

  describe('over HTTP', () => {
    const get = async (path: string, headers: Record<string, string> = {}, role: Actor['role'] | null = 'user') => {
      const app = createApiApp();
      app.onError((error, c) => {
        const { status, detail } = describeError(error);
        return problem(c, status, detail);
      });
      app.use(async (c, next) => {
        c.set('actor', role && { tenant: 'a', person: 'ada', role, language: 'en' });
        await next();
      });
      const site = { get: () => ({ time_zone: 'Europe/Berlin' }) as never };
      app.route('/', createDataApi({ data, site: site as never }));
      return app.request(path, { headers });
    };
    const range = `from=${new Date(T0).toISOString()}&to=${T0 + 4 * SLOT_MS}`;

    it('gives points with their quality in words', async () => {
      const answer = await get(`/api/v1/data/query?meter=shed&quantity=import_kWh&${range}`);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        meter: 'shed',
        quantity: 'import_kWh',
        unit: 'kWh',
        points: [0.25, 0.25, null, 0.25].map((value, n) => ({
          at: new Date(T0 + n * SLOT_MS).toISOString(),
          value,
          quality: 'ok',
        })),
      });
    });

    it('writes CSV when asked by format or Accept', async () => {
      const url = `/api/v1/data/query?meter=shed&quantity=import_kWh&${range}`;
      const lines = (await (await get(`${url}&format=csv`)).text()).split('\r\n');
      expect(lines[0]).toBe('at,meter,import_kWh,quality');
      expect(lines[1]).toBe('2026-03-28T23:00:00.000Z,shed,0.25,ok');
      expect(lines[3]).toBe('2026-03-28T23:30:00.000Z,shed,,ok');
      const accepted = await get(url, { accept: 'text/csv' });
      expect(accepted.headers.get('content-type')).toContain('text/csv');
      await write('=cmd', 'import_kWh', [1]);
      const safe = await (await get(`${url.replace('shed', '%3Dcmd')}&format=csv`)).text();
      expect(safe).toContain(",'=cmd,1,ok");
    });

    it('answers all meter points in days of the site, and totals', async () => {
      const fleet = await get(`/api/v1/data/query?quantity=import_kWh&resolution=day&${range}`);
      const { meters } = (await fleet.json()) as { meters: { meter: string; points: unknown[] }[] };
      expect(meters.find((one) => one.meter === 'grid')?.points).toEqual([
        { at: '2026-03-28T23:00:00.000Z', value: 92, quality: 'ok' },
      ]);
      const totals = await get(`/api/v1/data/totals?meters=grid&quantity=import_kWh&${range}`);
      expect(await totals.json()).toEqual({
        quantity: 'import_kWh',
        unit: 'kWh',
        at: ['2026-03-28T23:00:00.000Z'],
        meters: [{ meter: 'grid', values: [92], quality: ['ok'] }],
      });
      const csv = await (await get(`/api/v1/data/totals?meters=grid&format=csv&quantity=import_kWh&${range}`)).text();
      expect(csv).toBe('at,grid\r\n2026-03-28T23:00:00.000Z,92\r\n');
    });

    it('refuses with a sentence', async () => {
      expect((await get(`/api/v1/data/query?meter=shed&quantity=import_kWh&${range}`, {}, null)).status).toBe(401);
      const wrong = await get('/api/v1/data/query?meter=shed&quantity=import_kWh&from=yesterday&to=now');
      expect(wrong.status).toBe(400);
      expect(await wrong.text()).toContain('is no time');
      expect((await get(`/api/v1/data/query?meter=x&quantity=import_kWh&${range}`)).status).toBe(404);
      expect((await get(`/api/v1/data/query?quantity=import_kWh&${range}`)).status).toBe(400);
    });
  });
});
