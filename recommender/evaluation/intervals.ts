/** Intervals around a mean of independent terms. */

import { createRandom } from '../../engine/random.ts';
import { normalQuantile } from '../bandit/student.ts';

export type Interval = { value: number; low: number; high: number; standard_error: number };

/** value ± z · standard error: right for large n by the central limit theorem. @param level such as 0.95. */
export function normalInterval(value: number, standard_error: number, level: number): Interval {
  const reach = normalQuantile(0.5 + level / 2) * standard_error;
  return { value, low: value - reach, high: value + reach, standard_error };
}

/** Mean and its standard error; NaN for the error of fewer than two terms. */
export function meanAndError(terms: Float64Array): { mean: number; standard_error: number } {
  const n = terms.length;
  const mean = terms.reduce((a, b) => a + b, 0) / n;
  const squares = terms.reduce((sum, term) => sum + (term - mean) ** 2, 0);
  return { mean, standard_error: Math.sqrt(squares / (n - 1) / n) };
}

/**
 * Empirical Bernstein bound (Maurer, Pontil, COLT 2009, theorem 4, both sides): holds for every n where all terms lie
 * within an interval of length `range`. Wide; for decisions that must be safe with little data.
 */
export function bernsteinInterval(terms: Float64Array, range: number, level: number): Interval {
  const { mean, standard_error } = meanAndError(terms);
  const n = terms.length;
  const log = Math.log(4 / (1 - level));
  const reach = Math.sqrt(2 * log) * standard_error + (7 * range * log) / (3 * (n - 1));
  return { value: mean, low: mean - reach, high: mean + reach, standard_error };
}

/** Percentile bootstrap of any statistic of the rows (Efron 1979). @param statistic gets row numbers. */
export function bootstrapInterval(
  n: number,
  statistic: (rows: Int32Array) => number,
  options: { level: number; samples: number; seed: number },
): Interval {
  const random = createRandom(options.seed);
  const rows = new Int32Array(n);
  const found = Float64Array.from({ length: options.samples }, () => {
    for (let i = 0; i < n; i++) rows[i] = Math.floor(random() * n);
    return statistic(rows);
  }).sort();
  const at = (share: number) => found[Math.min(found.length - 1, Math.max(0, Math.floor(share * found.length)))]!;
  const all = Int32Array.from({ length: n }, (_, i) => i);
  const tail = (1 - options.level) / 2;
  const { mean } = meanAndError(found);
  const deviation = Math.sqrt(found.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, found.length - 1));
  return { value: statistic(all), low: at(tail), high: at(1 - tail), standard_error: deviation };
}
