/** The two classifiers of the off-policy protocol: multinomial logistic regression and a random forest. */

import type { Random } from '../../../engine/random.ts';
import { binFeatures, growTree, type Tree, valuesOf } from '../../../recommender/evaluation/tree.ts';

export type Row = { x: readonly number[]; label: number };
export type Classifier = (x: readonly number[]) => number;

/** Softmax regression with an L2 penalty, by accelerated gradient descent. */
export function trainLogistic(rows: readonly Row[], classes: number, { steps = 150, penalty = 1e-3 } = {}): Classifier {
  const d = (rows[0]?.x.length ?? 0) + 1;
  let weights = new Float64Array(classes * d);
  let ahead = weights.slice();
  // 1 / Lipschitz constant of the mean softmax loss.
  const longest = Math.max(...rows.map(({ x }) => 1 + x.reduce((sum, v) => sum + v * v, 0)));
  const rate = 1 / (0.5 * longest + penalty);
  for (let step = 0; step < steps; step++) {
    const slope = gradient(rows, ahead, classes, d);
    const next = ahead.map((w, i) => w - rate * (slope[i]! + penalty * w));
    const momentum = step / (step + 3);
    ahead = next.map((w, i) => w + momentum * (w - weights[i]!));
    weights = next;
  }
  return (x) => indexOfMax(scores(weights, x, classes, d));
}

function gradient(rows: readonly Row[], weights: Float64Array, classes: number, d: number): Float64Array {
  const slope = new Float64Array(classes * d);
  for (const { x, label } of rows) {
    const raw = scores(weights, x, classes, d);
    const top = Math.max(...raw);
    const powers = raw.map((score) => Math.exp(score - top));
    const total = powers.reduce((a, b) => a + b, 0);
    for (let c = 0; c < classes; c++) {
      const error = (powers[c]! / total - Number(c === label)) / rows.length;
      for (let j = 0; j < d - 1; j++) slope[c * d + j]! += error * x[j]!;
      slope[c * d + d - 1]! += error;
    }
  }
  return slope;
}

function scores(weights: Float64Array, x: readonly number[], classes: number, d: number): Float64Array {
  return Float64Array.from({ length: classes }, (_, c) => {
    let sum = weights[c * d + d - 1]!;
    for (let j = 0; j < d - 1; j++) sum += weights[c * d + j]! * x[j]!;
    return sum;
  });
}

/** Bootstrap samples, √features tried at each split, mean of the leaves' class shares (Breiman 2001). */
export function trainForest(rows: readonly Row[], classes: number, random: Random, trees = 60): Classifier {
  const data = binFeatures(rows.map(({ x }) => x));
  const targets = new Float64Array(rows.length * classes);
  for (const [i, { label }] of rows.entries()) targets[i * classes + label] = 1;
  const features_tried = Math.round(Math.sqrt(data.features));
  const forest: Tree[] = Array.from({ length: trees }, () => {
    const sample = Int32Array.from(rows, () => Math.floor(random() * rows.length));
    return growTree(data, targets, classes, sample, { depth: 12, min_rows: 1, features_tried, random });
  });
  return (x) => {
    const votes = new Float64Array(classes);
    for (const tree of forest) for (const [c, share] of valuesOf(tree, x).entries()) votes[c]! += share;
    return indexOfMax(votes);
  };
}

function indexOfMax(values: Float64Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
