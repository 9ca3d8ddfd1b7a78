/**
 * Regression trees with one or more outputs on features put into at most 32 bins (CART, Breiman et al. 1984; with a
 * class as 0/1 outputs the gain is that of Gini). Small on purpose: it serves the reward model of off-policy evaluation.
 */
import type { Random } from '../../engine/random.ts';

export const MAX_BINS = 32;

/** `rows` × `features` of bin numbers, row by row, and the upper edges of the bins of each feature. */
export type Binned = { rows: number; features: number; bins: Uint8Array; edges: readonly Float64Array[] };

export type TreeOptions = {
  depth: number;
  min_rows: number;
  /** How many features, drawn anew at each split, may be split on; all where it is left out. */
  features_tried?: number;
  random?: Random;
};

type Node = { values: Float64Array } | { feature: number; edge: number; bin: number; left: Node; right: Node };
export type Tree = Node;

/** Edges at the quantiles of each feature over all rows. */
export function binFeatures(rows: readonly (readonly number[] | Float64Array)[]): Binned {
  const features = rows[0]?.length ?? 0;
  const edges = Array.from({ length: features }, (_, f) => edgesOf(rows.map((row) => row[f]!)));
  const bins = new Uint8Array(rows.length * features);
  for (const [r, row] of rows.entries())
    for (let f = 0; f < features; f++) bins[r * features + f] = binOf(row[f]!, edges[f]!);
  return { rows: rows.length, features, bins, edges };
}

function edgesOf(values: number[]): Float64Array {
  const sorted = Float64Array.from(values).sort();
  const found = new Set<number>();
  for (let k = 1; k < MAX_BINS; k++) found.add(sorted[Math.floor((k * sorted.length) / MAX_BINS)]!);
  found.delete(sorted.at(-1)!);
  return Float64Array.from(found).sort();
}

function binOf(value: number, edges: Float64Array): number {
  let bin = 0;
  while (bin < edges.length && value > edges[bin]!) bin++;
  return bin;
}

/**
 * @param targets `outputs` numbers a row, row by row over all rows of `data`.
 * @param rows which rows to grow on; a row may occur more than once.
 */
export function growTree(
  data: Binned,
  targets: Float64Array,
  outputs: number,
  rows: Int32Array,
  options: TreeOptions,
): Tree {
  const sums = sumOf(targets, outputs, rows);
  const split =
    options.depth > 0 && rows.length >= 2 * options.min_rows
      ? bestSplit(data, targets, outputs, rows, sums, options)
      : null;
  if (!split) return { values: sums.map((sum) => sum / Math.max(1, rows.length)) };
  const { feature, bin } = split;
  const goesLeft = (row: number) => data.bins[row * data.features + feature]! <= bin;
  const below = { ...options, depth: options.depth - 1 };
  return {
    ...{ feature, bin, edge: data.edges[feature]![bin]! },
    left: growTree(data, targets, outputs, rows.filter(goesLeft), below),
    right: growTree(
      data,
      targets,
      outputs,
      rows.filter((row) => !goesLeft(row)),
      below,
    ),
  };
}

/** The outputs for features as they were before binning. */
export function valuesOf(tree: Tree, x: readonly number[] | Float64Array): Float64Array {
  let node = tree;
  while ('left' in node) node = x[node.feature]! <= node.edge ? node.left : node.right;
  return node.values;
}

function sumOf(targets: Float64Array, outputs: number, rows: Int32Array): Float64Array {
  const sums = new Float64Array(outputs);
  for (const row of rows) for (let k = 0; k < outputs; k++) sums[k]! += targets[row * outputs + k]!;
  return sums;
}

function bestSplit(
  data: Binned,
  targets: Float64Array,
  outputs: number,
  rows: Int32Array,
  sums: Float64Array,
  options: TreeOptions,
): { feature: number; bin: number } | null {
  let best: { feature: number; bin: number } | null = null;
  let gain = 1e-9 + squares(sums, rows.length);
  const counts = new Int32Array(MAX_BINS);
  const totals = new Float64Array(MAX_BINS * outputs);
  const left = new Float64Array(outputs);
  const right = new Float64Array(outputs);
  for (const feature of featuresTried(data.features, options)) {
    counts.fill(0);
    totals.fill(0);
    for (const row of rows) {
      const bin = data.bins[row * data.features + feature]!;
      counts[bin]!++;
      for (let k = 0; k < outputs; k++) totals[bin * outputs + k]! += targets[row * outputs + k]!;
    }
    left.fill(0);
    let seen = 0;
    for (let bin = 0; bin < data.edges[feature]!.length; bin++) {
      seen += counts[bin]!;
      for (let k = 0; k < outputs; k++) left[k]! += totals[bin * outputs + k]!;
      if (counts[bin] === 0 || seen < options.min_rows || rows.length - seen < options.min_rows) continue;
      for (let k = 0; k < outputs; k++) right[k] = sums[k]! - left[k]!;
      const found = squares(left, seen) + squares(right, rows.length - seen);
      if (found > gain) {
        gain = found;
        best = { feature, bin };
      }
    }
  }
  return best;
}

function squares(sums: Float64Array, count: number): number {
  let total = 0;
  for (const sum of sums) total += sum * sum;
  return total / Math.max(1, count);
}

function featuresTried(features: number, { features_tried, random }: TreeOptions): number[] {
  const all = Array.from({ length: features }, (_, f) => f);
  if (features_tried === undefined || !random || features_tried >= features) return all;
  for (let i = 0; i < features_tried; i++) {
    const j = i + Math.floor(random() * (features - i));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all.slice(0, features_tried);
}
