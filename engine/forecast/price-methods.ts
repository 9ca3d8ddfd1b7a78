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

const SITE_LEAR_WINDOWS = [56, 84, 364, 1092];

/** The same for the history that a box has, learned anew less often. @param days of history: longer windows are one. */
export function createSitePriceMethods(days: number, seed: number): WeightedMethod[] {
  const longer = SITE_LEAR_WINDOWS.findIndex((window) => window >= days);
  const windows = longer < 0 ? SITE_LEAR_WINDOWS : SITE_LEAR_WINDOWS.slice(0, longer + 1);
  return [
    ...windows.map((window_days) => ({ method: createLear({ window_days }), prior: 4 / windows.length })),
    { method: createGp({ window_days: 728, hours_per_group: 3, refit_days: 14 }), prior: 4 },
    { method: createGbdt({ window_days: 728, refit_days: 14, rounds: 150, seed }), prior: 8 },
  ];
}

/** A random forest beside them, where somebody asks for all that there is. */
export const createSitePriceForest = (seed: number): WeightedMethod => ({
  method: createGbdt({ window_days: 728, refit_days: 28, seed, forest: true }),
  prior: 2,
});
