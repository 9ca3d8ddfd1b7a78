/** Whether an hour of tomorrow is one of the day's three dearest, against yesterday's prices. */

import { DAY_HOURS } from '../../engine/features/panel.ts';
import { areaUnderCurve } from '../../engine/forecast/classify/logistic.ts';
import { peaksOf, trainPeakModel } from '../../engine/forecast/classify/peak-hours.ts';
import { findFile, pricePanel, readDayTable } from './epf/data.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  "is this one of the day's three dearest hours: --files NP.csv.gz,PJM.csv.gz,DE.csv.gz --days 728 --refit-days 91 --window-days 728";

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const began = process.cpuUsage();
  const files = (options.files ?? 'NP.csv.gz,PJM.csv.gz,DE.csv.gz').split(',');
  const settings = {
    days: Number(options.days ?? 728),
    refit_days: Number(options['refit-days'] ?? 91),
    window_days: Number(options['window-days'] ?? 728),
  };
  const results = files.map((file) => {
    const found = { file, ...oneMarket(file, settings) };
    progress(`${file}: AUC ${found.auc.toFixed(4)}, yesterday's prices ${found.auc_naive.toFixed(4)}`);
    return found;
  });
  const { user, system } = process.cpuUsage(began);
  const mean = (of: (one: (typeof results)[number]) => number) =>
    round(results.reduce((sum, one) => sum + of(one), 0) / results.length);
  return {
    auc: mean(({ auc }) => auc),
    auc_naive: mean(({ auc_naive }) => auc_naive),
    ...Object.fromEntries(
      results.flatMap(({ file, auc, auc_naive, auc_hits }) => {
        const name = file.replace(/\..*$/, '').toLowerCase();
        return [
          [`auc_${name}`, round(auc)],
          [`auc_naive_${name}`, round(auc_naive)],
          [`auc_naive_yes_no_${name}`, round(auc_hits)],
        ];
      }),
    ),
    ...settings,
    cpu_s: round((user + system) / 1e6),
  };
}

type Settings = { days: number; refit_days: number; window_days: number };

/** The last `days` of the file; the naive scores an hour by yesterday's price in it, relative to that day's. */
function oneMarket(file: string, { days, refit_days, window_days }: Settings) {
  const table = readDayTable(findFile(file, 'prices/epf'));
  const panel = pricePanel(table);
  const dayOf = (day: number) => table.columns[0]!.subarray(day * DAY_HOURS, (day + 1) * DAY_HOURS);
  const from = Math.max(28, table.days - days);
  const [answers, scores, naive, hits]: number[][] = [[], [], [], []];
  let model = trainPeakModel(panel, from, window_days);
  for (let day = from; day < table.days; day++) {
    if ((day - from) % refit_days === 0 && day > from) model = trainPeakModel(panel, day, window_days);
    const peaks = peaksOf(dayOf(day))!;
    const yesterday = dayOf(day - 1);
    answers!.push(...peaks);
    scores!.push(...model.chances(panel, day));
    naive!.push(...ranksOf(yesterday));
    hits!.push(...peaksOf(yesterday)!);
  }
  return {
    auc: areaUnderCurve(scores!, answers!),
    auc_naive: areaUnderCurve(naive!, answers!),
    auc_hits: areaUnderCurve(hits!, answers!),
  };
}

/** Place of each hour among those of its day, so that dear days and cheap ones count the same: the stronger naive. */
function ranksOf(hours: Float64Array): number[] {
  return Array.from(hours, (value) => hours.reduce((sum, other) => sum + (other < value ? 1 : 0), 0));
}
const round = (value: number): number => Math.round(value * 10_000) / 10_000;
