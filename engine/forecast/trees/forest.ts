/**
 * Random forest (Breiman 2001, Machine Learning 45): deep trees on samples of the rows, drawn without replacement
 * (Bühlmann & Yu 2002, Annals of Statistics 30), each with a sample of the features, averaged. Kept as a booster whose
 * trees add their share of the mean, so that prediction, Shapley values and storage are those of boosted trees.
 */
import { InvalidDataError } from '../../errors.ts';
import { binColumns } from './bins.ts';
import { type Booster, type BoostOptions, drawFeatures, drawRows } from './boost.ts';
import { growTree } from './grow.ts';
import { MOST_ROWS } from './split.ts';
import type { Tree } from './tree.ts';

export type ForestOptions = Omit<BoostOptions, 'loss' | 'rounds' | 'learning_rate' | 'onRound'> & {
  trees: number;
  /** Called before each tree; throws to cancel. */
  onTree?: (tree: number) => void;
};

export const FOREST_DEFAULTS = {
  trees: 100,
  leaves: 255,
  min_rows: 5,
  l2: 0,
  category_smoothing: 10,
  feature_share: 1 / 3,
  row_share: 0.632,
  bins: 127,
  categorical: [],
} satisfies Partial<ForestOptions>;

/**
 * @param columns values per feature, NaN is missing. @param target finite values.
 * @throws InvalidDataError where rows are missing, too many, or a target is no number.
 */
export function trainForest(columns: readonly Float64Array[], target: Float64Array, options: ForestOptions): Booster {
  const rows = target.length;
  if (rows === 0 || rows > MOST_ROWS)
    throw new InvalidDataError(`${rows} rows cannot be learned from.`, `Give between 1 and ${MOST_ROWS} rows.`);
  if (!target.every(Number.isFinite))
    throw new InvalidDataError('A target is no finite number.', 'Leave out rows whose target is missing.');
  const data = binColumns(columns, options.categorical, options.bins);
  const base = target.reduce((sum, value) => sum + value, 0) / rows;
  const differences = target.map((value) => value - base);
  const trees: Tree[] = [];
  for (let k = 0; k < options.trees; k++) {
    options.onTree?.(k);
    const bag = drawRows(rows, options);
    const { tree, leaf_rows } = growTree(data, differences, bag, drawFeatures(columns.length, options), options);
    for (const [node, members] of leaf_rows) {
      let sum = 0;
      for (let i = 0; i < members.length; i++) sum += differences[members[i]!]!;
      tree.value[node] = sum / (members.length + options.l2) / options.trees;
    }
    trees.push(tree);
  }
  return { features: columns.length, base, trees };
}
