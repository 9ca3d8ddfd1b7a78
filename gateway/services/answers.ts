/** Questions and their answers: conversations, runs that can be stopped and taken up, feedback, and the language model. */
import { randomUUID } from 'node:crypto';
import { InvalidDataError, NotAllowedError, TooManyTriesError } from '../../engine/errors.ts';
import type { LanguageModel } from '../../engine/ports.ts';
import { redact } from '../../engine/rag/redact.ts';
import { createAnalyzers } from '../../engine/rag/terms.ts';
import { OWNER } from '../owner.ts';
import type { AccessService, Actor, AlertService, AuditService, Base, JobService, SiteService } from '../services.ts';
import type { Answer, AnswerEvent, AskRequest, AskWatch, KeptAnswer } from './answers/answer.ts';
import { tellOfWorse } from './answers/eval-worse.ts';
import { type EvalResult, evaluateAnswers, listEvals } from './answers/evaluate.ts';
import { exportConversation } from './answers/export.ts';
import { type ModelLogEntry, modelLog } from './answers/model-log.ts';
import { createModelWatch, type ModelView } from './answers/model-watch.ts';
import { createPeopleNames } from './answers/people-names.ts';
import { BOX_STOPS, chosen, createRunner } from './answers/runs.ts';
import type { SiteFacts } from './answers/site-facts.ts';
import {
  beginRun,
  type Conversation,
  deleteConversation,
  keptAnswers,
  listConversations,
  pruneRuns,
  type Run,
  readConversation,
  readRun,
  type Step,
  setState,
  stepsOf,
  unfinishedRuns,
} from './answers/store.ts';
import { type AnswerTask, confirmTask, finishTask, listTasks } from './answers/tasks.ts';
import { createWriter } from './answers/write.ts';
import { checkDay, checkQuestion } from './regulation/ask.ts';
import type { AnswerSources } from './regulation/sources.ts';

export type {
  Answer,
  AnswerEvent,
  AnswerTask,
  AskRequest,
  AskWatch,
  Conversation,
  EvalResult,
  KeptAnswer,
  ModelLogEntry,
  ModelView,
};
export type RunView = { run: Run; steps: Step[] };
export type Feedback = { verdict: 'useful' | 'not_useful'; comment?: string | undefined };

export interface AnswerService {
  /** Never rejects for what a model does: that is an outcome. @throws InvalidDataError, NotFoundError (conversation) */
  ask(actor: Actor, request: AskRequest, watch?: AskWatch): Promise<Answer>;
  /** What a run did so far, step by step; of one's own runs. @throws NotFoundError */
  run(actor: Actor, id: string): Promise<RunView>;
  /** Ends the language model's work within a second. @throws NotFoundError */
  stop(actor: Actor, id: string): Promise<void>;
  /** After the step that is under way; what was found out is kept. @throws NotFoundError, InvalidDataError */
  pause(actor: Actor, id: string): Promise<void>;
  /** Goes on where it was left; `choice` answers a question back. @throws NotFoundError, InvalidDataError */
  resume(actor: Actor, id: string, choice?: string, watch?: AskWatch): Promise<Answer>;
  conversations(actor: Actor, limit?: number): Promise<Conversation[]>;
  /** Its answers, oldest first. @throws NotFoundError */
  conversation(actor: Actor, id: string): Promise<KeptAnswer[]>;
  removeConversation(actor: Actor, id: string): Promise<void>;
  /** Markdown with every source. @throws NotFoundError */
  export(actor: Actor, id: string): Promise<{ name: string; text: string }>;
  feedback(actor: Actor, id: string, feedback: Feedback): Promise<void>;
  /** Makes the task that an answer proposed. @throws NotFoundError, InvalidDataError where it proposed none */
  confirmTask(actor: Actor, id: string): Promise<AnswerTask>;
  tasks(actor: Actor): Promise<AnswerTask[]>;
  finishTask(actor: Actor, id: string): Promise<AnswerTask>;
  /** What the language model was asked and said, newest first. */
  modelLog(actor: Actor, limit: number): Promise<ModelLogEntry[]>;
  /** Null where none is configured. */
  model(): Promise<ModelView | null>;
  /** Begins to fetch it. @throws NotAllowedError for other organisations, InvalidDataError where none is configured */
  pullModel(actor: Actor): Promise<void>;
  /** Asks the tenant's question set now and keeps the result. */
  evaluate(tenant: string): Promise<EvalResult>;
  evaluations(tenant: string, limit: number): Promise<EvalResult[]>;
}

