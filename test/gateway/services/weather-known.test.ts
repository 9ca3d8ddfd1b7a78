import { expect, it } from 'vitest';
import { NotFoundError } from '../../../engine/errors.ts';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { FileStore, WeatherProvider } from '../../../engine/ports.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createWeatherService, type WeatherServiceDeps } from '../../../gateway/services/weather.ts';
import { silent } from '../../setup/database.ts';

const START = Date.parse('2026-03-10T06:00Z');
const DAY_MS = 24 * HOUR_MS;

function memoryFiles(): Pick<FileStore, 'read' | 'write' | 'remove'> {
  const kept = new Map<string, Uint8Array>();
  return {
    read: async (_, name) => {
      const bytes = kept.get(name);
      if (bytes) return bytes;
      throw new NotFoundError('none', 'none');
    },
    write: async (_, name, bytes) => void kept.set(name, bytes),
    remove: async (_, name) => void kept.delete(name),
  };
}

it('keeps what was forecast a day and more before an hour, whatever is known of it later, over a restart', async () => {
  let now_ms = START;
  // Each hour's temperature tells how many hours before it this was forecast.
  const provider: WeatherProvider = {
    name: 'sky',
    fetch: async ({ from_ms, to_ms }) =>
      Array.from({ length: Math.ceil((to_ms - from_ms) / HOUR_MS) }, (_, k) => {
        const at_ms = from_ms + k * HOUR_MS;
        return { at_ms, temperature_C: (at_ms - now_ms) / HOUR_MS, irradiance_W_m2: null, forecast: at_ms > now_ms };
      }),
  };
  const files = memoryFiles();
  const place = { latitude: 48, longitude: 7.8 };
  const open = () =>
    createWeatherService({
      ...{
        config: { weather: 'open-meteo', provider_urls: {} },
        clock: { now: () => now_ms },
        log: silent,
        files,
        provider,
      },
      ...{ metrics: createMetrics({ defaults: false }), site: { tenants: () => ['works'], get: () => place } },
      ...{ outbound: { allowing: () => fetch }, random: () => 0.5 },
    } as unknown as WeatherServiceDeps);
  const weather = open();
  for (; now_ms < START + 4 * DAY_MS; now_ms += 2 * HOUR_MS) await weather.poll();
  for (const one of [weather, open()]) {
    const known = await one.known('works');
    // Nothing was said of the irradiance.
    expect(known.map(({ name, lead_ms }) => [name, lead_ms / HOUR_MS])).toEqual([
      ['temperature', 25],
      ['temperature', 38],
    ]);
    for (const { at_ms, values, lead_ms } of known) {
      const least = lead_ms / HOUR_MS;
      expect(at_ms.length).toBeGreaterThan(24);
      // The last forecast that was made so long before, and none that was made later.
      for (const value of values) expect(value).toBeGreaterThanOrEqual(least);
      const early = [...values].filter((_, k) => at_ms[k]! < now_ms);
      for (const value of early) expect(value).toBeLessThan(least + 2);
    }
  }
  expect((await weather.hours('works', START, START + HOUR_MS))[0]).not.toHaveProperty('ahead');
});
