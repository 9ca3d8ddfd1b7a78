/**
 * What a reward would have been: the model of off-policy evaluation. Least-squares boosted trees (Friedman 2001), one
 * ensemble an action, and cross-fitting, so that no row is judged by a model that has seen it (Chernozhukov et al. 2018).
 */
import { createRandom } from '../../engine/random.ts';
import { binFeatures, growTree, type Tree, valuesOf } from './tree.ts';

export type RewardModel = (x: readonly number[], action: number) => number;
export type RewardRows = {
  x: readonly (readonly number[])[];
  chosen: ArrayLike<number>;
  rewards: ArrayLike<number>;
  actions: number;
};
/** The seam: any way to learn a reward model from rows. */
export type FitRewardModel = (rows: RewardRows) => RewardModel;

export type BoostingOptions = { rounds: number; rate: number; depth: number; min_rows: number };
const DEFAULTS: BoostingOptions = { rounds: 60, rate: 0.15, depth: 3, min_rows: 3 };

/** An action without rows is taken to give the mean reward. */
export function fitBoostedTrees(rows: RewardRows, options: Partial<BoostingOptions> = {}): RewardModel {
  const settings = { ...DEFAULTS, ...options };
  const byAction = Array.from({ length: rows.actions }, (_, action) =>
    rows.x.flatMap((_x, i) => (rows.chosen[i] === action ? [i] : [])),
  );
  const mean = meanOf(Float64Array.from(rows.rewards));
  const ensembles = byAction.map((own) =>
    boost(
      own.map((i) => rows.x[i]!),
      Float64Array.from(own, (i) => rows.rewards[i]!),
      mean,
      settings,
    ),
  );
  return (x, action) => ensembles[action]!(x);
}

function boost(
  x: readonly (readonly number[])[],
  rewards: Float64Array,
  otherwise: number,
  { rounds, rate, depth, min_rows }: BoostingOptions,
): (x: readonly number[]) => number {
  if (x.length === 0) return () => otherwise;
  const base = meanOf(rewards);
  const data = binFeatures(x);
  const all = Int32Array.from(x, (_, i) => i);
  const residuals = rewards.map((reward) => reward - base);
  const trees: Tree[] = [];
  for (let round = 0; round < rounds; round++) {
    const tree = growTree(data, residuals, 1, all, { depth, min_rows });
    if (!('left' in tree)) break;
    for (let i = 0; i < x.length; i++) residuals[i]! -= rate * valuesOf(tree, x[i]!)[0]!;
    trees.push(tree);
  }
  // No reward beyond those seen: an average of trees may overshoot.
  const [low, high] = [Math.min(...rewards), Math.max(...rewards)];
  return (point) => {
    let sum = base;
    for (const tree of trees) sum += rate * valuesOf(tree, point)[0]!;
    return Math.min(high, Math.max(low, sum));
  };
}

/**
 * @returns estimates of all actions for all rows (rows × actions, row by row), each row's by a model of the other folds.
 */
export function crossFit(
  rows: RewardRows,
  folds: number,
  seed: number,
  fit: FitRewardModel = fitBoostedTrees,
): Float64Array {
  const n = rows.x.length;
  const random = createRandom(seed);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  const estimates = new Float64Array(n * rows.actions);
  const used = Math.max(2, Math.min(folds, n));
  for (let fold = 0; fold < used; fold++) {
    const others = order.filter((_, at) => at % used !== fold);
    const model = fit({
      x: others.map((i) => rows.x[i]!),
      chosen: others.map((i) => rows.chosen[i]!),
      rewards: others.map((i) => rows.rewards[i]!),
      actions: rows.actions,
    });
    for (let at = fold; at < n; at += used) {
      const i = order[at]!;
      for (let a = 0; a < rows.actions; a++) estimates[i * rows.actions + a] = model(rows.x[i]!, a);
    }
  }
  return estimates;
}

const meanOf = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
