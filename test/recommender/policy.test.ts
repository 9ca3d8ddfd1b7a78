import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ACTION_KINDS, type Action } from '../../recommender/action.ts';
import { FEATURES } from '../../recommender/features.ts';
import { createLinUcbState, learn } from '../../recommender/linucb.ts';
import { decide, PROPENSITY_FLOOR } from '../../recommender/policy.ts';

const words = { en: '', de: '' };
const NO_MORE = { effort_min: 1, evidence: {}, stake: 1, measure: null };
const actionArbitrary = fc
  .record({
    kind: fc.constantFrom(...ACTION_KINDS),
    features: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: FEATURES, maxLength: FEATURES }),
    n: fc.nat(1000),
  })
  .map(
    ({ kind, features, n }): Action => ({
      id: `${kind}:${n}`,
      kind,
      features,
      text: words,
      why: words,
      saving: null,
      deadline_ms: null,
      ...NO_MORE,
      link: null,
    }),
  );
const actionsArbitrary = fc.uniqueArray(actionArbitrary, { selector: (action) => action.id, maxLength: 30 });

describe('decide', () => {
  it('gives every eligible action a propensity at or above the floor, summing to 1', () => {
    fc.assert(
      fc.property(actionsArbitrary, fc.nat(), (actions, seed) => {
        const { positions } = decide(actions, createLinUcbState(FEATURES), seed);
        expect(positions).toHaveLength(Math.min(3, actions.length));
        positions.forEach(({ propensities }, i) => {
          expect(Object.keys(propensities)).toHaveLength(actions.length - i);
          for (const p of Object.values(propensities)) expect(p).toBeGreaterThanOrEqual(PROPENSITY_FLOOR);
          expect(Object.values(propensities).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
        });
        expect(new Set(positions.map((p) => p.chosen)).size).toBe(positions.length);
      }),
    );
  });

  it('gives each of up to 1,000 actions a probability above 0, the best never less than others, summing to 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1000 }), fc.nat(), (count, seed) => {
        const actions = Array.from(
          { length: count },
          (_, i): Action => ({
            ...{ id: `check_meter:${i}`, kind: ACTION_KINDS[0]!, features: new Array(FEATURES).fill(0.5) },
            ...{ text: words, why: words, saving: null, deadline_ms: null, link: null, ...NO_MORE },
          }),
        );
        for (const { propensities } of decide(actions, createLinUcbState(FEATURES), seed, 2).positions) {
          const all = Object.values(propensities);
          for (const p of all) expect(p > 0 && p <= 1).toBe(true);
          const best = Object.keys(propensities).sort()[0]!;
          expect(propensities[best]).toBe(Math.max(...all));
          expect(all.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
        }
      }),
      {
        numRuns: 30,
        examples: [
          [501, 1],
          [1000, 1],
        ],
      },
    );
  });

  it('replays bit for bit from its log, whatever the order of the actions and after a round trip through JSON', () => {
    fc.assert(
      fc.property(actionsArbitrary, fc.nat(), (actions, seed) => {
        let state = createLinUcbState(FEATURES);
        for (const action of actions.slice(0, 5)) state = learn(state, action.kind, action.features, seed % 2);
        const decision = decide(actions, state, seed);
        const logged = JSON.parse(JSON.stringify({ actions: [...actions].reverse(), state, decision }));
        expect(decide(logged.actions, logged.state, logged.decision.seed)).toEqual(decision);
      }),
    );
  });

  it('chooses as often as its propensities say', () => {
    const actions = ['a', 'b', 'c', 'd'].map(
      (id, i): Action => ({
        id,
        kind: ACTION_KINDS[i]!,
        features: new Array(FEATURES).fill(0.5),
        text: words,
        why: words,
        saving: null,
        deadline_ms: null,
        ...NO_MORE,
        link: null,
      }),
    );
    const state = learn(createLinUcbState(FEATURES), ACTION_KINDS[2], actions[2]!.features, 1);
    const counts: Record<string, number> = {};
    const rounds = 20_000;
    for (let seed = 0; seed < rounds; seed++) {
      const first = decide(actions, state, seed).positions[0]!.chosen;
      counts[first] = (counts[first] ?? 0) + 1;
    }
    const { propensities } = decide(actions, state, 0).positions[0]!;
    for (const [id, p] of Object.entries(propensities))
      expect(Math.abs((counts[id] ?? 0) / rounds - p)).toBeLessThan(0.01);
    expect(propensities.c).toBeGreaterThan(0.9);
  });
});
