import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../engine/random.ts';
import { createDefaultPolicy, createShippedPolicy } from '../../../recommender/bandit/default-policy.ts';
import { gaussian } from '../../../recommender/bandit/lift.ts';
import {
  correctReward,
  createLinearModel,
  grow,
  learnReward,
  predict,
} from '../../../recommender/bandit/linear-model.ts';
import type { Candidate, Outcome } from '../../../recommender/bandit/port.ts';
import { createSurprise, surprised } from '../../../recommender/bandit/surprise.ts';

const DAY_MS = 86_400_000;
const MOMENT = [1, 0.2];
const KINDS = ['shift', 'charge', 'check'];

const outcome = (arm: string, reward: number, more: Partial<Outcome> = {}): Outcome => ({
  ...{ site: 'a', context: MOMENT, arm, features: [0.5, 0.1], rule_score: 0, reward },
  ...more,
});
const candidatesOf = (scores: readonly number[] = [0, 0, 0]): Candidate[] =>
  KINDS.map((kind, k) => ({ id: kind, arm: kind, features: [0.5, 0.1], rule_score: scores[k]! }));
const estimatesOf = (policy: ReturnType<typeof createDefaultPolicy>, site = 'a') =>
  policy.estimate({ site, features: MOMENT, slate: 1 }, candidatesOf()).map(({ mean, sd }) => ({ mean, sd }));

describe('a reward that becomes known in two steps', () => {
  it('teaches the same as the whole at once (to 1e-12)', () => {
    const [once, twice] = [createDefaultPolicy(4), createDefaultPolicy(4)];
    for (let n = 0; n < 20; n++) {
      once.update([outcome(KINDS[n % 3]!, 0.8)]);
      twice.update([outcome(KINDS[n % 3]!, 0.5)]);
    }
    for (let n = 0; n < 20; n++) twice.update([outcome(KINDS[n % 3]!, 0.8, { before: 0.5 })]);
    for (const [k, { mean }] of estimatesOf(once).entries())
      expect(Math.abs(mean - estimatesOf(twice)[k]!.mean)).toBeLessThan(1e-12);
  });

  it('is exact in the regression itself, also after further rewards', () => {
    const random = createRandom(3);
    const [whole, late] = [createLinearModel(3, 1), createLinearModel(3, 1)];
    const rows = Array.from({ length: 30 }, () => Float64Array.from({ length: 3 }, () => gaussian(random)));
    for (const x of rows) learnReward(whole, x, 1 + x[0]!);
    for (const x of rows) learnReward(late, x, 1);
    for (const x of rows) correctReward(late, x, x[0]!);
    for (let i = 0; i < 3; i++) expect(late.weights[i]).toBeCloseTo(whole.weights[i]!, 11);
  });
});

describe('a kind that appears later', () => {
  it('leaves what is believed of the others as it was, bit for bit', () => {
    const model = createLinearModel(2, 1);
    for (let n = 0; n < 9; n++) learnReward(model, Float64Array.of(1, n / 9), n % 2);
    const before = predict(model, Float64Array.of(1, 0.3));
    grow(model, Float64Array.of(0.4, 0));
    expect(predict(model, Float64Array.of(1, 0.3, 0, 0))).toEqual(before);
    expect(predict(model, Float64Array.of(1, 0.3, 1, 0)).mean).toBeCloseTo(before.mean + 0.4, 12);
  });

  it('shares what all kinds have in common, but is less certain', () => {
    const policy = createDefaultPolicy(4);
    for (let n = 0; n < 60; n++) policy.update([outcome('shift', 0.9), outcome('charge', 0.9)]);
    const [shift, , check] = estimatesOf(policy);
    expect(check!.mean).toBeGreaterThan(0.5);
    expect(check!.sd).toBeGreaterThan(2 * shift!.sd);
  });
});

describe('drift', () => {
  const liked = (policy: ReturnType<typeof createDefaultPolicy>, days: number) => {
    for (let n = 0; n < 40; n++)
      policy.update([outcome('shift', 0.9, { at_ms: 0 }), outcome('check', 0, { at_ms: 0 })]);
    policy.update([outcome('charge', 0.4, { at_ms: days * DAY_MS })]);
    return estimatesOf(policy)[0]!;
  };

  it('makes what was learnt months ago count less, and less certain', () => {
    const [fresh, old] = [liked(createDefaultPolicy(4), 1), liked(createDefaultPolicy(4), 180)];
    expect(old.sd).toBeGreaterThan(1.3 * fresh.sd);
    expect(old.mean).toBeLessThan(fresh.mean);
  });

  it('is noticed when answers turn: nearly everything is forgotten after some contradictions, and not by bad luck', () => {
    const state = createSurprise();
    const random = createRandom(5);
    let alarms = 0;
    for (let n = 0; n < 500; n++) alarms += Number(surprised(state, 0.45, random() < 0.6 ? 0.75 : 0, 5));
    expect(alarms).toBeLessThanOrEqual(2);
    const turned = createSurprise();
    let answers = 0;
    while (!surprised(turned, 0.6, 0, 5)) answers++;
    expect(answers).toBeLessThan(6);
  });
});

describe('sites of one organisation', () => {
  it('start from what the others have learnt, without their certainty', () => {
    const policy = createDefaultPolicy(4);
    for (let n = 0; n < 80; n++) policy.update([outcome('charge', 0.9), outcome('check', 0), outcome('shift', 0.4)]);
    const [known, fresh] = [estimatesOf(policy), estimatesOf(policy, 'new')];
    expect(fresh[1]!.mean).toBeGreaterThan(fresh[2]!.mean + 0.2);
    expect(fresh[1]!.sd).toBeGreaterThan(3 * known[1]!.sd);
    const alone = estimatesOf(createDefaultPolicy(4), 'new');
    expect(alone[1]!.mean).toBe(alone[2]!.mean);
  });
});

describe('the guard', () => {
  it('shows what the rule prefers until answers say otherwise', () => {
    const policy = createShippedPolicy(4);
    const first = () => {
      const asked = { site: 'a', features: MOMENT, slate: 1 };
      return policy.decide(asked, candidatesOf([3, 2, 1]), createRandom(1)).positions[0]!;
    };
    expect(first().chosen).toBe('shift');
    expect(first().guard).toMatchObject({ deviated: false });
    for (let n = 0; n < 120; n++) policy.update([outcome('shift', 0)]);
    expect(first().chosen).not.toBe('shift');
    expect(first().guard).toMatchObject({ deviated: true });
  });

  it('lets the learner decide where the rule prefers nothing', () => {
    const policy = createShippedPolicy(4);
    for (let n = 0; n < 40; n++) policy.update([outcome('check', 0.9), outcome('shift', 0), outcome('charge', 0)]);
    const asked = { site: 'a', features: MOMENT, slate: 1 };
    expect(policy.decide(asked, candidatesOf(), createRandom(2)).positions[0]!.chosen).toBe('check');
  });
});
