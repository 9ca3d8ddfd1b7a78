/** Decisions and their answers as people see them. */
import type { Sql } from '../../../engine/ports.ts';
import type { Action } from '../../../recommender/action.ts';
import type { RealisedSaving } from '../../../recommender/effect.ts';
import { ruleScore } from '../../../recommender/moment.ts';
import type { Advice, AdviceAction, AdviceHistory } from '../advice.ts';
import { answersByKind, type LikeThis } from './performance.ts';
import { type DecisionRow, feedbackSince, recentDecisions } from './rows.ts';

type Likes = ReadonlyMap<string, LikeThis>;

const HISTORY_MS = 90 * 86_400_000;

/** In quiet hours nothing new: what was shown last stays as far as it still holds. */
export function quietly(last: DecisionRow | null, eligible: readonly Action[], likes: Likes, now_ms: number): Advice {
  if (!last) return { decision_id: '', made_ms: now_ms, actions: [], quiet: true };
  const { actions, ...advice } = adviceOf(last, likes);
  const holds = new Set(eligible.map(({ id }) => id));
  return { ...advice, actions: actions.filter(({ id }) => holds.has(id)), quiet: true };
}

export function adviceOf(row: DecisionRow, likes: Likes): Advice {
  return { decision_id: row.id, made_ms: row.at_ms, actions: shownIn(row, likes), quiet: false };
}

const NO_ANSWERS: LikeThis = { accepted: 0, answered: 0 };

function shownIn(row: DecisionRow, likes: Likes): AdviceAction[] {
  return row.chosen.flatMap(({ chosen, propensities }) => {
    const action = row.eligible.find((candidate) => candidate.id === chosen);
    if (!action) return [];
    const { features: _features, stake: _stake, measure: _measure, ...rest } = action;
    const propensity = propensities[chosen] ?? 0;
    const likeliest = propensity >= Math.max(...Object.values(propensities));
    const chosen_by = !likeliest ? 'chance' : isRulePick(row, propensities, action) ? 'rule' : 'learner';
    const like_this = likes.get(action.kind) ?? NO_ANSWERS;
    // Decisions of the first release knew no effort and no evidence.
    return [
      { ...rest, effort_min: rest.effort_min ?? 0, evidence: rest.evidence ?? {}, propensity, like_this, chosen_by },
    ];
  });
}

/** Whether the plain rule would have put it there, or something that it holds for as much. */
function isRulePick({ eligible }: DecisionRow, free: Record<string, number>, chosen: Action): boolean {
  return eligible.every((other) => !(other.id in free) || ruleScore(other) <= ruleScore(chosen));
}

export function explained(row: DecisionRow): Record<string, unknown> {
  const { id, at_ms, policy, seed, state_hash, learnt, slate, moment, context, eligible, chosen } = row;
  return {
    ...{ decision_id: id, at: new Date(at_ms).toISOString(), policy, seed, state_hash, learnt, slate, moment },
    ...{ context, eligible, positions: chosen },
  };
}

export async function historyOf(sql: Sql, now_ms: number, limit: number): Promise<AdviceHistory[]> {
  const rows = await recentDecisions(sql, limit);
  const feedback = await feedbackSince(sql, now_ms - HISTORY_MS);
  const effects = await sql<{ decision_id: string; action_id: string } & RealisedSaving>(
    `select decision_id, action_id, amount, low, high from effect where state = 'measured'`,
  );
  const likes = await answersByKind(sql, now_ms);
  const outcomes = new Map(feedback.map((f) => [`${f.decision_id} ${f.action_id}`, f]));
  const amounts = new Map(
    effects.map(({ decision_id, action_id, ...amount }) => [`${decision_id} ${action_id}`, amount]),
  );
  const entries = rows.flatMap((row) =>
    shownIn(row, likes).map((action): AdviceHistory => {
      const given = outcomes.get(`${row.id} ${action.id}`);
      return {
        ...{ decision_id: row.id, at_ms: row.at_ms, action },
        ...{ outcome: given?.outcome ?? null, outcome_ms: given?.at_ms ?? null },
        realised: amounts.get(`${row.id} ${action.id}`) ?? null,
      };
    }),
  );
  return newestPerAction(entries).slice(0, limit);
}

/** The same advice is decided on again every half hour: keep the entry with an outcome, or the newest. */
function newestPerAction(entries: readonly AdviceHistory[]): AdviceHistory[] {
  const kept = new Map<string, AdviceHistory>();
  for (const entry of entries) {
    const known = kept.get(entry.action.id);
    if (!known || (known.outcome === null && entry.outcome !== null)) kept.set(entry.action.id, entry);
  }
  return [...kept.values()];
}
