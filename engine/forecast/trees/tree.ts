/** One regression tree in flat arrays: node 0 is the root, a leaf has no feature. */

export type Tree = {
  /** Feature that a node splits on; −1 at a leaf. */
  feature: Int32Array;
  /** Numeric: values up to this go left. */
  threshold: Float64Array;
  /** Where NaN (or an unknown category) goes: 1 left, 0 right. */
  missing_left: Uint8Array;
  /** Ascending categories that go left; null at numeric nodes and leaves. */
  categories: (Float64Array | null)[];
  left: Int32Array;
  right: Int32Array;
  /** What a leaf adds to the prediction; 0 elsewhere. */
  value: Float64Array;
  /** Training rows that came by. */
  cover: Float64Array;
};

/** Plain JSON of a tree. */
export type TreeState = { [Key in keyof Omit<Tree, 'categories'>]: number[] } & { categories: (number[] | null)[] };

export function goesLeft(tree: Tree, node: number, value: number): boolean {
  const categories = tree.categories[node];
  if (Number.isNaN(value)) return tree.missing_left[node] === 1;
  if (!categories) return value <= tree.threshold[node]!;
  return categories.includes(value);
}

/** @param at where the row's features begin in `x`. */
export function leafOf(tree: Tree, x: Float64Array, at: number): number {
  let node = 0;
  while (tree.feature[node]! >= 0)
    node = goesLeft(tree, node, x[at + tree.feature[node]!]!) ? tree.left[node]! : tree.right[node]!;
  return node;
}

export function treeState(tree: Tree): TreeState {
  return {
    feature: [...tree.feature],
    // JSON knows no infinity: it stands for "all but the missing".
    threshold: Array.from(tree.threshold, (value) => Math.min(value, Number.MAX_VALUE)),
    missing_left: [...tree.missing_left],
    left: [...tree.left],
    right: [...tree.right],
    value: [...tree.value],
    cover: [...tree.cover],
    categories: tree.categories.map((set) => (set ? [...set] : null)),
  };
}

export function reviveTree(state: TreeState): Tree {
  return {
    feature: Int32Array.from(state.feature),
    threshold: Float64Array.from(state.threshold),
    missing_left: Uint8Array.from(state.missing_left),
    left: Int32Array.from(state.left),
    right: Int32Array.from(state.right),
    value: Float64Array.from(state.value),
    cover: Float64Array.from(state.cover),
    categories: state.categories.map((set) => (set ? Float64Array.from(set) : null)),
  };
}
