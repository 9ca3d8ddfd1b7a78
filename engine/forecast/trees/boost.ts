/**
 * Gradient boosting (Friedman 2001, Annals of Statistics 29(5)) on histogram trees. For absolute and pinball loss each
 * leaf takes the median or quantile of its residuals, as there the gradient says only the direction.
 */
import { InvalidDataError } from '../../errors.ts';
import { type BinnedRows, binColumns } from './bins.ts';
import { type Grown, type GrowOptions, growTree } from './grow.ts';
import { MOST_ROWS } from './split.ts';
import { leafOf, reviveTree, type Tree, type TreeState, treeState } from './tree.ts';

export type Loss = { kind: 'squared' } | { kind: 'absolute' } | { kind: 'pinball'; level: number };

export type BoostOptions = GrowOptions & {
  loss: Loss;
  rounds: number;
  learning_rate: number;
  /** Share of the features and of the rows that each tree sees. */
  feature_share: number;
  row_share: number;
  bins: number;
  /** Indices of features whose values are categories. */
  categorical: readonly number[];
  /** In [0, 1): the caller's seeded source. */
  random: () => number;
  /** Called before each round; throws to cancel. */
  onRound?: (round: number) => void;
};

export const BOOST_DEFAULTS = {
  rounds: 200,
  learning_rate: 0.05,
  leaves: 31,
  min_rows: 40,
  l2: 1,
  category_smoothing: 10,
  feature_share: 0.5,
  row_share: 0.7,
  bins: 127,
  categorical: [],
} satisfies Partial<BoostOptions>;

export type Booster = { features: number; base: number; trees: Tree[] };
/** Plain JSON. */
export type BoosterState = { features: number; base: number; trees: TreeState[] };

/**
 * @param columns values per feature, NaN is missing. @param target finite values.
 * @throws InvalidDataError where rows are missing, too many, or a target is no number.
 */
export function trainBooster(columns: readonly Float64Array[], target: Float64Array, options: BoostOptions): Booster {
  if (target.length === 0 || target.length > MOST_ROWS)
    throw new InvalidDataError(
      `${target.length} rows cannot be learned from.`,
      `Give between 1 and ${MOST_ROWS} rows.`,
    );
  if (!target.every(Number.isFinite))
    throw new InvalidDataError('A target is no finite number.', 'Leave out rows whose target is missing.');
  const data = binColumns(columns, options.categorical, options.bins);
  const base = baseOf(target, options.loss);
  const predicted = new Float64Array(target.length).fill(base);
  const gradients = new Float64Array(target.length);
  const trees: Tree[] = [];
  for (let round = 0; round < options.rounds; round++) {
    options.onRound?.(round);
    for (let row = 0; row < target.length; row++)
      gradients[row] = gradientOf(options.loss, target[row]! - predicted[row]!);
    const bag = drawRows(target.length, options);
    const grown = growTree(data, gradients, bag, drawFeatures(columns.length, options), options);
    if (grown.leaf_rows.size < 2) continue;
    setLeaves(grown, target, predicted, options);
    addTree(grown, data, bag, predicted);
    trees.push(grown.tree);
  }
  return { features: columns.length, base, trees };
}

function baseOf(target: Float64Array, loss: Loss): number {
  if (loss.kind !== 'squared') return quantileOf(target, loss.kind === 'pinball' ? loss.level : 0.5);
  return target.reduce((sum, value) => sum + value, 0) / target.length;
}

/** Steepest direction upwards; for squared loss the residual. */
function gradientOf(loss: Loss, residual: number): number {
  if (loss.kind === 'squared') return residual;
  if (loss.kind === 'absolute') return Math.sign(residual);
  return residual > 0 ? loss.level : residual < 0 ? loss.level - 1 : 0;
}

function setLeaves({ tree, leaf_rows }: Grown, target: Float64Array, predicted: Float64Array, o: BoostOptions): void {
  for (const [node, rows] of leaf_rows) {
    const residuals = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) residuals[i] = target[rows[i]!]! - predicted[rows[i]!]!;
    const value =
      o.loss.kind === 'squared'
        ? residuals.reduce((a, b) => a + b, 0) / (rows.length + o.l2)
        : quantileOf(residuals, o.loss.kind === 'pinball' ? o.loss.level : 0.5);
    tree.value[node] = o.learning_rate * value;
  }
}

function addTree(grown: Grown, data: BinnedRows, bag: Int32Array, predicted: Float64Array): void {
  const { tree, leaf_rows } = grown;
  for (const [node, rows] of leaf_rows) for (let i = 0; i < rows.length; i++) predicted[rows[i]!]! += tree.value[node]!;
  if (bag.length === data.rows) return;
  let b = 0;
  for (let row = 0; row < data.rows; row++)
    if (bag[b] === row) b++;
    else predicted[row]! += tree.value[grown.leafOf(row)]!;
}

/** Ascending rows, each with the same chance. */
export function drawRows(rows: number, { row_share, random }: Pick<BoostOptions, 'row_share' | 'random'>): Int32Array {
  const most = Math.max(1, Math.round(rows * row_share));
  const drawn = new Int32Array(most);
  let count = 0;
  for (let row = 0; row < rows && count < most; row++) if (random() * (rows - row) < most - count) drawn[count++] = row;
  return drawn;
}

export function drawFeatures(
  features: number,
  { feature_share, random }: Pick<BoostOptions, 'feature_share' | 'random'>,
): Int32Array {
  const most = Math.max(1, Math.round(features * feature_share));
  const all = Array.from({ length: features }, (_, f) => f);
  for (let k = 0; k < most; k++) {
    const other = k + Math.floor(random() * (features - k));
    [all[k], all[other]] = [all[other]!, all[k]!];
  }
  return Int32Array.from(all.slice(0, most)).sort();
}

/** Quantile between the two nearest order statistics; `values` is put in order. */
function quantileOf(values: Float64Array, level: number): number {
  const sorted = values.slice().sort();
  const place = level * (sorted.length - 1);
  const low = Math.floor(place);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (place - low) * (sorted[high]! - sorted[low]!);
}

/** @param at where the row's features begin in `x`. */
export function predictRow({ base, trees }: Booster, x: Float64Array, at = 0): number {
  let sum = base;
  for (const tree of trees) sum += tree.value[leafOf(tree, x, at)]!;
  return sum;
}

export const boosterState = ({ features, base, trees }: Booster): BoosterState => ({
  features,
  base,
  trees: trees.map(treeState),
});

export const reviveBooster = ({ features, base, trees }: BoosterState): Booster => ({
  features,
  base,
  trees: trees.map(reviveTree),
});
