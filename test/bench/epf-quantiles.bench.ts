/** Bands around published day-ahead forecasts of German prices 2019–2023, the crisis of 2021–22 among them. */
import { DAY_HOURS } from '../../engine/features/panel.ts';
import { createBands } from '../../engine/forecast/bands.ts';
import { createCombiner } from '../../engine/forecast/combine.ts';
import { findFile, readDayTable } from './epf/data.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'bands of the product around four published forecasts, DE-LU 2019–2023: --days N (all after the first 182) --calibration';

const FILE = 'prices/de/DE-LU_2019-2023_hourly_LEAR.csv.gz';
const CALIBRATION_DAYS = 182;
/** With --calibration the score is of these days alone: settings are chosen on them. */
const SETTLED_DAYS = 56;
const LEVELS = Array.from({ length: 99 }, (_, k) => (k + 1) / 100);

type Tally = { hits: number; hours: number };
const share = ({ hits, hours }: Tally): number => hits / hours;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const table = readDayTable(findFile(options.file ?? FILE, 'prices/de'));
  const [price, ...columns] = table.columns;
  const [from, to] = options.calibration
    ? [SETTLED_DAYS, CALIBRATION_DAYS]
    : [CALIBRATION_DAYS, Math.min(table.days, CALIBRATION_DAYS + Number(options.days ?? table.days))];
  const combiner = createCombiner({ experts: columns.length, slots: DAY_HOURS });
  const bands = createBands({ slots: DAY_HOURS, levels: LEVELS });
  const tallies = new Map<string, Tally>();
  let [pinball, error, hours] = [0, 0, 0];
  for (let day = 0; day < to; day++) {
    const cut = (column: Float64Array) => column.subarray(day * DAY_HOURS, (day + 1) * DAY_HOURS);
    const [actual, forecasts] = [cut(price!), columns.map(cut)];
    const point = combiner.combine(forecasts);
    if (day >= from) {
      const quantiles = bands.quantiles(point, forecasts);
      const year = new Date((table.first_day + day) * 86_400_000).getUTCFullYear();
      for (let hour = 0; hour < DAY_HOURS; hour++) {
        for (const [k, level] of LEVELS.entries()) {
          const above = actual[hour]! - quantiles[k]![hour]!;
          pinball += Math.max(level * above, (level - 1) * above) / LEVELS.length;
        }
        error += Math.abs(actual[hour]! - point[hour]!);
        hours++;
        const inside = actual[hour]! >= quantiles[4]![hour]! && actual[hour]! <= quantiles[94]![hour]!;
        for (const key of ['all', `hour ${hour}`, `year ${year}`]) count(tallies, key, inside);
      }
      if (day % 365 === 364) progress(`day ${day}: pinball ${(pinball / hours).toFixed(3)}`);
    }
    bands.observe(point, forecasts, actual);
    combiner.observe(forecasts, actual);
  }
  const spans = (prefix: string) =>
    [...tallies].filter(([key]) => key.startsWith(prefix)).map(([, tally]) => share(tally));
  for (const [key, tally] of tallies)
    if (key.startsWith('year')) progress(`${key}: coverage ${share(tally).toFixed(3)}`);
  const round = (value: number) => Math.round(value * 10_000) / 10_000;
  return {
    pinball: round(pinball / hours),
    coverage90: round(share(tallies.get('all')!)),
    coverage90_hour_min: round(Math.min(...spans('hour'))),
    coverage90_hour_max: round(Math.max(...spans('hour'))),
    coverage90_year_min: round(Math.min(...spans('year'))),
    coverage90_year_max: round(Math.max(...spans('year'))),
    mae: round(error / hours),
    days: to - from,
  };
}

function count(tallies: Map<string, Tally>, key: string, hit: boolean): void {
  const tally = tallies.get(key) ?? { hits: 0, hours: 0 };
  tally.hits += hit ? 1 : 0;
  tally.hours++;
  tallies.set(key, tally);
}
