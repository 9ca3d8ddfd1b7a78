/** How well faults of meters are found, on real meters that the limits were not chosen on. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BenchMeter, LOADS, loadMeters } from './meter-data.ts';
import { scoreMeter, tally } from './meter-faults.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'faults put into real meters (stuck, gap, night load): how many are found, how many false ones: --meters 38 --years 6 --set scored --seed 1';

/**
 * The limits in engine/quality/faults.ts were chosen on these and only these; all others are scored. Every other
 * building of the Cambridge estate, every other home of CityLearn, and the household (UCI).
 */
export const CHOSEN_ON: readonly string[] = [
  ...['b0', 'b4', 'b6', 'b15', 'b23', 'b25', 'b27', 'b33', 'b36', 'b40'],
  ...['b48', 'b58', 'b60', 'b63', 'b70', 'b78', 'b97', 'b105', 'b111', 'b118'],
  ...['home1', 'home3', 'home5', 'home7', 'home9', 'home11', 'home13', 'home15', 'home17', 'uci'],
];

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const data = resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data');
  if (!existsSync(join(data, LOADS))) throw new Error(`${join(data, LOADS)} is missing: set LUNA_BENCH_DATA.`);
  const set = options.set ?? 'scored';
  const isWanted = ({ name }: BenchMeter) => CHOSEN_ON.includes(name) === (set === 'chosen');
  const meters = [...loadMeters(data)].filter(isWanted).slice(0, Number(options.meters ?? 100));
  const scores = meters.map((meter) => {
    const score = scoreMeter(meter, { seed: Number(options.seed ?? 1), years: Number(options.years ?? 6) });
    const { injected, found, false_events, months } = tally([score]);
    progress(`${meter.name}: ${found}/${injected} found, ${false_events} false in ${months.toFixed(0)} months`);
    return score;
  });
  const all = tally(scores);
  const result: BenchResult = {
    recall: round(all.found / all.injected),
    false_per_meter_month: round(all.false_events / all.months),
  };
  for (const kind of ['stuck', 'gap', 'night_load'] as const) {
    const one = tally(scores, kind);
    result[`recall_${kind}`] = round(one.found / one.injected);
    result[`false_${kind}_per_meter_month`] = round(one.false_events / one.months);
  }
  return { ...result, meters: meters.length, injected: all.injected, meter_months: Math.round(all.months) };
}

const round = (value: number) => Math.round(value * 1000) / 1000;
