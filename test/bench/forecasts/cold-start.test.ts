/** A box that has measured for two weeks: real buildings, in years before any test span, by the way that forecasts go. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { SLOT_MS, zoneOffset } from '../../../engine/model/time.ts';
import forecast from '../../../gateway/workers/forecast.ts';
import { benchData } from '../epf/data.ts';
import { LOAD_SETS } from '../loads/sets.ts';

const has = Boolean(process.env.LUNA_BENCH_DATA) && existsSync(join(benchData(), 'prices/epf/NP.csv.gz'));
const ZONE = 'Europe/London';
const DAYS = 14;
const HOUR_MS = 4 * SLOT_MS;

it.skipIf(!has)(
  'fourteen days of history are enough to be no worse than the mean of seven days, over ten real buildings',
  () => {
    const set = LOAD_SETS.cambridge!();
    const ratios: number[] = [];
    for (const [k, values] of set.values.slice(0, 10).entries()) {
      let [ours, mean] = [0, 0];
      for (const before of [160 + 11 * k, 290 - 13 * k]) {
        const day = set.test_from - before;
        const wall = (set.first_day + day) * 24 * HOUR_MS;
        const from_ms = wall - zoneOffset(wall, ZONE);
        const hour = (of: number, h: number) => values[of * 24 + h] ?? NaN;
        const at_ms = Float64Array.from({ length: DAYS * 96 }, (_, i) => from_ms + (i - DAYS * 96) * SLOT_MS);
        const columns = {
          at_ms,
          values: at_ms.map((_, i) => hour(day - DAYS + Math.floor(i / 96), Math.floor((i % 96) / 4))),
          quality: new Int32Array(at_ms.length),
        };
        const { points } = forecast({
          ...{ history: columns, from_ms, slots: 96, time_zone: ZONE, holidays: [], quantiles: [], floor: 0 },
          model: null,
        });
        for (const [i, point] of points.entries()) {
          const h = Math.floor(i / 4);
          const week = [1, 2, 3, 4, 5, 6, 7].map((back) => hour(day - back, h)).filter((value) => !Number.isNaN(value));
          const truth = hour(day, h);
          if (Number.isNaN(truth) || week.length === 0) continue;
          ours += Math.abs(point.mean - truth);
          mean += Math.abs(week.reduce((a, b) => a + b, 0) / week.length - truth);
        }
      }
      if (mean > 0) ratios.push(ours / mean);
    }
    expect(ratios.length).toBeGreaterThanOrEqual(8);
    // The geometric mean: no building counts more than another.
    expect(Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)).toBeLessThanOrEqual(1);
  },
  60_000,
);
