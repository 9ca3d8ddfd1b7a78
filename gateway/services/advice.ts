/** Advice: gathers the context, lets the catalogue propose and the policy choose, logs every decision, learns. */
import { randomInt, randomUUID } from 'node:crypto';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import type { Action, AdviceContext } from '../../recommender/action.ts';
import { eligibleActions } from '../../recommender/catalogue/rules.ts';
import { FEATURES } from '../../recommender/features.ts';
import { createLinUcbState, type LinUcbState, learn } from '../../recommender/linucb.ts';
import { type Decision, decide, POLICY } from '../../recommender/policy.ts';
import type { Actor, AuditService, Base } from '../services.ts';

export type AdviceAction = {
  id: string;
  kind: string;
  text: { en: string; de: string };
  why: { en: string; de: string };
  saving: { amount: number; low: number; high: number; currency: string } | null;
  propensity: number;
  deadline_ms: number | null;
  /** Where to look: a page of ours. */
  link: string | null;
};

export type Advice = { decision_id: string; made_ms: number; actions: AdviceAction[] };

export type Outcome = 'accepted' | 'dismissed' | 'snoozed';

export interface AdviceService {
  /** The current decision for the tenant's site (a new one where the last is outdated). */
  recommend(actor: Actor): Promise<Advice>;
  feedback(actor: Actor, decision: string, action: string, outcome: Outcome): Promise<void>;
  explain(actor: Actor, decision: string): Promise<Record<string, unknown>>;
  history(
    tenant: string,
    limit: number,
  ): Promise<
    { decision_id: string; at_ms: number; action: AdviceAction; outcome: Outcome | null; outcome_ms: number | null }[]
  >;
  /** Views, clicks and questions; idempotent by `id`. */
  record(
    actor: Actor,
    events: readonly {
      id: string;
      kind: 'view' | 'click' | 'question';
      object: string;
      at_ms?: number;
      detail?: Record<string, unknown>;
    }[],
  ): Promise<{ stored: number }>;
}

/** A decision is shown this long while what is eligible stays the same; one without anything eligible longer. */
const VALID_MS = 30 * 60_000;
const EMPTY_VALID_MS = 24 * 3_600_000;
const SNOOZE_MS = 2 * 3_600_000;
/** Dismissed advice with the same id does not come back within this; ids carry the day where advice is of a day. */
const DISMISS_MS = 20 * 3_600_000;
const HISTORY_MS = 90 * 86_400_000;
const MAX_EVENTS = 1000;

export type AdviceDeps = Pick<Base, 'db' | 'clock' | 'bus' | 'metrics'> & {
  audit: AuditService;
  /** The site's id and everything that rules may look at; null before set-up. */
  gather(tenant: string): Promise<{ site: string; context: AdviceContext } | null>;
};

type DecisionRow = {
  id: string;
  at_ms: number;
  site_id: string;
  policy: string;
  seed: number;
  context: AdviceContext;
  eligible: Action[];
  chosen: Decision['positions'];
};
type FeedbackRow = { decision_id: string; action_id: string; outcome: Outcome; at_ms: number };

