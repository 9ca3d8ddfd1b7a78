/** Decisions, answers and rewards as they are stored. Decisions and rewards are written once and stay for ever. */
import { NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import type { Action, AdviceContext } from '../../../recommender/action.ts';
import type { Outcome as LearntOutcome, SlatePosition } from '../../../recommender/bandit/port.ts';
import type { LoggedDecision } from '../../../recommender/bandit/replay.ts';
import { candidateOf } from '../../../recommender/moment.ts';
import type { Outcome } from '../advice.ts';

export type DecisionRow = {
  id: string;
  at_ms: number;
  site_id: string;
  policy: string;
  seed: number;
  context: AdviceContext;
  eligible: Action[];
  chosen: SlatePosition[];
  /** Null in decisions of the first release, which cannot be made again. */
  state_hash: string | null;
  learnt: number | null;
  moment: number[] | null;
  slate: number | null;
};
export type FeedbackRow = {
  decision_id: string;
  action_id: string;
  outcome: Outcome;
  at_ms: number;
  stake: number | null;
};
export type RewardRow = { seq: number; id: string; outcome: LearntOutcome };
export type NewReward = {
  decision_id: string;
  action_id: string;
  position: number;
  source: 'answer' | 'effect';
  delay_ms: number;
  at_ms: number;
  outcome: LearntOutcome & { reward: number };
};

const AT_MS = '(extract(epoch from at) * 1000)::bigint as at_ms';
const SELECT_DECISION = `select id, site_id, ${AT_MS}, policy, seed, context, eligible, chosen, state_hash, learnt, moment, slate from decision`;
const SELECT_FEEDBACK = `select decision_id, action_id, outcome, ${AT_MS}, stake from feedback`;

export async function lastDecision(sql: Sql, site: string): Promise<DecisionRow | null> {
  const [row] = await sql<DecisionRow>(`${SELECT_DECISION} where site_id = $1 order by at desc limit 1`, [site]);
  return row ?? null;
}

/** Newest first. */
export function recentDecisions(sql: Sql, limit: number): Promise<DecisionRow[]> {
  return sql<DecisionRow>(`${SELECT_DECISION} order by at desc limit $1`, [limit]);
}

/** Oldest first. */
export function decisionsOf(sql: Sql, ids: readonly string[]): Promise<DecisionRow[]> {
  return sql<DecisionRow>(`${SELECT_DECISION} where id = any($1::uuid[]) order by at, id`, [ids]);
}

/** @throws NotFoundError */
export async function decisionOf(sql: Sql, id: string): Promise<DecisionRow> {
  const rows = /^[0-9a-f-]{36}$/.test(id) ? await sql<DecisionRow>(`${SELECT_DECISION} where id = $1`, [id]) : [];
  if (!rows[0]) throw new NotFoundError('There is no such decision.', 'Take a decision_id from GET /api/v1/recommend.');
  return rows[0];
}

export async function insertDecision(sql: Sql, tenant: string, row: DecisionRow): Promise<void> {
  await sql(
    `insert into decision (tenant_id, id, site_id, at, policy, seed, context, eligible, chosen, state_hash, learnt, moment, slate)
     values ($1, $2, $3, to_timestamp($4 / 1000.0), $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      ...[tenant, row.id, row.site_id, row.at_ms, row.policy, row.seed, JSON.stringify(row.context)],
      ...[JSON.stringify(row.eligible), JSON.stringify(row.chosen), row.state_hash, row.learnt],
      ...[JSON.stringify(row.moment), row.slate],
    ],
  );
}

/** The decision as the policy made it; null for one of the first release. */
export function loggedOf(row: DecisionRow): LoggedDecision | null {
  const { policy, state_hash, seed, moment, slate, at_ms } = row;
  if (state_hash === null || moment === null || slate === null) return null;
  return {
    ...{ policy, state_hash, seed, positions: row.chosen },
    context: { site: row.site_id, features: moment, slate, at_ms },
    candidates: row.eligible.map(candidateOf),
  };
}

/** What the policy learns of a place of the slate once its reward is known; null for a decision of the first release. */
export function outcomeOf(row: DecisionRow, action: Action, reward: number): LearntOutcome | null {
  const guard = row.chosen.find(({ chosen }) => chosen === action.id)?.guard;
  if (row.moment === null) return null;
  const { arm, features, rule_score } = candidateOf(action);
  return { site: row.site_id, context: row.moment, arm, features, rule_score, reward, ...(guard ? { guard } : {}) };
}

/** Oldest first, of the last `days`. */
export function feedbackSince(sql: Sql, since_ms: number): Promise<FeedbackRow[]> {
  return sql<FeedbackRow>(`${SELECT_FEEDBACK} where at > to_timestamp($1 / 1000.0) order by at`, [since_ms]);
}

export function feedbackOf(sql: Sql, decision: string, action: string): Promise<FeedbackRow[]> {
  return sql<FeedbackRow>(`${SELECT_FEEDBACK} where decision_id = $1 and action_id = $2 order by at`, [
    decision,
    action,
  ]);
}

export async function insertFeedback(
  sql: Sql,
  tenant: string,
  row: FeedbackRow & { by: string; stake: number },
): Promise<void> {
  await sql(
    `insert into feedback (tenant_id, decision_id, action_id, outcome, at, by, stake)
     values ($1, $2, $3, $4, to_timestamp($5 / 1000.0), $6, $7)
     on conflict (tenant_id, decision_id, action_id, at) do update set outcome = excluded.outcome`,
    [tenant, row.decision_id, row.action_id, row.outcome, row.at_ms, row.by, row.stake],
  );
}

/** One writer a tenant, until the transaction ends: rewards have an order, and two answers at once both count. */
export async function lockRewards(sql: Sql, tenant: string): Promise<void> {
  await sql('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`luna reward ${tenant}`]);
}

/** Behind lockRewards. A reward that is known already is left as it is. */
export async function insertReward(sql: Sql, tenant: string, reward: NewReward): Promise<void> {
  const { decision_id, action_id, position, source, delay_ms, at_ms, outcome } = reward;
  await sql(
    `insert into reward (tenant_id, seq, decision_id, action_id, position, source, value, delay_ms, at, outcome)
     values ($1, (select coalesce(max(seq), 0) + 1 from reward), $2, $3, $4, $5, $6, $7, to_timestamp($8 / 1000.0), $9)
     on conflict do nothing`,
    [tenant, decision_id, action_id, position, source, outcome.reward, delay_ms, at_ms, JSON.stringify(outcome)],
  );
}

/** Rewards from `seq` on, in order. */
export function rewardsFrom(sql: Sql, seq: number, limit: number): Promise<RewardRow[]> {
  return sql<RewardRow>('select seq, id, outcome from reward where seq >= $1 order by seq limit $2', [seq, limit]);
}

/** Ids of advice that was shown since, each once, with its kind. */
export async function shownSince(sql: Sql, since_ms: number): Promise<{ id: string; at_ms: number }[]> {
  return sql(
    `select place ->> 'chosen' as id, (extract(epoch from max(at)) * 1000)::bigint as at_ms
     from decision, jsonb_array_elements(chosen) as place where at >= to_timestamp($1 / 1000.0) group by 1`,
    [since_ms],
  );
}
