/** Prices, forecasts, advice and alerts of the sample building. */
import { addDays, dayStart, HOUR_MS, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { Clock, Forecast } from '../../engine/ports.ts';
import type { SlotPrices } from '../../engine/tariff/prices.ts';
import type { Services } from '../../gateway/services.ts';
import { sampleAdvice } from './sample-advice.ts';
import { CURVES, marketPrice, noise, slots } from './sample-curves.ts';
import { sitePrice } from './sample-data.ts';
import { SITE } from './sample-site.ts';

const ZONE = SITE.time_zone;

/** Tomorrow's prices are known from 13:00 local time. */
function knownUntil(now_ms: number): number {
  const today = dayStart(now_ms, ZONE);
  return addDays(today, now_ms >= today + 13 * HOUR_MS ? 2 : 1, ZONE);
}

const CURVE_OF: Record<string, (at_ms: number) => number> = {
  load: CURVES.load,
  generation: CURVES.generation,
  price: marketPrice,
};

function forecastOf(series: string, now_ms: number): Forecast | null {
  const curve = CURVE_OF[series];
  if (!curve) return null;
  const made_at_ms = now_ms - 9 * 60_000;
  const from_ms = slotStart(made_at_ms);
  const points = Array.from({ length: 192 }, (_, i) => {
    const at_ms = from_ms + i * SLOT_MS;
    const mean = curve(at_ms) * (1 + 0.08 * noise(Math.floor(at_ms / HOUR_MS) * HOUR_MS, 5));
    const spread = (0.05 + 0.0012 * i) * (Math.abs(mean) + 4);
    const at = (z: number) => (series === 'price' ? mean + z * spread : Math.max(0, mean + z * spread));
    return {
      at_ms,
      mean,
      quantiles: { '0.1': at(-1.28), '0.25': at(-0.67), '0.5': mean, '0.75': at(0.67), '0.9': at(1.28) },
    };
  });
  return {
    series,
    unit: series === 'price' ? 'EUR/MWh' : 'W',
    made_at_ms,
    model: 'hourly-ridge/1',
    inputs_known_ms: from_ms,
    points,
  };
}

export function sampleIntelligence(clock: Clock): Pick<Services, 'prices' | 'forecasts' | 'advice'> {
  return {
    prices: {
      market: async (area, market, from_ms, to_ms) => ({
        area,
        market,
        currency: 'EUR',
        ...slots(from_ms, Math.min(to_ms, knownUntil(clock.now())), marketPrice),
        sources: ['energy-charts'],
        fetched_ms: clock.now() - 38 * 60_000,
        stale_since_ms: null,
      }),
      site: async (_, from_ms, to_ms) => ({
        currency: 'EUR',
        columns: slots(from_ms, Math.min(to_ms, knownUntil(clock.now())), sitePrice),
        sources: ['energy-charts'],
        stale_since_ms: null,
      }),
      slots: async (_, from_ms, to_ms) => sampleSlots(from_ms, to_ms),
      context: async () => ({ isHoliday: () => false, market: () => undefined }),
      sources: async () => [
        {
          name: 'energy-charts',
          area: 'DE-LU',
          last_success_ms: clock.now() - 38 * 60_000,
          last_run_ms: clock.now() - 38 * 60_000,
          fault: null,
          next_run_ms: addDays(dayStart(clock.now(), ZONE), 1, ZONE) + 13 * HOUR_MS,
        },
        {
          name: 'awattar',
          area: 'DE-LU',
          last_success_ms: clock.now() - 26 * HOUR_MS,
          last_run_ms: clock.now() - 2 * HOUR_MS,
          fault: 'The server answered 429 (too many requests).',
          next_run_ms: clock.now() + 20 * 60_000,
        },
      ],
      refresh: async () => {},
      loadCsv: async () => ({ slots: 96 }),
    },
    forecasts: {
      latest: async (_, series, at_ms) => forecastOf(series, at_ms),
      refresh: async () => {},
      error: async (_, series) => ({
        model: 'hourly-ridge/1',
        mae: series === 'price' ? 11.2 : 4_310,
        naive_mae: series === 'price' ? 17.9 : 6_120,
        unit: series === 'price' ? 'EUR/MWh' : 'W',
        slots: 672,
      }),
      past: async (_, series, from_ms, to_ms) => {
        const curve = CURVE_OF[series] ?? (() => Number.NaN);
        return slots(
          from_ms,
          to_ms,
          (at_ms) => curve(at_ms) * (1 + 0.09 * noise(Math.floor(at_ms / HOUR_MS) * HOUR_MS, 7)),
        );
      },
    },
    advice: sampleAdvice(clock),
  };
}

function sampleSlots(from_ms: number, to_ms: number): SlotPrices {
  const { at_ms, values } = slots(from_ms, to_ms, sitePrice);
  const filled = (value: number) => at_ms.map(() => value);
  return {
    ...{ at_ms, slot_ms: SLOT_MS, currency: 'EUR', import_per_kWh: values, export_per_kWh: filled(0.08) },
    ...{ meter_per_kWh: {}, import_limit_W: filled(Infinity), export_limit_W: filled(Infinity) },
    ...{ co2_g_per_kWh: filled(Number.NaN), missing: [] },
  };
}
