/** Lets a policy of the product advise in the simulator: what the box would know, as the features it would see. */

import { createRandom } from '../../../engine/random.ts';
import type { Candidate, DecisionContext, Guard, Outcome, Policy } from '../../../recommender/bandit/port.ts';
import type { Kind, Opportunity } from './kinds.ts';
import { type Adviser, SLATE, type Turn } from './play.ts';
import type { Rule } from './rules.ts';

export const CONTEXT_FEATURES = 6;
export const CANDIDATE_FEATURES = 5;

export function advised(policy: Policy, rule: Rule): Adviser {
  const guards = new Map<string, Guard | undefined>();
  const nameOf = ({ site, day }: Turn, { id }: Opportunity) => `${site.id} ${day.day} ${id}`;
  const decide = (turn: Turn, seed: number) => {
    const candidates = turn.eligible.map((opportunity) => candidateOf(turn, opportunity, rule));
    const { positions } = policy.decide(contextOf(turn), candidates, createRandom(seed));
    return positions.map(({ chosen, guard }) => ({
      opportunity: turn.eligible.find(({ id }) => id === chosen)!,
      guard,
    }));
  };
  return {
    choose: (turn) =>
      decide(turn, turn.seed).map(({ opportunity, guard }) => {
        guards.set(nameOf(turn, opportunity), guard);
        return opportunity;
      }),
    again: (turn, seed) => decide(turn, seed).map(({ opportunity }) => opportunity),
    learn(reports, clock_day) {
      const outcomes = reports.map(({ turn, opportunity, reward, before }): Outcome => {
        const { arm, features, rule_score } = candidateOf(turn, opportunity, rule);
        const { site, features: context } = contextOf(turn);
        const guard = guards.get(nameOf(turn, opportunity));
        return {
          ...{ site, context, arm, features, rule_score, reward, before, guard },
          at_ms: clock_day * 86_400_000,
        };
      });
      policy.update(outcomes);
    },
  };
}

function contextOf({ site, day, clock_day }: Turn): DecisionContext {
  const angle = 2 * Math.PI * day.season;
  return {
    ...{ site: site.id, slate: SLATE, at_ms: clock_day * 86_400_000 },
    features: [1, day.weekend ? 1 : 0, day.spread, day.price_level, Math.sin(angle), Math.cos(angle)],
  };
}

function candidateOf(turn: Turn, opportunity: Opportunity, rule: Rule): Candidate {
  const { id, kind, saving, certainty, urgency } = opportunity;
  const times = (shown: Partial<Record<Kind, number>> | undefined) => shown?.[kind] ?? 0;
  const week = turn.shown.reduce((sum, shown) => sum + times(shown), 0);
  const share = saving / (saving + turn.half_saving);
  return {
    ...{ id, arm: kind, rule_score: rule(opportunity, turn.eligible) },
    features: [share, certainty, urgency, Math.min(1, times(turn.shown[0]) / SLATE), Math.min(1, week / 14)],
  };
}
