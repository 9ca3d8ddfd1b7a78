/** Questions over HTTP: as JSON, as a stream, and under the other names. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../engine/errors.ts';
import { createAnswersApi } from '../../../gateway/http/api/answers.ts';
import { createAskApi } from '../../../gateway/http/api/ask.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import type { AnswerEvent } from '../../../gateway/services/answers/answer.ts';
import type { Answer, AnswerService } from '../../../gateway/services/answers.ts';
import { until } from '../../setup/until.ts';

const CITATION = {
  document: 'd1',
  document_title: 'Fees',
  version: '1',
  page: 2,
  section: '§ 4 Fees',
  passage: 'd1:1:0',
};
const SENTENCE = {
  text: 'The fee is 20 EUR.',
  citations: [{ ...CITATION, quote: 'The fee is 20 EUR.', start: 10, end: 28 }],
  figures: [],
};
const ANSWER: Answer = {
  ...{ id: 'r1', conversation: 'c1', question: 'What is the fee?', status: 'answered', reason: null },
  ...{ sentences: [SENTENCE], nearest: [{ ...CITATION, text: 'The fee is 20 EUR.', score: 3.5 }], model: null },
  ...{ model_fault: null, dropped: [], asking: null, proposed_task: null },
};
const EVENTS: AnswerEvent[] = [
  { event: 'run', data: { id: 'r1', conversation: 'c1', model: null } },
  { event: 'sources', data: { passages: ANSWER.nearest } },
  { event: 'sentence', data: { ...SENTENCE, index: 0 } },
  { event: 'done', data: ANSWER },
];

function open(role: 'user' | null = 'user') {
  const calls: unknown[] = [];
  const state = { aborted: false };
  const answers = {
    async ask(_, request, { on, signal } = {}) {
      calls.push(request);
      if (request.conversation) throw new NotFoundError('There is no conversation.');
      signal?.addEventListener('abort', () => {
        state.aborted = true;
      });
      for (const event of EVENTS) {
        on?.(event);
        await sleep(5);
        if (request.question === 'for ever') await new Promise((done) => signal?.addEventListener('abort', done));
      }
      return ANSWER;
    },
  } as Pick<AnswerService, 'ask'> as AnswerService;
  const app = createApiApp();
  app.onError((error, c) => {
    const { status, detail, faults } = describeError(error);
    return problem(c, status, detail, faults);
  });
  app.use(async (c, next) => {
    c.set('actor', role && { tenant: 'default', person: 'ada', role, language: 'en' });
    await next();
  });
  app.route('/', createAskApi({ answers }));
  app.route('/', createAnswersApi({ answers }));
  return { app, calls, state };
}
const post = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(body),
});
const STREAM = { accept: 'text/event-stream' };

describe('questions over HTTP', () => {
  it('are answered in the shape that is documented', async () => {
    const { app, calls } = open();
    const response = await app.request('/api/v1/ask', post({ question: 'What is the fee?' }));
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual(ANSWER);
    expect(calls).toEqual([{ question: 'What is the fee?' }]);
  });

  it.each(['/query', '/rag/ask', '/api/v1/query', '/api/v1/rag/ask'])('are answered at %s too', async (path) => {
    const { app, calls } = open();
    for (const asked of [
      app.request(`${path}?q=What`),
      app.request(path, post({ q: 'What' })),
      app.request(path, post({ question: 'What' })),
    ])
      expect(await (await asked).json()).toEqual(ANSWER);
    expect(calls).toEqual([{ question: 'What' }, { question: 'What' }, { question: 'What' }]);
    expect((await app.request(path)).status).toBe(400);
    expect((await app.request(path, post({}))).status).toBe(400);
    expect((await open(null).app.request(`${path}?q=What`)).status).toBe(401);
  });

  it.each([{}, { question: '' }, { question: 5 }, { question: 'x'.repeat(1001) }, []])(
    'are refused as %j',
    async (body) => {
      expect((await open().app.request('/api/v1/ask', post(body))).status).toBe(400);
    },
  );

  it('are told while they are answered, the whole answer last', async () => {
    const { app } = open();
    const response = await app.request('/api/v1/ask', post({ question: 'What is the fee?' }, STREAM));
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    const told = (await response.text())
      .trim()
      .split('\n\n')
      .map((block) => {
        const [event = '', data = ''] = block.split('\n');
        return { event: event.replace('event: ', ''), data: JSON.parse(data.replace('data: ', '')) };
      });
    expect(told).toEqual(EVENTS);
  });

  it('have their status as a stream too where they cannot begin', async () => {
    const body = { question: 'What?', conversation: '0b9c7a52-2f0e-4d0e-9a53-6a1f6b0f7f11' };
    expect((await open().app.request('/api/v1/ask', post(body, STREAM))).status).toBe(404);
  });

  it('are stopped when the reader leaves', async () => {
    const { app, state } = open();
    const response = await app.request('/api/v1/ask', post({ question: 'for ever' }, STREAM));
    const reader = response.body!.getReader();
    await reader.read();
    await reader.cancel();
    await until(() => state.aborted, 'the work was stopped');
  });
});
