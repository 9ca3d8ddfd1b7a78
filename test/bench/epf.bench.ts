/** Day-ahead prices against the published forecasts of the epftoolbox benchmark (Lago et al. 2021). */
import { DAY_HOURS } from '../../engine/features/panel.ts';
import { dailyErrors, giacominiWhite, meanAbsoluteError } from '../../engine/forecast/compare.ts';
import { createPriceMethods } from '../../engine/forecast/price-methods.ts';
import { type DayTable, findFile, pricePanel, readDayTable } from './epf/data.ts';
import { walk } from './epf/walk.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'day-ahead prices against published forecasts: --file NP.csv.gz --forecasts forecasts_NP.csv.gz --days N --every K --models a,b --state FILE';

const FOLDER = 'prices/epf';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const table = readDayTable(findFile(options.file ?? 'NP.csv.gz', FOLDER));
  const published = readDayTable(findFile(options.forecasts ?? `forecasts_${options.file ?? 'NP.csv.gz'}`, FOLDER));
  const every = wholeNumber(options, 'every', 1);
  const from_day = published.first_day - table.first_day;
  const most = Math.min(published.days, table.days - from_day);
  if (from_day < 1 || most < 1) throw new Error('The days of the forecasts are not among those of the prices.');
  const days = Math.min(most, wholeNumber(options, 'days', most));
  const methods = chooseMethods(options.models);
  const actual = table.columns[0]!;
  const state_file = options.state === undefined ? {} : { state_file: options.state };
  const walked = walk({ panel: pricePanel(table), methods, from_day, days, every, progress, ...state_file });
  const truth = actual.subarray(from_day * DAY_HOURS, (from_day + days) * DAY_HOURS);
  const cpu_s = [...walked.cpu_s.values()].reduce((a, b) => a + b, 0);
  return {
    ...scores(truth, walked.combined, columnOf(published, 'LEAR Ensemble').subarray(0, truth.length)),
    days,
    every,
    cpu_s: round(cpu_s),
    cpu_s_per_day: round(cpu_s / days),
    ...Object.fromEntries(
      [...walked.methods].flatMap(([name, values]) => [
        [`mae_${keyOf(name)}`, round(meanAbsoluteError(truth, values))],
        [`cpu_s_${keyOf(name)}`, round(walked.cpu_s.get(name)!)],
      ]),
    ),
    mae_mean: round(meanAbsoluteError(truth, meanOf([...walked.methods.values()]))),
    mae_published_dnn: round(meanAbsoluteError(truth, columnOf(published, 'DNN Ensemble').subarray(0, truth.length))),
  };
}

function scores(truth: Float64Array, forecast: Float64Array, published: Float64Array): BenchResult {
  const mae = meanAbsoluteError(truth, forecast);
  const week = 7 * DAY_HOURS;
  // As in the paper: the naive is measured within the test span, from its second week on.
  const naive = truth.length > week ? meanAbsoluteError(truth.subarray(week), truth.subarray(0, -week)) : NaN;
  const enough = truth.length >= 10 * DAY_HOURS;
  return {
    mae: round(mae),
    rmae_weekly: Number.isNaN(naive) ? null : round(mae / naive),
    published_lear_mae: round(meanAbsoluteError(truth, published)),
    gw_p: enough
      ? Number(giacominiWhite(dailyErrors(truth, published), dailyErrors(truth, forecast)).toPrecision(3))
      : null,
  };
}

function chooseMethods(wanted: string | undefined) {
  const all = createPriceMethods();
  if (!wanted) return all;
  const names = wanted.split(',');
  const unknown = names.find((name) => !all.some(({ method }) => keyOf(method.name) === name));
  if (unknown)
    throw new Error(`no model "${unknown}"; there are: ${all.map(({ method }) => keyOf(method.name)).join(', ')}`);
  return all.filter(({ method }) => names.includes(keyOf(method.name)));
}

const keyOf = (name: string): string => name.replace(/\/\d+$/, '').replaceAll('-', '_');
const round = (value: number): number => Math.round(value * 10_000) / 10_000;

function columnOf({ names, columns }: DayTable, name: string): Float64Array {
  const at = names.indexOf(name);
  if (at < 0) throw new Error(`The file of forecasts has no column "${name}"; it has ${names.join(', ')}.`);
  return columns[at]!;
}

function meanOf(all: readonly Float64Array[]): Float64Array {
  return all[0]!.map((_, k) => all.reduce((sum, values) => sum + values[k]!, 0) / all.length);
}

function wholeNumber(options: BenchOptions, name: string, otherwise: number): number {
  const value = Number(options[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} is a whole number from 1, not ${options[name]}.`);
  return value;
}
