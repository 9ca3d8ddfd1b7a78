/** What pages say while the series store is away or catches up. */
import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../engine/errors.ts';
import type { HealthService, Services } from '../../gateway/services.ts';
import { createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';

const sample = createSampleServices();
const now_ms = sample.clock.now();
type Store = ReturnType<HealthService['store']>;

async function see(path: string, store: Partial<Store>, language: 'en' | 'de' = 'en'): Promise<string> {
  const health: Services['health'] = {
    ...sample.health,
    store: () => ({
      ...{ up: false, since_ms: now_ms - 3 * 3_600_000, reason: 'gone', waiting_records: 1, waiting_readings: 1234567 },
      ...{ full_in_h: 41.9, ...store },
    }),
  };
  const app = createSampleApp(createSampleServices({ replace: { health } }), {});
  return (await app.request(path, { headers: { cookie: `luna_language=${language}` } })).text();
}

describe('while the series store is away', () => {
  it.each(['/', '/meters'])(
    '%s says since when, that nothing is lost, how much waits and how long there is room',
    async (path) => {
      const text = await see(path, {});
      expect(text).toMatch(/The store of readings is away since .{1,40}\. Nothing is lost: 1,234,567 readings wait/);
      expect(text).toContain('room for about 41 more hours');
      expect(await see(path, { full_in_h: 0.4 })).toContain('less than an hour');
      const german = await see(path, {}, 'de');
      expect(german).toMatch(
        /Zeitreihenspeicher ist seit .{1,40} nicht da. Nichts geht verloren: 1\.234\.567 Messwerte/,
      );
    },
  );

  it.each(['/', '/meters'])(
    '%s says what is still to be added when it is back, and nothing otherwise',
    async (path) => {
      expect(await see(path, { up: true, full_in_h: null })).toContain('1,234,567 readings are still to be added');
      for (const quiet of [{ up: true, waiting_readings: 800 }, { since_ms: now_ms - 3000 }])
        expect(await see(path, quiet)).not.toMatch(/store of readings/);
    },
  );

  it.each(['/', '/meters'])('%s goes on showing live values, though the store answers nothing', async (path) => {
    const refuse = () => Promise.reject(new UnavailableError('The series store does not answer: gone', 'Ask later.'));
    const away = { get: () => refuse };
    const health: Services['health'] = {
      ...sample.health,
      store: () => ({ ...sample.health.store(), up: false, since_ms: now_ms - 3 * 3_600_000, reason: 'gone' }),
    };
    const quality = { ...sample.quality, today: refuse };
    const replace = {
      ...{ health, quality, data: new Proxy(sample.data, away), series: new Proxy(sample.series ?? {}, away) },
    };
    // A value that nobody else has.
    const live: Services['live'] = {
      ...sample.live,
      of: (tenant, meter) =>
        new Map([...sample.live.of(tenant, meter)].map(([name, one]) => [name, { ...one, value: 7531.2 }])),
    };
    const services = createSampleServices({ replace: { ...replace, live } as Partial<Services> });
    const answer = await createSampleApp(services, {}).request(path);
    expect(answer.status).toBe(200);
    expect(await answer.text()).toMatch(/7[.,]53/);
  });

  it.each(['/', '/meters'])('%s comes with live values while the store answers no question at all', async (path) => {
    const never = () => new Promise<never>(() => {});
    const hangs = { get: () => never };
    const quality = { ...sample.quality, today: never };
    const replace = { quality, data: new Proxy(sample.data, hangs), series: new Proxy(sample.series ?? {}, hangs) };
    const live: Services['live'] = {
      ...sample.live,
      of: (tenant, meter) =>
        new Map([...sample.live.of(tenant, meter)].map(([name, one]) => [name, { ...one, value: 7531.2 }])),
    };
    const services = createSampleServices({ replace: { ...replace, live } as Partial<Services> });
    const text = await (await createSampleApp(services, {}).request(path)).text();
    expect(text).toMatch(/7[.,]53/);
    if (path === '/') expect(text).toContain('This is still being worked out');
  });

  it('Admin, Health shows the books and says when they do not come out even', async () => {
    const text = await see('/admin/health', {});
    expect(text).toContain('Received is the sum of the others');
    expect(text).toMatch(/<th scope="row">All<\/th><td class="numbers">200,400<\/td>/);
    const health = { ...sample.health, readings: () => ({ ...sample.health.readings(), missing: 17 }) };
    const app = createSampleApp(createSampleServices({ replace: { health } }), {});
    expect(await (await app.request('/admin/health')).text()).toContain('17 acknowledged readings are missing');
  });
});
