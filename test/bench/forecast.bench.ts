/** How much better than last week the forecast is, on real years that nothing was tuned on. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { InvalidDataError } from '../../engine/errors.ts';
import { createHourlyRidge } from '../../engine/forecast/hourly-ridge.ts';
import { createSeasonalNaive } from '../../engine/forecast/seasonal-naive.ts';
import { HOUR_MS, instantOf, SLOT_MS } from '../../engine/model/time.ts';
import type { Columns, ForecastInput } from '../../engine/ports.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'seasonal naive against per-hour ridge on real loads and prices of held-out years: --buildings 40 --origins 8 --year 2018';

const LOADS = 'load/cambridge/electricity_40bld_2017-2022_hourly.csv.gz';
const PRICES = 'prices/de/DE-LU_2019-2023_hourly_LEAR.csv.gz';
const DAY_MS = 24 * HOUR_MS;
const HISTORY_DAYS = 365;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const data = resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data');
  for (const file of [LOADS, PRICES])
    if (!existsSync(join(data, file))) throw new Error(`${join(data, file)} is missing: set LUNA_BENCH_DATA.`);
  const buildings = Number(options.buildings ?? 40);
  const year = Number(options.year ?? 2018);
  const origins = Number(options.origins ?? 8);
  const load = createScore();
  let [ratios, wins, done] = [0, 0, 0];
  for (const [name, history] of loads(data, buildings)) {
    const one = createScore();
    // A prime number of days apart, so that every weekday and season comes up.
    const step = Math.floor(360 / origins) - (Math.floor(360 / origins) % 7 === 0 ? 1 : 0);
    const starts = Array.from({ length: origins }, (_, k) => instantOf('Europe/London', year, 1, 4 + k * step, 6));
    for (const from_ms of starts) addOrigin(one, history, from_ms, 'Europe/London', 192, 0);
    merge(load, one);
    const { mae_ratio } = resultOf(one);
    ratios += Math.log(mae_ratio);
    wins += mae_ratio < 1 ? 1 : 0;
    done++;
    progress(`load ${name}: MAE ${mae_ratio.toFixed(3)} of the naive's`);
  }
  const price = createScore();
  const history = prices(data);
  for (let k = 0; k < 36; k++)
    addOrigin(price, history, instantOf('Europe/Berlin', 2019, 7, 1 + 5 * k), 'Europe/Berlin', 96, null);
  const [l, p] = [resultOf(load), resultOf(price)];
  progress(`price: MAE ${p.mae.toFixed(2)} EUR/MWh against ${p.naive_mae.toFixed(2)}`);
  return {
    load_mae_ratio: round(Math.exp(ratios / done)),
    load_wins: round(wins / done),
    price_mae_ratio: round(p.mae_ratio),
    price_mae: round(p.mae),
    price_naive_mae: round(p.naive_mae),
    coverage80: round(l.coverage),
    price_coverage80: round(p.coverage),
    forecast_p95_ms: round(l.p95_ms),
  };
}

/** @returns null in an outage of weeks: there is nothing to compare with. */
function naiveOf(input: ForecastInput) {
  try {
    return createSeasonalNaive().forecast(input);
  } catch (error) {
    if (error instanceof InvalidDataError) return null;
    throw error;
  }
}

type Score = { error: number; naive: number; inside: number; count: number; took_ms: number[] };
const createScore = (): Score => ({ error: 0, naive: 0, inside: 0, count: 0, took_ms: [] });

function merge(into: Score, { error, naive, inside, count, took_ms }: Score): void {
  into.error += error;
  into.naive += naive;
  into.inside += inside;
  into.count += count;
  into.took_ms.push(...took_ms);
}

const round = (value: number) => Math.round(value * 1000) / 1000;

function resultOf({ error, naive, inside, count, took_ms }: Score) {
  const sorted = [...took_ms].sort((a, b) => a - b);
  const p95_ms = sorted[Math.floor(0.95 * sorted.length)] ?? NaN;
  return { mae: error / count, naive_mae: naive / count, mae_ratio: error / naive, coverage: inside / count, p95_ms };
}

function addOrigin(score: Score, all: Columns, from_ms: number, tz: string, slots: number, floor: number | null): void {
  const cut = (from: number, to: number): Columns => {
    const [a, b] = [all.at_ms.findIndex((at) => at >= from), all.at_ms.findIndex((at) => at >= to)];
    return { at_ms: all.at_ms.subarray(a, b), values: all.values.subarray(a, b), quality: all.quality.subarray(a, b) };
  };
  const history = cut(from_ms - HISTORY_DAYS * DAY_MS, from_ms);
  const input: ForecastInput = { history, from_ms, slots, time_zone: tz, quantiles: [0.1, 0.9], floor };
  const began = performance.now();
  const ridge = createHourlyRidge().forecast(input);
  score.took_ms.push(performance.now() - began);
  const naive = naiveOf(input);
  if (!naive) return;
  const truth = cut(from_ms, from_ms + slots * SLOT_MS);
  for (const [i, value] of truth.values.entries()) {
    const k = (truth.at_ms[i]! - from_ms) / SLOT_MS;
    if (Number.isNaN(value)) continue;
    score.error += Math.abs(value - ridge[k]!.mean);
    score.naive += Math.abs(value - naive[k]!.mean);
    score.inside += value >= ridge[k]!.quantiles['0.1']! && value <= ridge[k]!.quantiles['0.9']! ? 1 : 0;
    score.count++;
  }
}

const linesOf = (file: string) => gunzipSync(readFileSync(file)).toString().trim().split('\n');

/** Mean W per slot of each building; the publisher codes missing hours as 0 kWh. */
function* loads(data: string, most: number): Generator<[string, Columns]> {
  const [head = '', ...lines] = linesOf(join(data, LOADS));
  const rows = lines.map((line) => line.split(','));
  const hours_ms = rows.map((row) => Date.parse(`${row[0]}Z`));
  for (const [k, name] of head
    .split(',')
    .slice(1, most + 1)
    .entries()) {
    const values = rows.map((row) => Number(row[k + 1]));
    yield [
      name,
      hourly(
        hours_ms,
        values.map((kWh) => (kWh === 0 ? NaN : kWh * 1000)),
      ),
    ];
  }
}

/** EUR/MWh; wall-clock hours of CET days with 24 hours, of which the clock changes' are joined or left out. */
function prices(data: string): Columns {
  const byHour = new Map<number, number>();
  for (const line of linesOf(join(data, PRICES)).slice(1)) {
    const [local = '', price] = line.split(',');
    const [year, month, day, hour] = local.split(/[-T:]/).map(Number);
    byHour.set(instantOf('Europe/Berlin', year!, month!, day!, hour!), Number(price));
  }
  const sorted = [...byHour].sort((a, b) => a[0] - b[0]);
  return hourly(
    sorted.map(([at]) => at),
    sorted.map(([, value]) => value),
  );
}

function hourly(hours_ms: readonly number[], values: readonly number[]): Columns {
  const n = hours_ms.length * 4;
  return {
    at_ms: Float64Array.from({ length: n }, (_, i) => hours_ms[i >> 2]! + (i & 3) * SLOT_MS),
    values: Float64Array.from({ length: n }, (_, i) => values[i >> 2]!),
    quality: new Int32Array(n),
  };
}
