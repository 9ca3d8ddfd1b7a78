/**
 * Which policy decides. A challenger goes live only where the log says with 95 % that it would have earned more than the
 * champion; one that then earns less than its predecessor would have is rolled back by itself, and one that fails is
 * replaced by the plain rule at once. Every change is in the audit log.
 */
import type { Sql } from '../../../engine/ports.ts';
import type { PolicyName } from '../../../recommender/bandit/policies.ts';
import type {
  ContestInput,
  ContestResult,
  ContestRound,
  PolicyScore,
} from '../../../recommender/evaluation/contest.ts';
import { CHALLENGERS, FIRST_POLICY } from '../../../recommender/live.ts';
import { candidateOf, INPUTS } from '../../../recommender/moment.ts';
import type { Actor, Base, Services } from '../../services.ts';
import { writeAudit } from '../audit.ts';
import type { DecisionRow } from './rows.ts';

export type PolicyState = {
  live: PolicyName;
  /** Since when; null from the beginning on. */
  since_ms: number | null;
  former: PolicyName | null;
  /** Policies that lost after they had won, or that failed: they wait for a new release. */
  barred: PolicyName[];
  judged: { at_ms: number; rows: number; mean_reward: number; scores: PolicyScore[] } | null;
};
export type PolicyContest = {
  judge(tenant: string): Promise<void>;
  /** A policy that throws decides no more. */
  giveUp(tenant: string, policy: PolicyName, error: unknown): Promise<void>;
};

/** Answered places before anything is judged. */
const FEWEST_ROWS = 200;
/** Answered places since the change before it is looked back on. */
const FEWEST_SINCE = 60;
const LOOK_BACK_MS = 180 * 86_400_000;
const MOST_DECISIONS = 3000;
const FIRST: PolicyState = { live: FIRST_POLICY, since_ms: null, former: null, barred: [], judged: null };

export async function readContest(sql: Sql): Promise<PolicyState> {
  const [row] = await sql<{ value: Partial<PolicyState> }>(`select value from setting where name = 'advice_policy'`);
  const state = { ...FIRST, ...row?.value };
  return CHALLENGERS.includes(state.live) ? state : FIRST;
}

async function writeContest(sql: Sql, tenant: string, state: PolicyState): Promise<void> {
  await sql(
    `insert into setting (tenant_id, name, value) values ($1, 'advice_policy', $2)
     on conflict (tenant_id, name) do update set value = excluded.value`,
    [tenant, JSON.stringify(state)],
  );
}

export type ContestDeps = Pick<Base, 'db' | 'clock' | 'log'> & { workers: Pick<Services['workers'], 'run'> };

export function createPolicyContest({ db, clock, log, workers }: ContestDeps): PolicyContest {
  const system = (tenant: string): Actor => ({ tenant, person: 'system', role: 'admin', language: 'en' });

  async function change(tenant: string, state: PolicyState, act: string, detail: Record<string, unknown>) {
    await db.asTenant(tenant, async (sql) => {
      await writeContest(sql, tenant, state);
      await writeAudit(sql, system(tenant), act, state.live, { former: state.former, ...detail });
    });
    log.info({ tenant_id: tenant, policy: state.live, ...detail }, act);
  }

  return {
    async judge(tenant) {
      const state = await db.asTenant(tenant, readContest);
      const input = await db.asTenant(tenant, (sql) => inputOf(sql, state, clock.now()));
      const since = input.rounds.filter(({ at_ms }) => at_ms >= (state.since_ms ?? 0));
      const looksBack = state.former !== null && answered(since) >= FEWEST_SINCE;
      if (answered(input.rounds) < FEWEST_ROWS && !looksBack) return;
      const from_ms = looksBack ? state.since_ms! : input.from_ms;
      const result = await workers.run<ContestResult>('judge-advice', { ...input, from_ms });
      const judged = { ...state, judged: { at_ms: clock.now(), ...result } };
      const { next, act } = verdict(judged, result.scores, looksBack, clock.now());
      if (act) await change(tenant, next, act, { rows: result.rows, lead: leadOf(result.scores, next.live, state) });
      else await db.asTenant(tenant, (sql) => writeContest(sql, tenant, judged));
    },

    async giveUp(tenant, policy, error) {
      log.error({ err: error, tenant_id: tenant, policy }, 'the advice policy failed; the plain rule decides');
      const state = await db.asTenant(tenant, readContest);
      const barred = [...new Set([...state.barred, policy])];
      const next: PolicyState = { ...state, live: 'rule', former: null, since_ms: clock.now(), barred };
      await change(tenant, next, 'advice.policy.rollback', { failed: policy, reason: String(error).slice(0, 200) });
    },
  };
}