export type AnswerDeps = Pick<Base, 'config' | 'clock' | 'log' | 'metrics' | 'bus' | 'db'> & {
  sources: AnswerSources;
  /** Null: quotes only. */
  model: LanguageModel | null;
  site: SiteFacts;
  tenants: SiteService['tenants'];
  access: Pick<AccessService, 'listPeople'>;
  audit: Pick<AuditService, 'record'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  jobs: Pick<JobService, 'define' | 'schedule'>;
  /** Keeps the question as a usage event. */
  recordQuestion: (actor: Actor, question: string, status: 'answered' | 'abstained') => Promise<unknown>;
};
export type Answers = AnswerService & {
  /** Takes up what a stop cut off. */
  start(): Promise<void>;
  stopAll(): Promise<void>;
};

const QUEUE = 'evaluate-answers';
/** After the backups, before people come. */
const NIGHTLY = '40 3 * * *';
const EVAL_TIMEOUT_S = 4 * 3600;
/** Results among which the newest is held against the best of its kind. */
const LOOK_BACK = 14;
const MOST_OF_ONE = 8;
const CONVERSATIONS = 50;
/** A run that a stop cut off longer ago than this is nobody's any more. */
const TAKE_UP_MS = 3_600_000;

export function createAnswerService(deps: AnswerDeps): Answers {
  const { db, clock, log, config, sources } = deps;
  const analyzers = createAnalyzers();
  const people = createPeopleNames(deps.access);
  const watch = deps.model ? createModelWatch(deps.model, deps) : null;
  const writer = deps.model && watch ? createWriter({ ...deps, model: deps.model, watch, people }) : null;
  const runner = createRunner({ db, clock, log, sources, analyzers, writer, site: deps.site });
  const live = new Map<string, { person: string; stop: AbortController; done: Promise<unknown> }>();

  async function advance(actor: Actor, run: Run, request: { interactive: boolean }, seen: AskWatch): Promise<Answer> {
    const stop = new AbortController();
    const signal = seen.signal ? AbortSignal.any([seen.signal, stop.signal]) : stop.signal;
    const tell = (event: AnswerEvent) => {
      // A listener that fails harms the answer of nobody.
      try {
        seen.on?.(event);
      } catch (error) {
        log.warn({ err: error }, 'a listener of an answer failed');
      }
    };
    const model = deps.model && writer && (await writer.ready()) ? deps.model.name : null;
    tell({ event: 'run', data: { id: run.id, conversation: run.conversation, model } });
    const done = runner.advance(actor.tenant, run, { ...request, signal, tell });
    live.set(run.id, { person: actor.person, stop, done });
    const answer = await done.finally(() => live.delete(run.id));
    deps.metrics.questions.inc({ tenant: actor.tenant, outcome: answer.status });
    if (answer.status === 'answered' || answer.status === 'abstained')
      await deps
        .recordQuestion(actor, run.question, answer.status)
        .catch((error: Error) => log.warn({ err: error }, 'a question could not be recorded'));
    tell({ event: 'done', data: answer });
    return answer;
  }

  async function takeUp(tenant: string): Promise<void> {
    for (const run of await db.asTenant(tenant, unfinishedRuns)) {
      const actor: Actor = { tenant, person: run.person, role: run.role, language: run.language };
      if (clock.now() - run.created_at.getTime() > TAKE_UP_MS)
        await db.asTenant(tenant, (sql) => setState(sql, run.id, 'stopped', clock.now()));
      else
        void advance(actor, run, { interactive: false }, {}).catch((error: Error) =>
          log.error({ err: error, run: run.id }, 'an answer could not be taken up'),
        );
    }
  }

  async function nightly(): Promise<void> {
    for (const tenant of deps.tenants()) {
      const before_ms = config.keep_answers_days === null ? null : clock.now() - config.keep_answers_days * 86_400_000;
      if (before_ms !== null) await db.asTenant(tenant, (sql) => pruneRuns(sql, before_ms));
      await evaluate(tenant).catch((error: Error) =>
        log.warn({ err: error, tenant_id: tenant }, 'the answers of an organisation could not be measured'),
      );
    }
  }
  deps.jobs.define(QUEUE, nightly, { timeout_s: EVAL_TIMEOUT_S, retries: 1 });
  deps.jobs.schedule(QUEUE, { cron: NIGHTLY }, {});

  async function evaluate(tenant: string): Promise<EvalResult> {
    const state = await watch?.state(true);
    const version = deps.model && state?.state === 'ready' ? { name: deps.model.name, digest: state.digest } : null;
    const earlier = await db.asTenant(tenant, (sql) => listEvals(sql, LOOK_BACK));
    const result = await evaluateAnswers({ ...deps, analyzers, runner, version }, tenant);
    await tellOfWorse(deps.alerts, tenant, result, earlier);
    return result;
  }

  return {
    async ask(actor, request, seen = {}) {
      if ([...live.values()].filter(({ person }) => person === actor.person).length >= MOST_OF_ONE)
        throw new TooManyTriesError('Too many of your questions are being answered.', 5);
      const as_of = checkDay(request.as_of);
      const text = redact(checkQuestion(request.question), await people(actor.tenant)).text;
      const run = await db.asTenant(actor.tenant, (sql) =>
        beginRun(sql, actor, {
          ...{ id: randomUUID(), fresh: randomUUID(), conversation: request.conversation || null },
          ...{ question: text, at_ms: clock.now(), memory: as_of ? { as_of } : {} },
        }),
      );
      return advance(actor, run, { interactive: request.interactive ?? false }, seen);
    },
    run: ({ tenant, ...actor }, id) =>
      db.asTenant(tenant, async (sql) => ({ run: await readRun(sql, actor, id), steps: await stepsOf(sql, id) })),
    async stop(actor, id) {
      const run = await db.asTenant(actor.tenant, (sql) => readRun(sql, actor, id));
      if (run.state !== 'running' && run.state !== 'paused') return;
      live.get(id)?.stop.abort();
      if (!live.has(id)) await db.asTenant(actor.tenant, (sql) => setState(sql, id, 'stopped', clock.now()));
    },
    async pause(actor, id) {
      await db.asTenant(actor.tenant, async (sql) => {
        const run = await readRun(sql, actor, id);
        if (run.state !== 'running')
          throw new InvalidDataError(`The answer is ${run.state}, not under way.`, 'Only a running one can be paused.');
        await setState(sql, id, 'paused', clock.now());
      });
    },
    async resume(actor, id, choice, seen = {}) {
      const run = await db.asTenant(actor.tenant, async (sql) => {
        const known = await readRun(sql, actor, id);
        const next = taken(known, choice);
        await setState(sql, id, 'running', clock.now(), { memory: next.memory });
        return next;
      });
      // One that is just being paused ends its step first.
      await live.get(id)?.done;
      return advance(actor, run, { interactive: false }, seen);
    },
    conversations: (actor, limit = CONVERSATIONS) =>
      db.asTenant(actor.tenant, (sql) => listConversations(sql, actor.person, limit)),
    conversation: (actor, id) => db.asTenant(actor.tenant, (sql) => keptAnswers(sql, actor.person, id)),
    removeConversation: (actor, id) => db.asTenant(actor.tenant, (sql) => deleteConversation(sql, actor.person, id)),
    async export(actor, id) {
      const runs = await db.asTenant(actor.tenant, (sql) => readConversation(sql, actor.person, id));
      return exportConversation(runs, actor.language);
    },
    feedback: (actor, id, { verdict, comment = '' }) =>
      db.asTenant(actor.tenant, async (sql) => {
        await readRun(sql, actor, id);
        await sql(
          `insert into answer_feedback (tenant_id, run_id, person, verdict, comment, at) values ($1, $2, $3, $4, $5, $6)
            on conflict (tenant_id, run_id, person) do update set verdict = excluded.verdict, comment = excluded.comment, at = excluded.at`,
          [actor.tenant, id, actor.person, verdict, redact(comment).text, new Date(clock.now())],
        );
      }),
    confirmTask: (actor, id) => db.asTenant(actor.tenant, (sql) => confirmTask(sql, actor, id, clock.now())),
    tasks: (actor) => db.asTenant(actor.tenant, listTasks),
    finishTask: (actor, id) => db.asTenant(actor.tenant, (sql) => finishTask(sql, actor, id, clock.now())),
    modelLog: (actor, limit) => db.asTenant(actor.tenant, (sql) => modelLog(sql, limit)),
    model: async () => watch?.view() ?? null,
    async pullModel(actor) {
      if (actor.tenant !== OWNER)
        throw new NotAllowedError('The language model is that of the whole box.', 'Ask an admin of its organisation.');
      if (!watch)
        throw new InvalidDataError('No language model is configured.', 'Name its server as ollama_url in luna.yaml.');
      await watch.pull(actor);
    },
    evaluate,
    evaluations: (tenant, limit) => db.asTenant(tenant, (sql) => listEvals(sql, limit)),
    async start() {
      for (const tenant of deps.tenants()) await takeUp(tenant);
    },
    async stopAll() {
      watch?.stopPull();
      for (const { stop } of live.values()) stop.abort(BOX_STOPS);
      await Promise.allSettled([...live.values()].map(({ done }) => done));
    },
  };
}

/** A run as it goes on. @throws InvalidDataError */
function taken(run: Run, choice: string | undefined): Run {
  if (run.state === 'asking') {
    const options = run.memory.options ?? [];
    if (!choice || !options.some(({ id }) => id === choice))
      throw new InvalidDataError(
        'This answer waits for a choice.',
        `Send one of: ${options.map(({ id, label }) => `${id} (${label})`).join(', ')}.`,
      );
    return chosen(run, choice);
  }
  if (run.state !== 'paused' && run.state !== 'stopped')
    throw new InvalidDataError(`The answer is ${run.state}.`, 'Only a paused or stopped one can go on.');
  return { ...run, state: 'running' };
}
