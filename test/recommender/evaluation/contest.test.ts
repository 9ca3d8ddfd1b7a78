import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../engine/random.ts';
import { verdict } from '../../../gateway/services/advice/contest.ts';
import type { PolicyName } from '../../../recommender/bandit/policies.ts';
import type { Candidate } from '../../../recommender/bandit/port.ts';
import {
  type ContestInput,
  type ContestRound,
  holdContest,
  type PolicyScore,
} from '../../../recommender/evaluation/contest.ts';
import { ACTION_NAMES, MOMENT_NAMES } from '../../../recommender/moment.ts';

const KINDS = ['shift_load', 'check_meter', 'run_battery', 'read_passage'] as const;

/** People who only ever want `liked`; a log of even chances. The rule would show what comes first in KINDS. */
function logOf(rounds: number, liked: string): Pick<ContestInput, 'rounds' | 'outcomes'> {
  const random = createRandom(5);
  const made: ContestRound[] = [];
  const outcomes: ContestInput['outcomes'][number][] = [];
  for (let n = 0; n < rounds; n++) {
    const moment = MOMENT_NAMES.map((_, i) => (i === 0 ? 1 : random() - 0.5));
    const candidates = KINDS.map(
      (kind, k): Candidate => ({
        id: `${kind}:${n}`,
        arm: kind,
        features: ACTION_NAMES.map(() => random()),
        rule_score: -k,
      }),
    );
    const chosen = candidates[Math.floor(random() * 4)]!;
    const answered = random() < 0.7;
    const reward = random() < (chosen.arm === liked ? 0.9 : 0.1) ? 0.8 : 0;
    const propensities = Object.fromEntries(candidates.map(({ id }) => [id, 0.25]));
    const at_ms = n * 3_600_000;
    made.push({
      ...{ at_ms, site: 'main', moment, candidates, positions: [{ chosen: chosen.id, propensities }] },
      rewards: [answered ? reward : null],
    });
    const { arm, features, rule_score } = chosen;
    if (answered)
      outcomes.push({ site: 'main', context: moment, arm, features, rule_score, reward, at_ms: at_ms + 1000 });
  }
  return { rounds: made, outcomes };
}

const score = (policy: PolicyName, low: number, high: number): PolicyScore => ({
  policy,
  value: {} as PolicyScore['value'],
  lead: { value: (low + high) / 2, low, high, standard_error: 0.1 },
});
const FIRST = { live: 'default' as const, since_ms: null, former: null, barred: [], judged: null };

describe('champion and challengers on the log', () => {
  it('a learner beats the rule that ignores what people want, and silent places count neither way', () => {
    const policies = ['default', 'rule', 'linucb'] as const;
    const { rows, scores, mean_reward } = holdContest({
      ...logOf(500, 'run_battery'),
      ...{ policies, champion: 'rule', from_ms: 100 * 3_600_000 },
    });
    expect(rows).toBeGreaterThan(240);
    expect(rows).toBeLessThan(320);
    expect(mean_reward).toBeCloseTo(0.24, 1);
    const by = new Map(scores.map((one) => [one.policy, one]));
    expect(by.get('rule')!.lead.value).toBe(0);
    // The rule always shows what earns 0.08; the best choice earns 0.72.
    expect(by.get('rule')!.value.dr.value).toBeCloseTo(0.08, 1);
    expect(by.get('default')!.value.dr.value).toBeGreaterThan(0.45);
    expect(by.get('default')!.lead.low).toBeGreaterThan(0.2);
    expect(by.get('linucb')!.lead.low).toBeGreaterThan(0.2);
  });

  it('finds no lead where the rule shows what people want anyhow', () => {
    const { scores } = holdContest({
      ...logOf(400, 'shift_load'),
      ...{ policies: ['rule', 'squarecb', 'greedy'], champion: 'rule', from_ms: 0 },
    });
    for (const { policy, lead } of scores) if (policy !== 'rule') expect(lead.low).toBeLessThanOrEqual(0);
  });

  it('promotes the challenger with the largest sure lead, and nobody on a lead that may be chance', () => {
    const sure = verdict(
      FIRST,
      [score('default', 0, 0), score('thompson', 0.01, 0.1), score('squarecb', 0.02, 0.2)],
      false,
      7,
    );
    expect(sure).toMatchObject({
      act: 'advice.policy.promoted',
      next: { live: 'squarecb', former: 'default', since_ms: 7 },
    });
    expect(verdict(FIRST, [score('default', 0, 0), score('thompson', -0.01, 0.3)], false, 7).act).toBeNull();
    const barred = { ...FIRST, barred: ['squarecb' as const] };
    expect(verdict(barred, [score('squarecb', 0.02, 0.2)], false, 7).act).toBeNull();
  });

  it('rolls back by itself what earns less than its predecessor would have, and never tries it again', () => {
    const state = { ...FIRST, live: 'squarecb' as const, former: 'default' as const, since_ms: 7 };
    const back = verdict(state, [score('squarecb', 0, 0), score('default', 0.01, 0.1)], true, 99);
    expect(back).toMatchObject({
      act: 'advice.policy.rollback',
      next: { live: 'default', former: null, since_ms: 99, barred: ['squarecb'] },
    });
    const stays = verdict(state, [score('squarecb', 0, 0), score('default', -0.2, 0.1)], true, 99);
    expect(stays).toMatchObject({ act: 'advice.policy.confirmed', next: { live: 'squarecb', former: null } });
    // Before enough was answered nothing is changed again.
    expect(verdict(state, [score('thompson', 0.5, 0.9)], false, 99).act).toBeNull();
  });
});
