/** How far a distribution has moved: the population stability index (Siddiqi 2006, Credit Risk Scorecards, ch. 6). */

const BINS = 10;
/** By custom: above 0.1 something moves, above 0.25 it is another population. */
export const PSI_DRIFT = 0.25;
const LEAST = 48;

/** Σ (p − q) · ln(p / q) over deciles of the reference; NaN values are left out; null with fewer than 48 values. */
export function populationStability(reference: Float64Array, current: Float64Array): number | null {
  const [old, now] = [reference, current].map((values) => values.filter((value) => !Number.isNaN(value)).sort());
  if (old!.length < LEAST || now!.length < LEAST) return null;
  const edges = Array.from({ length: BINS - 1 }, (_, k) => old![Math.floor(((k + 1) * old!.length) / BINS)]!);
  // Equal edges (nights at 0) are one bin.
  const distinct = [...new Set(edges)];
  const share = (values: Float64Array): number[] => {
    const counts = new Array<number>(distinct.length + 1).fill(0);
    for (const value of values) {
      const bin = distinct.findIndex((edge) => value < edge);
      counts[bin < 0 ? distinct.length : bin]!++;
    }
    // Half a value more in each bin, so that an empty one has a logarithm.
    return counts.map((count) => (count + 0.5) / (values.length + 0.5 * counts.length));
  };
  const [p, q] = [share(now!), share(old!)];
  return p.reduce((sum, value, k) => sum + (value - q[k]!) * Math.log(value / q[k]!), 0);
}
