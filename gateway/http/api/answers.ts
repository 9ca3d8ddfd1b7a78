/** What hangs on answers: conversations, runs and their steps, feedback, tasks, evaluations and the language model. */
import { z } from '@hono/zod-openapi';
import type { AnswerTask, EvalResult } from '../../services/answers.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, iso, json } from '../api.ts';
import {
  AnswerSchema,
  ConversationSchema,
  EvaluationSchema,
  KeptAnswerSchema,
  ModelLogSchema,
  ModelSchema,
  RunSchema,
  TaskSchema,
} from './answer-shapes.ts';
import { answerOrStream } from './ask.ts';

const tags = ['Regulation'];
const params = z.object({ id: z.string().openapi({ param: { name: 'id', in: 'path' } }) });
const limit = z.object({ limit: z.coerce.number().int().min(1).max(200).default(50) });
const done = { 204: { description: 'Done.' }, 404: { description: 'There is no such answer of yours.' } };
const found = <Schema extends z.ZodType>(schema: Schema) => ({
  200: { description: 'Found.', content: json(schema) },
  404: { description: 'There is no such one of yours.' },
});
const base = '/api/v1/answers';

const conversations = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/conversations', tags, summary: 'Your conversations, newest first' },
  request: { query: limit },
  responses: {
    200: { description: 'Yours.', content: json(z.object({ conversations: z.array(ConversationSchema) })) },
  },
});
const conversation = apiRoute('user', {
  ...{
    method: 'get',
    path: '/api/v1/conversations/{id}',
    tags,
    summary: 'The answers of a conversation',
    request: { params },
  },
  responses: found(z.object({ answers: z.array(KeptAnswerSchema) })),
});
const removal = apiRoute('user', {
  ...{
    method: 'delete',
    path: '/api/v1/conversations/{id}',
    tags,
    summary: 'Remove a conversation',
    request: { params },
  },
  responses: done,
});
const exported = apiRoute('user', {
  ...{
    method: 'get',
    path: '/api/v1/conversations/{id}/export',
    tags,
    summary: 'A conversation as Markdown with its sources',
  },
  request: { params },
  responses: {
    200: { description: 'Markdown.', content: { 'text/markdown': { schema: z.string() } } },
    404: { description: 'There is no such conversation of yours.' },
  },
});
const run = apiRoute('user', {
  ...{ method: 'get', path: `${base}/{id}`, tags, summary: 'What an answer did, step by step', request: { params } },
  responses: found(RunSchema),
});
const stop = apiRoute('user', {
  ...{
    method: 'post',
    path: `${base}/{id}/stop`,
    tags,
    summary: 'Stop an answer',
    request: { params },
    responses: done,
  },
});
const pause = apiRoute('user', {
  ...{
    method: 'post',
    path: `${base}/{id}/pause`,
    tags,
    summary: 'Pause an answer after its step',
    request: { params },
  },
  responses: done,
});
const resume = apiRoute('user', {
  ...{
    method: 'post',
    path: `${base}/{id}/resume`,
    tags,
    summary: 'Go on with an answer, or answer its question back',
  },
  request: {
    params,
    body: { required: true, content: json(z.object({ choice: z.string().max(200).optional() })) },
  },
  responses: {
    200: {
      description: 'The answer, or what happens while it is made.',
      content: { ...json(AnswerSchema), 'text/event-stream': { schema: z.string() } },
    },
    404: { description: 'There is no such answer of yours.' },
  },
});
const feedback = apiRoute('user', {
  ...{ method: 'put', path: `${base}/{id}/feedback`, tags, summary: 'Say whether an answer was useful' },
  request: {
    params,
    body: {
      required: true,
      content: json(z.object({ verdict: z.enum(['useful', 'not_useful']), comment: z.string().max(2000).optional() })),
    },
  },
  responses: done,
});
const confirmTask = apiRoute('user', {
  ...{
    method: 'post',
    path: `${base}/{id}/task`,
    tags,
    summary: 'Make the task that an answer proposed',
    request: { params },
  },
  responses: found(TaskSchema),
});
const finishTask = apiRoute('user', {
  ...{ method: 'post', path: `${base}/{id}/task/done`, tags, summary: 'A task is done', request: { params } },
  responses: found(TaskSchema),
});
const tasks = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/answer-tasks', tags, summary: 'Tasks that answers proposed and people confirmed' },
  responses: { 200: { description: 'Open ones first.', content: json(z.object({ tasks: z.array(TaskSchema) })) } },
});
const evaluations = apiRoute('analyst', {
  ...{ method: 'get', path: '/api/v1/answer-evaluations', tags, summary: 'How good the answers are, newest first' },
  request: { query: limit },
  responses: {
    200: {
      description: 'One a night and model version.',
      content: json(z.object({ evaluations: z.array(EvaluationSchema) })),
    },
  },
});
const model = apiRoute('user', {
  ...{ method: 'get', path: '/api/v1/language-model', tags, summary: 'The language model that writes answers' },
  responses: {
    200: { description: 'Null: none is configured.', content: json(z.object({ model: ModelSchema.nullable() })) },
  },
});
const pull = apiRoute('admin', {
  ...{ method: 'post', path: '/api/v1/language-model/pull', tags, summary: 'Fetch the language model' },
  responses: {
    202: { description: 'Begun; GET /api/v1/language-model tells how far it is.' },
  },
});
const log = apiRoute('admin', {
  ...{ method: 'get', path: '/api/v1/language-model/log', tags, summary: 'What the language model was asked and said' },
  request: { query: limit },
  responses: { 200: { description: 'Newest first.', content: json(z.object({ entries: z.array(ModelLogSchema) })) } },
});

