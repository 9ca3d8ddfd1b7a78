import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOpenMeteo } from '../../../connectors/weather/open-meteo.ts';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { WeatherProvider } from '../../../engine/ports.ts';
import { openPriceServer, type PriceServer } from '../../../gateway/demo/price-server.ts';
import { skyAt } from '../../../gateway/demo/sky.ts';

const PLACE = { latitude: 47.996, longitude: 7.849 };
const NOW = Date.parse('2026-06-14T12:30Z');
const signal = AbortSignal.timeout(20_000);

describe('Open-Meteo', () => {
  let server: PriceServer;
  let provider: WeatherProvider;
  const range = { ...PLACE, from_ms: Date.parse('2026-06-13T00:00Z'), to_ms: Date.parse('2026-06-15T00:00Z'), signal };
  beforeAll(async () => {
    const truth = { price: () => 0, step_ms: () => 900_000 };
    server = await openPriceServer({ truth, now: () => NOW, sky: (at_ms) => skyAt(7, PLACE, at_ms) });
    provider = createOpenMeteo({ base_url: server.urls['open-meteo'], timeout_ms: 300, now: () => NOW });
  });
  afterAll(() => server.close());

  it('gives every hour with the irradiance of that hour, not of the one before', async () => {
    const hours = await provider.fetch(range);
    expect(hours.map(({ at_ms }) => at_ms)).toEqual(Array.from({ length: 48 }, (_, i) => range.from_ms + i * HOUR_MS));
    const start_ms = Date.parse('2026-06-14T05:00Z');
    const morning = hours.find(({ at_ms }) => at_ms === start_ms);
    const during = [10, 20, 30, 40, 50, 60].map(
      (minute) => skyAt(7, PLACE, start_ms + minute * 60_000).irradiance_W_m2,
    );
    expect(morning?.irradiance_W_m2).toBeCloseTo(during.reduce((a, b) => a + b) / 6, 1);
    expect(morning?.temperature_C).toBeCloseTo(skyAt(7, PLACE, Date.parse('2026-06-14T05:00Z')).temperature_C, 0);
    expect(hours.filter(({ forecast }) => forecast)).toHaveLength(11);
  });

  it.each([
    [429, /limits our requests/],
    [500, /HTTP 500/],
    ['silent', /took too long/],
    ['reset', /does not answer/],
    ['html', /no JSON/],
    ['truncated', /no JSON/],
  ] as const)('says what happened when it fails with %s', async (failure, words) => {
    server.fail('open-meteo', failure);
    await expect(provider.fetch(range)).rejects.toThrow(words);
    server.fail('open-meteo', null);
  });
});
