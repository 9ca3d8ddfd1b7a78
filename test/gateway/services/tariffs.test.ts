/** The tariffs of sites on a real database. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { openEmbeddedPostgres } from '../../../connectors/database/embedded/embedded.ts';
import { readMigrations } from '../../../connectors/database/postgres/migrate.ts';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { EnergyPrice } from '../../../engine/model/site.ts';
import type { Database, LunaEvent } from '../../../engine/ports.ts';
import { simpleTariffText } from '../../../engine/tariff/simple.ts';
import { createAuditService } from '../../../gateway/services/audit.ts';
import { createSiteService } from '../../../gateway/services/site.ts';
import { createTariffService } from '../../../gateway/services/tariffs.ts';
import type { Actor, SiteSettings } from '../../../gateway/services.ts';
import { FAST, openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const NOW = Date.parse('2026-06-15T10:00Z');
const admin: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
const DAY_AHEAD: EnergyPrice = { kind: 'day-ahead', area: 'DE-LU', factor: 1.05, fee_per_kWh: 0.12, vat_percent: 19 };
const works: SiteSettings = {
  ...{ id: 'works', name: 'Works', place: '', latitude: null, longitude: null, time_zone: 'Europe/Berlin' },
  ...{ country: 'DE', currency: 'EUR', energy_price: DAY_AHEAD },
};
const flat = (price: number, more = '') =>
  `name: Flat ${price}\ncurrency: EUR\ntime_zone: Europe/Berlin\nvat_percent: 19\n${more}energy:\n  - name: Energy\n    price_per_kWh: ${price}\n`;

async function open(db: Database, events: LunaEvent[] = []) {
  const bus = createMemoryBus({ log: silent });
  bus.subscribe((event) => events.push(event));
  const site = createSiteService({ db });
  const tariffs = createTariffService({ db, bus, log: silent, clock: { now: () => NOW }, site });
  await site.start();
  await tariffs.start();
  return { site, tariffs };
}

describe('tariffs of a site', () => {
  let test: TestDatabase;
  const events: LunaEvent[] = [];
  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test.close());

  it('begins with the one price of the set-up, which the form may change while it is no more', async () => {
    const { site, tariffs } = await open(test.db);
    expect(tariffs.versions('default')).toEqual([]);
    await expect(tariffs.save(admin, '2026-01-01', flat(0.3))).rejects.toThrow('There is no site yet.');
    await site.save(admin, works);
    expect(tariffs.simple('default')).toEqual(DAY_AHEAD);
    expect([tariffs.area('default'), tariffs.areas('default')]).toEqual(['DE-LU', ['DE-LU']]);
    const fixed: EnergyPrice = { kind: 'fixed', per_kWh: 0.0000001, vat_percent: 7.7 };
    await site.save(admin, { ...works, energy_price: fixed });
    expect(tariffs.simple('default')).toEqual(fixed);
    expect((await open(test.db)).tariffs.simple('default')).toEqual(fixed);
    await site.save(admin, { ...works, name: 'Works II', energy_price: undefined });
    expect(tariffs.simple('default'), 'a site without a price keeps its tariff').toEqual(fixed);
  });

  it('keeps versions by the day they hold from, audited with what they replaced, and tells the pages', async () => {
    events.length = 0;
    const { site, tariffs } = await open(test.db, events);
    await tariffs.save(admin, '2026-01-01', flat(0.3));
    await tariffs.save(admin, '2026-07-01', flat(0.2));
    expect(tariffs.versions('default').map(({ valid_from }) => valid_from)).toEqual([
      '1970-01-01',
      '2026-01-01',
      '2026-07-01',
    ]);
    expect(tariffs.current('default')?.tariff.name).toBe('Flat 0.3');
    expect(events).toEqual([
      { type: 'tariff', tenant: 'default' },
      { type: 'tariff', tenant: 'default' },
    ]);
    await tariffs.save(admin, '2026-01-01', flat(0.31));
    const [entry] = await createAuditService(test).list('default', { limit: 1 });
    expect(entry).toMatchObject({
      act: 'save tariff',
      detail: { valid_from: '2026-01-01', yaml: flat(0.31), replaced: flat(0.3) },
    });
    expect((await open(test.db)).tariffs.versions('default')).toEqual(tariffs.versions('default'));
    await expect(site.save(admin, works)).rejects.toThrow('a tariff that is more than one price');
    await tariffs.remove(admin, '2026-07-01');
    await expect(tariffs.remove(admin, '2026-07-01')).rejects.toThrow('No version of the tariff begins on 2026-07-01.');
    await tariffs.remove(admin, '1970-01-01');
    await expect(tariffs.remove(admin, '2026-01-01')).rejects.toThrow('the only version');
  });

  it('refuses what is wrong, with lines, days and currencies, and stores nothing', async () => {
    const { tariffs } = await open(test.db);
    const before = tariffs.versions('default');
    const wrong = await tariffs.save(admin, '2026-08-01', flat(0.3, 'vat: 19\n')).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(InvalidDataError);
    expect((wrong as InvalidDataError).faults).toMatchObject([{ where: 'line 5' }]);
    await expect(tariffs.save(admin, '2026-02-30', flat(0.3))).rejects.toThrow('"2026-02-30" is no day.');
    await expect(tariffs.save(admin, '2026-08-01', flat(0.3).replace('EUR', 'NOK'))).rejects.toThrow('counts in NOK');
    const market = 'market: { area: HB_HOUSTON }';
    await expect(tariffs.save(admin, '2026-08-01', flat(0.3).replace('price_per_kWh: 0.3', market))).rejects.toThrow(
      'The prices of HB_HOUSTON are in USD, but the tariff counts in EUR.',
    );
    const exchanged = 'market: { area: HB_HOUSTON, exchange: { currency: USD, rate: 0.92 } }';
    await expect(tariffs.save(admin, '2026-08-01', flat(0.3, 'holidays: XX\n'))).rejects.toThrow('holidays of "XX"');
    expect(tariffs.versions('default')).toEqual(before);
    await tariffs.save(admin, '2026-08-01', flat(0.3).replace('price_per_kWh: 0.3', exchanged));
    expect(tariffs.areas('default')).toEqual(['HB_HOUSTON']);
  });

  it('leaves a version out that it cannot read, instead of not starting', async () => {
    await test.db.asTenant('default', (sql) =>
      sql(`insert into tariff_version (tenant_id, site_id, valid_from, yaml, by, at)
        values ('default', 'works', '2027-01-01', 'name: [', 'x', now())`),
    );
    const { site, tariffs } = await open(test.db);
    expect(tariffs.versions('default').map(({ valid_from }) => valid_from)).toEqual(['2026-01-01', '2026-08-01']);
    await site.remove(admin);
    expect(tariffs.versions('default')).toEqual([]);
    const left = await test.db.asTenant('default', (sql) => sql('select 1 from tariff_version'));
    expect(left).toEqual([]);
  });
});

it('makes the energy price of former versions a tariff, for each organisation', async () => {
  const home = await mkdtemp(join(tmpdir(), 'luna-tariff-'));
  const fixed: EnergyPrice = { kind: 'fixed', per_kWh: 0.2345, vat_percent: 7.7 };
  const prices = { default: DAY_AHEAD, mill: fixed };
  const place = { currency: 'EUR', time_zone: 'Europe/Berlin' };
  try {
    const options = { home, log: silent, settings: FAST };
    const former = readMigrations().filter(({ name }) => name < '0010');
    const before = await openEmbeddedPostgres({ ...options, migrations: former });
    await before.asSystem((sql) => sql(`insert into tenant (id, name) values ('default', 'D'), ('mill', 'M')`));
    for (const [tenant, price] of Object.entries(prices))
      await before.asTenant(tenant, (sql) =>
        sql(
          `insert into site (tenant_id, id, name, time_zone, country, currency, energy_price)
            values ($1, 's', 'S', $2, 'DE', $3, $4)`,
          [tenant, place.time_zone, place.currency, JSON.stringify(price)],
        ),
      );
    await before.close();
    const after = await openEmbeddedPostgres(options);
    try {
      const { tariffs, site } = await open(after);
      for (const [tenant, price] of Object.entries(prices)) {
        expect(tariffs.simple(tenant)).toEqual(price);
        expect(tariffs.versions(tenant).map(({ yaml }) => yaml)).toEqual([simpleTariffText(price, place)]);
        expect(site.get(tenant)?.name).toBe('S');
      }
    } finally {
      await after.close();
    }
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}, 60_000);
