/** Questions about regulation and about the site, as JSON or as a stream of what happens; also under older names. */
import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { AskRequest, AskWatch } from '../../services/answers/answer.ts';
import type { Answer } from '../../services/answers.ts';
import type { Services } from '../../services.ts';
import { actorOf, apiRoute, createApiApp, type Env } from '../api.ts';
import { AnswerSchema } from './answer-shapes.ts';

const question = z
  .string()
  .min(1)
  .max(1000)
  .openapi({ example: 'Wie hoch ist die Stromsteuer für eine Megawattstunde?' });
const more = {
  conversation: z.uuid().nullish().openapi({ description: 'Goes on with it.' }),
  as_of: z.iso.date().nullish().openapi({
    description: 'Answered from what was in force on this day; left out: today.',
    example: '2023-06-30',
  }),
  interactive: z.boolean().optional().openapi({ description: 'The box may ask back which document is meant.' }),
};
const content = {
  'application/json': { schema: AnswerSchema },
  'text/event-stream': {
    schema: z.string().openapi({ description: 'Events run, step, sources, progress, sentence, done.' }),
  },
};
const responses = {
  200: { description: 'An answer, or why there is none.', content },
  404: { description: 'There is no such conversation.' },
};
const tags = ['Regulation'];
const description =
  'Every sentence is proven by a quote from a document or by figures of the site. Where neither says it, `status` is abstained and only the nearest passages come back. With `Accept: text/event-stream` it is told while it is made.';

const ask = apiRoute('user', {
  ...{ method: 'post', path: '/api/v1/ask', tags, summary: 'Ask the documents', description, responses },
  request: {
    body: { required: true, content: { 'application/json': { schema: z.object({ question, ...more }) } } },
  },
});

const ALIASES = ['/query', '/rag/ask', '/api/v1/query', '/api/v1/rag/ask'] as const;
const viaGet = (path: (typeof ALIASES)[number]) =>
  apiRoute('user', {
    ...{ method: 'get', path, tags, summary: 'Ask the documents (other name)', description, responses },
    request: { query: z.object({ q: question, as_of: more.as_of }) },
  });
const viaPost = (path: (typeof ALIASES)[number]) =>
  apiRoute('user', {
    ...{ method: 'post', path, tags, summary: 'Ask the documents (other name)', description, responses },
    request: {
      body: {
        required: true,
        content: {
          'application/json': {
            schema: z
              .object({ q: question.optional(), question: question.optional(), ...more })
              .refine((body) => (body.q ?? body.question) !== undefined, { error: 'Give q or question.' }),
          },
        },
      },
    },
  });

export function createAskApi({ answers }: Pick<Services, 'answers'>) {
  const app = createApiApp();
  const answer = (c: Context<Env>, request: AskRequest) =>
    answerOrStream(c, (watch) => answers.ask(actorOf(c), request, watch));
  app.openapi(ask, (c) => answer(c, c.req.valid('json')) as never);
  for (const path of ALIASES) {
    app.openapi(viaGet(path), (c) => {
      const { q, as_of } = c.req.valid('query');
      return answer(c, { question: q, as_of }) as never;
    });
    app.openapi(viaPost(path), (c) => {
      const { q, question: named, ...rest } = c.req.valid('json');
      return answer(c, { question: q ?? named ?? '', ...rest }) as never;
    });
  }
  return app;
}

/** What fails before the first event is told with its status. Whoever leaves stops the work. */
export async function answerOrStream(c: Context<Env>, work: (watch: AskWatch) => Promise<Answer>): Promise<Response> {
  if (!/\btext\/event-stream\b/.test(c.req.header('accept') ?? ''))
    return c.json(await work({ signal: c.req.raw.signal }), 200);
  const left = new AbortController();
  const queue: { event: string; data: string }[] = [];
  let wake = () => {};
  const on: AskWatch['on'] = ({ event, data }) => {
    queue.push({ event, data: JSON.stringify(data) });
    wake();
  };
  const working = work({ on, signal: left.signal });
  let isOver = false;
  const over = working.then(
    () => {},
    () => {},
  );
  void over.then(() => {
    isOver = true;
    wake();
  });
  await Promise.race([
    over,
    new Promise<void>((begun) => {
      wake = begun;
      if (queue.length > 0) begun();
    }),
  ]);
  if (queue.length === 0) await working;
  c.header('X-Accel-Buffering', 'no');
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => left.abort());
    while (!stream.aborted) {
      const next = queue.shift();
      if (next) await stream.writeSSE(next);
      else if (isOver) break;
      else
        await new Promise<void>((woken) => {
          wake = woken;
          if (queue.length > 0 || isOver) woken();
        });
    }
    left.abort();
  });
}
