/** Day-ahead loads and generation, hour by hour, at midnight, against figures of LightGBM and ridge (PROTOCOL.md). */

import { createLoadHistory, daysAgo, LAST_WEEK, meanOfDays } from '../../engine/features/load-past.ts';
import { DAY_HOURS } from '../../engine/features/panel.ts';
import { createBands } from '../../engine/forecast/bands.ts';
import { createCombiner } from '../../engine/forecast/combine.ts';
import { createLoadRidge } from '../../engine/forecast/load-ridge.ts';
import { createLoadRows, forecastLoadTrees, type LoadRows, trainLoadTrees } from '../../engine/forecast/load-trees.ts';
import type { Booster } from '../../engine/forecast/trees/boost.ts';
import { findFile } from './epf/data.ts';
import { cambridgeWeather, LOAD_SETS, type LoadSet, type LoadWeather, loadPanel, setFromFile } from './loads/sets.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'day-ahead loads: --set cambridge|uci|nrel|citylearn-load|citylearn-pv, or --file F --tz ZONE --test-from DATE --country CC; --days N --series N --rounds 250; --weather observed (cambridge: a perfect forecast)';

const LEVELS = Array.from({ length: 19 }, (_, k) => (k + 1) / 20);
const PENALTIES = [30, 300, 3000];
/** Days before the test span on which combination and bands settle. */
const SETTLE_DAYS = 56;
const EXPERTS = ['trees', ...PENALTIES.map((penalty) => `ridge_${penalty}`), 'alike', 'week'] as const;
const PRIOR = [0.4, 0.15, 0.15, 0.15, 0.1, 0.05];
/** Trees and ridges that see the weather, beside the others. */
const OUTDOORS = ['trees_weather', ...PENALTIES.map((penalty) => `ridge_weather_${penalty}`)] as const;
const OUTDOORS_PRIOR = [0.4, 0.15, 0.15, 0.15];
const OUTDOORS_TOTAL = 1.85;

/** What forecasts with and without weather need. */
type Means = { rows: LoadRows; forests: (day: number) => Booster };

type Score = { error: number; naive: number; pinball: number; hours: number; experts: number[]; inside: number };

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const began = process.cpuUsage();
  const set = chooseSet(options);
  const observed = weatherFor(options, set);
  const panels = set.values.map((values, k) => loadPanel(set, set.names[k]!, values, observed));
  const until = Math.min(set.days, set.test_from + Number(options.days ?? set.days));
  const meansOf = (weather: boolean): Means => {
    const histories = panels.map((panel) =>
      createLoadHistory(panel, set.calendar, { latitude: set.latitude, weather }),
    );
    const rows = createLoadRows(histories, set.unit);
    return { rows, forests: forestsOf(set, rows, until, Number(options.seed ?? 1), Number(options.rounds ?? 250)) };
  };
  const [indoors, outdoors] = [meansOf(false), observed.length > 0 ? meansOf(true) : null];
  const names = [...EXPERTS, ...(outdoors ? OUTDOORS : [])];
  const results = set.names.map((name, id) => {
    const score = walkSeries(set, indoors, outdoors, id, until);
    const scale = scaleOf(set, id);
    progress(
      `${name}: MASE ${(score.error / score.hours / scale).toFixed(4)} of ${names.map((expert, k) => `${expert} ${(score.experts[k]! / score.hours / scale).toFixed(3)}`).join(', ')}`,
    );
    return { score, scale };
  });
  const { user, system } = process.cpuUsage(began);
  const mean = (of: (result: (typeof results)[number]) => number) =>
    Math.round((results.reduce((sum, result) => sum + of(result), 0) / results.length) * 10_000) / 10_000;
  return {
    mase: mean(({ score, scale }) => score.error / score.hours / scale),
    mase_lag168: mean(({ score, scale }) => score.naive / score.hours / scale),
    mae: mean(({ score }) => score.error / score.hours),
    pinball_scaled: mean(({ score, scale }) => score.pinball / score.hours / scale),
    cpu_s: Math.round((user + system) / 1e4) / 100,
    series: results.length,
    days: until - set.test_from,
    coverage90: mean(({ score }) => score.inside / score.hours),
    ...(outdoors ? { weather: 'observed: a perfect forecast' } : {}),
    ...Object.fromEntries(
      names.map((expert, k) => [`mase_${expert}`, mean(({ score, scale }) => score.experts[k]! / score.hours / scale)]),
    ),
  };
}

