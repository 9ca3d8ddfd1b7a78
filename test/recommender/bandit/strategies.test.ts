import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../engine/random.ts';
import { gaussian } from '../../../recommender/bandit/lift.ts';
import {
  type Estimate,
  greedy,
  linUcb,
  regCb,
  rule,
  scaledUcb,
  squareCb,
  thompson,
} from '../../../recommender/bandit/strategies.ts';

const estimate = (mean: number, width: number, dof = 200, rule_score = 0): Estimate => ({
  ...{ mean, width, sd: width, dof, answers: 50, rule_score },
});
const normalised = (chances: Float64Array): number[] => {
  const total = chances.reduce((a, b) => a + b, 0);
  return [...chances].map((p) => p / total);
};

describe('strategies', () => {
  it.each([4, 30])('Thompson sampling: chances are those of drawing each posterior (%i degrees of freedom)', (dof) => {
    const estimates = [estimate(0.5, 0.1, dof), estimate(0.45, 0.2, dof), estimate(0.2, 0.15, dof)];
    const chances = normalised(thompson()(estimates, 0));
    const random = createRandom(9);
    const wins = [0, 0, 0];
    const draws = 40_000;
    for (let n = 0; n < draws; n++) {
      const values = estimates.map(
        ({ mean, sd }) => mean + (sd * gaussian(random)) / Math.sqrt(chiSquare(dof, random)),
      );
      wins[values.indexOf(Math.max(...values))]!++;
    }
    for (const [i, count] of wins.entries()) expect(Math.abs(chances[i]! - count / draws)).toBeLessThan(0.015);
  });

  it('SquareCB: 1 / (k + γ · gap), γ = gain · √(k · t)', () => {
    const chances = squareCb(2)([estimate(0.9, 1), estimate(0.5, 1), estimate(0.4, 1)], 11);
    const gamma = 2 * Math.sqrt(3 * 12);
    expect(chances[1]).toBeCloseTo(1 / (3 + gamma * 0.4), 12);
    expect(chances[2]).toBeCloseTo(1 / (3 + gamma * 0.5), 12);
    expect(chances.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
    expect(chances[0]).toBeGreaterThan(chances[1]!);
  });

  it('RegCB: even chances among those whose upper bound reaches the highest lower bound', () => {
    const estimates = [estimate(0.9, 0.1), estimate(0.7, 0.15), estimate(0.5, 0.05)];
    expect([...regCb(1)(estimates, 0)]).toEqual([1, 1, 0]);
    expect([...regCb(0.01)(estimates, 0)]).toEqual([1, 0, 0]);
    expect([...regCb(100)(estimates, 0)]).toEqual([1, 1, 1]);
  });

  it('upper bounds, greedy and the rule put everything on the best, shared among equals', () => {
    const estimates = [estimate(0.5, 0.1, 9, 3), estimate(0.4, 0.3, 9, 5), estimate(0.5, 0.1, 9, 1)];
    expect([...linUcb(1)(estimates, 0)]).toEqual([0, 1, 0]);
    expect([...scaledUcb(0)(estimates, 0)]).toEqual([1, 0, 1]);
    expect([...rule()(estimates, 0)]).toEqual([0, 1, 0]);
    const chances = greedy(0.3)(estimates, 0);
    for (const [i, p] of [0.45, 0.1, 0.45].entries()) expect(chances[i]).toBeCloseTo(p, 12);
  });
});

/** A draw of χ² / dof. */
function chiSquare(dof: number, random: () => number): number {
  let sum = 0;
  for (let i = 0; i < dof; i++) sum += gaussian(random) ** 2;
  return sum / dof;
}
