/** Stored data of the sample building: slots, totals, balance, cost, quality. */

import { Quality } from '../../engine/model/quality.ts';
import { quantityInfo } from '../../engine/model/quantity.ts';
import { addDays, dayBounds, HOUR_MS, localDate, localTime, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { Clock, Columns, SeriesRange, Span } from '../../engine/ports.ts';
import type { Resolution, Services } from '../../gateway/services.ts';
import { CURVES, gridOf, marketPrice, slots } from './sample-curves.ts';
import { powerOf } from './sample-meters.ts';
import { POINTS, SILENT_SINCE_MS, SITE } from './sample-site.ts';

const ZONE = SITE.time_zone;

export function sitePrice(at_ms: number): number {
  return ((marketPrice(at_ms) / 1000) * 1.03 + 0.118) * 1.19;
}

function boundsOf(from_ms: number, to_ms: number, resolution: Resolution, tz: string): number[] {
  if (resolution === 'day') return dayBounds(from_ms, to_ms, tz);
  if (resolution === 'month') {
    const days = dayBounds(from_ms, addDays(to_ms, 31, tz), tz).filter((at_ms) => localTime(at_ms, tz).day === 1);
    return [from_ms, ...days.filter((at_ms) => at_ms > from_ms)].filter((_, i, all) => i === 0 || all[i - 1]! < to_ms);
  }
  const step = resolution === 'hour' ? HOUR_MS : resolution === 'slot' ? SLOT_MS : 10_000;
  const first = Math.ceil(from_ms / step) * step;
  return Array.from({ length: Math.max(1, Math.ceil((to_ms - first) / step) + 1) }, (_, i) => first + i * step);
}

/** The curve of a quantity: W for gauges, kWh per hour for registers. */
function curveOf(meter: string, quantity: string): (at_ms: number) => number {
  const power = (at_ms: number) => powerOf(meter, at_ms) ?? Number.NaN;
  if (quantity === 'power_W') return power;
  if (quantity === 'import_kWh') return (at_ms) => Math.max(0, power(at_ms)) / 1000;
  if (quantity === 'export_kWh') return (at_ms) => Math.max(0, meter === 'grid' ? -power(at_ms) : power(at_ms)) / 1000;
  if (quantity === 'gas_m3') return (at_ms) => CURVES.load(at_ms) / 40_000;
  if (quantity === 'voltage_V') return (at_ms) => 231 + Math.sin(at_ms / 7e6) * 2;
  if (quantity === 'frequency_Hz') return (at_ms) => 50 + Math.sin(at_ms / 3e5) * 0.03;
  return (at_ms) => 55 + 25 * Math.sin(at_ms / 2e7);
}

function isGap(meter: string, at_ms: number): boolean {
  if (meter === 'hall-2' && at_ms > SILENT_SINCE_MS) return true;
  return meter === 'hall-1' && localDate(at_ms, ZONE) === '2026-06-16' && localTime(at_ms, ZONE).hour === 3;
}

async function spansOf(_: string, range: SeriesRange): Promise<Span[]> {
  if (range.meter !== 'hall-1' || range.quantity !== 'import_kWh') return [];
  const from_ms = Date.UTC(2026, 5, 16, 1);
  return [{ from_ms, to_ms: from_ms + 3 * HOUR_MS, value: 11.4, quality: 0 }];
}

export function sampleData(clock: Clock): Pick<Services, 'data' | 'quality' | 'series'> {
  const query = (meter: string, quantity: string, bounds: readonly number[], resolution: Resolution): Columns => {
    const curve = curveOf(meter, quantity);
    const isGauge = quantityInfo(quantity)?.kind === 'gauge';
    const at_ms = Float64Array.from(bounds.slice(0, -1));
    const values = at_ms.map((from_ms, i) => {
      if (from_ms > clock.now() || isGap(meter, from_ms)) return Number.NaN;
      if (resolution === 'raw') return isGauge ? curve(from_ms) : 482_000 + (from_ms - 1.7e12) / 4e6;
      const to_ms = Math.min(bounds[i + 1]!, clock.now());
      const steps = Math.min(24, Math.max(1, Math.round((to_ms - from_ms) / SLOT_MS)));
      let sum = 0;
      for (let k = 0; k < steps; k++) sum += curve(from_ms + ((k + 0.5) * (to_ms - from_ms)) / steps);
      return isGauge ? sum / steps : ((sum / steps) * (to_ms - from_ms)) / HOUR_MS;
    });
    const quality = new Int32Array(values.length);
    const estimated = Date.UTC(2026, 5, 17, 6, 30);
    for (let i = 0; i < quality.length; i++) {
      if (resolution === 'slot' && at_ms[i]! >= estimated && at_ms[i]! < estimated + 3 * SLOT_MS)
        quality[i] = Quality.ESTIMATED;
      if (resolution === 'raw' && Math.abs(at_ms[i]! - (clock.now() - 40 * 60_000)) < 5_000) quality[i] = Quality.SPIKE;
    }
    return { at_ms, values, quality };
  };
  return {
    // Pages ask the store itself for nothing but spans.
    series: { slots: { spans: spansOf } } as unknown as Services['series'],
    data: {
      query: async (_, q) => ({
        unit: quantityInfo(q.quantity)?.unit ?? '',
        columns: query(q.meter, q.quantity, boundsOf(q.from_ms, q.to_ms, q.resolution, q.tz), q.resolution),
      }),
      totals: async (_, q) => {
        const bounds_ms = boundsOf(q.from_ms, q.to_ms, q.resolution, q.tz);
        const meters = q.meters ?? POINTS.map((point) => point.id);
        const rows = meters.map((meter) => ({ meter, ...query(meter, q.quantity, bounds_ms, q.resolution) }));
        return { bounds_ms, rows };
      },
      balance: async (_, kind, from_ms, to_ms) =>
        slots(from_ms, Math.min(to_ms, slotStart(clock.now())), kind === 'grid' ? gridOf : CURVES[kind]),
      cost: async (_, from_ms, to_ms) => {
        const energy = slots(from_ms, to_ms, (at_ms) => Math.max(0, gridOf(at_ms)) / 4000);
        const amount = energy.at_ms.reduce((sum, at_ms, i) => sum + energy.values[i]! * sitePrice(at_ms), 0);
        const import_kWh = energy.values.reduce((sum, value) => sum + value, 0);
        return { currency: 'EUR', amount, import_kWh, missing_slots: 0 };
      },
    },
    quality: {
      report: async (_, meter, day) => ({
        meter,
        day,
        state: meter === 'hall-2' ? 'fault' : 'ok',
        checks: [
          { name: 'schema', quantity: 'power_W', passed: true, count: 0, text: 'Every message could be read.' },
          { name: 'ranges', quantity: 'power_W', passed: true, count: 0, text: 'All values are within the limits.' },
          { name: 'outliers', quantity: 'import_kWh', passed: true, count: 0, text: 'No jumps.' },
          {
            name: 'gaps',
            quantity: 'power_W',
            passed: meter !== 'hall-2',
            count: meter === 'hall-2' ? 1 : 0,
            text: meter === 'hall-2' ? 'No values since 12:05.' : 'No gaps.',
          },
        ],
      }),
      today: async (_, meter) => {
        const bounds = dayBounds(clock.now(), clock.now() + 1, ZONE);
        const cells = new Int32Array((bounds[1]! - bounds[0]!) / SLOT_MS).fill(-1);
        for (let i = 0; bounds[0]! + i * SLOT_MS < clock.now(); i++) {
          const at_ms = bounds[0]! + i * SLOT_MS;
          cells[i] = isGap(meter, at_ms)
            ? -1
            : i >= 34 && i < 37
              ? Quality.ESTIMATED
              : meter === 'charging' && i === 20
                ? Quality.SPIKE
                : 0;
        }
        return { cells };
      },
    },
  };
}