function weatherFor({ weather, set = 'nrel' }: BenchOptions, chosen: LoadSet): LoadWeather[] {
  if (weather === undefined) return [];
  if (weather !== 'observed' || set !== 'cambridge')
    throw new Error('--weather observed is there for --set cambridge alone.');
  return cambridgeWeather(chosen);
}

function chooseSet(options: BenchOptions): LoadSet {
  if (options.file) {
    if (!options['test-from']) throw new Error('--file needs --test-from DATE.');
    return setFromFile(findFile(options.file, 'load'), options['test-from'], options.country ?? null);
  }
  const open = LOAD_SETS[options.set ?? 'nrel'];
  if (!open) throw new Error(`no set "${options.set}"; there are: ${Object.keys(LOAD_SETS).join(', ')}`);
  const set = open();
  const most = Number(options.series ?? set.names.length);
  return { ...set, names: set.names.slice(0, most), values: set.values.slice(0, most) };
}

/** The trees that are in use on each day. */
function forestsOf(set: LoadSet, rows: LoadRows, until: number, seed: number, rounds: number) {
  const first = set.test_from - SETTLE_DAYS;
  const made = new Map<number, Booster>();
  return (day: number): Booster => {
    const from = first + Math.floor((day - first) / set.refit_days) * set.refit_days;
    if (day >= until) throw new Error(`day ${day} is not tested`);
    const known = made.get(from);
    if (known) return known;
    const booster = trainLoadTrees(rows, from, { unit: set.unit, window_days: set.window_days, seed, rounds });
    made.set(from, booster);
    return booster;
  };
}

function walkSeries(set: LoadSet, { rows, forests }: Means, outdoors: Means | null, id: number, until: number): Score {
  const history = rows.histories[id]!;
  const ridge = createLoadRidge(history, PENALTIES);
  const outdoorRidge = outdoors && createLoadRidge(outdoors.rows.histories[id]!, PENALTIES);
  const prior = outdoors ? [...PRIOR, ...OUTDOORS_PRIOR].map((weight) => weight / OUTDOORS_TOTAL) : PRIOR;
  const combiner = createCombiner({ experts: prior.length, slots: DAY_HOURS, prior });
  const bands = createBands({ slots: DAY_HOURS, levels: LEVELS, window_days: 91 });
  const score: Score = { error: 0, naive: 0, pinball: 0, hours: 0, experts: prior.map(() => 0), inside: 0 };
  for (let day = set.test_from - SETTLE_DAYS; day < until; day++) {
    const past = history.before(day);
    const experts = [
      forecastLoadTrees(forests(day), rows, id, day, set.unit),
      ...ridge.forecast(day),
      meanOfDays(past, past.alike(5)),
      meanOfDays(past, daysAgo(day, LAST_WEEK)),
      ...(outdoors && outdoorRidge
        ? [forecastLoadTrees(outdoors.forests(day), outdoors.rows, id, day, set.unit), ...outdoorRidge.forecast(day)]
        : []),
    ];
    const point = combiner.combine(experts);
    const actual = set.values[id]!.subarray(day * DAY_HOURS, (day + 1) * DAY_HOURS);
    if (day >= set.test_from)
      addDay(score, actual, point, experts, past.hours(day - 7), bands.quantiles(point, experts));
    bands.observe(point, experts, actual);
    combiner.observe(experts, actual);
  }
  return score;
}

function addDay(
  score: Score,
  actual: Float64Array,
  point: Float64Array,
  experts: readonly Float64Array[],
  week: Float64Array,
  quantiles: readonly Float64Array[],
): void {
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    const value = actual[hour]!;
    if (Number.isNaN(value)) continue;
    score.hours++;
    score.error += Math.abs(value - point[hour]!);
    score.naive += Math.abs(value - week[hour]!);
    for (const [k, expert] of experts.entries()) score.experts[k]! += Math.abs(value - expert[hour]!);
    for (const [k, level] of LEVELS.entries()) {
      const above = value - Math.max(0, quantiles[k]![hour]!);
      score.pinball += Math.max(level * above, (level - 1) * above) / LEVELS.length;
    }
    score.inside += value >= Math.max(0, quantiles[0]![hour]!) && value <= quantiles[18]![hour]! ? 1 : 0;
  }
}

/** Mean absolute difference to a week before, on the days before the test span. */
function scaleOf({ values, test_from }: LoadSet, id: number): number {
  let [sum, count] = [0, 0];
  for (let k = 168; k < test_from * DAY_HOURS; k++) {
    const difference = Math.abs(values[id]![k]! - values[id]![k - 168]!);
    if (Number.isNaN(difference)) continue;
    sum += difference;
    count++;
  }
  return sum / count;
}