/** Rewards: accept 1, dismiss 0; a snooze or silence is missing, not 0. */
export function createAdviceService(deps: AdviceDeps): AdviceService {
  const { db, clock, bus, metrics, audit } = deps;
  const pending = new Map<string, Promise<Advice>>();

  return {
    async recommend({ tenant }) {
      const running = pending.get(tenant) ?? makeOrKeep(tenant).finally(() => pending.delete(tenant));
      pending.set(tenant, running);
      return running;
    },

    async feedback(actor, decision, action, outcome) {
      const row = await readDecision(actor.tenant, decision);
      const given = row.eligible.find((candidate) => candidate.id === action);
      if (!given || !row.chosen.some((position) => position.chosen === action))
        throw new NotFoundError(
          `The decision did not recommend ${action}.`,
          'Take an action id from GET /api/v1/recommend.',
        );
      const repeated = await saveFeedback(actor, row, given, outcome);
      if (repeated) return;
      metrics.decisions.inc({ tenant: actor.tenant, outcome });
      await audit.record(actor, `advice ${outcome}`, action, { decision });
      bus.publish({ type: 'advice', tenant: actor.tenant });
    },

    async explain({ tenant }, decision) {
      const row = await readDecision(tenant, decision);
      return {
        decision_id: row.id,
        at: new Date(row.at_ms).toISOString(),
        policy: row.policy,
        seed: row.seed,
        context: row.context,
        eligible: row.eligible,
        positions: row.chosen,
      };
    },

    async history(tenant, limit) {
      const rows = await db.asTenant(tenant, async (sql) => ({
        decisions: await sql<RawDecision>(`${SELECT_DECISION} order by at desc limit $1`, [limit]),
        feedback: await sql<FeedbackRow>(`${SELECT_FEEDBACK} where at > to_timestamp($1 / 1000.0) order by at`, [
          clock.now() - HISTORY_MS,
        ]),
      }));
      const outcomes = new Map(rows.feedback.map((f) => [`${f.decision_id} ${f.action_id}`, f]));
      const entries = rows.decisions.map(parseDecision).flatMap((row) =>
        shown(row).map((action) => {
          const given = outcomes.get(`${row.id} ${action.id}`);
          return {
            decision_id: row.id,
            at_ms: row.at_ms,
            action,
            outcome: given?.outcome ?? null,
            outcome_ms: given ? Number(given.at_ms) : null,
          };
        }),
      );
      return newestPerAction(entries).slice(0, limit);
    },

    async record(actor, events) {
      if (events.length > MAX_EVENTS)
        throw new InvalidDataError(`${events.length} events are too many.`, `Send at most ${MAX_EVENTS} at once.`);
      return db.asTenant(actor.tenant, async (sql) => {
        let stored = 0;
        for (const event of events) {
          const rows = await sql(
            `insert into usage_event (tenant_id, id, at, person, kind, object, detail) values ($1, $2, to_timestamp($3 / 1000.0), $4, $5, $6, $7)
             on conflict do nothing returning id`,
            [
              actor.tenant,
              event.id,
              event.at_ms ?? clock.now(),
              actor.person,
              event.kind,
              event.object,
              JSON.stringify(event.detail ?? {}),
            ],
          );
          stored += rows.length;
        }
        return { stored };
      });
    },
  };

  /** The current decision while it is valid, otherwise a new one. */
  async function makeOrKeep(tenant: string): Promise<Advice> {
    const gathered = await deps.gather(tenant);
    if (!gathered) return { decision_id: '', made_ms: clock.now(), actions: [] };
    const { site, context } = gathered;
    const { last, hidden, state } = await readState(tenant, site);
    const eligible = eligibleActions(context, hidden);
    if (last && stillValid(last, eligible)) return adviceOf(last);
    const seed = randomInt(2 ** 31);
    const decision = decide(eligible, state, seed);
    const row: DecisionRow = {
      id: randomUUID(),
      at_ms: context.at_ms,
      site_id: site,
      policy: decision.policy,
      seed,
      context,
      eligible,
      chosen: decision.positions,
    };
    await writeDecision(tenant, row);
    metrics.decisions.inc({ tenant, outcome: 'made' });
    return adviceOf(row);
  }

  function stillValid(last: DecisionRow, eligible: readonly Action[]): boolean {
    const ids = (actions: readonly { id: string }[]) =>
      actions
        .map((action) => action.id)
        .sort()
        .join();
    const expired = last.eligible.some((action) => action.deadline_ms !== null && action.deadline_ms <= clock.now());
    const valid_ms = eligible.length === 0 ? EMPTY_VALID_MS : VALID_MS;
    return !expired && clock.now() - last.at_ms < valid_ms && ids(last.eligible) === ids(eligible);
  }

  async function readState(
    tenant: string,
    site: string,
  ): Promise<{ last: DecisionRow | null; hidden: Set<string>; state: LinUcbState }> {
    return db.asTenant(tenant, async (sql) => {
      const [last] = await sql<RawDecision>(`${SELECT_DECISION} where site_id = $1 order by at desc limit 1`, [site]);
      const feedback = await sql<FeedbackRow>(`${SELECT_FEEDBACK} where at > to_timestamp($1 / 1000.0) order by at`, [
        clock.now() - DISMISS_MS,
      ]);
      const [policy] = await sql<{ state: LinUcbState }>(
        'select state from policy_state where site_id = $1 and policy = $2',
        [site, POLICY],
      );
      return {
        last: last ? parseDecision(last) : null,
        hidden: hiddenIds(feedback, clock.now()),
        state: policy?.state ?? createLinUcbState(FEATURES),
      };
    });
  }

  async function readDecision(tenant: string, id: string): Promise<DecisionRow> {
    const known = /^[0-9a-f-]{36}$/.test(id)
      ? await db.asTenant(tenant, (sql) => sql<RawDecision>(`${SELECT_DECISION} where id = $1`, [id]))
      : [];
    if (!known[0])
      throw new NotFoundError('There is no such decision.', 'Take a decision_id from GET /api/v1/recommend.');
    return parseDecision(known[0]);
  }

  async function writeDecision(tenant: string, row: DecisionRow): Promise<void> {
    await db.asTenant(tenant, (sql) =>
      sql(
        `insert into decision (tenant_id, id, site_id, at, policy, seed, context, eligible, chosen)
         values ($1, $2, $3, to_timestamp($4 / 1000.0), $5, $6, $7, $8, $9)`,
        [
          tenant,
          row.id,
          row.site_id,
          row.at_ms,
          row.policy,
          row.seed,
          JSON.stringify(row.context),
          JSON.stringify(row.eligible),
          JSON.stringify(row.chosen),
        ],
      ),
    );
  }

  /** Stores feedback and, for a first reward, what the policy learns, in one transaction. @returns whether it was known. */
  async function saveFeedback(actor: Actor, row: DecisionRow, action: Action, outcome: Outcome): Promise<boolean> {
    return db.asTenant(actor.tenant, async (sql) => {
      // One writer a policy: two people answering at once must both be learnt from.
      await sql('select pg_advisory_xact_lock(hashtext($1))', [`${actor.tenant}:${row.site_id}:policy`]);
      const before = await sql<FeedbackRow>(
        `${SELECT_FEEDBACK} where decision_id = $1 and action_id = $2 order by at`,
        [row.id, action.id],
      );
      if (before.at(-1)?.outcome === outcome) return true;
      await sql(
        `insert into feedback (tenant_id, decision_id, action_id, outcome, at, by) values ($1, $2, $3, $4, to_timestamp($5 / 1000.0), $6)
         on conflict (tenant_id, decision_id, action_id, at) do update set outcome = excluded.outcome`,
        [actor.tenant, row.id, action.id, outcome, clock.now(), actor.person],
      );
      const learnt = before.some((f) => f.outcome !== 'snoozed');
      if (outcome === 'snoozed' || learnt) return false;
      const [policy] = await sql<{ state: LinUcbState }>(
        'select state from policy_state where site_id = $1 and policy = $2',
        [row.site_id, POLICY],
      );
      const state = learn(
        policy?.state ?? createLinUcbState(FEATURES),
        action.kind,
        action.features,
        outcome === 'accepted' ? 1 : 0,
      );
      await sql(
        `insert into policy_state (tenant_id, site_id, policy, state) values ($1, $2, $3, $4)
         on conflict (tenant_id, site_id, policy) do update set state = excluded.state, updated_at = now()`,
        [actor.tenant, row.site_id, POLICY, JSON.stringify(state)],
      );
      return false;
    });
  }
}

