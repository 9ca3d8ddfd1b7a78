/** What price forecasts are worth: a 2 h battery on a day-ahead market, planned on forecasts and paid by real prices. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { earned, type MarketStore, planMarketDay } from '../../engine/dispatch/arbitrage.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'share of the perfect profit that forecasts capture: --market NP|PJM|DE, with --own STATE (what the bench epf keeps with --state) or --forecasts CSV --column NAME; --file PRICES for another market; --days 728';

const STORE: MarketStore = { power: 1, capacity: 2, charge_efficiency: 0.95, discharge_efficiency: 0.95 };
const PUBLISHED = 'DNN Ensemble';

type Table = Map<string, Map<string, number>>;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const data = resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data');
  const market = options.market ?? 'NP';
  const published: Table = options.file ? new Map() : readTable(join(data, `prices/epf/forecasts_${market}.csv.gz`));
  const real = options.file
    ? column(readTable(resolve(options.file)), ['Real price', 'price', 'value'])
    : published.get('Real price')!;
  const days = options.file ? [] : daysOf(real, published.get(PUBLISHED)!, Number(options.days ?? 728));
  const capture_published_pct = options.file ? null : captured(days);
  progress(`${market}: ${days.length} days, published forecasts capture ${capture_published_pct ?? '–'} %`);
  const own = ownForecasts(options, [...real.keys()]);
  const own_days = own ? daysOf(real, own, Number(options.days ?? 728)) : [];
  const capture_own_pct = own ? captured(own_days) : null;
  if (own) progress(`own forecasts: ${own_days.length} days, ${capture_own_pct} %`);
  return { market, days: days.length, capture_published_pct, own_days: own_days.length, capture_own_pct };
}

/** From a table, or from the walk of the bench `epf` over the same test days; null where none are given. */
function ownForecasts({ forecasts, column: name, own }: BenchOptions, hours: string[]): Map<string, number> | null {
  if (forecasts) return column(readTable(resolve(forecasts)), [name ?? 'forecast']);
  if (!own) return null;
  const { combined } = JSON.parse(readFileSync(resolve(own), 'utf8')) as { combined?: (number | null)[] };
  if (!combined) throw new Error(`${own} holds no combined forecasts: give what the bench epf keeps with --state.`);
  return new Map(hours.flatMap((at, k) => (typeof combined[k] === 'number' ? [[at, combined[k]]] : [])));
}

type Day = { real: number[]; forecast: number[] };

function captured(days: readonly Day[]): number {
  let [best, got] = [0, 0];
  for (const { real, forecast } of days) {
    best += earned(planMarketDay(real, STORE), real);
    got += earned(planMarketDay(forecast, STORE), real);
  }
  return Math.round((10_000 * got) / best) / 100;
}

/** Days of which both series have every hour, in order. */
function daysOf(real: Map<string, number>, forecast: Map<string, number>, most: number): Day[] {
  const days = new Map<string, Day>();
  for (const [at, value] of forecast) {
    const price = real.get(at);
    if (price === undefined) continue;
    const date = at.slice(0, 10);
    if (!days.has(date)) days.set(date, { real: [], forecast: [] });
    days.get(date)!.real.push(price);
    days.get(date)!.forecast.push(value);
  }
  const lengths = [...days.values()].map((day) => day.real.length);
  const whole = Math.max(...lengths, 0);
  return [...days.values()].filter((day) => day.real.length === whole).slice(0, most);
}

/** Columns of a CSV by name, each by the first column's time stamp. */
function readTable(file: string): Table {
  if (!existsSync(file)) throw new Error(`${file} is missing: set LUNA_BENCH_DATA or give the file.`);
  const bytes = readFileSync(file);
  const lines = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8').trim().split(/\r?\n/);
  const names = lines[0]!.split(',').map((name) => name.replaceAll('"', ''));
  const table: Table = new Map(names.slice(1).map((name) => [name, new Map()]));
  for (const line of lines.slice(1)) {
    const cells = line.split(',');
    const at = cells[0]!.replace(' ', 'T').slice(0, 16);
    names.slice(1).forEach((name, k) => {
      const text = cells[k + 1];
      if (text !== undefined && text !== '') table.get(name)!.set(at, Number(text));
    });
  }
  return table;
}

function column(table: Table, names: readonly string[]): Map<string, number> {
  for (const name of names) if (table.has(name)) return table.get(name)!;
  throw new Error(`there is none of the columns ${names.join(', ')}; there are: ${[...table.keys()].join(', ')}`);
}
