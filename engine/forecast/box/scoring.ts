/** Scores of a local day: what was forecast at its origin against what came. */
import { DAY_HOURS, type LocalGrid } from '../local-grid.ts';
import type { DayScore, HourForecast } from './model-port.ts';

const WEEK = 7 * DAY_HOURS;

/** @param forecasts of hours, may be several of one hour (leads). @returns null where no outcome is known. */
export function scoreDay(grid: LocalGrid, day: number, forecasts: readonly HourForecast[]): DayScore | null {
  let [hours, error, bias, naive, naives, inside, banded] = [0, 0, 0, 0, 0, 0, 0];
  for (const { day: of, hour, mean, quantiles } of forecasts) {
    const k = (of - grid.first_day) * DAY_HOURS + hour;
    const actual = grid.hours[k] ?? NaN;
    if (Number.isNaN(actual) || Number.isNaN(mean)) continue;
    hours++;
    error += Math.abs(actual - mean);
    bias += actual - mean;
    const week = grid.hours[k - WEEK] ?? NaN;
    if (!Number.isNaN(week)) {
      naive += Math.abs(actual - week);
      naives++;
    }
    const [low, high] = [quantiles[0] ?? NaN, quantiles.at(-1) ?? NaN];
    if (Number.isNaN(low) || Number.isNaN(high)) continue;
    banded++;
    if (actual >= low && actual <= high) inside++;
  }
  if (hours === 0) return null;
  return {
    day,
    hours,
    mae: error / hours,
    naive_mae: naives === 0 ? null : naive / naives,
    inside90: banded === 0 ? null : inside / banded,
    bias: bias / hours,
  };
}

/** Local day numbers [from, to] that end with the one under way. */
export function daysUntilNow(grid: LocalGrid, from: number): number[] {
  const last = grid.first_day + grid.days - 1;
  const first = Math.max(from, grid.first_day);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, k) => first + k);
}

/** Days of a backtest, and days before them on which weights and bands settle. */
export const BACKTEST_DAYS = 28;
export const SETTLE_DAYS = 14;

/** Days since its training that a model walks over at most: weights and bands of older days stand in its artefact. */
export const MOST_WALKED_DAYS = 21;

/** Tells the values of all hours before a local day from any others (FNV-1a over their bits). */
export function fingerprintBefore(grid: LocalGrid, day: number): string {
  const hours = grid.hours.slice(0, Math.max(0, (day - grid.first_day) * DAY_HOURS));
  let hash = 0x811c9dc5;
  for (const word of new Uint32Array(hours.buffer)) hash = Math.imul(hash ^ word, 0x01000193) >>> 0;
  return `${grid.first_day} ${day} ${hours.length} ${hash}`;
}
