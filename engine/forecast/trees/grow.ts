/** Grows one tree leaf by leaf, the leaf with the largest gain first (Shi 2007; Ke et al. 2017). */
import type { BinnedRows } from './bins.ts';
import { BINS, bestSplit, fillHistograms, GRADIENT_STEPS, type Split, type SplitOptions, UNIT } from './split.ts';
import type { Tree } from './tree.ts';

export type GrowOptions = SplitOptions & { leaves: number };

export type Grown = {
  tree: Tree;
  /** Rows of the bag in each leaf, by node. */
  leaf_rows: Map<number, Int32Array>;
  /** Leaf of any row of the training data. */
  leafOf(row: number): number;
};

type Leaf = {
  node: number;
  rows: Int32Array;
  histograms: Float64Array;
  total: number;
  split: Split | null;
};

type Node = { split: Split | null; left: number; right: number; cover: number };

/**
 * @param gradients of each training row; @param bag the rows to learn from, ascending; @param chosen the features.
 * Leaf values are left 0 for the caller to set.
 */
export function growTree(
  data: BinnedRows,
  gradients: Float64Array,
  bag: Int32Array,
  chosen: Int32Array,
  options: GrowOptions,
): Grown {
  const packed = pack(gradients, bag);
  const nodes: Node[] = [];
  const pool: Float64Array[] = [];
  const take = () => pool.pop() ?? new Float64Array(chosen.length * BINS);
  const open = (rows: Int32Array, histograms: Float64Array): Leaf => {
    let total = 0;
    for (let i = 0; i < rows.length; i++) total += packed[rows[i]!]!;
    const split = rows.length < 2 * options.min_rows ? null : bestSplit(data, chosen, histograms, total, options);
    nodes.push({ split: null, left: -1, right: -1, cover: rows.length });
    return { node: nodes.length - 1, rows, histograms, total, split };
  };
  const first = take();
  fillHistograms(data, chosen, bag, packed, first);
  const leaves = [open(bag, first)];
  while (leaves.length < options.leaves) {
    const at = mostGain(leaves);
    if (at < 0) break;
    const leaf = leaves[at]!;
    const [left, right] = divide(data, leaf.rows, leaf.split!);
    const small = take();
    const smaller = left.length <= right.length ? left : right;
    fillHistograms(data, chosen, smaller, packed, small);
    // What is not in the smaller half is in the other.
    const large = leaf.histograms;
    for (let k = 0; k < large.length; k++) large[k]! -= small[k]!;
    const node = nodes[leaf.node]!;
    node.split = leaf.split;
    const leftLeaf = open(left, smaller === left ? small : large);
    const rightLeaf = open(right, smaller === left ? large : small);
    node.left = leftLeaf.node;
    node.right = rightLeaf.node;
    leaves.splice(at, 1, leftLeaf, rightLeaf);
  }
  const leaf_rows = new Map(leaves.map(({ node, rows }) => [node, rows]));
  return { tree: toTree(data, nodes), leaf_rows, leafOf: (row) => findLeaf(data, nodes, row) };
}

function pack(gradients: Float64Array, bag: Int32Array): Float64Array {
  let most = 0;
  for (let i = 0; i < bag.length; i++) most = Math.max(most, Math.abs(gradients[bag[i]!]!));
  const scale = most > 0 ? GRADIENT_STEPS / most : 0;
  return gradients.map((gradient) => UNIT + Math.round(gradient * scale));
}

function mostGain(leaves: readonly Leaf[]): number {
  let at = -1;
  for (const [k, { split }] of leaves.entries()) if (split && (at < 0 || split.gain > leaves[at]!.split!.gain)) at = k;
  return at;
}

const isLeft = (bin: number, split: Split): boolean =>
  split.left_bins ? split.left_bins[bin] === 1 : bin === 0 ? split.missing_left : bin <= split.bin;

function divide({ columns }: BinnedRows, rows: Int32Array, split: Split): [Int32Array, Int32Array] {
  const column = columns[split.feature]!;
  const goes = new Uint8Array(BINS);
  for (let bin = 0; bin < BINS; bin++) goes[bin] = isLeft(bin, split) ? 1 : 0;
  let count = 0;
  for (let i = 0; i < rows.length; i++) count += goes[column[rows[i]!]!]!;
  const [left, right] = [new Int32Array(count), new Int32Array(rows.length - count)];
  let [l, r] = [0, 0];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (goes[column[row]!] === 1) left[l++] = row;
    else right[r++] = row;
  }
  return [left, right];
}

function findLeaf({ columns }: BinnedRows, nodes: readonly Node[], row: number): number {
  let at = 0;
  for (;;) {
    const { split, left, right } = nodes[at]!;
    if (!split) return at;
    at = isLeft(columns[split.feature]![row]!, split) ? left : right;
  }
}

function toTree({ features }: BinnedRows, nodes: readonly Node[]): Tree {
  return {
    feature: Int32Array.from(nodes, ({ split }) => split?.feature ?? -1),
    threshold: Float64Array.from(nodes, ({ split }) =>
      split && !split.left_bins ? features[split.feature]!.edges[split.bin - 1]! : 0,
    ),
    missing_left: Uint8Array.from(nodes, ({ split }) => (split?.missing_left ? 1 : 0)),
    categories: nodes.map(({ split }) =>
      split?.left_bins ? features[split.feature]!.edges.filter((_, k) => split.left_bins![k + 1] === 1) : null,
    ),
    left: Int32Array.from(nodes, ({ left }) => left),
    right: Int32Array.from(nodes, ({ right }) => right),
    value: new Float64Array(nodes.length),
    cover: Float64Array.from(nodes, ({ cover }) => cover),
  };
}
