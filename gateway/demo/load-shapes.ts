/** What the parts of the demo site consume, in W, as functions of time. */
import { HOUR_MS, localTime } from '../../engine/model/time.ts';
import { isWorkday } from './calendar.ts';
import { hash01, smooth } from './noise.ts';
import type { Sky } from './sky.ts';

export type Loads = { hall: number; office: number; ev: number; cold: number; other: number };
type Moment = { hour: number; weekday: number; works: boolean; day: number };

const CHARGERS = 4;
const CHARGER_W = 11_000;

/** The hall holds the cold store, as its meter does. */
export function loadsAt(seed: number, at_ms: number, sky: Sky, tz: string): Loads {
  const moment = momentOf(at_ms, tz);
  const cold = 3200 + 130 * Math.max(0, sky.temperature_C - 4) + 350 * smooth(seed, 21, at_ms, 0.7 * HOUR_MS);
  return {
    cold,
    hall: cold + machines(seed, at_ms, moment),
    office: office(seed, at_ms, moment, sky),
    ev: chargers(seed, moment) + 14 * smooth(seed, 27, at_ms, 0.4 * HOUR_MS),
    other: 1400 + 300 * smooth(seed, 24, at_ms, 3 * HOUR_MS) + (sky.sun < 0 ? 900 : 0),
  };
}

function momentOf(at_ms: number, tz: string): Moment {
  const t = localTime(at_ms, tz);
  const day = Math.floor(Date.UTC(t.year, t.month - 1, t.day) / (24 * HOUR_MS));
  return {
    hour: t.hour + t.minute / 60,
    weekday: (day + 4) % 7,
    works: isWorkday(t.year, t.month, t.day),
    day,
  };
}

/** 1 between `from` and `to`, with ramps of `ramp` hours. */
function window(hour: number, from: number, to: number, ramp: number): number {
  return Math.max(0, Math.min(1, (hour - from) / ramp + 0.5, (to - hour) / ramp + 0.5));
}

/** Two shifts Monday to Thursday, one on Friday, maintenance on Saturday morning. */
function machines(seed: number, at_ms: number, { hour, weekday, works, day }: Moment): number {
  const stand_by = 2600;
  const busy = 1 + 0.12 * smooth(seed, 22, at_ms, 1.1 * HOUR_MS) + 0.1 * (hash01(seed, 25, day) - 0.5);
  if (weekday === 6) return stand_by + 6500 * window(hour, 7, 12, 0.5) * busy;
  if (!works) return stand_by + 200 * smooth(seed, 26, at_ms, 2 * HOUR_MS);
  const early = 34_000 * window(hour, 6, 14.5, 0.6) * (1 - 0.35 * window(hour, 9, 9.4, 0.2));
  const late = weekday === 5 ? 0 : 21_000 * window(hour, 14.5, 22, 0.6) * (1 - 0.3 * window(hour, 18, 18.5, 0.2));
  return stand_by + (early * (1 - 0.3 * window(hour, 12, 12.6, 0.2)) + late) * busy;
}

function office(seed: number, at_ms: number, { hour, works }: Moment, sky: Sky): number {
  const presence = works ? window(hour, 8, 17.5, 1.5) : 0;
  const climate = 420 * Math.max(0, sky.temperature_C - 21) + 260 * Math.max(0, 12 - sky.temperature_C);
  const kitchen = works ? 2200 * window(hour, 11.7, 13, 0.4) : 0;
  return 1100 + presence * (5200 + climate + 500 * smooth(seed, 23, at_ms, 0.9 * HOUR_MS)) + kitchen + 0.15 * climate;
}

/** Cars plug in when people come to work and charge until they are full; some drive at noon. */
function chargers(seed: number, { hour, works, day }: Moment): number {
  let power_W = 74;
  if (!works) return power_W;
  for (let charger = 0; charger < CHARGERS; charger++) {
    const draw = (n: number) => hash01(seed, 30 + charger * 8 + n, day);
    if (draw(0) < 0.2) continue;
    const from = 7.2 + 2 * draw(1);
    const to = from + 0.8 + 2.4 * draw(2);
    power_W += CHARGER_W * 0.94 * window(hour, from, to, 0.2);
    if (draw(3) < 0.35) power_W += CHARGER_W * 0.94 * window(hour, 13 + draw(4), 14.2 + 1.6 * draw(5), 0.2);
  }
  return power_W;
}
