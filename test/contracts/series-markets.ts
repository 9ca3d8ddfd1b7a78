/** The part of the series contract about prices and forecasts. */
import { describe, expect, it } from 'vitest';
import { SLOT_MS } from '../../engine/model/time.ts';
import type { Forecast, SeriesStore } from '../../engine/ports.ts';

const T0 = Date.parse('2026-03-01T00:00:00Z');

export function describePrices(store: () => SeriesStore): void {
  describe('prices', () => {
    const at = (slot: number) => T0 + slot * SLOT_MS;
    const prices = (slots: { at_ms: number; value: number | null }[], source = 'x') => ({
      area: 'DE-LU',
      market: 'day-ahead' as const,
      currency: 'EUR',
      vat_included: false,
      source,
      slots,
    });

    it('inserts and replaces slots of an area and market', async () => {
      const read = () => store().prices.read('DE-LU', 'day-ahead', T0, at(10));
      expect((await read()).fetched_ms).toBeNull();
      await store().prices.write(
        prices([
          { at_ms: at(0), value: -1.5 },
          { at_ms: at(1), value: null },
        ]),
        T0,
      );
      // A whole number first: the type of the rest must not be read off it.
      const whole = [
        { at_ms: at(1), value: 7 },
        { at_ms: at(2), value: 8.25 },
      ];
      await store().prices.write(prices(whole, 'y'), T0 + 1);
      const now = await read();
      expect([...now.at_ms]).toEqual([at(0), at(1), at(2)]);
      expect([...now.values]).toEqual([-1.5, 7, 8.25]);
      expect(now).toMatchObject({ currency: 'EUR', vat_included: false, fetched_ms: T0 + 1 });
      expect([...now.sources].sort()).toEqual(['x', 'y']);
      expect((await store().prices.read('AT', 'day-ahead', T0, at(10))).at_ms).toHaveLength(0);
      expect((await store().prices.read('DE-LU', 'real-time', T0, at(10))).at_ms).toHaveLength(0);
    });

    it('knows a null from a price', async () => {
      await store().prices.write(prices([{ at_ms: at(20), value: null }]), T0);
      expect([...(await store().prices.read('DE-LU', 'day-ahead', at(20), at(21))).values]).toEqual([Number.NaN]);
    });
  });
}

export function describeForecasts(store: () => SeriesStore): void {
  describe('forecasts', () => {
    const forecast = (made_at_ms: number, mean: number): Forecast => ({
      series: 'load',
      unit: 'W',
      made_at_ms,
      model: 'test/1',
      inputs_known_ms: made_at_ms - 1000,
      points: [0, 1, 2].map((slot) => ({
        at_ms: T0 + slot * SLOT_MS,
        mean: mean + slot / 4,
        quantiles: { '0.1': mean - 1, '0.9': mean + 1 },
      })),
    });

    it('gives the newest made at or before an instant, cut to a range', async () => {
      await store().forecasts.write('a', forecast(T0 - 3_600_000, 10));
      await store().forecasts.write('a', forecast(T0 - 60_000, 20));
      expect(await store().forecasts.latest('a', 'load', T0)).toEqual(forecast(T0 - 60_000, 20));
      const cut = { from_ms: T0 + SLOT_MS, to_ms: T0 + 2 * SLOT_MS };
      expect((await store().forecasts.latest('a', 'load', T0 - 60_001, cut))?.points).toEqual([
        forecast(0, 10).points[1],
      ]);
      expect(await store().forecasts.latest('a', 'load', T0 - 1e8)).toBeNull();
      expect(await store().forecasts.latest('b', 'load', T0)).toBeNull();
    });

    it('tracks what was forecast with a lead', async () => {
      const track = await store().forecasts.track('a', 'load', T0, T0 + 1e8, 3_600_000);
      expect([...track.values]).toEqual([10, 10.25, 10.5]);
      const late = await store().forecasts.track('a', 'load', T0, T0 + 1e8, 60_000);
      expect([...late.values]).toEqual([20, 20.25, 20.5]);
    });
  });
}
