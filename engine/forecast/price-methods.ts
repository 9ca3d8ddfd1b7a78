/** The methods that the product's day-ahead price forecast combines, and what it expects of them beforehand. */
import type { WeightedMethod } from './ensemble.ts';
import { createGbdt } from './gbdt.ts';
import { createGp } from './gp.ts';
import { createLear } from './lear.ts';

/** Lengths of history in days, as in the published benchmark: two that follow the season, two that know the years. */
const LEAR_WINDOWS = [56, 84, 1092, 1456];

/** Weights as chosen on the year before each market's test span: a quarter LEAR, a quarter GP, half trees. */
export function createPriceMethods(): WeightedMethod[] {
  return [
    ...LEAR_WINDOWS.map((window_days) => ({ method: createLear({ window_days }), prior: 1 })),
    { method: createGp({ window_days: 1092, hours_per_group: 3, refit_days: 2 }), prior: 4 },
    { method: createGbdt({ window_days: 1092, refit_days: 2 }), prior: 8 },
  ];
}
