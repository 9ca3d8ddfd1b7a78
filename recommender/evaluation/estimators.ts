/**
 * What another policy would have earned, from the log of the one that ran (survey: Dudík, Erhan, Langford, Li,
 * "Doubly robust policy evaluation and optimization", Statistical Science 2014).
 */
import { InvalidDataError } from '../../engine/errors.ts';
import { type Interval, meanAndError, normalInterval } from './intervals.ts';

/** n logged choices among k actions; matrices are row by row. An action that was not eligible has target 0. */
export type OffPolicyLog = {
  actions: number;
  chosen: Int32Array;
  /** Of the chosen action, as it was logged; above 0. */
  propensities: Float64Array;
  rewards: Float64Array;
  /** n × k: how likely the policy in question would have chosen each action. */
  target: Float64Array;
  /** n × k: rewards as a model expects them; see crossFit. */
  estimates: Float64Array;
};

export const ESTIMATORS = ['ips', 'snips', 'dm', 'dr', 'switch_dr'] as const;
export type EstimatorName = (typeof ESTIMATORS)[number];
export type OffPolicyOptions = {
  level?: number;
  /** Switch-DR trusts the model alone where the importance weight is above this. */
  switch_above?: number;
};

/**
 * The value of the target policy by five estimators, each with an interval.
 * - `ips` inverse propensity scoring: unbiased, wide.
 * - `snips` self-normalised (Swaminathan, Joachims, NIPS 2015), error by the delta method.
 * - `dm` direct method: the model alone. Its interval knows nothing of the model's own error.
 * - `dr` doubly robust: right if either propensities or model are; with cross-fitted estimates its interval is, too.
 * - `switch_dr` (Wang, Agarwal, Dudík, ICML 2017): DR, but the model alone under large weights.
 * @throws InvalidDataError for an empty log, or a propensity that is not above 0 and at most 1.
 */
export function estimateValue(log: OffPolicyLog, options: OffPolicyOptions = {}): Record<EstimatorName, Interval> {
  const level = options.level ?? 0.95;
  const limit = options.switch_above ?? 10;
  check(log);
  const { weights, expected, errors } = termsOf(log);
  const of = (term: (i: number) => number) => {
    const { mean, standard_error } = meanAndError(Float64Array.from(weights, (_, i) => term(i)));
    return normalInterval(mean, standard_error, level);
  };
  const weighted = of((i) => weights[i]! * log.rewards[i]!);
  return {
    ips: weighted,
    snips: selfNormalised(weights, log.rewards, level),
    dm: of((i) => expected[i]!),
    dr: of((i) => expected[i]! + weights[i]! * errors[i]!),
    switch_dr: of((i) => expected[i]! + (weights[i]! <= limit ? weights[i]! * errors[i]! : 0)),
  };
}

/** Importance weights, Σ target · estimate, and reward − estimate of the chosen action, a number a row. */
function termsOf({ actions, chosen, propensities, rewards, target, estimates }: OffPolicyLog) {
  const n = chosen.length;
  const weights = new Float64Array(n);
  const expected = new Float64Array(n);
  const errors = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const at = i * actions;
    weights[i] = target[at + chosen[i]!]! / propensities[i]!;
    errors[i] = rewards[i]! - estimates[at + chosen[i]!]!;
    for (let a = 0; a < actions; a++) expected[i]! += target[at + a]! * estimates[at + a]!;
  }
  return { weights, expected, errors };
}

function selfNormalised(weights: Float64Array, rewards: Float64Array, level: number): Interval {
  const total = weights.reduce((a, b) => a + b, 0);
  if (total === 0) return { value: NaN, low: NaN, high: NaN, standard_error: NaN };
  const value = weights.reduce((sum, weight, i) => sum + weight * rewards[i]!, 0) / total;
  const squares = weights.reduce((sum, weight, i) => sum + (weight * (rewards[i]! - value)) ** 2, 0);
  return normalInterval(value, Math.sqrt(squares) / total, level);
}

function check({ chosen, propensities }: OffPolicyLog): void {
  if (chosen.length === 0)
    throw new InvalidDataError('There is no logged decision with a reward.', 'Wait for feedback, then evaluate again.');
  if (propensities.some((p) => !(p > 0 && p <= 1)))
    throw new InvalidDataError('A logged propensity is not above 0 and at most 1.', 'Leave out the rows without one.');
}
