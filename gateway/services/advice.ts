/** Advice: gathers the context, lets the catalogue propose and the policy choose, logs every decision, learns. */
import { randomInt, randomUUID } from 'node:crypto';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { dayStart } from '../../engine/model/time.ts';
import type { Sql } from '../../engine/ports.ts';
import type { Action, AdviceContext, Evidence } from '../../recommender/action.ts';
import { decideLogged } from '../../recommender/bandit/replay.ts';
import { proposeActions } from '../../recommender/catalogue/catalogue.ts';
import type { RealisedSaving } from '../../recommender/effect.ts';
import { candidateOf, momentFeatures, SLATE } from '../../recommender/moment.ts';
import { rewardOfAnswer } from '../../recommender/reward.ts';
import type { Actor, Base, Services } from '../services.ts';
import { createPolicyContest, type PolicyContest, type PolicyState, readContest } from './advice/contest.ts';
import { awaitEffect, type EffectDeps, measureEffects } from './advice/effects.ts';
import { type DocumentHint, passagesOfInterest, type Similar } from './advice/interests.ts';
import { decisionLog, type LogRange, type LogRow } from './advice/log-rows.ts';
import { type AdvicePerformance, answersByKind, type LikeThis, performanceOf } from './advice/performance.ts';
import { createPolicyStore, type Learnt } from './advice/policies.ts';
import {
  type DecisionRow,
  decisionOf,
  feedbackOf,
  feedbackSince,
  insertDecision,
  insertFeedback,
  insertReward,
  lastDecision,
  lockRewards,
  outcomeOf,
  shownSince,
} from './advice/rows.ts';
import { type AdviceSettings, isQuiet, readSettings, writeSettings } from './advice/settings.ts';
import { adviceOf, explained, historyOf, quietly } from './advice/shown.ts';
import { kindOf, withheldFrom, withinBudget } from './advice/withheld.ts';
import { writeAudit } from './audit.ts';

export type AdviceAction = {
  id: string;
  kind: string;
  text: { en: string; de: string };
  why: { en: string; de: string };
  saving: { amount: number; low: number; high: number; currency: string } | null;
  propensity: number;
  deadline_ms: number | null;
  effort_min: number;
  evidence: Evidence;
  /** What people answered to this kind so far. */
  like_this: LikeThis;
  /** Whether the learner put it there, the plain rule, or chance (exploration). */
  chosen_by: 'learner' | 'rule' | 'chance';
  /** Where to look: a page of ours. */
  link: string | null;
};
/** `quiet`: nothing new is advised now, by the site's quiet hours. */
export type Advice = { decision_id: string; made_ms: number; actions: AdviceAction[]; quiet: boolean };
export type Outcome = 'accepted' | 'dismissed' | 'snoozed';
export type UsageEvent = {
  id: string;
  kind: 'view' | 'click' | 'question';
  object: string;
  at_ms?: number;
  detail?: Record<string, unknown>;
};
export type AdviceHistory = {
  decision_id: string;
  at_ms: number;
  action: AdviceAction;
  outcome: Outcome | null;
  outcome_ms: number | null;
  /** What it brought by the meters, once that is known, with its 90 % interval. */
  realised: RealisedSaving | null;
};

export interface AdviceService {
  /** The current decision for the tenant's site (a new one where the last is outdated). */
  recommend(actor: Actor): Promise<Advice>;
  /** Documents and passages close to what this person read and asked. */
  documents(actor: Actor, limit: number): Promise<DocumentHint[]>;
  feedback(actor: Actor, decision: string, action: string, outcome: Outcome): Promise<void>;
  /** The logged decision; with `replay` also what differs when it is made again. */
  explain(actor: Actor, decision: string, options?: { replay?: boolean }): Promise<Record<string, unknown>>;
  history(tenant: string, limit: number): Promise<AdviceHistory[]>;
  performance(tenant: string): Promise<AdvicePerformance>;
  settings(tenant: string): Promise<AdviceSettings>;
  saveSettings(actor: Actor, settings: AdviceSettings): Promise<void>;
  /** Which policy decides, and how its challengers would have done. */
  policy(tenant: string): Promise<PolicyState>;
  /** Every decision's places with their propensities and rewards, oldest first, in pages. */
  log(tenant: string, range: LogRange): AsyncIterable<LogRow[]>;
  /** Views, clicks and questions; idempotent by `id`. */
  record(actor: Actor, events: readonly UsageEvent[]): Promise<{ stored: number }>;
}
export type RunningAdvice = AdviceService & {
  /** Defines its jobs: before the jobs start. */
  start(): void;
  /** Measures the effects that are due, and judges the policies; the jobs do it by themselves. */
  round(tenant: string): Promise<{ effects: number }>;
};

