/** Conversations, runs and their steps in Postgres. */
import { NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import type { Memory, StepName } from '../../../engine/rag/graph.ts';
import type { Actor } from '../../services.ts';
import { isId } from '../regulation/store.ts';
import type { Answer, KeptAnswer } from './answer.ts';

export type RunState = 'running' | 'paused' | 'asking' | 'done' | 'stopped' | 'failed';
export type Run = {
  id: string;
  conversation: string;
  person: string;
  role: Actor['role'];
  language: Actor['language'];
  question: string;
  state: RunState;
  memory: Memory;
  answer: Answer | null;
  created_at: Date;
};
export type Step = { seq: number; name: StepName; result: Memory; begun_at: Date; ms: number };
export type Conversation = { id: string; title: string; created_at: Date; updated_at: Date; questions: number };

const RUN = `select id, conversation_id as conversation, person, role, language, question, state, memory, answer, created_at
  from answer_run`;

const noRun = (id: string) => new NotFoundError(`There is no answer ${id}.`, 'GET /api/v1/conversations lists yours.');

/** @throws NotFoundError; people see their own runs. */
export async function readRun(sql: Sql, actor: Pick<Actor, 'person'>, id: string): Promise<Run> {
  const [run] = isId(id) ? await sql<Run>(`${RUN} where id = $1 and person = $2`, [id, actor.person]) : [];
  if (!run) throw noRun(id);
  return run;
}

export async function unfinishedRuns(sql: Sql): Promise<Run[]> {
  return sql<Run>(`${RUN} where state = 'running' order by created_at limit 100`);
}

/** Goes on with a conversation of this person, or begins one. @throws NotFoundError */
export async function beginRun(
  sql: Sql,
  actor: Actor,
  run: { id: string; conversation: string | null; fresh: string; question: string; memory: Memory; at_ms: number },
): Promise<Run> {
  const at = new Date(run.at_ms);
  const conversation = run.conversation ?? run.fresh;
  if (run.conversation === null)
    await sql(
      `insert into conversation (tenant_id, id, person, title, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)`,
      [actor.tenant, conversation, actor.person, run.question.slice(0, 120), at],
    );
  else {
    const known = isId(conversation)
      ? await sql('update conversation set updated_at = $3 where id = $1 and person = $2 returning id', [
          conversation,
          actor.person,
          at,
        ])
      : [];
    if (known.length === 0)
      throw new NotFoundError(`There is no conversation ${conversation}.`, 'Leave it out to begin a new one.');
  }
  await sql(
    `insert into answer_run (tenant_id, id, conversation_id, person, role, language, question, state, memory, created_at, updated_at)
      values ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, $9)`,
    [
      ...[actor.tenant, run.id, conversation, actor.person, actor.role, actor.language, run.question],
      ...[JSON.stringify(run.memory), at],
    ],
  );
  return readRun(sql, actor, run.id);
}

/** The step and what is known after it, together: a kill leaves both or neither. @returns the state, which a pause or stop may have changed. */
export async function keepStep(
  sql: Sql,
  tenant: string,
  run: { id: string; memory: Memory },
  step: { name: StepName; result: Memory; begun_ms: number; ms: number },
): Promise<RunState> {
  const [row] = await sql<{ state: RunState }>(
    'update answer_run set memory = $2, updated_at = $3 where id = $1 returning state',
    [run.id, JSON.stringify(run.memory), new Date(step.begun_ms + step.ms)],
  );
  if (!row) throw noRun(run.id);
  await sql(
    `insert into answer_step (tenant_id, run_id, seq, name, result, begun_at, ms)
      select $1, $2, coalesce(max(seq), 0) + 1, $3, $4, $5, $6 from answer_step where run_id = $2`,
    [tenant, run.id, step.name, JSON.stringify(step.result), new Date(step.begun_ms), Math.round(step.ms)],
  );
  return row.state;
}

export async function setState(
  sql: Sql,
  id: string,
  state: RunState,
  at_ms: number,
  more: { answer?: Answer; memory?: Memory } = {},
): Promise<void> {
  await sql(
    `update answer_run set state = $2, updated_at = $3, answer = coalesce($4, answer), memory = coalesce($5, memory) where id = $1`,
    [
      ...[id, state, new Date(at_ms), more.answer === undefined ? null : JSON.stringify(more.answer)],
      more.memory === undefined ? null : JSON.stringify(more.memory),
    ],
  );
}

export async function stepsOf(sql: Sql, id: string): Promise<Step[]> {
  return sql<Step>('select seq, name, result, begun_at, ms from answer_step where run_id = $1 order by seq', [id]);
}

/** The question before this run in its conversation. */
export async function questionBefore(
  sql: Sql,
  run: Pick<Run, 'id' | 'conversation' | 'created_at'>,
): Promise<string | null> {
  const [row] = await sql<{ question: string }>(
    `select question from answer_run where conversation_id = $1 and id <> $2 and created_at <= $3
      order by created_at desc limit 1`,
    [run.conversation, run.id, run.created_at],
  );
  return row?.question ?? null;
}

export async function listConversations(sql: Sql, person: string, limit: number): Promise<Conversation[]> {
  return sql<Conversation>(
    `select c.id, c.title, c.created_at, c.updated_at,
       (select count(*)::int from answer_run r where r.conversation_id = c.id) as questions
     from conversation c where person = $1 order by updated_at desc, id limit $2`,
    [person, limit],
  );
}

/** Its runs, oldest first. @throws NotFoundError */
export async function readConversation(sql: Sql, person: string, id: string): Promise<Run[]> {
  const known = isId(id) ? await sql('select id from conversation where id = $1 and person = $2', [id, person]) : [];
  if (known.length === 0) throw new NotFoundError(`There is no conversation ${id}.`);
  return sql<Run>(`${RUN} where conversation_id = $1 order by created_at, id`, [id]);
}

/** Its answers as they are shown again, oldest first. @throws NotFoundError */
export async function keptAnswers(sql: Sql, person: string, id: string): Promise<KeptAnswer[]> {
  const runs = await readConversation(sql, person, id);
  const ids = [runs.map((run) => run.id)];
  const said = await sql<{ run_id: string; verdict: 'useful' | 'not_useful' }>(
    'select run_id, verdict from answer_feedback where run_id = any($1::uuid[]) and person = $2',
    [...ids, person],
  );
  const tasks = await sql<{ run_id: string }>('select run_id from answer_task where run_id = any($1::uuid[])', ids);
  const verdicts = new Map(said.map(({ run_id, verdict }) => [run_id, verdict]));
  const confirmed = new Set(tasks.map(({ run_id }) => run_id));
  return runs.flatMap(({ id: run, answer }) =>
    answer ? [{ ...answer, feedback: verdicts.get(run) ?? null, task_confirmed: confirmed.has(run) }] : [],
  );
}

/** @throws NotFoundError */
export async function deleteConversation(sql: Sql, person: string, id: string): Promise<void> {
  const gone = isId(id)
    ? await sql('delete from conversation where id = $1 and person = $2 returning id', [id, person])
    : [];
  if (gone.length === 0) throw new NotFoundError(`There is no conversation ${id}.`);
}

/** Runs older than this leave, with their steps; empty conversations too. */
export async function pruneRuns(sql: Sql, before_ms: number): Promise<void> {
  await sql('delete from conversation where updated_at < $1', [new Date(before_ms)]);
  await sql('delete from model_audit where at < $1', [new Date(before_ms)]);
}
