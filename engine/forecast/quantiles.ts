/** Empirical quantiles of forecast errors. */
import { InvalidDataError } from '../errors.ts';

/**
 * Quantile `level` of ascending `sorted` values. Uses the (n + 1) positions of conformal prediction (Vovk et al. 2005,
 * Algorithmic Learning in a Random World), which keep the coverage of small samples honest; ends at the extremes.
 */
export function empiricalQuantile(sorted: Float64Array, level: number): number {
  const place = level * (sorted.length + 1) - 1;
  const low = Math.min(sorted.length - 1, Math.max(0, Math.floor(place)));
  const high = Math.min(sorted.length - 1, low + 1);
  const share = Math.min(1, Math.max(0, place - low));
  return sorted[low]! + share * (sorted[high]! - sorted[low]!);
}

/** Levels as keys of a forecast point, ascending. @throws InvalidDataError for a level outside (0, 1). */
export function quantileLevels(levels: readonly number[]): { key: string; level: number }[] {
  const bad = levels.find((level) => !(level > 0 && level < 1));
  if (bad !== undefined) throw new InvalidDataError(`${bad} is no quantile level.`, 'Give levels between 0 and 1.');
  return [...new Set(levels)].sort((a, b) => a - b).map((level) => ({ key: String(level), level }));
}

/**
 * A point's quantiles: its value plus the errors' quantiles, never below the floor and never crossing.
 * @param errors ascending errors (actual − forecast); may be empty: then the quantiles are the value.
 */
export function pointQuantiles(
  value: number,
  errors: Float64Array,
  levels: readonly { key: string; level: number }[],
  floor: number | null,
): Record<string, number> {
  const quantiles: Record<string, number> = {};
  let last = floor ?? -Infinity;
  for (const { key, level } of levels) {
    last = Math.max(last, errors.length === 0 ? value : value + empiricalQuantile(errors, level));
    quantiles[key] = last;
  }
  return quantiles;
}
