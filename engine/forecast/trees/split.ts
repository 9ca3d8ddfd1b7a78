/** Histograms of a node's rows and the best split they show. */
import { type BinnedRows, MISSING_BIN } from './bins.ts';

/**
 * A bin's entry holds its number of rows and the sum of their gradients in one number, rows × UNIT + sum of whole
 * gradients, so that filling it costs one addition: exact, as all are integers below 2⁵³.
 */
export const UNIT = 2 ** 32;
/** Gradients are rounded to this many steps on either side of 0. */
export const GRADIENT_STEPS = 2 ** 11;
/** So that rows × GRADIENT_STEPS stays below UNIT / 2. */
export const MOST_ROWS = 2 ** 20;
export const BINS = 256;

export const rowsIn = (entry: number): number => Math.round(entry / UNIT);

export type SplitOptions = {
  min_rows: number;
  /** Added to the number of rows where gains and leaf values are computed. */
  l2: number;
  /** As `l2`, where categories are put in order, and added to it where they are split. */
  category_smoothing: number;
};

export type Split = {
  feature: number;
  gain: number;
  /** Numeric: bins up to this one (but the missing) go left. Categorical: −1. */
  bin: number;
  /** Categorical: 1 for bins that go left. */
  left_bins: Uint8Array | null;
  missing_left: boolean;
};

/** Fills one histogram per chosen feature, each BINS long, one after the other. */
export function fillHistograms(
  data: BinnedRows,
  chosen: Int32Array,
  rows: Int32Array,
  packed: Float64Array,
  into: Float64Array,
): void {
  into.fill(0, 0, chosen.length * BINS);
  const entries = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) entries[i] = packed[rows[i]!]!;
  for (let c = 0; c < chosen.length; c++) {
    const column = data.columns[chosen[c]!]!;
    const histogram = into.subarray(c * BINS, (c + 1) * BINS);
    for (let i = 0; i < rows.length; i++) histogram[column[rows[i]!]!]! += entries[i]!;
  }
}

/** @param total entry of all rows of the node. @returns null where no split gains. */
export function bestSplit(
  data: BinnedRows,
  chosen: Int32Array,
  histograms: Float64Array,
  total: number,
  options: SplitOptions,
): Split | null {
  let best: Split | null = null;
  for (let c = 0; c < chosen.length; c++) {
    const feature = chosen[c]!;
    const { categorical, edges } = data.features[feature]!;
    const histogram = histograms.subarray(c * BINS, c * BINS + edges.length + 1);
    const least: number = best?.gain ?? 1e-9;
    const found: Split | null = categorical
      ? splitCategories(histogram, feature, total, options, least)
      : splitNumbers(histogram, feature, total, options, least);
    if (found) best = found;
  }
  return best;
}

/** Reduction of the squared error, in steps², when `left` of `total` goes left. */
function gainOf(left: number, total: number, min_rows: number, l2: number): number {
  const [n, nLeft] = [rowsIn(total), rowsIn(left)];
  const nRight = n - nLeft;
  if (nLeft < min_rows || nRight < min_rows) return -Infinity;
  const [g, gLeft] = [total - n * UNIT, left - nLeft * UNIT];
  const gRight = g - gLeft;
  return (gLeft * gLeft) / (nLeft + l2) + (gRight * gRight) / (nRight + l2) - (g * g) / (n + l2);
}

function splitNumbers(
  histogram: Float64Array,
  feature: number,
  total: number,
  { min_rows, l2 }: SplitOptions,
  least: number,
): Split | null {
  let [gain, bin, missing_left] = [least, -1, false];
  const missing = histogram[MISSING_BIN]!;
  let left = 0;
  for (let b = 1; b < histogram.length; b++) {
    left += histogram[b]!;
    const without = gainOf(left, total, min_rows, l2);
    if (without > gain) [gain, bin, missing_left] = [without, b, false];
    if (missing === 0) continue;
    const together = gainOf(left + missing, total, min_rows, l2);
    if (together > gain) [gain, bin, missing_left] = [together, b, true];
  }
  if (bin < 0) return null;
  // Nothing missing was seen: what comes later goes with the larger side.
  if (missing === 0) missing_left = largerLeft(histogram, bin, total);
  return { feature, gain, bin, left_bins: null, missing_left };
}

function largerLeft(histogram: Float64Array, bin: number, total: number): boolean {
  let left = 0;
  for (let b = 1; b <= bin; b++) left += histogram[b]!;
  return 2 * rowsIn(left) > rowsIn(total);
}

/**
 * Categories, the missing as one of them, in order of their mean gradient, cut in two (Fisher 1958, JASA 53). The side
 * with fewer rows is the left one, which lists its categories: what training has not seen goes with the many.
 */
function splitCategories(
  histogram: Float64Array,
  feature: number,
  total: number,
  { min_rows, l2, category_smoothing }: SplitOptions,
  least: number,
): Split | null {
  const seen: { bin: number; mean: number }[] = [];
  for (let b = 0; b < histogram.length; b++) {
    const rows = rowsIn(histogram[b]!);
    if (rows > 0) seen.push({ bin: b, mean: (histogram[b]! - rows * UNIT) / (rows + category_smoothing) });
  }
  seen.sort((a, b) => a.mean - b.mean);
  let [gain, cut, left, leftAtCut] = [least, -1, 0, 0];
  for (let k = 0; k < seen.length - 1; k++) {
    left += histogram[seen[k]!.bin]!;
    const found = gainOf(left, total, min_rows, l2 + category_smoothing);
    if (found > gain) [gain, cut, leftAtCut] = [found, k, left];
  }
  if (cut < 0) return null;
  const few = 2 * rowsIn(leftAtCut) <= rowsIn(total) ? seen.slice(0, cut + 1) : seen.slice(cut + 1);
  const left_bins = new Uint8Array(BINS);
  for (const { bin } of few) left_bins[bin] = 1;
  return { feature, gain, bin: -1, left_bins, missing_left: left_bins[MISSING_BIN] === 1 };
}
