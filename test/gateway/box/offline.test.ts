/** Seven days without any network: pages, stored prices, forecasts and answers go on; what is stale says since when. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDays, dayStart, HOUR_MS, SLOT_MS } from '../../../engine/model/time.ts';
import { assemble, type Box } from '../../../gateway/assemble.ts';
import { loadConfig } from '../../../gateway/config.ts';
import { createWeb } from '../../../gateway/http/server.ts';
import type { RunningPrices } from '../../../gateway/services/prices.ts';
import type { Actor } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';
import { freePort } from '../../setup/questdb.ts';

const TZ = 'Europe/Berlin';
const admin: Actor = { tenant: 'default', person: 'ada', role: 'admin', language: 'en' };
const SOURCES = ['energy-charts', 'awattar', 'smard'];
const LAW = `# Metering rules\n\n## § 7 Standstill of meters\n\nAn operator shall report a meter that stands still to the grid operator within fourteen days. ${'The report names the meter and the day. '.repeat(12)}\n`;
const PAGES = [
  '/',
  '/meters',
  '/meters/main',
  '/prices',
  '/forecasts',
  '/advice',
  '/ask',
  '/documents',
  '/alerts',
  '/admin/health',
];

describe('a box without network', () => {
  let home: string;
  let box: Box;
  let now_ms = dayStart(Date.UTC(2026, 2, 27), TZ) + 9 * HOUR_MS;
  // Slots follow their readings by seconds of the box's clock, so it runs on from where the test sets it.
  const begun_ms = performance.now();
  const now = () => Math.round(now_ms + performance.now() - begun_ms);
  let register = 0;
  let ask: (path: string) => Promise<Response>;

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'luna-offline-'));
    // Every source points at a port where nobody listens.
    const NOWHERE = `http://127.0.0.1:${await freePort()}`;
    const urls = Object.fromEntries([...SOURCES, 'open-meteo'].map((name) => [name, NOWHERE]));
    const config = loadConfig({
      ...{ LUNA_HOME: home, LUNA_PRICE_SOURCES: SOURCES.join(','), LUNA_PROVIDER_URLS: JSON.stringify(urls) },
    });
    box = await assemble(config, silent, { listen: false, clock: { now } });
    for (const part of box.parts) await part.start?.();
    const { site, devices, prices, regulation } = box.services;
    await site.save(admin, {
      ...{
        id: 'main',
        name: 'Werk',
        place: '',
        latitude: 48,
        longitude: 8,
        time_zone: TZ,
        country: 'DE',
        currency: 'EUR',
      },
      energy_price: { kind: 'day-ahead', area: 'DE-LU', factor: 1, fee_per_kWh: 0.1, vat_percent: 19 },
    });
    await devices.create(admin, {
      id: 'main',
      connection: { kind: 'push' },
      points: [{ channel: 'main', id: 'main', role: 'grid' }],
    });
    await prices.loadCsv(admin, 'DE-LU', priceCsv(now_ms));
    await regulation.upload(admin, { name: 'rules.md', bytes: new TextEncoder().encode(LAW), title: 'Metering rules' });
    await measure(addDays(now_ms, -10, TZ), now_ms);
    const web = createWeb(box.services, {
      ...{ secure: false, version: '0' },
      authenticate: async (c, next) => {
        c.set('client', '127.0.0.1');
        c.set('actor', admin);
        await next();
      },
    });
    ask = async (path) => web.request(path, { headers: { accept: 'text/html' } });
  }, 60_000);
  afterAll(async () => {
    for (const part of box.parts.toReversed()) await part.close?.();
    await rm(home, { recursive: true, force: true });
  });

  it('goes on for seven days, over the clock change, and says since when prices are stale', {
    timeout: 90_000,
  }, async () => {
    const { forecasts, regulation, prices, alerts, weather } = box.services;
    const went_ms = now_ms;
    await forecasts.refresh('default');
    for (let day = 1; day <= 7; day++) {
      const from_ms = now_ms;
      now_ms = addDays(from_ms, 1, TZ) + 9 * HOUR_MS;
      await measure(from_ms, now_ms);
      await (prices as RunningPrices).poll();
      await forecasts.refresh('default', 'load');
      const load = await forecasts.latest('default', 'load', now());
      expect(load?.made_at_ms).toBeGreaterThanOrEqual(now_ms);
      expect(load?.points.length).toBeGreaterThanOrEqual(96);
      expect((await regulation.ask(admin, 'When must an operator report a meter that stands still?')).status).toBe(
        'answered',
      );
      for (const path of PAGES) expect([path, (await ask(path)).status]).toEqual([path, 200]);
    }
    // The prices of the first two days are still there; those of today never came, and the page says since when.
    const stored = await prices.market('DE-LU', 'day-ahead', dayStart(went_ms, TZ), went_ms);
    expect(stored.values.some(Number.isNaN)).toBe(false);
    const { stale_since_ms } = await prices.site('default', now_ms, now_ms + HOUR_MS);
    expect(stale_since_ms).toBeGreaterThan(went_ms);
    expect(stale_since_ms).toBeLessThan(went_ms + 3 * 86_400_000);
    expect(await (await ask('/prices')).text()).toMatch(/stale: nothing new came since/);
    expect(await (await ask('/')).text()).toMatch(/stale since/);
    expect((await alerts.list('default', { open_only: true })).map((alert) => alert.kind)).toContain('prices_stale');
    expect((await weather.state('default')).last_success_ms).toBeNull();
  });

  /** A register read every five minutes; resolves when its slots are in the store. */
  async function measure(from_ms: number, to_ms: number): Promise<void> {
    const readings = [];
    for (let at_ms = from_ms; at_ms < to_ms; at_ms += 5 * 60_000) {
      register += 0.5 + 0.3 * Math.sin((at_ms / (24 * HOUR_MS)) * 2 * Math.PI);
      readings.push({ meter: 'main', quantity: 'import_kWh', at_ms, value: register, quality: 0 });
    }
    await box.services.intake({ tenant: 'default', source: 'test', device: null, received_ms: to_ms, readings });
    const last_ms = Math.floor((to_ms - 3 * SLOT_MS) / SLOT_MS) * SLOT_MS;
    const value = async () =>
      (await box.services.data.balance('default', 'grid', last_ms, last_ms + SLOT_MS)).values[0]!;
    const until = performance.now() + 20_000;
    while (!((await value()) > 0) && performance.now() < until) await new Promise((done) => setTimeout(done, 50));
  }

  /** Hourly prices from ten days ago to the end of tomorrow, the last that came before the network went. */
  function priceCsv(at_ms: number): string {
    const rows = ['at,price'];
    for (let t = addDays(dayStart(at_ms, TZ), -10, TZ); t < addDays(dayStart(at_ms, TZ), 2, TZ); t += HOUR_MS)
      rows.push(`${new Date(t).toISOString()},${60 + 30 * Math.sin(t / (12 * HOUR_MS))}`);
    return rows.join('\n');
  }
});
