import { expect, it } from 'vitest';
import { createWeatherApi } from '../../../gateway/http/api/weather.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import type { Actor, WeatherService } from '../../../gateway/services.ts';

const NOW = Date.parse('2026-06-10T06:20Z');
const HOUR = Date.parse('2026-06-10T06:00Z');

function ask(role: Actor['role'] | null) {
  const asked: [string, number, number][] = [];
  const weather: WeatherService = {
    async hours(tenant, from_ms, to_ms) {
      asked.push([tenant, from_ms, to_ms]);
      return [{ at_ms: from_ms, temperature_C: 12.5, irradiance_W_m2: null, forecast: true }];
    },
    known: async () => [],
    state: async () => ({ enabled: true, last_success_ms: HOUR, fault: null }),
  };
  const app = createApiApp();
  app.use(async (c, next) => {
    c.set('actor', role && { tenant: 'works', person: 'anna', role, language: 'en' });
    await next();
  });
  app.route('/', createWeatherApi({ weather, clock: { now: () => NOW } }));
  app.onError((error, c) => {
    const { status, detail, faults } = describeError(error);
    return problem(c, status, detail, faults);
  });
  return { asked, get: (query = '') => app.request(`/api/v1/weather${query}`) };
}

it("gives the hours of the tenant's own place, two days from the current hour on", async () => {
  const { asked, get } = ask('user');
  expect(await (await get()).json()).toEqual({
    ...{ enabled: true, fault: null, fetched_at: '2026-06-10T06:00:00.000Z' },
    hours: [{ at: '2026-06-10T06:00:00.000Z', temperature_C: 12.5, irradiance_W_m2: null, forecast: true }],
  });
  expect(asked).toEqual([['works', HOUR, HOUR + 48 * 3_600_000]]);
});

it('refuses strangers and ranges without end', async () => {
  expect((await ask(null).get()).status).toBe(401);
  expect((await ask('user').get('?from=2026-06-10T00:00:00Z&to=2026-06-09T00:00:00Z')).status).toBe(400);
  expect((await ask('user').get('?from=2020-06-10T00:00:00Z&to=2026-06-09T00:00:00Z')).status).toBe(400);
});