export function createAnswersApi({ answers }: Pick<Services, 'answers'>) {
  const app = createApiApp();
  app.openapi(conversations, async (c) => {
    const listed = await answers.conversations(actorOf(c), c.req.valid('query').limit);
    const shown = listed.map(({ created_at, updated_at, ...one }) => ({
      ...one,
      created: created_at.toISOString(),
      updated: updated_at.toISOString(),
    }));
    return c.json({ conversations: shown }, 200);
  });
  app.openapi(conversation, async (c) =>
    c.json({ answers: await answers.conversation(actorOf(c), c.req.valid('param').id) }, 200),
  );
  app.openapi(removal, async (c) => {
    await answers.removeConversation(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(exported, async (c) => {
    const { name, text } = await answers.export(actorOf(c), c.req.valid('param').id);
    const headers = {
      'content-type': 'text/markdown; charset=utf-8',
      'content-disposition': `attachment; filename="${name}"`,
    };
    return c.body(text, 200, headers) as never;
  });
  app.openapi(run, async (c) => {
    const { run: found, steps } = await answers.run(actorOf(c), c.req.valid('param').id);
    const { id, conversation: of, question, state, answer } = found;
    const shown = steps.map(({ seq, name, result, begun_at, ms }) => ({
      ...{ seq, name, result: { ...result }, begun: iso(begun_at.getTime()), ms },
    }));
    return c.json({ id, conversation: of, question, state, answer, steps: shown }, 200);
  });
  app.openapi(stop, async (c) => {
    await answers.stop(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(pause, async (c) => {
    await answers.pause(actorOf(c), c.req.valid('param').id);
    return c.body(null, 204);
  });
  app.openapi(resume, (c) => {
    const { id } = c.req.valid('param');
    const { choice } = c.req.valid('json');
    return answerOrStream(c, (watch) => answers.resume(actorOf(c), id, choice, watch)) as never;
  });
  app.openapi(feedback, async (c) => {
    await answers.feedback(actorOf(c), c.req.valid('param').id, c.req.valid('json'));
    return c.body(null, 204);
  });
  app.openapi(confirmTask, async (c) =>
    c.json(taskShown(await answers.confirmTask(actorOf(c), c.req.valid('param').id)), 200),
  );
  app.openapi(finishTask, async (c) =>
    c.json(taskShown(await answers.finishTask(actorOf(c), c.req.valid('param').id)), 200),
  );
  app.openapi(tasks, async (c) => c.json({ tasks: (await answers.tasks(actorOf(c))).map(taskShown) }, 200));
  return withModel(app, { answers });
}

function withModel(app: ReturnType<typeof createApiApp>, { answers }: Pick<Services, 'answers'>) {
  app.openapi(evaluations, async (c) => {
    const listed = await answers.evaluations(actorOf(c).tenant, c.req.valid('query').limit);
    return c.json({ evaluations: listed.map(evaluationShown) }, 200);
  });
  app.openapi(model, async (c) => c.json({ model: await answers.model() }, 200));
  app.openapi(pull, async (c) => {
    await answers.pullModel(actorOf(c));
    return c.body(null, 202);
  });
  app.openapi(log, async (c) => {
    const entries = await answers.modelLog(actorOf(c), c.req.valid('query').limit);
    return c.json({ entries: entries.map(({ at, ...entry }) => ({ ...entry, at: at.toISOString() })) }, 200);
  });
  return app;
}

function taskShown({ confirmed_at, done_at, ...task }: AnswerTask) {
  return { ...task, confirmed: confirmed_at.toISOString(), done: done_at?.toISOString() ?? null };
}

function evaluationShown({ at, id: _, ...result }: EvalResult) {
  return { ...result, at: at.toISOString() };
}
