/** Errors of forecasts and whether one forecaster is better than another beyond chance. */
import { InvalidDataError } from '../errors.ts';
import { DAY_HOURS } from '../features/panel.ts';

/** Mean absolute error where both are known; NaN where nothing is. */
export function meanAbsoluteError(actual: Float64Array, forecast: Float64Array): number {
  let [sum, count] = [0, 0];
  for (let k = 0; k < actual.length; k++) {
    const error = Math.abs(actual[k]! - forecast[k]!);
    if (Number.isNaN(error)) continue;
    sum += error;
    count++;
  }
  return count === 0 ? NaN : sum / count;
}

/** Mean absolute error of each day (24 hours in a row); NaN where a day has none. */
export function dailyErrors(actual: Float64Array, forecast: Float64Array): Float64Array {
  return Float64Array.from({ length: actual.length / DAY_HOURS }, (_, day) => {
    const [from, to] = [day * DAY_HOURS, (day + 1) * DAY_HOURS];
    return meanAbsoluteError(actual.subarray(from, to), forecast.subarray(from, to));
  });
}

/**
 * One-sided test of conditional predictive ability (Giacomini & White 2006, Econometrica 74(6)) on daily losses, with a
 * constant and yesterday's difference as instruments, as epftoolbox computes it (Lago et al. 2021).
 * @param reference daily losses of the forecaster to beat, @param challenger those of the one that may be better.
 * @returns p-value: small where the challenger is better. 1 where it is worse on average.
 * @throws InvalidDataError with fewer than 10 days.
 */
export function giacominiWhite(reference: Float64Array, challenger: Float64Array): number {
  const all = reference.map((loss, day) => loss - challenger[day]!);
  if (all.length < 10) throw new InvalidDataError(`${all.length} days are too few to test.`, 'Give at least 10 days.');
  const T = all.length - 1;
  // Least squares of 1 on d and d·d₋₁ without offset: normal equations of two columns.
  let [aa, ab, bb, a1, b1, mean] = [0, 0, 0, 0, 0, 0];
  for (let t = 1; t <= T; t++) {
    const a = all[t]!;
    const b = a * all[t - 1]!;
    aa += a * a;
    ab += a * b;
    bb += b * b;
    a1 += a;
    b1 += b;
    mean += a / T;
  }
  const determinant = aa * bb - ab * ab;
  if (!(mean > 0)) return 1;
  // Explained sum of squares of the constant: T · R², chi-square with two degrees of freedom.
  const explained =
    determinant > 1e-12 * aa * bb
      ? (a1 * (a1 * bb - b1 * ab) + b1 * (b1 * aa - a1 * ab)) / determinant
      : (a1 * a1) / aa;
  return Math.exp(-Math.min(T, explained) / 2);
}
