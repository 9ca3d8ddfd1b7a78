/** The next four hours of a household, made anew each hour, against persistence, ridge and LightGBM (PROTOCOL.md). */

import { DAY_HOURS } from '../../engine/features/panel.ts';
import { createCombiner } from '../../engine/forecast/combine.ts';
import {
  createIntradayRows,
  type IntradayRows,
  trainIntradayRidge,
  trainIntradayTrees,
} from '../../engine/forecast/intraday.ts';
import { LOAD_SETS, type LoadSet } from './loads/sets.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'the next 1–4 hours, made anew each hour: --set uci --days N --refit-days 60 --rounds 250 --seed 1';

const HORIZONS = [1, 2, 3, 4];
const EXPERTS = ['trees', 'ridge', 'yesterdays', 'persistence'] as const;
const PRIOR = [0.6, 0.3, 0.08, 0.02];
/** Days before the test span on which the combination settles. */
const SETTLE_DAYS = 28;

type Errors = { combined: number; experts: number[]; hours: number };

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const open = LOAD_SETS[options.set ?? 'uci'];
  if (!open) throw new Error(`no set "${options.set}"; there are: ${Object.keys(LOAD_SETS).join(', ')}`);
  const began = process.cpuUsage();
  const set = open();
  const until = Math.min(set.days, set.test_from + Number(options.days ?? set.days));
  const settings = {
    refit_days: Number(options['refit-days'] ?? 60),
    rounds: Number(options.rounds ?? 250),
    seed: Number(options.seed ?? 1),
  };
  const rows = createIntradayRows(set.values[0]!, set.first_day, set.calendar);
  const perHorizon = HORIZONS.map((horizon) => {
    const errors = walk(set, rows, horizon, until, settings);
    progress(
      `${horizon} h: ${(errors.combined / errors.hours).toFixed(4)} of ${EXPERTS.map((name, k) => `${name} ${(errors.experts[k]! / errors.hours).toFixed(4)}`).join(', ')}`,
    );
    return errors;
  });
  const { user, system } = process.cpuUsage(began);
  const mean = (of: (errors: Errors) => number) =>
    round(perHorizon.reduce((sum, errors) => sum + of(errors) / errors.hours, 0) / 4);
  return {
    ...Object.fromEntries(perHorizon.map((errors, k) => [`mae_h${k + 1}`, round(errors.combined / errors.hours)])),
    mae: mean(({ combined }) => combined),
    ...Object.fromEntries(EXPERTS.map((name, k) => [`mae_${name}`, mean(({ experts }) => experts[k]!)])),
    days: until - set.test_from,
    cpu_s: Math.round((user + system) / 1e4) / 100,
    seed: settings.seed,
  };
}

const round = (value: number): number => Math.round(value * 10_000) / 10_000;

function walk(
  set: LoadSet,
  rows: IntradayRows,
  horizon: number,
  until: number,
  o: { refit_days: number; rounds: number; seed: number },
): Errors {
  const combiner = createCombiner({ experts: EXPERTS.length, slots: DAY_HOURS, prior: PRIOR });
  const errors: Errors = { combined: 0, experts: EXPERTS.map(() => 0), hours: 0 };
  let [trees, ridge] = [(_: number) => NaN, (_: number) => NaN];
  for (let day = set.test_from - SETTLE_DAYS; day < until; day++) {
    if ((day - set.test_from + SETTLE_DAYS) % o.refit_days === 0) {
      trees = trainIntradayTrees(rows, horizon, day * DAY_HOURS, o);
      ridge = trainIntradayRidge(rows, horizon, day * DAY_HOURS);
    }
    const hours = Array.from({ length: DAY_HOURS }, (_, hour) => day * DAY_HOURS + hour);
    const experts = [
      hours.map(trees),
      hours.map(ridge),
      hours.map((at) => rows.usual(at)),
      hours.map((at) => rows.filled(at - horizon)),
    ].map((values) => Float64Array.from(values, (value) => Math.max(0, value)));
    const actual = set.values[0]!.subarray(day * DAY_HOURS, (day + 1) * DAY_HOURS);
    const combined = combiner.combine(experts);
    if (day >= set.test_from) add(errors, actual, combined, experts);
    // Weights change at midnight, when all hours of the day are known.
    combiner.observe(experts, actual);
  }
  return errors;
}

function add(errors: Errors, actual: Float64Array, combined: Float64Array, experts: readonly Float64Array[]): void {
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    if (Number.isNaN(actual[hour]!)) continue;
    errors.hours++;
    errors.combined += Math.abs(actual[hour]! - combined[hour]!);
    for (const [k, expert] of experts.entries()) errors.experts[k]! += Math.abs(actual[hour]! - expert[hour]!);
  }
}