/** A decision is shown this long while what is eligible stays the same; one without anything eligible longer. */
const VALID_MS = 30 * 60_000;
const EMPTY_VALID_MS = 24 * 3_600_000;
/** Answers that are remembered, so that dismissed advice stays away. */
const MEMORY_MS = 400 * 86_400_000;
/** Views, clicks and questions. */
const EVENTS_MS = 400 * 86_400_000;
const WEEK_MS = 7 * 86_400_000;
const MAX_EVENTS = 1000;
const EFFECTS = 'measure-advice';
const CONTEST = 'judge-advice';

export type AdviceDeps = Pick<Base, 'db' | 'clock' | 'bus' | 'metrics' | 'log'> &
  EffectDeps & {
    jobs: Pick<Services['jobs'], 'define' | 'schedule'>;
    workers: Pick<Services['workers'], 'run'>;
    site: Pick<Services['site'], 'get' | 'tenants'>;
    /** The site's id and everything that rules may look at; null before set-up. */
    gather(tenant: string, settings: AdviceSettings): Promise<{ site: string; context: AdviceContext } | null>;
    similar: Similar;
  };

/** Silence and snooze are missing, not 0; what an answer counts is in recommender/reward.ts. */
export function createAdviceService(deps: AdviceDeps): RunningAdvice {
  const { db, clock, bus, metrics, log } = deps;
  const pending = new Map<string, Promise<Advice>>();
  const policies = createPolicyStore(deps);
  const contest = createPolicyContest(deps);

  return {
    async recommend({ tenant }) {
      const running = pending.get(tenant) ?? makeOrKeep(tenant).finally(() => pending.delete(tenant));
      pending.set(tenant, running);
      return running;
    },
    documents: ({ tenant, person }, limit) => passagesOfInterest(deps, tenant, person, limit),
    feedback: (actor, decision, action, outcome) => answer(actor, decision, action, outcome),
    async explain({ tenant }, decision, options = {}) {
      const row = await db.asTenant(tenant, (sql) => decisionOf(sql, decision));
      return { ...explained(row), ...(options.replay ? { replay_faults: await policies.replay(tenant, row) } : {}) };
    },
    history: (tenant, limit) => db.asTenant(tenant, (sql) => historyOf(sql, clock.now(), limit)),
    async performance(tenant) {
      const zone = deps.site.get(tenant)?.time_zone ?? 'UTC';
      const name = await db.asTenant(tenant, readContest).then(({ live }) => live);
      return policies.use(tenant, name, ({ learner }, sql) => performanceOf(sql, clock.now(), zone, learner));
    },
    settings: (tenant) => db.asTenant(tenant, readSettings),
    async saveSettings(actor, settings) {
      await db.asTenant(actor.tenant, async (sql) => {
        await writeSettings(sql, actor.tenant, settings);
        await writeAudit(sql, actor, 'advice.settings', 'advice', { ...settings });
      });
      bus.publish({ type: 'advice', tenant: actor.tenant });
    },
    policy: (tenant) => db.asTenant(tenant, readContest),
    log: (tenant, range) => decisionLog(deps, tenant, range),
    record: (actor, events) => recordEvents(deps, actor, events),
    start() {
      deps.jobs.define(EFFECTS, () => eachTenant((tenant) => measureEffects(deps, tenant)));
      deps.jobs.schedule(EFFECTS, { cron: '35 * * * *' }, {});
      deps.jobs.define(CONTEST, () => eachTenant(nightly), { timeout_s: 900 });
      deps.jobs.schedule(CONTEST, { cron: '10 2 * * *' }, {});
    },
    async round(tenant) {
      const effects = await measureEffects(deps, tenant);
      await nightly(tenant);
      return { effects };
    },
  };

  /** What people read and asked is not kept for ever, other than decisions. */
  async function nightly(tenant: string): Promise<void> {
    const before_ms = clock.now() - EVENTS_MS;
    await db.asTenant(tenant, (sql) =>
      sql('delete from usage_event where at < to_timestamp($1 / 1000.0)', [before_ms]),
    );
    await contest.judge(tenant);
  }

  async function eachTenant(work: (tenant: string) => Promise<unknown>): Promise<void> {
    for (const tenant of deps.site.tenants())
      await work(tenant).catch((error: unknown) =>
        log.warn({ err: error, tenant_id: tenant }, 'advice could not be looked after; the next round tries again'),
      );
  }

  /** The current decision while it is valid, otherwise a new one. */
  async function makeOrKeep(tenant: string): Promise<Advice> {
    const settings = await db.asTenant(tenant, readSettings);
    const gathered = await deps.gather(tenant, settings);
    const now_ms = clock.now();
    if (!gathered) return { decision_id: '', made_ms: now_ms, actions: [], quiet: false };
    const { site } = gathered;
    const known = await db.asTenant(tenant, (sql) => readKnown(sql, site, now_ms, gathered.context.time_zone));
    const context = { ...gathered.context, shown: known.shown };
    const eligible = proposeActions(context, known.withheld);
    const affordable = withinBudget(eligible, known.today, settings.per_day);
    const { last, likes } = known;
    if (isQuiet(settings, now_ms, context.time_zone)) return quietly(last, eligible, likes, now_ms);
    if (last && stillValid(last, affordable, now_ms)) return adviceOf(last, likes);
    const row = await decideAnew(tenant, site, context, affordable);
    metrics.decisions.inc({ tenant, outcome: 'made' });
    return adviceOf(row, likes);
  }

  async function decideAnew(
    tenant: string,
    site: string,
    context: AdviceContext,
    actions: Action[],
  ): Promise<DecisionRow> {
    const { live } = await db.asTenant(tenant, readContest);
    const decide = async (learnt: Learnt, sql: Sql) => {
      const moment = momentFeatures(context);
      const asked = { site, features: moment, slate: SLATE, at_ms: context.at_ms };
      const seed = randomInt(2 ** 31);
      const { policy, state_hash, positions } = decideLogged(learnt.policy, asked, actions.map(candidateOf), seed);
      const row: DecisionRow = {
        ...{ id: randomUUID(), at_ms: context.at_ms, site_id: site, policy, seed, context, eligible: actions },
        ...{ chosen: [...positions], state_hash, learnt: learnt.seq, moment, slate: SLATE },
      };
      await insertDecision(sql, tenant, row);
      return row;
    };
    return policies.use(tenant, live, decide).catch(async (error: unknown) => {
      if (live === 'rule') throw error;
      await contest.giveUp(tenant, live, error);
      return policies.use(tenant, 'rule', decide);
    });
  }

  async function answer(actor: Actor, decision: string, action_id: string, outcome: Outcome): Promise<void> {
    const { tenant, person } = actor;
    const at_ms = clock.now();
    const changed = await db.asTenant(tenant, async (sql) => {
      await lockRewards(sql, tenant);
      const row = await decisionOf(sql, decision);
      const position = row.chosen.findIndex(({ chosen }) => chosen === action_id);
      const action = position < 0 ? undefined : row.eligible.find(({ id }) => id === action_id);
      if (!action) throw notRecommended(action_id);
      const before = await feedbackOf(sql, decision, action_id);
      if (before.at(-1)?.outcome === outcome) return false;
      const stake = action.stake ?? 1;
      await insertFeedback(sql, tenant, { decision_id: decision, action_id, outcome, at_ms, by: person, stake });
      if (outcome !== 'snoozed' && before.every((one) => one.outcome === 'snoozed')) {
        const reward = rewardOfAnswer(action.kind, outcome === 'accepted');
        const learnt = outcomeOf(row, action, reward);
        const known = { decision_id: decision, action_id, position, at_ms, delay_ms: at_ms - row.at_ms };
        if (learnt)
          await insertReward(sql, tenant, { ...known, source: 'answer', outcome: { ...learnt, reward, at_ms } });
        if (learnt && outcome === 'accepted') await awaitEffect(sql, tenant, { row, action, accepted_ms: at_ms });
      }
      await writeAudit(sql, actor, `advice ${outcome}`, action_id, { decision });
      return true;
    });
    if (!changed) return;
    metrics.decisions.inc({ tenant, outcome });
    bus.publish({ type: 'advice', tenant });
  }
}

