/** `chart_data/{filter}/{region}/…` of smard.de: an index of weeks, and a file a week with nulls at its end. */
import { addDays, dayStart, localTime } from '../../../engine/model/time.ts';
import { hourly } from './awattar.ts';
import { json, type Shape } from './market-truth.ts';

const ZONE = 'Europe/Berlin';
const FIRST_MS = Date.UTC(2024, 0, 1);
const AREAS: Readonly<Record<string, string>> = { '4169': 'DE-LU', '4170': 'AT', '254': 'FR', '256': 'NL' };

/** `now` ends the index. */
export const smard =
  (now: () => number): Shape =>
  ({ path }, truth) => {
    const index = /^\/chart_data\/(\d+)\/DE-LU\/index_(quarterhour|hour)\.json$/.exec(path);
    const week = /^\/chart_data\/(\d+)\/DE-LU\/\1_DE-LU_(quarterhour|hour)_(\d+)\.json$/.exec(path);
    const area = AREAS[index?.[1] ?? week?.[1] ?? ''];
    if (!area) return { status: 404, type: 'text/html', body: '<html><body>404</body></html>' };
    if (index) return json({ timestamps: weeks(now()) });
    const start = Number(week?.[3]);
    const step_ms = week?.[2] === 'hour' ? 3_600_000 : 900_000;
    const series = [];
    for (let at_ms = start; at_ms < addDays(start, 7, ZONE); at_ms += step_ms) {
      const value = step_ms === 900_000 ? truth.price(area, 'day-ahead', at_ms) : hourly(truth, area, at_ms);
      series.push([at_ms, value ?? null]);
    }
    return json({ meta_data: { version: 1, created: now() }, series });
  };

/** Mondays 00:00 local time. */
function weeks(now_ms: number): number[] {
  const found = [];
  let monday = dayStart(FIRST_MS, ZONE);
  for (; monday <= now_ms + 86_400_000; monday = addDays(monday, 7, ZONE)) found.push(monday);
  if (localTime(found.at(-1) ?? FIRST_MS, ZONE).hour !== 0) throw new Error('weeks start at midnight');
  return found;
}
