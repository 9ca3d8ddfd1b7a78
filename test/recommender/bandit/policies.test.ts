import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../../engine/errors.ts';
import { createRandom } from '../../../engine/random.ts';
import { createShippedPolicy } from '../../../recommender/bandit/default-policy.ts';
import { PROPENSITY_FLOOR } from '../../../recommender/bandit/floor.ts';
import { createPolicy, POLICY_NAMES } from '../../../recommender/bandit/policies.ts';
import type { Candidate, DecisionContext, Outcome, Policy, SlatePosition } from '../../../recommender/bandit/port.ts';
import { decideLogged, replayFaults } from '../../../recommender/bandit/replay.ts';
import { drawSlate } from '../../../recommender/bandit/slate.ts';

const INPUTS = 4;
const MAKERS: [string, () => Policy][] = [
  ...POLICY_NAMES.map((name): [string, () => Policy] => [name, () => createPolicy(name, INPUTS)]),
  ['shipped', () => createShippedPolicy(INPUTS)],
];

const unit = fc.double({ min: -1, max: 1, noNaN: true });
const candidate = fc.record({
  id: fc.nat(500).map((n) => `action ${n}`),
  arm: fc.constantFrom('shift', 'charge', 'check'),
  features: fc.array(unit, { minLength: 2, maxLength: 2 }),
  rule_score: unit,
});
const candidates = fc.uniqueArray(candidate, { selector: ({ id }) => id, maxLength: 12 });

