/** The price and weather services on a real database, a real series store and the price server. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openFolderFiles } from '../../../connectors/files/folder.ts';
import { openDuckDbSeries } from '../../../connectors/series/duckdb/duckdb.ts';
import type { EnergyPrice } from '../../../engine/model/site.ts';
import { addDays, dayStart, HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import type { FileStore, LunaEvent, SeriesStore } from '../../../engine/ports.ts';
import { type Config, ConfigSchema } from '../../../gateway/config.ts';
import { openPriceServer, type PriceServer } from '../../../gateway/demo/price-server.ts';
import { skyAt } from '../../../gateway/demo/sky.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createOutbound } from '../../../gateway/outbound.ts';
import { createPriceService } from '../../../gateway/services/prices.ts';
import { createWeatherService } from '../../../gateway/services/weather.ts';
import type { Actor } from '../../../gateway/services.ts';
import { createUploadReader } from '../../../gateway/workers/upload-reader.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';
import { simpleTariffs } from '../../setup/simple-tariffs.ts';

const TZ = 'Europe/Berlin';
const outbound = createOutbound({ allowed: () => [] });
const uploads = createUploadReader({ folder: tmpdir() });
const START = Date.parse('2026-06-10T06:00Z');
const actor: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
const dayAhead: EnergyPrice = { kind: 'day-ahead', area: 'DE-LU', factor: 1.1, fee_per_kWh: 0.12, vat_percent: 19 };
const value = (slot_ms: number) => Math.round(80 * Math.cos((2 * Math.PI * slot_ms) / (24 * HOUR_MS)) * 100) / 100 || 0;

describe('prices and weather of a site', () => {
  let test: TestDatabase;
  let series: SeriesStore;
  let server: PriceServer;
  let files: FileStore;
  let config: Config;
  let now_ms = START;
  let energy_price: EnergyPrice = dayAhead;
  let currency = 'EUR';
  const events: LunaEvent[] = [];
  const alerts = new Map<string, unknown>();
  const clock = { now: () => now_ms };
  /** Tomorrow is there from 12:50 local time on. */
  const publishedUntil = () =>
    addDays(dayStart(now_ms, TZ), now_ms - dayStart(now_ms, TZ) >= 12.83 * HOUR_MS ? 2 : 1, TZ);

  let tenants = ['default'];
  const site = {
    tenants: () => tenants,
    get: (_tenant?: string) => ({
      ...{ tenant: 'default', id: 'works', name: 'Works', place: '', time_zone: TZ, country: 'DE', demo: false },
      ...{ latitude: 48, longitude: 7.8, currency, energy_price },
    }),
  };
  const open = (sources = ['energy-charts', 'awattar']) =>
    createPriceService({
      outbound,
      uploads,
      ...{ clock, series, db: test.db, log: silent, metrics: createMetrics({ defaults: false }), site },
      tariffs: simpleTariffs(site.get),
      config: { ...config, price_sources: sources },
      bus: { publish: (event) => events.push(event), subscribe: () => () => {}, close: async () => {} },
      alerts: {
        raise: async (_tenant, kind, object, _severity, detail) => void alerts.set(`${kind} ${object}`, detail),
        clear: async (_tenant, kind, object) => void alerts.delete(`${kind} ${object}`),
      },
      random: () => 0.5,
    });
  const today = () => dayStart(now_ms, TZ);
  const tomorrow = () => addDays(today(), 1, TZ);
  const runsOf = (area: string) =>
    test.db.asSystem((sql) =>
      sql<{ provider: string; rows: number; fault: string | null }>(
        'select provider, rows, fault from provider_run where area = $1 order by id',
        [area],
      ),
    );

  beforeAll(async () => {
    test = await openTestDatabase();
    series = await openDuckDbSeries({ file: join(test.home, 'series.duckdb'), memory: '256MB' });
    files = await openFolderFiles({ dir: join(test.home, 'files') });
    server = await openPriceServer({
      truth: {
        price: (_area, _market, slot_ms) => (slot_ms < publishedUntil() ? value(slot_ms) : undefined),
        step_ms: () => SLOT_MS,
      },
      now: clock.now,
      sky: (at_ms) => skyAt(1, { latitude: 48, longitude: 7.8 }, at_ms),
    });
    config = ConfigSchema.parse({ home: test.home, provider_urls: server.urls });
  });
  afterAll(async () => {
    await server.close();
    await series.close();
    await test.close();
  });
  beforeEach(async () => {
    [now_ms, energy_price, currency] = [START, dayAhead, 'EUR'];
    tenants = ['default'];
    alerts.clear();
    for (const name of Object.keys(server.urls)) server.fail(name, null);
    for (const area of ['DE-LU', 'AT', 'FR']) await open().forget(area);
  });

  it('fills 60 days at first start, then asks for tomorrow when it is published, and logs each run', async () => {
    const prices = open();
    await prices.poll();
    const before = await prices.market('DE-LU', 'day-ahead', 0, now_ms + 100 * 24 * HOUR_MS);
    expect(before.at_ms[0]).toBe(addDays(today(), -60, TZ));
    expect(before.at_ms.at(-1)).toBe(tomorrow() - SLOT_MS);
    expect(before).toMatchObject({ currency: 'EUR', sources: ['energy-charts'], stale_since_ms: null });
    expect(events.at(-1)).toEqual({ type: 'prices', tenant: null, area: 'DE-LU' });
    const calls = server.calls('energy-charts');
    now_ms += HOUR_MS;
    await prices.poll();
    expect(server.calls('energy-charts'), 'nothing is due before publication').toBe(calls);

    now_ms = today() + 12.8 * HOUR_MS;
    await prices.poll();
    expect((await prices.market('DE-LU', 'day-ahead', tomorrow(), tomorrow() + HOUR_MS)).at_ms).toHaveLength(0);
    now_ms += 10 * 60_000;
    await prices.poll();
    const after = await prices.market('DE-LU', 'day-ahead', tomorrow(), addDays(tomorrow(), 1, TZ));
    expect(Array.from(after.values)).toEqual(Array.from(after.at_ms, value));
    expect(after.at_ms).toHaveLength(96);
    expect(server.calls('awattar'), 'the next source is not asked while the first answers').toBe(0);
    const runs = await runsOf('DE-LU');
    expect(runs.every(({ provider, fault }) => provider === 'energy-charts' && fault === null)).toBe(true);
    expect(runs.reduce((sum, { rows }) => sum + rows, 0)).toBeGreaterThanOrEqual(62 * 96 - 4);
    const [state] = await prices.sources('default');
    expect(state).toMatchObject({ name: 'energy-charts', last_success_ms: now_ms, fault: null });
    expect(state?.next_run_ms).toBeGreaterThan(tomorrow());
  });

  it('takes the next source while the first fails, and the first again when it is back', async () => {
    const prices = open();
    server.fail('energy-charts', 500);
    await prices.poll();
    const stand_in = await prices.market('DE-LU', 'day-ahead', today(), tomorrow());
    expect(stand_in.sources).toEqual(['awattar']);
    expect(stand_in.at_ms).toHaveLength(96);
    const [first, second] = await prices.sources('default');
    expect(first?.fault).toMatch(/is down \(HTTP 500\)/);
    expect(second?.fault).toBeNull();
    // a restart knows what the log says
    const restarted = open();
    restarted.start();
    await expect.poll(async () => (await restarted.sources('default'))[0]?.fault).toMatch(/HTTP 500/);
    await restarted.stop();

    server.fail('energy-charts', null);
    now_ms += 1.3 * HOUR_MS;
    await prices.poll();
    const better = await prices.market('DE-LU', 'day-ahead', today(), tomorrow());
    expect(better.sources).toEqual(['energy-charts']);
    expect(Array.from(better.values)).toEqual(Array.from(better.at_ms, value));
  });

  it('says what a kWh costs: factor, fee and VAT; a fixed price; nothing in a foreign currency', async () => {
    const prices = open();
    await prices.poll();
    const { columns, currency: counted } = await prices.site('default', today(), addDays(today(), 3, TZ));
    expect(counted).toBe('EUR');
    expect(columns.values[40]).toBeCloseTo(((value(today() + 40 * SLOT_MS) / 1000) * 1.1 + 0.12) * 1.19, 9);
    expect(columns.at_ms).toHaveLength(3 * 96);
    expect(Number.isNaN(columns.values[100])).toBe(true);
    // in the middle of a slot its price holds
    const soon = await prices.site('default', now_ms + 420_000, now_ms + HOUR_MS);
    expect(soon.columns.values.every(Number.isFinite)).toBe(true);
    currency = 'SEK';
    const foreign = await prices.site('default', today(), tomorrow());
    expect(foreign.columns.values.every(Number.isNaN)).toBe(true);
    expect((await prices.sources('default'))[0]?.fault).toMatch(/in EUR, but the tariff counts in SEK/);
    energy_price = { kind: 'fixed', per_kWh: 0.25, vat_percent: 8 };
    const fixed = await prices.site('default', today(), tomorrow());
    expect(fixed).toMatchObject({ currency: 'SEK', sources: ['fixed'], stale_since_ms: null });
    expect(fixed.columns.values[95]).toBeCloseTo(0.27, 9);
  });

  it('keeps a loaded table above every source', async () => {
    energy_price = { ...dayAhead, area: 'AT' };
    const prices = open();
    await prices.poll();
    const stamp = new Date(today() + HOUR_MS).toISOString();
    expect(await prices.loadCsv(actor, 'AT', `at,price_ct_kWh\n${stamp},7\n`)).toEqual({ slots: 4 });
    await prices.refresh('default');
    const { values, sources } = await prices.market('AT', 'day-ahead', today(), tomorrow());
    expect(Array.from(values.slice(3, 9))).toEqual([
      value(today() + 3 * SLOT_MS),
      70,
      70,
      70,
      70,
      value(today() + 8 * SLOT_MS),
    ]);
    expect(sources.toSorted()).toEqual(['csv', 'energy-charts']);
    await expect(prices.loadCsv(actor, 'A/T', 'at,price')).rejects.toThrow(/no market area/);
  });

  it('lets nobody load prices for others: admins, the area of the site, and only where no other site has it', async () => {
    const prices = open();
    const table = `at,price_EUR_MWh\n${new Date(today()).toISOString()},7\n`;
    await expect(prices.loadCsv({ ...actor, role: 'analyst' }, 'DE-LU', table)).rejects.toThrow(/Only admins/);
    await expect(prices.loadCsv(actor, 'AT', table)).rejects.toThrow(/market area is DE-LU, not AT/);
    tenants = ['default', 'mill'];
    await expect(prices.loadCsv(actor, 'DE-LU', table)).rejects.toThrow(/Another organisation/);
    expect((await series.prices.read('DE-LU', 'day-ahead', 0, 1e14)).at_ms).toHaveLength(0);
    tenants = ['default'];
    expect((await prices.loadCsv(actor, 'DE-LU', table)).slots).toBeGreaterThan(0);
  });

  it('forgets an area without trace', async () => {
    const prices = open();
    await prices.poll();
    await prices.forget('DE-LU');
    expect((await series.prices.read('DE-LU', 'day-ahead', 0, 1e14)).at_ms).toHaveLength(0);
    expect(await runsOf('DE-LU')).toEqual([]);
  });

  it('goes on for seven days without any network and says since when each thing is old', async () => {
    const prices = open();
    const metrics = createMetrics({ defaults: false });
    const weather = createWeatherService({
      config,
      outbound,
      clock,
      log: silent,
      metrics,
      files,
      site,
      random: () => 0.5,
    });
    now_ms = today() + 13 * HOUR_MS;
    await prices.poll();
    await weather.poll();
    const cut_ms = now_ms;
    const known = await prices.market('DE-LU', 'day-ahead', today(), addDays(today(), 2, TZ));
    expect(known.at_ms).toHaveLength(192);
    const until_ms = addDays(today(), 2, TZ);
    for (const name of Object.keys(server.urls)) server.fail(name, 'reset');
    for (const step of Array.from({ length: 7 * 12 }, (_, i) => 2 * (i + 1))) {
      now_ms = cut_ms + step * HOUR_MS;
      await prices.poll();
      await weather.poll();
    }
    const late = await prices.market('DE-LU', 'day-ahead', cut_ms - 24 * HOUR_MS, now_ms);
    expect(late.at_ms.at(-1)).toBe(until_ms - SLOT_MS);
    expect(late.stale_since_ms).toBe(until_ms);
    expect(alerts.get('prices_stale DE-LU')).toEqual({ since_ms: until_ms });
    expect((await prices.site('default', cut_ms, now_ms)).stale_since_ms).toBe(until_ms);
    const states = await prices.sources('default');
    expect(states.map(({ fault }) => fault)).toEqual([
      expect.stringMatching(/not answer/),
      expect.stringMatching(/not answer/),
    ]);
    expect(states[0]?.last_success_ms).toBe(cut_ms);
    const sky = await weather.state('default');
    expect(sky).toMatchObject({ enabled: true, last_success_ms: cut_ms, fault: expect.stringMatching(/not answer/) });
    expect((await weather.hours('default', cut_ms - 48 * HOUR_MS, cut_ms)).length).toBe(48);
    // polite even then: a source that failed is not asked for the other days too
    expect((await runsOf('DE-LU')).length).toBeLessThan(7 * 12 * 2 + 10);

    // a new process reads both from disk, still without network
    const again = createWeatherService({ config, outbound, clock, log: silent, metrics, files, site });
    expect((await again.state('default')).last_success_ms).toBe(cut_ms);
    expect((await open().market('DE-LU', 'day-ahead', cut_ms, now_ms)).stale_since_ms).toBe(until_ms);

    for (const name of Object.keys(server.urls)) server.fail(name, null);
    now_ms += HOUR_MS;
    await prices.poll();
    await weather.poll();
    const back = await prices.market('DE-LU', 'day-ahead', cut_ms, publishedUntil());
    expect(back.stale_since_ms).toBeNull();
    expect(alerts.size).toBe(0);
    // the week without network is filled as well
    now_ms += 2 * HOUR_MS;
    await prices.poll();
    expect((await prices.market('DE-LU', 'day-ahead', dayStart(cut_ms, TZ), today())).at_ms).toHaveLength(7 * 96);
    expect((await weather.state('default')).fault).toBeNull();
  });

  it('asks nobody for weather where it is switched off or the place is unknown', async () => {
    const calls = server.calls('open-meteo');
    const metrics = createMetrics({ defaults: false });
    const off = createWeatherService({
      outbound,
      config: { ...config, weather: 'off' },
      clock,
      log: silent,
      metrics,
      files,
      site,
    });
    await off.poll();
    const nowhere = { ...site, get: () => ({ ...site.get(), latitude: null, longitude: null }) };
    await createWeatherService({ config, outbound, clock, log: silent, metrics, files, site: nowhere }).poll();
    expect(server.calls('open-meteo')).toBe(calls);
    expect((await off.state('default')).enabled).toBe(false);
  });
});
