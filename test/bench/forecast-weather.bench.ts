/**
 * Whether weather as forecast helps the box's own models: each meter of Cambridge is trained and judged as the box does
 * it, with and without, and what wins on unseen days goes live. The forecasts are the weather that came with an error
 * put on it, or (--weather other) that of another season, which says nothing and must not go live.
 */

import { createDayMix } from '../../engine/forecast/box/day-mix.ts';
import type { DayScore, History, KnownWeather } from '../../engine/forecast/box/model-port.ts';
import { WEATHER_LEAD_MS } from '../../engine/forecast/box/slot-panel.ts';
import { compareRuns } from '../../engine/forecast/contest.ts';
import { HOUR_MS, SLOT_MS, zoneOffset } from '../../engine/model/time.ts';
import { createRandom } from '../../engine/random.ts';
import { cambridgeWeather, LOAD_SETS, type LoadSet, type LoadWeather } from './loads/sets.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'weather in the box: --series 4 --days 200 --until 400 (days before the test span) --weather forecast|other --seed 1';

const ZONE = 'Europe/London';
const DAY_MS = 24 * HOUR_MS;
/** Error of a day-ahead forecast of temperature (°C), and of irradiance as a share. */
const TEMPERATURE_ERROR = 1.5;
const IRRADIANCE_ERROR = 0.25;
const OTHER_DAYS = 182;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const set = LOAD_SETS.cambridge!();
  const { series = '4', days = '200', until = '120', seed = '1', weather = 'forecast' } = options;
  const random = createRandom(Number(seed));
  const end = set.test_from - Number(until);
  const known = forecasts(set, cambridgeWeather(set), random, weather === 'other' ? OTHER_DAYS : 0);
  const sums = { without: 0, with: 0, better: 0, live: 0 };
  for (const [k, values] of set.values.slice(0, Number(series)).entries()) {
    const history = historyOf(set, values, end - Number(days), end, known);
    const scores = [false, true].map(
      (sees) => createDayMix('load', 'day-ahead', { weather: sees }).train(history, Number(seed), () => {}).scores,
    ) as [DayScore[], DayScore[]];
    const [without, seen] = scores.map((all) => all.reduce((sum, { mae }) => sum + mae, 0) / all.length) as [
      number,
      number,
    ];
    const [champion, challenger] = scores.map((backtest, id) => ({
      id: String(id),
      recipe: String(id),
      backtest,
      live: [],
    }));
    const result = compareRuns(champion!, challenger!, Number(seed))!;
    const isLive = result.gain > 0 && result.dm_p < 0.05 && result.low > 0;
    progress(
      `${set.names[k]}: ${without.toFixed(3)} without, ${seen.toFixed(3)} with, p ${result.dm_p.toFixed(3)}${isLive ? ', goes live' : ''}`,
    );
    sums.without += without;
    sums.with += seen;
    sums.better += seen < without ? 1 : 0;
    sums.live += isLive ? 1 : 0;
  }
  const round = (value: number) => Math.round(value * 10_000) / 10_000;
  return {
    mae_without: round(sums.without / Number(series)),
    mae_weather: round(sums.with / Number(series)),
    gain_percent: round(100 * (1 - sums.with / sums.without)),
    ...{ better: sums.better, live: sums.live, series: Number(series), weather },
  };
}

/** What was forecast of each day a day before: the truth (or that of so many days before) with errors of whole days. */
function forecasts(set: LoadSet, truth: readonly LoadWeather[], random: () => number, shift: number): KnownWeather[] {
  const at_ms = Float64Array.from({ length: set.days * 24 }, (_, k) => instant(set, k));
  const normal = () => [1, 2, 3, 4].reduce((sum) => sum + random() - 0.5, 0) * Math.sqrt(3);
  const lead_ms = WEATHER_LEAD_MS['day-ahead']!;
  return truth.map(({ name, unit, values }) => {
    const errors = Float64Array.from({ length: set.days }, normal);
    const made = values.map((_, k) => {
      const value = values[k - shift * 24] ?? NaN;
      const error = errors[Math.floor(k / 24)]!;
      return name === 'temperature'
        ? value + TEMPERATURE_ERROR * error
        : Math.max(0, value * (1 + IRRADIANCE_ERROR * error));
    });
    return { name, unit, lead_ms, at_ms, values: made };
  });
}

function instant({ first_day }: LoadSet, hour: number): number {
  const wall = first_day * DAY_MS + hour * HOUR_MS;
  return wall - zoneOffset(wall, ZONE);
}

/** Hours of days [from, to) as slots; now is the midnight after them. */
function historyOf(set: LoadSet, values: Float64Array, from: number, to: number, weather: KnownWeather[]): History {
  const slots = (to - from) * 96;
  const at_ms = Float64Array.from(
    { length: slots },
    (_, i) => instant(set, from * 24 + Math.floor(i / 4)) + (i % 4) * SLOT_MS,
  );
  const columns = {
    at_ms,
    values: at_ms.map((_, i) => values[from * 24 + Math.floor(i / 4)]!),
    quality: new Int32Array(slots),
  };
  const holidays = Array.from({ length: set.days }, (_, k) => set.first_day + k).filter((day) =>
    set.calendar.holiday(day),
  );
  return { kind: 'load', columns, from_ms: instant(set, to * 24), time_zone: ZONE, holidays, weather };
}
