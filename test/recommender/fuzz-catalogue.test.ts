import { describe, expect, it } from 'vitest';
import { createRandom } from '../../engine/random.ts';
import { ACTION_KINDS } from '../../recommender/action.ts';
import { proposeActions } from '../../recommender/catalogue/catalogue.ts';
import { KINDS } from '../../recommender/catalogue/kinds.ts';
import { ACTION_NAMES, candidateOf, MOMENT_NAMES, momentFeatures } from '../../recommender/moment.ts';
import { isFeasible } from './feasibility.ts';
import { fuzzContext } from './fuzz-context.ts';

const ROUNDS = 4000;

describe('the catalogue under fuzzed contexts', () => {
  it('never proposes what is infeasible or unsafe, and meets every kind', () => {
    const random = createRandom(20260101);
    const met = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      const context = fuzzContext(random);
      const actions = proposeActions(context);
      expect(new Set(actions.map(({ id }) => id)).size).toBe(actions.length);
      for (const action of actions) {
        met.set(action.kind, (met.get(action.kind) ?? 0) + 1);
        if (!isFeasible(action, context)) expect({ round, action }).toBeNull();
      }
    }
    expect([...met.keys()].sort()).toEqual([...ACTION_KINDS].sort());
  }, 120_000);

  it('gives the learner finite numbers of one length, all within −1 … 1', () => {
    const random = createRandom(7);
    for (let round = 0; round < 500; round++) {
      const context = fuzzContext(random);
      const moment = momentFeatures(context);
      expect(moment).toHaveLength(MOMENT_NAMES.length);
      for (const action of proposeActions(context)) {
        const { features, rule_score } = candidateOf(action);
        expect(features).toHaveLength(ACTION_NAMES.length);
        for (const value of [...moment, ...features]) expect(Math.abs(value)).toBeLessThanOrEqual(1);
        expect(Number.isFinite(rule_score)).toBe(true);
      }
    }
  });

  it('has at least twelve kinds, each once, with words in both languages and an effort', () => {
    expect(KINDS.length).toBeGreaterThanOrEqual(12);
    expect(KINDS.map(({ kind }) => kind).sort()).toEqual([...ACTION_KINDS].sort());
    for (const { name, effort_min } of KINDS) expect(name.en !== '' && name.de !== '' && effort_min > 0).toBe(true);
  });

  it('brings withheld advice back only when half as much again is at stake', () => {
    const random = createRandom(3);
    const context = fuzzContext(random);
    const night = { last_W: 9000, usual_W: 4000 };
    const prices = context.prices.length > 0 ? context.prices : [{ at_ms: context.at_ms, per_kWh: 0.3 }];
    const ids = (last_W: number) =>
      proposeActions(
        { ...context, prices, night: { ...night, last_W } },
        new Map([['check_base_load', 5000 * 1.5]]),
      ).map(({ id }) => id);
    expect(ids(9000)).not.toContain('check_base_load');
    expect(ids(11_400)).not.toContain('check_base_load');
    expect(ids(11_600)).toContain('check_base_load');
  });
});
