import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuditService } from '../../../gateway/services/audit.ts';
import { createSiteService, siteFaults } from '../../../gateway/services/site.ts';
import type { Actor, SiteSettings } from '../../../gateway/services.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';

const admin: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
const works: SiteSettings = {
  id: 'works',
  name: 'Works <Nord>',
  place: 'Hamburg',
  latitude: 53.55,
  longitude: 9.99,
  time_zone: 'Europe/Berlin',
  country: 'DE',
  currency: 'EUR',
  energy_price: { kind: 'day-ahead', area: 'DE-LU', factor: 1, fee_per_kWh: 0.12, vat_percent: 19 },
};

describe('site service', () => {
  let test: TestDatabase;
  const open = async () => {
    const service = createSiteService({ db: test.db });
    await service.start();
    return service;
  };
  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test.close());

  it('knows the tenant default and no site before set-up', async () => {
    const site = await open();
    expect(site.tenants()).toEqual(['default']);
    expect(site.get('default')).toBeNull();
    expect(site.get('nobody')).toBeNull();
  });

  it('keeps a site, over a restart too, with an audit entry for each change', async () => {
    const site = await open();
    await site.save(admin, works, { demo: true });
    await site.save(admin, { ...works, name: 'Works' });
    const { energy_price: _, ...place } = works;
    expect(site.get('default')).toEqual({ ...place, name: 'Works', tenant: 'default', demo: true });
    expect((await open()).get('default')).toEqual(site.get('default'));
    const entries = await createAuditService(test).list('default', { limit: 10 });
    expect(entries.map(({ act, object, actor }) => [act, object, actor])).toEqual([
      ['change site', 'works', 'anna'],
      ['create site', 'works', 'anna'],
    ]);
    await expect(site.save(admin, { ...works, id: 'other' })).rejects.toThrow(/id is works and stays so/);
    await site.remove(admin);
    expect((await open()).get('default')).toBeNull();
  });

  it('sets up no site beside the demo of another organisation, whose prices would reach it', async () => {
    await test.db.asSystem((sql) => sql(`insert into tenant (id, name) values ('mill', 'Mill')`));
    const site = await open();
    const miller = { ...admin, tenant: 'mill' };
    await site.save(admin, works, { demo: true });
    await expect(site.save(miller, works)).rejects.toThrow(/runs the demo/);
    expect(site.get('mill')).toBeNull();
    await site.remove(admin);
    await site.save(miller, works);
    await site.remove(miller);
  });

  it('stores nothing when a field is wrong', async () => {
    const site = await open();
    await expect(site.save(admin, { ...works, time_zone: 'Mars/Olympus' })).rejects.toThrow(/no IANA time zone/);
    expect((await open()).get('default')).toBeNull();
  });

  it.each<[string, Partial<SiteSettings>, string[]]>([
    ['a good one', {}, []],
    ['an offset as zone', { time_zone: '+01:00' }, ['time_zone']],
    ['UTC', { time_zone: 'UTC' }, []],
    ['a country that is none', { country: 'ZZ' }, ['country']],
    ['a country in small letters', { country: 'de' }, ['country']],
    ['a currency that is none', { currency: 'EURO' }, ['currency']],
    ['latitude alone', { longitude: null }, ['latitude']],
    ['the wrong hemisphere of numbers', { latitude: 91 }, ['latitude']],
    ['NaN', { latitude: Number.NaN }, ['latitude']],
    ['no name', { name: ' ' }, ['name']],
    ['an id with a slash', { id: '../works' }, ['id']],
    ['a newline in the name', { name: 'a\nb' }, ['name']],
    [
      'no VAT',
      { energy_price: { kind: 'fixed', per_kWh: 0.3, vat_percent: Number.NaN } },
      ['energy_price.vat_percent'],
    ],
    ['a price of no kind', { energy_price: {} as never }, ['energy_price.kind']],
    [
      'an area that is a path',
      { energy_price: { kind: 'day-ahead', area: '../x', factor: 1, fee_per_kWh: 0, vat_percent: 0 } },
      ['energy_price.area'],
    ],
  ])('names the faults of %s', (_, change, faults) => {
    expect(siteFaults({ ...works, ...change }).map(({ where }) => where)).toEqual(faults);
  });
});
