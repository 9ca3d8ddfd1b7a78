/** Simulated sites where the rule's favourite is good and what is best has yet to be found. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../engine/random.ts';
import { CONSERVATIVE, createConservativePolicy } from '../../../recommender/bandit/conservative.ts';
import { gaussian } from '../../../recommender/bandit/lift.ts';
import { createLinearPolicy } from '../../../recommender/bandit/linear-policy.ts';
import type { Candidate, Policy } from '../../../recommender/bandit/port.ts';
import { scaledUcb } from '../../../recommender/bandit/strategies.ts';

const SITES = 200;
const ROUNDS = 300;
const ARMS = 5;
/** Promised: at least 95 % of the rule's reward, at every moment, with 99 % probability. */
const LEAST = 0.95;
const MAY_FAIL = 0.01;

const strategy = scaledUcb(0.7);
const createLearner = () =>
  createLinearPolicy({
    ...{ version: 'ucb', inputs: 4, strategy, models: 'per_arm', lift: null, ridge: 1, discount: 1 },
    ...{ prior_strength: 0, noise: { rewards: 1 }, curiosity: 0.2 },
  });
const createGuarded = () => createConservativePolicy(createLearner(), CONSERVATIVE);

describe('learning beside a rule', () => {
  it('keeps the expected reward at or above 95 % of the rule at every moment in 99 % of sites', () => {
    const guarded = simulate(createGuarded);
    const bare = simulate(createLearner, 40);
    const failed = (sites: readonly Site[]) => sites.filter(({ lowest }) => lowest < LEAST).length;
    expect(failed(guarded)).toBeLessThanOrEqual(MAY_FAIL * SITES);
    // Without the guard the same learner breaks the promise nearly everywhere: the simulation is a hard one.
    expect(failed(bare)).toBeGreaterThan(20);
  }, 120_000);

  it('still learns: in the end it earns more than the rule', () => {
    const sites = simulate(createGuarded, 30, 1200);
    expect(sites.reduce((sum, { ratio }) => sum + ratio, 0) / sites.length).toBeGreaterThan(1.03);
    expect(sites.filter(({ lowest }) => lowest < LEAST).length).toBeLessThanOrEqual(1);
  }, 120_000);

  it('leaves the first decisions to the rule, the floor aside', () => {
    const policy = createGuarded();
    const candidates = candidatesOf();
    const { positions } = policy.decide({ site: 'new', features: [1, 0, 0, 0], slate: 1 }, candidates, createRandom(1));
    expect(positions[0]!.propensities['0']).toBeCloseTo(1 - (ARMS - 1) * 0.002, 12);
    expect(positions[0]!.guard).toMatchObject({ deviated: false });
  });
});

type Site = { ratio: number; lowest: number };

function simulate(make: () => Policy, sites = SITES, rounds = ROUNDS): Site[] {
  return Array.from({ length: sites }, (_, seed) => playSite(make(), seed + 1, rounds));
}

/** The expected reward of each decision's own chances against that of the rule, summed; lowest is the worst moment. */
function playSite(policy: Policy, seed: number, rounds: number): Site {
  const random = createRandom(seed);
  const weights = Array.from({ length: ARMS }, (_, arm) => ({
    bias: arm === 0 ? 0.5 : 0.15 + 0.5 * random(),
    slope: [0, 0, 0].map(() => 0.35 * gaussian(random)),
  }));
  const candidates = candidatesOf();
  let [earned, rule, lowest] = [0, 0, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    const context = [1, random(), random(), random()];
    const means = weights.map(({ bias, slope }) => {
      const value = bias + slope.reduce((sum, weight, i) => sum + weight * (context[i + 1]! - 0.5), 0);
      return Math.min(0.95, Math.max(0.02, value));
    });
    const { chosen, propensities, guard } = policy.decide(
      { site: 's', features: context, slate: 1 },
      candidates,
      random,
    ).positions[0]!;
    earned += means.reduce((sum, mean, arm) => sum + mean * propensities[arm]!, 0);
    rule += means[0]!;
    lowest = Math.min(lowest, earned / rule);
    const reward = random() < 0.8 ? Number(random() < means[Number(chosen)]!) : null;
    policy.update([{ site: 's', context, arm: chosen, features: [], rule_score: 0, reward, guard }]);
  }
  return { ratio: earned / rule, lowest };
}

function candidatesOf(): Candidate[] {
  return Array.from({ length: ARMS }, (_, arm) => ({
    ...{ id: String(arm), arm: String(arm), features: [], rule_score: arm === 0 ? 1 : 0 },
  }));
}