/** What the scores say is to be done. Pure. */
export function verdict(
  state: PolicyState,
  scores: readonly PolicyScore[],
  looksBack: boolean,
  now_ms: number,
): { next: PolicyState; act: string | null } {
  const { live, former, barred } = state;
  if (looksBack && former) {
    const before = scores.find(({ policy }) => policy === former);
    if (before && before.lead.low > 0) {
      const next = { ...state, live: former, former: null, since_ms: now_ms, barred: [...barred, live] };
      return { next, act: 'advice.policy.rollback' };
    }
    // It has stood the test: from now on it may be challenged again.
    return { next: { ...state, former: null }, act: 'advice.policy.confirmed' };
  }
  const open = scores.filter(({ policy, lead }) => policy !== live && !barred.includes(policy) && lead.low > 0);
  if (former || open.length === 0) return { next: state, act: null };
  const best = open.reduce((a, b) => (b.lead.value > a.lead.value ? b : a));
  return { next: { ...state, live: best.policy, former: live, since_ms: now_ms }, act: 'advice.policy.promoted' };
}

function leadOf(scores: readonly PolicyScore[], live: PolicyName, before: PolicyState) {
  const { lead } = scores.find(({ policy }) => policy === (live === before.live ? before.former : live)) ?? {};
  return lead ? { value: lead.value, low: lead.low, high: lead.high } : null;
}

function answered(rounds: readonly ContestRound[]): number {
  return rounds.reduce((sum, { rewards }) => sum + rewards.filter((reward) => reward !== null).length, 0);
}

type LoggedRow = Pick<DecisionRow, 'site_id' | 'moment' | 'eligible' | 'chosen'> & { id: string; at_ms: number };

async function inputOf(sql: Sql, { live, former }: PolicyState, now_ms: number): Promise<ContestInput> {
  const since = now_ms - LOOK_BACK_MS;
  const decisions = await sql<LoggedRow>(
    `select id, site_id, moment, eligible, chosen, (extract(epoch from at) * 1000)::bigint as at_ms from decision
     where moment is not null and at >= to_timestamp($1 / 1000.0)
       and exists (select from reward where decision_id = decision.id) order by at desc limit $2`,
    [since, MOST_DECISIONS],
  );
  const rewards = await sql<{
    decision_id: string;
    action_id: string;
    value: number;
    outcome: ContestInput['outcomes'][number];
    at_ms: number;
  }>(
    `select decision_id, action_id, value, outcome, (extract(epoch from at) * 1000)::bigint as at_ms from reward order by seq`,
  );
  // The effect comes after the answer and takes its place.
  const values = new Map(rewards.map((row) => [`${row.decision_id} ${row.action_id}`, row.value]));
  const rounds = decisions.reverse().flatMap((row): ContestRound[] => {
    const candidates = row.eligible.map(candidateOf);
    if (row.moment!.length + (candidates[0]?.features.length ?? 0) !== INPUTS) return [];
    return [
      {
        ...{ at_ms: row.at_ms, site: row.site_id, moment: row.moment!, candidates, positions: row.chosen },
        rewards: row.chosen.map(({ chosen }) => values.get(`${row.id} ${chosen}`) ?? null),
      },
    ];
  });
  const outcomes = rewards
    .map(({ outcome, at_ms }) => ({ ...outcome, at_ms }))
    .filter(({ context, features }) => context.length + features.length === INPUTS);
  const policies = [...new Set([live, ...(former ? [former] : []), ...CHALLENGERS])];
  return { rounds, outcomes, policies, champion: live, from_ms: since };
}
