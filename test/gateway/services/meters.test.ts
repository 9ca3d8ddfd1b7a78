import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import { createMeterService } from '../../../gateway/services/meters.ts';
import { createSiteService } from '../../../gateway/services/site.ts';
import type { Actor, MeterService } from '../../../gateway/services.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const admin: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
type Input = Parameters<MeterService['save']>[1];
const real = (id: string, more: Partial<Input> = {}): Input => ({
  ...{ id, name: id, role: 'load', device: 'box', channel: id, parent: null, virtual: null },
  ...more,
});
const sum = (id: string, ...parts: string[]): Input =>
  real(id, { device: null, virtual: parts.map((meter) => ({ meter, factor: 1 })) });

describe('meter service', () => {
  let test: TestDatabase;
  let meters: MeterService;
  const open = async () => {
    const site = createSiteService(test);
    await site.start();
    const service = createMeterService({ db: test.db, log: silent, site });
    await service.start();
    return service;
  };
  beforeAll(async () => {
    test = await openTestDatabase();
    const site = createSiteService(test);
    await site.start();
    await site.save(admin, {
      ...{ id: 'works', name: 'Works', place: '', latitude: null, longitude: null, time_zone: 'UTC' },
      ...{ country: 'DE', currency: 'EUR', energy_price: { kind: 'fixed', per_kWh: 0.3, vat_percent: 19 } },
    });
    await test.db.asTenant('default', (sql) =>
      sql(`insert into device (tenant_id, id, name, connection) values ('default', 'box', 'Box', '{"kind":"push"}')`),
    );
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    await test.db.asTenant('default', (sql) => sql('delete from meter_point'));
    meters = await open();
  });

  it('lists by name, finds by id and device, and remembers over a restart', async () => {
    await meters.save(admin, real('b', { name: 'Boiler', role: 'sub-meter' }));
    await meters.save(admin, real('a', { name: 'Zone' }));
    await meters.save(admin, real('b', { name: 'Aircon', role: 'sub-meter', parent: 'a' }));
    for (const service of [meters, await open()]) {
      expect(service.list('default').map(({ name }) => name)).toEqual(['Aircon', 'Zone']);
      expect(service.get('default', 'b')).toMatchObject({ site: 'works', parent: 'a', role: 'sub-meter' });
      expect(
        service
          .ofDevice('default', 'box')
          .map(({ id }) => id)
          .sort(),
      ).toEqual(['a', 'b']);
    }
    expect(meters.get('default', 'nothing')).toBeNull();
    expect(meters.list('other')).toEqual([]);
  });

  it('tells its listeners, also when one of them throws', async () => {
    let told = 0;
    meters.onChange(() => {
      throw new Error('broken listener');
    });
    const stop = meters.onChange(() => told++);
    await meters.save(admin, real('a'));
    stop();
    await meters.remove(admin, 'a');
    expect(told).toBe(1);
  });

  it('sees what others changed after refresh', async () => {
    await meters.save(admin, real('a'));
    await test.db.asTenant('default', (sql) => sql(`delete from meter_point where id = 'a'`));
    await meters.refresh('default');
    expect(meters.list('default')).toEqual([]);
  });

  it.each<[string, Input, RegExp]>([
    ['an id that is a path', real('a/b'), /id is no id/],
    ['a device that does not exist', real('x', { device: 'ghost' }), /no device ghost/],
    ['a channel that is taken', real('x', { channel: 'a' }), /supplies a already/],
    ['neither device nor formula', real('x', { device: null }), /exactly one/],
    ['both', real('x', { virtual: [{ meter: 'a', factor: 1 }] }), /exactly one/],
    ['an unknown parent', real('x', { parent: 'ghost' }), /ghost does not exist/],
    ['itself as parent', real('a', { parent: 'a' }), /circle: a → a/],
    ['a circle of parents', real('a', { parent: 'b' }), /circle: a → b → a/],
    ['a formula of nothing', sum('x'), /no meter points/],
    ['a formula of a ghost', sum('x', 'ghost'), /names ghost/],
    ['a formula of itself', sum('x', 'x'), /circle: x → x/],
    ['a circle of formulas', sum('v', 'w'), /circle: v → w → v/],
    ['a factor of 0', real('x', { device: null, virtual: [{ meter: 'a', factor: 0 }] }), /no number or 0/],
    ['a meter twice', sum('x', 'a', 'a'), /twice/],
    ['a role that is none', real('x', { role: 'boss' as never }), /role is none of/],
  ])('refuses %s and keeps what was there', async (_, input, words) => {
    await meters.save(admin, real('a'));
    await meters.save(admin, real('b', { parent: 'a' }));
    await meters.save(admin, sum('v', 'a'));
    await meters.save(admin, sum('w', 'v', 'b'));
    const before = meters.list('default');
    const failure = await meters.save(admin, input).then(
      () => null,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(InvalidDataError);
    expect((failure as Error).message).toMatch(words);
    expect((await open()).list('default')).toEqual(before);
  });

  it('never stores a circle, however two changes race', async () => {
    await meters.save(admin, real('a'));
    await meters.save(admin, sum('v', 'a'));
    await meters.save(admin, sum('w', 'a'));
    const other = await open();
    let both: Promise<PromiseSettledResult<void>[]> = Promise.resolve([]);
    // Both have looked at the others, or wait to look, when the rows become free.
    await test.db.asTenant('default', async (sql) => {
      await sql('select 1 from meter_point for update');
      both = Promise.allSettled([meters.save(admin, sum('v', 'w')), other.save(admin, sum('w', 'v'))]);
      await sleep(200);
    });
    const outcomes = await both;
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('keeps a meter point that a formula needs, and says which', async () => {
    await meters.save(admin, real('a'));
    await meters.save(admin, sum('v', 'a'));
    await expect(meters.remove(admin, 'a')).rejects.toThrow(/formula of v/);
    await meters.remove(admin, 'v');
    await meters.remove(admin, 'a');
    await expect(meters.remove(admin, 'a')).rejects.toThrow(NotFoundError);
  });

  it('takes meter points before the site is set up', async () => {
    const service = createMeterService({ ...test, log: silent, site: { get: () => null, tenants: () => ['default'] } });
    await service.save(admin, real('early'));
    expect(service.get('default', 'early')?.site).toBe('main');
    await service.remove(admin, 'early');
  });
});