type Known = {
  last: DecisionRow | null;
  withheld: Map<string, number>;
  today: Set<string>;
  shown: NonNullable<AdviceContext['shown']>;
  likes: ReadonlyMap<string, LikeThis>;
};

async function readKnown(sql: Sql, site: string, now_ms: number, time_zone: string): Promise<Known> {
  const today_ms = dayStart(now_ms, time_zone);
  const week = await shownSince(sql, now_ms - WEEK_MS);
  const today = week.filter(({ at_ms }) => at_ms >= today_ms);
  const shown: Record<string, { day: number; week: number }> = {};
  for (const { id, at_ms } of week) {
    const count = shown[kindOf(id)] ?? { day: 0, week: 0 };
    shown[kindOf(id)] = { day: count.day + (at_ms >= today_ms ? 1 : 0), week: count.week + 1 };
  }
  return {
    last: await lastDecision(sql, site),
    withheld: withheldFrom(await feedbackSince(sql, now_ms - MEMORY_MS), now_ms),
    ...{ today: new Set(today.map(({ id }) => id)), shown },
    likes: await answersByKind(sql, now_ms),
  };
}

function stillValid(last: DecisionRow, eligible: readonly Action[], now_ms: number): boolean {
  const ids = (actions: readonly { id: string }[]) =>
    actions
      .map((action) => action.id)
      .sort()
      .join();
  const expired = last.eligible.some((action) => action.deadline_ms !== null && action.deadline_ms <= now_ms);
  const valid_ms = eligible.length === 0 ? EMPTY_VALID_MS : VALID_MS;
  return !expired && now_ms - last.at_ms < valid_ms && ids(last.eligible) === ids(eligible);
}

function notRecommended(action: string): NotFoundError {
  return new NotFoundError(
    `The decision did not recommend ${action}.`,
    'Take an action id from GET /api/v1/recommend.',
  );
}

async function recordEvents(
  { db, clock }: Pick<Base, 'db' | 'clock'>,
  { tenant, person }: Actor,
  events: readonly UsageEvent[],
): Promise<{ stored: number }> {
  if (events.length > MAX_EVENTS)
    throw new InvalidDataError(`${events.length} events are too many.`, `Send at most ${MAX_EVENTS} at once.`);
  return db.asTenant(tenant, async (sql) => {
    let stored = 0;
    for (const { id, kind, object, at_ms, detail } of events) {
      const rows = await sql(
        `insert into usage_event (tenant_id, id, at, person, kind, object, detail) values ($1, $2, to_timestamp($3 / 1000.0), $4, $5, $6, $7)
         on conflict do nothing returning id`,
        [tenant, id, at_ms ?? clock.now(), person, kind, object, JSON.stringify(detail ?? {})],
      );
      stored += rows.length;
    }
    return { stored };
  });
}

export type { AdvicePerformance, AdviceSettings, DocumentHint, PolicyContest, PolicyState };
