/** Features in at most 255 bins each, so that a split is found from histograms (Ke et al. 2017, LightGBM, NeurIPS). */
import { InvalidDataError } from '../../errors.ts';

/** The bin of what is missing (NaN). */
export const MISSING_BIN = 0;
const MOST_BINS = 255;

export type FeatureBins = {
  categorical: boolean;
  /** Numeric: upper bounds of bins 1, 2, …, ascending; values above the last share its bin.
   * Categorical: the category of bins 1, 2, …; one that training did not see counts as missing. */
  edges: Float64Array;
};

export type BinnedRows = {
  rows: number;
  /** Bin of each row, per feature. */
  columns: Uint8Array[];
  features: readonly FeatureBins[];
};

/**
 * @param columns values per feature; NaN is missing. Categories are whole numbers.
 * @param most bins of a numeric feature beside that of the missing.
 */
export function binColumns(columns: readonly Float64Array[], categorical: readonly number[], most = 127): BinnedRows {
  const rows = columns[0]?.length ?? 0;
  const features = columns.map((column, f): FeatureBins => {
    if (column.length !== rows)
      throw new InvalidDataError(
        `Feature ${f} has ${column.length} values for ${rows} rows.`,
        'Give each row a value.',
      );
    return categorical.includes(f) ? categoriesOf(column, f) : numericBins(column, Math.min(most, MOST_BINS));
  });
  return { rows, features, columns: columns.map((column, f) => column2bins(column, features[f]!)) };
}

function column2bins(column: Float64Array, bins: FeatureBins): Uint8Array {
  const made = new Uint8Array(column.length);
  for (let row = 0; row < column.length; row++) made[row] = binOf(bins, column[row]!);
  return made;
}

function binOf({ categorical, edges }: FeatureBins, value: number): number {
  if (Number.isNaN(value)) return MISSING_BIN;
  let [low, high] = [0, edges.length - 1];
  while (low < high) {
    const mid = (low + high) >> 1;
    if (value <= edges[mid]!) high = mid;
    else low = mid + 1;
  }
  if (categorical) return edges[low] === value ? low + 1 : MISSING_BIN;
  return low + 1;
}

function categoriesOf(column: Float64Array, feature: number): FeatureBins {
  const edges = Float64Array.from(new Set(column.filter((value) => !Number.isNaN(value)))).sort();
  if (edges.length > MOST_BINS)
    throw new InvalidDataError(
      `Feature ${feature} has ${edges.length} categories; at most ${MOST_BINS} can be split.`,
      'Group the rare ones.',
    );
  return { categorical: true, edges };
}

/** Bins of about equal count; edges lie half-way between neighbouring values. */
function numericBins(column: Float64Array, most: number): FeatureBins {
  const sorted = column.filter((value) => !Number.isNaN(value)).sort();
  const edges: number[] = [];
  let from = 0;
  for (let bin = 0; bin < most && from < sorted.length; bin++) {
    let to = Math.min(sorted.length, from + Math.ceil((sorted.length - from) / (most - bin)));
    // Equal values stay together.
    while (to < sorted.length && sorted[to] === sorted[to - 1]) to++;
    if (to >= sorted.length) break;
    edges.push((sorted[to - 1]! + sorted[to]!) / 2);
    from = to;
  }
  edges.push(Infinity);
  return { categorical: false, edges: Float64Array.from(edges) };
}
