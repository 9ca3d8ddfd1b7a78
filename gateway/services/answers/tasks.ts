/** Tasks for people: an answer proposes one, and it exists from when somebody confirmed it. */
import { InvalidDataError, NotFoundError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import type { Actor } from '../../services.ts';
import { isId } from '../regulation/store.ts';
import { readRun } from './store.ts';

export type AnswerTask = {
  /** Of the run that proposed it. */
  id: string;
  title: string;
  confirmed_by: string;
  confirmed_at: Date;
  done_by: string | null;
  done_at: Date | null;
};
const TASK = 'select run_id as id, title, confirmed_by, confirmed_at, done_by, done_at from answer_task';

export async function confirmTask(sql: Sql, actor: Actor, id: string, at_ms: number): Promise<AnswerTask> {
  const { answer } = await readRun(sql, actor, id);
  const title = answer?.proposed_task?.title;
  if (!title) throw new InvalidDataError('This answer proposed no task.', 'Only answers that abstained do.');
  await sql(
    `insert into answer_task (tenant_id, run_id, title, confirmed_by, confirmed_at) values ($1, $2, $3, $4, $5)
      on conflict do nothing`,
    [actor.tenant, id, title, actor.person, new Date(at_ms)],
  );
  return readTask(sql, id);
}

export async function listTasks(sql: Sql): Promise<AnswerTask[]> {
  return sql<AnswerTask>(`${TASK} order by done_at is not null, confirmed_at desc, run_id limit 200`);
}

/** @throws NotFoundError */
export async function finishTask(sql: Sql, actor: Actor, id: string, at_ms: number): Promise<AnswerTask> {
  await readTask(sql, id);
  await sql('update answer_task set done_by = $2, done_at = $3 where run_id = $1 and done_at is null', [
    id,
    actor.person,
    new Date(at_ms),
  ]);
  return readTask(sql, id);
}

async function readTask(sql: Sql, id: string): Promise<AnswerTask> {
  const [task] = isId(id) ? await sql<AnswerTask>(`${TASK} where run_id = $1`, [id]) : [];
  if (!task) throw new NotFoundError(`There is no task ${id}.`, 'GET /api/v1/answers/tasks lists them.');
  return task;
}
