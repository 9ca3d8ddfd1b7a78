/**
 * What each feature adds to a prediction: exact Shapley values of the trees, each feature left out by following both
 * branches in proportion to the training rows (Lundberg et al. 2020, Nature Machine Intelligence 2; "path dependent").
 */
import type { Booster } from './boost.ts';
import { goesLeft, type Tree } from './tree.ts';

export type ShapValues = { base: number; adds: Float64Array };

/** `base` and `adds` sum to the prediction. @param at where the row's features begin in `x`. */
export function explainRow(booster: Booster, x: Float64Array, at = 0): ShapValues {
  const adds = new Float64Array(booster.features);
  let base = booster.base;
  for (const tree of booster.trees) {
    base += expectedValue(tree, 0);
    follow(tree, x, at, adds, 0, [], 1, 1, -1);
  }
  return { base, adds };
}

/** Mean of the leaves by the training rows in them. */
function expectedValue(tree: Tree, node: number): number {
  if (tree.feature[node]! < 0) return tree.value[node]!;
  const [left, right] = [tree.left[node]!, tree.right[node]!];
  return (
    (tree.cover[left]! * expectedValue(tree, left) + tree.cover[right]! * expectedValue(tree, right)) /
    tree.cover[node]!
  );
}

/** One feature on the way: the share of ways that come through when it is left out (zero) or given (one), and the
 * weight of subsets of each size. */
type Step = { feature: number; zero: number; one: number; weight: number };

function follow(
  tree: Tree,
  x: Float64Array,
  at: number,
  adds: Float64Array,
  node: number,
  before: readonly Step[],
  zero: number,
  one: number,
  feature: number,
): void {
  let path = extend(before, zero, one, feature);
  const split = tree.feature[node]!;
  if (split < 0) {
    for (let k = 1; k < path.length; k++) {
      const step = path[k]!;
      adds[step.feature]! += unwoundSum(path, k) * (step.one - step.zero) * tree.value[node]!;
    }
    return;
  }
  const left = goesLeft(tree, node, x[at + split]!);
  const [hot, cold] = left ? [tree.left[node]!, tree.right[node]!] : [tree.right[node]!, tree.left[node]!];
  let [incomingZero, incomingOne] = [1, 1];
  const seen = path.findIndex((step) => step.feature === split);
  if (seen > 0) {
    [incomingZero, incomingOne] = [path[seen]!.zero, path[seen]!.one];
    path = unwind(path, seen);
  }
  const share = (child: number) => tree.cover[child]! / tree.cover[node]!;
  follow(tree, x, at, adds, hot, path, incomingZero * share(hot), incomingOne, split);
  follow(tree, x, at, adds, cold, path, incomingZero * share(cold), 0, split);
}

function extend(before: readonly Step[], zero: number, one: number, feature: number): Step[] {
  const path = before.map((step) => ({ ...step }));
  const depth = path.length;
  path.push({ feature, zero, one, weight: depth === 0 ? 1 : 0 });
  for (let k = depth - 1; k >= 0; k--) {
    path[k + 1]!.weight += (one * path[k]!.weight * (k + 1)) / (depth + 1);
    path[k]!.weight = (zero * path[k]!.weight * (depth - k)) / (depth + 1);
  }
  return path;
}

/** The path as if step `at` had never been taken. */
function unwind(path: readonly Step[], at: number): Step[] {
  const depth = path.length - 1;
  const { zero, one } = path[at]!;
  const made = path.map((step) => ({ ...step }));
  let next = made[depth]!.weight;
  for (let k = depth - 1; k >= 0; k--) {
    if (one !== 0) {
      const weight = made[k]!.weight;
      made[k]!.weight = (next * (depth + 1)) / ((k + 1) * one);
      next = weight - (made[k]!.weight * zero * (depth - k)) / (depth + 1);
    } else made[k]!.weight = (made[k]!.weight * (depth + 1)) / (zero * (depth - k));
  }
  for (let k = at; k < depth; k++) {
    const { feature, zero: nextZero, one: nextOne } = made[k + 1]!;
    Object.assign(made[k]!, { feature, zero: nextZero, one: nextOne });
  }
  made.pop();
  return made;
}

function unwoundSum(path: readonly Step[], at: number): number {
  const depth = path.length - 1;
  const { zero, one } = path[at]!;
  let [total, next] = [0, path[depth]!.weight];
  for (let k = depth - 1; k >= 0; k--) {
    if (one !== 0) {
      const weight = (next * (depth + 1)) / ((k + 1) * one);
      total += weight;
      next = path[k]!.weight - (weight * zero * (depth - k)) / (depth + 1);
    } else total += (path[k]!.weight * (depth + 1)) / (zero * (depth - k));
  }
  return total;
}
