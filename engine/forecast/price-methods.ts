/** The methods that the product's day-ahead price forecast combines. */
import { createGp } from './gp.ts';
import { createLear } from './lear.ts';
import type { ForecastMethod } from './port.ts';

/** Lengths of history in days, as in the published benchmark: two that follow the season, two that know the years. */
const LEAR_WINDOWS = [56, 84, 1092, 1456];

export function createPriceMethods(): ForecastMethod[] {
  return [
    ...LEAR_WINDOWS.map((window_days) => createLear({ window_days })),
    createGp({ window_days: 1456, hours_per_group: 3, refit_days: 3 }),
  ];
}
