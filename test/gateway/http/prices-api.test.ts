import { describe, expect, it } from 'vitest';
import type { EnergyPrice, Role } from '../../../engine/model/site.ts';
import { HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import { createPricesApi } from '../../../gateway/http/api/prices.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import type { Services } from '../../../gateway/services.ts';

const NOW = Date.parse('2026-06-01T12:07:00Z');
const SLOT = Date.parse('2026-06-01T12:00:00Z');

function ask(
  role: Role | null,
  energy_price: EnergyPrice = { kind: 'day-ahead', area: 'AT', factor: 1, fee_per_kWh: 0, vat_percent: 20 },
) {
  const called: string[] = [];
  const columns = { at_ms: Float64Array.of(SLOT), values: Float64Array.of(0.25), quality: new Int32Array(1) };
  const unasked = () => Promise.reject(new Error('not asked for'));
  const prices: Services['prices'] = {
    async market(area, market, from_ms, to_ms) {
      called.push(`${market} ${area} ${(to_ms - from_ms) / HOUR_MS}h`);
      const [at_ms, values] = [Float64Array.of(from_ms, from_ms + SLOT_MS), Float64Array.of(-3.2, Number.NaN)];
      return {
        area,
        market,
        currency: 'EUR',
        at_ms,
        values,
        sources: ['smard'],
        fetched_ms: NOW,
        stale_since_ms: SLOT,
      };
    },
    site: async () => ({ currency: 'EUR', columns, sources: ['smard'], stale_since_ms: null }),
    slots: unasked,
    context: unasked,
    sources: async () => [
      {
        name: 'smard',
        area: 'AT',
        last_success_ms: null,
        last_run_ms: NOW,
        fault: 'smard is down (HTTP 500).',
        next_run_ms: NOW,
      },
    ],
    refresh: async (tenant) => void called.push(`refresh ${tenant}`),
    async demand(area, kind, from_ms, to_ms) {
      called.push(`${kind} ${area} ${(to_ms - from_ms) / 3_600_000}h`);
      return { area, kind, source: 'ercot', fetched_ms: NOW, hours: [{ at_ms: SLOT, power_MW: 61_000 }] };
    },
    async loadCsv(actor, area, csv) {
      called.push(`${actor.person} ${area} ${csv}`);
      return { slots: 4 };
    },
  };
  const tariffs = {
    area: () => (energy_price.kind === 'day-ahead' ? energy_price.area : null),
  } as unknown as Services['tariffs'];
  const app = createApiApp();
  app.use(async (c, next) => {
    c.set('actor', role && { tenant: 'default', person: 'anna', role, language: 'en' });
    await next();
  });
  app.route('/', createPricesApi({ prices, tariffs, clock: { now: () => NOW } }));
  app.onError((error, c) => {
    const { status, detail, faults } = describeError(error);
    return problem(c, status, detail, faults);
  });
  return { called, get: (path: string, init?: RequestInit) => app.request(path, init) };
}

type Body = {
  points: unknown;
  site: unknown;
  sources: Record<string, unknown>[];
  areas: { area: string }[];
};
const jsonOf = async (response: Response) => (await response.json()) as Body;

describe('GET /api/v1/prices', () => {
  it("gives the site's area from the current slot on, with null for a missing price", async () => {
    const { called, get } = ask('user');
    const body = await jsonOf(await get('/api/v1/prices'));
    expect(called).toEqual(['day-ahead AT 48h']);
    expect(body).toMatchObject({
      area: 'AT',
      unit: 'EUR/MWh',
      sources: ['smard'],
      stale_since: '2026-06-01T12:00:00.000Z',
    });
    expect(body.points).toEqual([
      { at: '2026-06-01T12:00:00.000Z', value: -3.2 },
      { at: '2026-06-01T12:15:00.000Z', value: null },
    ]);
    expect(body.site).toEqual({
      currency: 'EUR',
      unit: 'EUR/kWh',
      points: [{ at: '2026-06-01T12:00:00.000Z', value: 0.25 }],
    });
  });

  it('asks for another area and market, and refuses impossible ranges', async () => {
    const { called, get } = ask('user');
    const range = 'from=2026-05-01T00:00:00Z&to=2026-05-01T06:00:00Z';
    expect((await get(`/api/v1/prices?area=HB_WEST&market=real-time&${range}`)).status).toBe(200);
    expect(called).toEqual(['real-time HB_WEST 6h']);
    for (const query of [
      'from=2026-05-02T00:00:00Z&to=2026-05-01T00:00:00Z',
      'from=2020-01-01T00:00:00Z',
      'from=soon',
      'market=spot',
    ])
      expect(
        (
          await get(
            `/api/v1/prices?${query === 'from=2020-01-01T00:00:00Z' ? `${query}&to=2026-01-01T00:00:00Z` : query}`,
          )
        ).status,
        query,
      ).toBe(400);
  });

  it('shows a fixed price without a market', async () => {
    const { called, get } = ask('user', { kind: 'fixed', per_kWh: 0.2, vat_percent: 20 });
    const body = await jsonOf(await get('/api/v1/prices'));
    expect(body).toMatchObject({ area: null, points: [], site: { currency: 'EUR' } });
    expect(called).toEqual([]);
  });
});

describe('GET /api/v1/prices/demand', () => {
  it("gives the hours of the site's area or of the named one", async () => {
    const { called, get } = ask('user');
    const answer = await get('/api/v1/prices/demand');
    expect(await answer.json()).toMatchObject({ area: 'AT', unit: 'MW', source: 'ercot', points: [{ value: 61_000 }] });
    await get('/api/v1/prices/demand?area=HB_HOUSTON&kind=actual&from=2026-06-01T00:00:00Z&to=2026-06-02T00:00:00Z');
    expect(called).toEqual(['forecast AT 48h', 'actual HB_HOUSTON 24h']);
    const long = '/api/v1/prices/demand?from=2026-01-01T00:00:00Z&to=2026-06-02T00:00:00Z';
    expect((await get(long)).status).toBe(400);
  });
});

describe('sources, refresh and files', () => {
  it('tells the state of each source in words, and every area', async () => {
    const body = await jsonOf(await ask('user').get('/api/v1/prices/sources'));
    expect(body.sources[0]).toMatchObject({ name: 'smard', fault: 'smard is down (HTTP 500).', last_success_at: null });
    expect(body.areas.map(({ area }: { area: string }) => area)).toEqual(
      expect.arrayContaining(['DE-LU', 'NO1', 'C', 'HB_HOUSTON']),
    );
  });

  it('lets admins refresh and load, others not', async () => {
    const post = { method: 'POST', headers: { 'content-type': 'text/csv' }, body: 'at,price\n' };
    const path = '/api/v1/prices/load?area=AT';
    expect((await ask(null).get('/api/v1/prices')).status).toBe(401);
    expect((await ask('analyst').get('/api/v1/prices/refresh', { method: 'POST' })).status).toBe(403);
    expect((await ask('user').get(path, post)).status).toBe(403);
    const admin = ask('admin');
    expect((await admin.get('/api/v1/prices/refresh', { method: 'POST' })).status).toBe(204);
    expect(admin.called).toEqual(['refresh default']);
    expect((await ask('analyst').get(path, post)).status).toBe(403);
    expect(await (await admin.get(path, post)).json()).toEqual({ slots: 4 });
    expect(admin.called).toEqual(['refresh default', 'anna AT at,price\n']);
  });
});
