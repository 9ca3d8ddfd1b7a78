/**
 * Variance stabilisation per column: area hyperbolic sine after median and median absolute deviation (Uniejewski, Weron
 * & Ziel 2018, IEEE Transactions on Power Systems 33(2)). It tames spikes and, unlike a logarithm, takes negative values.
 */

export type Stabiliser = { median: Float64Array; scale: Float64Array };

/** Turns the median absolute deviation of a normal distribution into its standard deviation. */
const NORMAL = 1 / 0.6744897501960817;

/** @param columns values of each column; NaN is left out. */
export function fitStabiliser(columns: readonly Float64Array[]): Stabiliser {
  const median = new Float64Array(columns.length);
  const scale = new Float64Array(columns.length);
  for (const [c, column] of columns.entries()) {
    const sorted = column.filter((value) => !Number.isNaN(value)).sort();
    if (sorted.length === 0) {
      scale[c] = 1;
      continue;
    }
    const centre = middle(sorted);
    median[c] = centre;
    const spread = NORMAL * middle(sorted.map((value) => Math.abs(value - centre)).sort());
    scale[c] = spread > 0 ? spread : deviationOf(sorted) || 1;
  }
  return { median, scale };
}

function middle(sorted: Float64Array): number {
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** For columns of which more than half have the same value. */
function deviationOf(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

export const stabilised = ({ median, scale }: Stabiliser, column: number, value: number): number =>
  Math.asinh((value - median[column]!) / scale[column]!);

export const restored = ({ median, scale }: Stabiliser, column: number, value: number): number =>
  Math.sinh(value) * scale[column]! + median[column]!;
