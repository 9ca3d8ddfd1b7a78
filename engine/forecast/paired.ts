/** Whether a challenger's errors are smaller than the champion's beyond chance, on the same unseen days. */
import { InvalidDataError } from '../errors.ts';
import type { Random } from '../random.ts';

export type PairedResult = {
  days: number;
  /** Mean of champion − challenger: above 0 the challenger is better. */
  gain: number;
  /** One-sided p-value of Diebold–Mariano: small where the challenger is better. */
  dm_p: number;
  /** Where 90 % of the gain lie by the block bootstrap; the challenger is better with 95 % where `low` is above 0. */
  low: number;
  high: number;
};

export const LEAST_PAIRED_DAYS = 10;
const SAMPLES = 1000;
/** Errors of neighbouring days hang together: days are drawn a week at a time where there are enough. */
const BLOCK_DAYS = 5;

/** @throws InvalidDataError with fewer than 10 days. */
export function comparePaired(champion: Float64Array, challenger: Float64Array, random: Random): PairedResult {
  const d = champion.map((loss, day) => loss - challenger[day]!);
  if (d.length < LEAST_PAIRED_DAYS)
    throw new InvalidDataError(`${d.length} days are too few to compare.`, `At least ${LEAST_PAIRED_DAYS} are needed.`);
  const gain = d.reduce((a, b) => a + b, 0) / d.length;
  const [low, high] = blockBootstrap(d, random);
  return { days: d.length, gain, dm_p: dieboldMariano(d, gain), low, high };
}

/**
 * Diebold & Mariano 1995 (Journal of Business & Economic Statistics 13) with the small-sample correction of Harvey,
 * Leybourne & Newbold 1997 and Bartlett weights (Newey & West 1987); normal distribution.
 */
function dieboldMariano(d: Float64Array, mean: number): number {
  const n = d.length;
  const lags = Math.min(n - 1, Math.floor(n ** (1 / 3)) + 1);
  const autocovariance = (lag: number) => {
    let sum = 0;
    for (let t = lag; t < n; t++) sum += (d[t]! - mean) * (d[t - lag]! - mean);
    return sum / n;
  };
  let variance = autocovariance(0);
  for (let lag = 1; lag <= lags; lag++) variance += 2 * (1 - lag / (lags + 1)) * autocovariance(lag);
  if (!(variance > 0)) return mean > 0 ? 0 : 1;
  const corrected = Math.sqrt((n + 1 - 2 * 1) / n) * (mean / Math.sqrt(variance / n));
  return 1 - normalBelow(corrected);
}

/** Share of the standard normal distribution below z (Abramowitz & Stegun 26.2.17, error below 1e-7). */
function normalBelow(z: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(z));
  const tail =
    (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return z >= 0 ? 1 - tail : tail;
}

/** 5 % and 95 % of the mean over moving blocks (Künsch 1989, Annals of Statistics 17), on a circle. */
function blockBootstrap(d: Float64Array, random: Random): [number, number] {
  const n = d.length;
  const block = Math.min(BLOCK_DAYS, Math.max(1, Math.floor(n / 4)));
  const means = new Float64Array(SAMPLES);
  for (let s = 0; s < SAMPLES; s++) {
    let sum = 0;
    for (let k = 0; k < n; ) {
      const start = Math.floor(random() * n);
      for (let j = 0; j < block && k < n; j++, k++) sum += d[(start + j) % n]!;
    }
    means[s] = sum / n;
  }
  means.sort();
  return [means[Math.floor(0.05 * SAMPLES)]!, means[Math.ceil(0.95 * SAMPLES) - 1]!];
}
