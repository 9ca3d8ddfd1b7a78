/** A made-up market: price follows a load forecast, a wind forecast, the weekday and its own past. */
import { createPanel, DAY_HOURS, type HourlySeries, knownByDay, type Panel } from '../../../engine/features/panel.ts';
import { createRandom } from '../../../engine/random.ts';

const HOUR_MS = 3_600_000;
export const FIRST_DAY = 17_000;

export type Market = { panel: Panel; price: Float64Array; series: HourlySeries[] };

export const start_ms = (day: number): number => (FIRST_DAY + day) * DAY_HOURS * HOUR_MS;
export const origin = (day: number): number => start_ms(day) - 12 * HOUR_MS;

/** Prices are known the noon before their day, the two forecasts an hour before the origin. */
export function makeMarket(days: number, seed = 1, change?: (series: HourlySeries[]) => void): Market {
  const random = createRandom(seed);
  const noise = () => random() + random() + random() - 1.5;
  const [price, load, wind] = [0, 0, 0].map(() => new Float64Array(days * DAY_HOURS)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let [level, gust] = [0, 0];
  for (let day = 0; day < days; day++) {
    level = 0.8 * level + 4 * noise();
    gust = 0.7 * gust + noise();
    const weekend = (FIRST_DAY + day + 4) % 7 === 0 || (FIRST_DAY + day + 4) % 7 === 6;
    for (let hour = 0; hour < DAY_HOURS; hour++) {
      const k = day * DAY_HOURS + hour;
      load[k] = 40_000 + 8000 * Math.sin(((hour - 6) * Math.PI) / 12) - (weekend ? 5000 : 0) + 1500 * noise();
      wind[k] = 5000 * Math.exp(0.6 * gust + 0.1 * noise());
      price[k] = 40 + level + (load[k]! - 40_000) / 800 - wind[k]! / 500 + 1.5 * noise();
    }
  }
  const by = (shift_h: number) => knownByDay(days, (day) => start_ms(day) + shift_h * HOUR_MS);
  const series: HourlySeries[] = [
    { name: 'price', unit: 'EUR/MWh', values: price, known_ms: by(-11) },
    { name: 'load', unit: 'MW', values: load, known_ms: by(-13) },
    { name: 'wind', unit: 'MW', values: wind, known_ms: by(-13) },
  ];
  change?.(series);
  return { panel: createPanel({ first_day: FIRST_DAY, series, origin }), price, series };
}

/** Replaces every value that was not known at `at_ms`. */
export function scramble(series: readonly HourlySeries[], at_ms: number, seed: number): void {
  const random = createRandom(seed);
  for (const { values, known_ms } of series)
    for (let k = 0; k < values.length; k++)
      if (known_ms[k]! > at_ms) values[k] = random() < 0.1 ? NaN : 1e4 * (random() - 0.5);
}
