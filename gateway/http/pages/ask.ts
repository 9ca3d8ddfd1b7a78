/** `GET /ask` (also with `?question=`, which works without JavaScript) and `POST /ask`, which answers piece by piece. */
import { randomUUID } from 'node:crypto';
import { streamSSE } from 'hono/streaming';
import { askPage } from '../../../web/pages/ask.ts';
import { feedbackPart, taskPart, turnPart } from '../../../web/pages/ask-turn.ts';
import { checkDay } from '../../services/regulation/ask.ts';
import type { Actor } from '../../services.ts';
import { describeError } from '../api.ts';
import { standingsOf, turnOf, workingTurn } from './ask-progress.ts';
import { createTeller } from './ask-teller.ts';
import { fieldsOf } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, sendPart, signedIn, uiOf } from './page.ts';

const RECENT = 8;

export function createAskPages(deps: PageDeps) {
  const { regulation, answers, log } = deps.services;
  const app = createPageApp();
  app.get('/ask', signedIn(deps), async (c) => {
    const actor = readerOf(c);
    const question = (c.req.query('question') ?? '').trim();
    const as_of = c.req.query('as_of') ?? '';
    const asked_on = c.req.query('conversation') || null;
    const known = await regulation.documents(actor.tenant);
    const documents = known.filter(({ passages }) => passages > 0).length;
    const standing = standingsOf(known);
    const fresh = question
      ? await answers.ask(actor, { question, conversation: asked_on, as_of }, { signal: c.req.raw.signal })
      : null;
    const conversation = fresh?.conversation ?? asked_on;
    const turns = conversation
      ? (await answers.conversation(actor, conversation)).map((answer) => turnOf(answer, standing))
      : [];
    const recent = conversation ? [] : await recentOf(actor);
    return sendPage(c, askPage({ documents, question: '', as_of, turns, conversation, recent }, uiOf(deps, c)));
  });
  app.post('/ask', signedIn(deps), csrfChecked(deps), async (c) => {
    const [ui, actor] = [uiOf(deps, c), readerOf(c)];
    const { question = '', conversation, ...more } = await fieldsOf(c);
    const as_of = checkDay(more.as_of);
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (stream) => {
      const left = new AbortController();
      stream.onAbort(() => left.abort());
      const turn = workingTurn(question.trim(), randomUUID(), as_of);
      const teller = createTeller(turn, ui, async (event, part) =>
        stream.writeSSE({ event, data: String(await part) }),
      );
      teller.begin();
      const request = { question: turn.question, conversation: conversation || null, interactive: true, as_of };
      await answers.ask(actor, request, { on: teller.take, signal: left.signal }).then(
        async (answer) => teller.end(turnOf(answer, await standingFor(actor), teller.read()), answer.conversation),
        (error: unknown) => {
          log.warn({ err: error }, 'a question could not be answered');
          return teller.end({ ...turn, status: 'failed', reason: describeError(error).detail }, '');
        },
      );
    });
  });
  app.get('/ask/conversations/:id/export', signedIn(deps), async (c) => {
    const { name, text } = await answers.export(readerOf(c), c.req.param('id'));
    c.header('content-disposition', `attachment; filename="${name.replace(/[^\w.-]/g, '-')}"`);
    return c.body(text, 200, { 'content-type': 'text/markdown; charset=utf-8' });
  });
  app.post('/ask/conversations/:id/remove', signedIn(deps), csrfChecked(deps), async (c) => {
    await answers.removeConversation(readerOf(c), c.req.param('id'));
    return c.redirect('/ask', 303);
  });
  app.post('/ask/answers/:id/feedback', signedIn(deps), csrfChecked(deps), async (c) => {
    const [actor, id] = [readerOf(c), c.req.param('id')];
    const verdict = (await fieldsOf(c)).feedback === 'useful' ? 'useful' : 'not_useful';
    await answers.feedback(actor, id, { verdict });
    if (c.req.header('hx-request')) return sendPart(c, feedbackPart({ id, feedback: verdict }, uiOf(deps, c)));
    return c.redirect(await pathOf(actor, id), 303);
  });
  app.post('/ask/answers/:id/task', signedIn(deps), csrfChecked(deps), async (c) => {
    const [actor, id] = [readerOf(c), c.req.param('id')];
    const { title } = await answers.confirmTask(actor, id);
    if (c.req.header('hx-request')) return sendPart(c, taskPart(id, { title, is_confirmed: true }, uiOf(deps, c)));
    return c.redirect(await pathOf(actor, id), 303);
  });
  app.post('/ask/answers/:id/resume', signedIn(deps), csrfChecked(deps), async (c) => {
    const [actor, id] = [readerOf(c), c.req.param('id')];
    const answer = await answers.resume(actor, id, (await fieldsOf(c)).choice, { signal: c.req.raw.signal });
    if (c.req.header('hx-request'))
      return sendPart(c, turnPart(turnOf(answer, await standingFor(actor)), uiOf(deps, c)));
    return c.redirect(await pathOf(actor, id), 303);
  });
  return app;

  async function standingFor({ tenant }: Actor) {
    return standingsOf(await regulation.documents(tenant));
  }

  async function pathOf(actor: Actor, id: string): Promise<string> {
    const { run } = await answers.run(actor, id);
    return `/ask?conversation=${encodeURIComponent(run.conversation)}#turn-${encodeURIComponent(id)}`;
  }

  /** The person's own conversations, newest first. */
  async function recentOf(actor: Actor) {
    const known = await answers.conversations(actor, RECENT);
    return known.map(({ id, title, updated_at }) => ({
      id,
      title,
      href: `/ask?conversation=${encodeURIComponent(id)}`,
      when_ms: updated_at.getTime(),
    }));
  }
}
