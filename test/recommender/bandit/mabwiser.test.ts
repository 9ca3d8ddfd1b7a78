/**
 * LinUCB against an independent implementation: expectations that MABWiser (Fidelity, Apache-2.0) publishes in its
 * tests/test_linucb.py at commit 121dcc8 (test_alpha0_expectations, test_alpha1_expectations, test_unused_arm).
 */
import { describe, expect, it } from 'vitest';
import { createLinearModel, learnReward } from '../../../recommender/bandit/linear-model.ts';
import { createLinearPolicy } from '../../../recommender/bandit/linear-policy.ts';
import { linUcb } from '../../../recommender/bandit/strategies.ts';

const HISTORY = ['01235', '11111', '00100', '02235', '13111', '00000', '01435', '01245', '12113', '02100'].map(digits);
const QUESTIONS = ['01235', '11111'].map(digits);

const CASES = [
  {
    name: 'alpha 0',
    alpha: 0,
    decisions: [1, 1, 1, 2, 2, 2, 3, 3, 3, 1],
    rewards: [0, 0, 0, 0, 0, 0, 1, 1, 1, 1],
    expectations: [
      [-0.018378378378378413, 0.0, 0.9966292134831471],
      [0.14054054054054055, 0.0, 0.43258426966292074],
    ],
  },
  {
    name: 'alpha 1, with an arm that was never used',
    alpha: 1,
    decisions: [1, 1, 1, 2, 2, 3, 3, 3, 3, 3],
    rewards: [0, 0, 1, 0, 0, 0, 0, 1, 1, 1],
    expectations: [
      [0.9790312458954391, 1.1617706239438832, 1.4247056229871702, 6.244997998398398],
      [0.8896475809353053, 0.923364043088837, 1.457085577251709, 2.23606797749979],
    ],
  },
];

describe('LinUCB agrees with MABWiser to 1e-9', () => {
  it.each(CASES)('$name', ({ alpha, decisions, rewards, expectations }) => {
    const policy = createLinearPolicy({
      ...{ version: 'linucb', inputs: 5, strategy: linUcb(alpha), models: 'per_arm', lift: null, ridge: 1 },
      ...{ discount: 1, prior_strength: 0, noise: { rewards: 1 }, curiosity: 0 },
    });
    policy.update(
      decisions.map((arm, i) => ({
        ...{ site: 'a', context: HISTORY[i]!, arm: String(arm), features: [], rule_score: 0, reward: rewards[i]! },
      })),
    );
    for (const [q, expected] of expectations.entries()) {
      const candidates = expected.map((_, i) => ({
        ...{ id: String(i + 1), arm: String(i + 1), features: [], rule_score: 0 },
      }));
      const estimates = policy.estimate({ site: 'a', features: QUESTIONS[q]!, slate: 1 }, candidates);
      for (const [i, { mean, width }] of estimates.entries())
        expect(Math.abs(mean + alpha * width - expected[i]!)).toBeLessThan(1e-9);
    }
  });

  it('has the weights that it publishes after a second fit (partial_fit: −0.05142857, 0.22099152)', () => {
    const arm = (n: number) => {
      const model = createLinearModel(5, 1);
      for (const [i, decision] of CASES[1]!.decisions.entries())
        if (decision === n) learnReward(model, Float64Array.from(HISTORY[i]!), CASES[1]!.rewards[i]!);
      return model;
    };
    const [first, third] = [arm(1), arm(3)];
    learnReward(first, Float64Array.from([0, 1, 1, 1, 1]), 0);
    learnReward(third, Float64Array.from([1, 1, 1, 1, 1]), 1);
    expect(first.weights[0]).toBeCloseTo(-0.05142857, 8);
    expect(third.weights[0]).toBeCloseTo(0.22099152, 8);
  });
});

function digits(text: string): number[] {
  return [...text].map(Number);
}