type RawDecision = Omit<DecisionRow, 'at_ms' | 'seed'> & { at_ms: string; seed: string };
const SELECT_DECISION =
  'select id, site_id, (extract(epoch from at) * 1000)::bigint as at_ms, policy, seed, context, eligible, chosen from decision';
const SELECT_FEEDBACK =
  'select decision_id, action_id, outcome, (extract(epoch from at) * 1000)::bigint as at_ms from feedback';

function parseDecision(row: RawDecision): DecisionRow {
  return { ...row, at_ms: Number(row.at_ms), seed: Number(row.seed) };
}

/** Dismissed and accepted advice stays away for a day, snoozed for two hours. */
function hiddenIds(feedback: readonly FeedbackRow[], now_ms: number): Set<string> {
  const newest = new Map(feedback.map((row) => [row.action_id, row]));
  const hidden = [...newest.values()].filter(
    (row) => now_ms - Number(row.at_ms) < (row.outcome === 'snoozed' ? SNOOZE_MS : DISMISS_MS),
  );
  return new Set(hidden.map((row) => row.action_id));
}

function adviceOf(row: DecisionRow): Advice {
  return { decision_id: row.id, made_ms: row.at_ms, actions: shown(row) };
}

function shown(row: DecisionRow): AdviceAction[] {
  return row.chosen.flatMap(({ chosen, propensities }) => {
    const action = row.eligible.find((candidate) => candidate.id === chosen);
    if (!action) return [];
    const { features: _, ...rest } = action;
    return [{ ...rest, propensity: propensities[chosen] ?? 0 }];
  });
}

/** The same advice is decided on again every half hour: keep the entry with an outcome, or the newest. */
function newestPerAction<Entry extends { action: AdviceAction; outcome: Outcome | null }>(
  entries: readonly Entry[],
): Entry[] {
  const kept = new Map<string, Entry>();
  for (const entry of entries) {
    const known = kept.get(entry.action.id);
    if (!known || (known.outcome === null && entry.outcome !== null)) kept.set(entry.action.id, entry);
  }
  return [...kept.values()];
}