describe.each(MAKERS)('the policy %s', (_name, make) => {
  it('gives each free action a propensity of at least the floor, summing to 1, place by place', () => {
    const policy = make();
    policy.update(outcomes(30, 1));
    fc.assert(
      fc.property(candidates, fc.array(unit, { minLength: 2, maxLength: 2 }), fc.nat(), (actions, features, seed) => {
        const { positions } = policy.decide({ site: 'a', features, slate: 3 }, actions, createRandom(seed));
        expect(positions).toHaveLength(Math.min(3, actions.length));
        for (const [place, { chosen, propensities }] of positions.entries()) {
          expect(Object.keys(propensities)).toHaveLength(actions.length - place);
          const all = Object.values(propensities);
          for (const p of all) expect(p).toBeGreaterThanOrEqual(PROPENSITY_FLOOR - 1e-12);
          expect(all.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
          expect(propensities[chosen]).toBeGreaterThan(0);
        }
        expect(new Set(positions.map(({ chosen }) => chosen)).size).toBe(positions.length);
      }),
      { numRuns: 40 },
    );
  });

  it('chooses as often as the logged propensities say (χ²)', () => {
    const policy = make();
    policy.update(outcomes(12, 2));
    const random = createRandom(17);
    const first = policy.decide(CONTEXT, ACTIONS, createRandom(0)).positions[0]!.propensities;
    const counts = new Map<string, number>();
    for (let n = 0; n < 2000; n++) {
      const { chosen, propensities } = policy.decide(CONTEXT, ACTIONS, random).positions[0]!;
      // What a place's propensities are does not depend on chance.
      if (n < 20) expect(propensities).toEqual(first);
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    }
    expect(chiSquare(counts, first, 2000)).toBeLessThan(CHI_SQUARE_4);
  });

  it('takes silence as missing, not as 0', () => {
    const policy = make();
    policy.update(outcomes(20, 3));
    const before = policy.snapshot();
    policy.update(outcomes(20, 4).map((outcome) => ({ ...outcome, reward: null })));
    expect(policy.snapshot()).toEqual(before);
    policy.update(outcomes(1, 4).map((outcome) => ({ ...outcome, reward: 0 })));
    expect(policy.snapshot()).not.toEqual(before);
  });

  it('learns the same from a batch as one by one', () => {
    const [whole, single] = [make(), make()];
    whole.update(outcomes(150, 5));
    for (const outcome of outcomes(150, 5)) single.update([outcome]);
    expect(whole.snapshot()).toEqual(single.snapshot());
  });

  it('is the same bit for bit after a restore, and stays so while it learns on', () => {
    const [policy, restored] = [make(), make()];
    policy.update(outcomes(200, 6));
    restored.restore(JSON.parse(JSON.stringify(policy.snapshot())));
    for (const one of [policy, restored]) one.update(outcomes(200, 7));
    expect(restored.snapshot()).toEqual(policy.snapshot());
    expect(restored.stateHash()).toBe(policy.stateHash());
    const decide = (one: Policy) => one.decide(CONTEXT, ACTIONS, createRandom(3));
    expect(decide(restored)).toEqual(decide(policy));
  });

  it('makes a logged decision again bit for bit, from the log and the state of that time', () => {
    const policy = make();
    policy.update(outcomes(40, 8));
    const state = policy.snapshot();
    const logged = JSON.parse(JSON.stringify(decideLogged(policy, CONTEXT, ACTIONS, 123)));
    policy.update(outcomes(1, 9));
    expect(replayFaults(policy, logged)).toEqual(['the policy has learnt something else than it had then']);
    const later = make();
    later.restore(state);
    expect(replayFaults(later, logged)).toEqual([]);
    const forged = structuredClone(logged);
    forged.positions[0].propensities[ACTIONS[0]!.id] += 1e-12;
    expect(replayFaults(later, forged)).toEqual(['position 1: other propensities']);
  });

  it('refuses a state of another policy, equal ids, and features that are missing', () => {
    const policy = make();
    const random = createRandom(1);
    expect(() => policy.restore({ policy: 'other/1', state: '' })).toThrow(InvalidDataError);
    expect(() => policy.decide(CONTEXT, [ACTIONS[0]!, ACTIONS[0]!], random)).toThrow(/same id/);
    expect(() => policy.decide({ ...CONTEXT, features: [1] }, ACTIONS, random)).toThrow(/3 features/);
    expect(() => policy.decide({ ...CONTEXT, features: [1, NaN] }, ACTIONS, random)).toThrow(/finite/);
    expect(() => policy.update(outcomes(1, 1).map((o) => ({ ...o, reward: NaN })))).toThrow(InvalidDataError);
    expect(policy.decide(CONTEXT, [], random).positions).toEqual([]);
  });
});

describe('a slate', () => {
  it('is drawn as often as its propensities say, the second place given the first (100,000 draws, χ²)', () => {
    const random = createRandom(23);
    const base = Float64Array.of(0.7, 0.2, 0, 0.1, 0);
    const draw = () => drawSlate(ACTIONS, 2, (free) => Float64Array.from(free, (i) => base[i]!), random);
    const firsts = new Map<string, number>();
    const seconds = new Map<string, number>();
    const [first, second] = [draw()[0]!.propensities, new Map<string, Record<string, number>>()];
    for (let n = 0; n < 100_000; n++) {
      const [one, two] = draw() as [SlatePosition, SlatePosition];
      firsts.set(one.chosen, (firsts.get(one.chosen) ?? 0) + 1);
      if (one.chosen !== 'action 0') continue;
      second.set(one.chosen, two.propensities);
      seconds.set(two.chosen, (seconds.get(two.chosen) ?? 0) + 1);
    }
    expect(chiSquare(firsts, first, 100_000)).toBeLessThan(CHI_SQUARE_4);
    expect(chiSquare(seconds, second.get('action 0')!, firsts.get('action 0')!)).toBeLessThan(CHI_SQUARE_4);
    expect(firsts.get('action 2')).toBeGreaterThan(100);
  });
});

describe('a new site', () => {
  it('starts with what other sites have learnt, and then follows its own answers', () => {
    const policy = createPolicy('default', INPUTS);
    const liked = (site: string, arm: string): Outcome[] =>
      outcomes(120, 11).map((one) => ({ ...one, site, reward: Number(one.arm === arm) }));
    const chance = (site: string, arm: string) => {
      const actions = ['shift', 'charge', 'check'].map((kind) => ({ ...ACTIONS[0]!, id: kind, arm: kind }));
      return policy.decide({ ...CONTEXT, site }, actions, createRandom(1)).positions[0]!.propensities[arm]!;
    };
    policy.update(liked('old', 'charge'));
    expect(chance('new', 'charge')).toBeGreaterThan(0.9);
    policy.update(liked('new', 'check'));
    expect(chance('new', 'check')).toBeGreaterThan(0.9);
    expect(chance('old', 'charge')).toBeGreaterThan(0.9);
  });
});

describe('a damaged state', () => {
  it('is refused rather than decided with', () => {
    const policy = createPolicy('default', INPUTS);
    policy.update(outcomes(5, 1));
    const { policy: version, state } = policy.snapshot();
    const at = Math.floor(state.length / 2);
    const damaged = state.slice(0, at) + (state[at] === 'A' ? 'B' : 'A') + state.slice(at + 1);
    expect(() => policy.restore({ policy: version, state: damaged })).toThrow(/damaged/);
  });
});

const CONTEXT: DecisionContext = { site: 'a', features: [1, 0.3], slate: 2 };
const ACTIONS: Candidate[] = Array.from({ length: 5 }, (_, i) => ({
  ...{ id: `action ${i}`, arm: ['shift', 'charge', 'check'][i % 3]!, features: [i / 5, -i / 7], rule_score: i % 4 },
}));

function outcomes(count: number, seed: number): Outcome[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, n) => ({
    site: n % 4 === 3 ? 'b' : 'a',
    context: [1, random()],
    arm: ['shift', 'charge', 'check'][Math.floor(random() * 3)]!,
    features: [random(), -random()],
    rule_score: 0,
    reward: Number(random() < 0.4),
    guard: { deviated: random() < 0.5, rule_mean: 0.3, rule_variance: 0.01 },
  }));
}

/** 99.99 % quantile of χ² with 4 degrees of freedom. */
const CHI_SQUARE_4 = 23.5;

function chiSquare(counts: ReadonlyMap<string, number>, propensities: Record<string, number>, draws: number): number {
  const parts = Object.entries(propensities).map(([id, p]) => ((counts.get(id) ?? 0) - draws * p) ** 2 / (draws * p));
  return parts.reduce((a, b) => a + b, 0);
}
