/** Off-policy evaluation on the digits: a world whose truth is known, and logs drawn from it. */

import { createRandom } from '../../../engine/random.ts';
import { ESTIMATORS, type EstimatorName, estimateValue } from '../../../recommender/evaluation/estimators.ts';
import type { Interval } from '../../../recommender/evaluation/intervals.ts';
import { crossFit } from '../../../recommender/evaluation/reward-model.ts';
import { trainForest, trainLogistic } from './classifiers.ts';
import { type Digit, shuffled } from './digits.ts';

const CLASSES = 10;
const EVALUATION_SHARE = 0.7;
const BEHAVIOUR_PICK = 0.4;
const TARGET_PICK = 0.9;
const FOLDS = 3;

export type World = {
  rows: readonly Digit[];
  /** Rows × classes: chances of the behaviour and of the target policy. */
  behaviour: Float64Array;
  target: Float64Array;
  /** Mean reward of the target policy on these rows. */
  truth: number;
};

/** Trains both classifiers on 30 % of the rows; the rest is where the policies are evaluated. */
export function makeWorld(digits: readonly Digit[], seed: number): World {
  const random = createRandom(seed);
  const order = shuffled(digits, random);
  const count = Math.round(EVALUATION_SHARE * order.length);
  const rows = order.slice(0, count);
  const training = order.slice(count);
  const behaviour = mixture(rows, trainLogistic(training, CLASSES), BEHAVIOUR_PICK);
  const target = mixture(rows, trainForest(training, CLASSES, random), TARGET_PICK);
  const truth = rows.reduce((sum, { label }, i) => sum + target[i * CLASSES + label]!, 0) / rows.length;
  return { rows, behaviour, target, truth };
}

function mixture(rows: readonly Digit[], pick: (x: readonly number[]) => number, share: number): Float64Array {
  const chances = new Float64Array(rows.length * CLASSES).fill((1 - share) / CLASSES);
  for (const [i, { x }] of rows.entries()) chances[i * CLASSES + pick(x)]! += share;
  return chances;
}

/** Draws one log from the behaviour policy and evaluates the target policy on it. */
export function evaluateOnce({ rows, behaviour, target }: World, seed: number): Record<EstimatorName, Interval> {
  const random = createRandom(seed);
  const chosen = new Int32Array(rows.length);
  const propensities = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) {
    let point = random();
    let action = 0;
    while (action < CLASSES - 1 && point >= behaviour[i * CLASSES + action]!)
      point -= behaviour[i * CLASSES + action++]!;
    chosen[i] = action;
    propensities[i] = behaviour[i * CLASSES + action]!;
  }
  const rewards = Float64Array.from(rows, ({ label }, i) => Number(label === chosen[i]));
  const estimates = crossFit({ x: rows.map(({ x }) => x), chosen, rewards, actions: CLASSES }, FOLDS, seed);
  return estimateValue({ actions: CLASSES, chosen, propensities, rewards, target, estimates });
}

export type Errors = Record<EstimatorName, number[]>;

export const noErrors = (): Errors => Object.fromEntries(ESTIMATORS.map((name) => [name, [] as number[]])) as Errors;

/** |estimate − truth| / truth of each estimator. */
export function addErrors(errors: Errors, found: Record<EstimatorName, Interval>, truth: number): void {
  for (const name of ESTIMATORS) errors[name].push(Math.abs(found[name].value - truth) / truth);
}

export const covers = ({ low, high }: Interval, truth: number): boolean => low <= truth && truth <= high;
