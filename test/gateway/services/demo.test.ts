/** The demo in a whole box: what a person sees after one click, over a restart, and that nothing stays behind. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOUR_MS } from '../../../engine/model/time.ts';
import { assemble, type Box } from '../../../gateway/assemble.ts';
import { loadConfig } from '../../../gateway/config.ts';
import type { Actor } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';

const admin: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'de' };
const TENANT = 'default';
/** Tables of a tenant that hold something of the demo while it runs or may come to do so. */
const TABLES = [
  ...[
    'site',
    'tariff_version',
    'device',
    'device_credential',
    'meter_point',
    'setting',
    'quality_report',
    'data_load',
    'alert',
  ],
  ...['document', 'document_version', 'passage', 'decision', 'feedback', 'policy_state', 'usage_event'],
];

describe('the demo site in a box', () => {
  let home: string;
  let box: Box;

  async function open(): Promise<void> {
    const environment = { LUNA_HOME: home, LUNA_PORT: '0', LUNA_MQTT_PORT: '0', LUNA_HOST: '127.0.0.1' };
    box = await assemble(loadConfig(environment), silent, { listen: true });
    for (const part of box.parts) await part.start?.();
  }
  async function close(): Promise<void> {
    for (const part of box.parts.toReversed()) await part.close?.();
  }
  const live = (meter: string, quantity: string) => box.services.live.of(TENANT, meter).get(quantity)?.value;
  const countOf = async (table: string) => {
    const [row] = await box.services.db.asTenant(TENANT, (sql) =>
      sql<{ n: number }>(`select count(*)::int as n from ${table}`),
    );
    return row?.n;
  };

  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'luna-demo-'));
    await open();
  });
  afterAll(async () => {
    await close();
    await rm(home, { recursive: true, force: true });
  });

  it('shows meters of all transports, history, prices, a forecast and a text within seconds', async () => {
    const { services } = box;
    const before = await Promise.all(TABLES.map(countOf));
    expect(before.every((n) => n === 0)).toBe(true);
    await services.demo.start(admin);
    expect(services.site.get(TENANT)).toMatchObject({ demo: true, name: 'Demo: Hall & Office' });
    expect(services.demo.running()).toBe(true);
    // Modbus SunSpec, Modbus SDM630, Shelly, Tasmota, own format
    for (const [meter, quantity] of [
      ['demo-grid', 'import_kWh'],
      ['demo-pv', 'export_kWh'],
      ['demo-cold', 'import_kWh'],
      ['demo-hall', 'import_kWh'],
      ['demo-ev', 'import_kWh'],
      ['demo-battery', 'soc_percent'],
    ] as const) {
      const received = () => services.live.of(TENANT, meter).get(quantity)?.at_ms ?? 0;
      // the live value, not the last of the history
      await expect.poll(received, { timeout: 15_000 }).toBeGreaterThan(Date.now() - 20_000);
    }
    const now = Date.now();
    await expect
      .poll(async () => (await services.forecasts.latest(TENANT, 'load', Date.now()))?.points.length ?? 0, {
        timeout: 40_000,
      })
      .toBeGreaterThan(96);
    const lowest_W = async () => {
      const { values } = await services.data.balance(TENANT, 'load', now - 48 * HOUR_MS, now - HOUR_MS);
      return values.reduce((low, power_W) => Math.min(low, Number.isNaN(power_W) ? 0 : power_W), 1e9);
    };
    await expect.poll(lowest_W, { timeout: 20_000 }).toBeGreaterThan(3000);
    const days_kWh = async () => {
      const { columns } = await services.data.query(TENANT, {
        ...{ meter: 'demo-ev', quantity: 'import_kWh', resolution: 'day', tz: 'Europe/Berlin' },
        ...{ from_ms: now - 58 * 24 * HOUR_MS, to_ms: now - 24 * HOUR_MS },
      });
      return [...columns.values];
    };
    // The days that came last are computed last.
    await expect.poll(async () => (await days_kWh()).filter(Number.isNaN), { timeout: 30_000 }).toEqual([]);
    // neither the spike nor the replaced meter enters a sum
    expect((await days_kWh()).filter((kWh) => !(kWh >= 0 && kWh < 500))).toEqual([]);
    const missing = async () =>
      (await services.prices.site(TENANT, now, now + HOUR_MS)).columns.values.filter(Number.isNaN).length;
    await expect.poll(missing, { timeout: 20_000 }).toBe(0);
    await expect
      .poll(async () => (await services.regulation.documents(TENANT)).map(({ state }) => state), { timeout: 20_000 })
      .toEqual(['ready', 'ready']);
    await expect
      .poll(async () => (await services.weather.state(TENANT)).last_success_ms, { timeout: 20_000 })
      .not.toBeNull();
  }, 90_000);

  it('goes on after a restart, in the same registers', async () => {
    const before_kWh = live('demo-grid', 'import_kWh') ?? Number.NaN;
    await close();
    await open();
    const restarted_ms = Date.now();
    for (const meter of ['demo-grid', 'demo-hall'])
      await expect
        .poll(() => box.services.live.of(TENANT, meter).get('power_W')?.received_ms ?? 0, { timeout: 15_000 })
        .toBeGreaterThan(restarted_ms);
    const after_kWh = live('demo-grid', 'import_kWh') ?? Number.NaN;
    expect(after_kWh).toBeGreaterThanOrEqual(before_kWh);
    expect(after_kWh - before_kWh).toBeLessThan(5);
  }, 60_000);

  it('leaves without trace', async () => {
    const { services } = box;
    await services.demo.stop(admin);
    expect(services.demo.running()).toBe(false);
    expect(services.site.get(TENANT)).toBeNull();
    expect([services.meters.list(TENANT), services.devices.list(TENANT)]).toEqual([[], []]);
    for (const table of TABLES) expect(await countOf(table), table).toBe(0);
    const runs = await services.db.asSystem((sql) => sql('select * from provider_run'));
    expect(runs).toEqual([]);
    expect((await services.series.prices.read('DE-LU', 'day-ahead', 0, 1e14)).at_ms).toHaveLength(0);
    for (const series of ['load', 'generation', 'price'])
      expect(await services.series.forecasts.latest(TENANT, series, Date.now() + HOUR_MS)).toBeNull();
    const range = { meter: 'demo-grid', quantity: 'import_kWh', from_ms: 0, to_ms: 1e14 };
    expect((await services.series.readings.read(TENANT, range)).at_ms).toHaveLength(0);
    expect((await services.series.slots.read(TENANT, range)).at_ms).toHaveLength(0);
    await expect(services.demo.stop(admin)).rejects.toThrow(/no demo/);
  }, 30_000);

  it('does not take the place of a real site', async () => {
    const { services } = box;
    await services.site.save(admin, {
      ...{ id: 'works', name: 'Works', place: '', latitude: null, longitude: null, time_zone: 'Europe/Vienna' },
      ...{ country: 'AT', currency: 'EUR', energy_price: { kind: 'fixed', per_kWh: 0.2, vat_percent: 20 } as const },
    });
    await expect(services.demo.start(admin)).rejects.toThrow(/set up already/);
    await expect(services.demo.stop(admin)).rejects.toThrow(/no demo/);
    expect(services.site.get(TENANT)?.name).toBe('Works');
  });
});
