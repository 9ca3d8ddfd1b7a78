/** `GET /ask` (also with `?question=`, which works without JavaScript) and `POST /ask`, which answers piece by piece. */
import { randomUUID } from 'node:crypto';
import { streamSSE } from 'hono/streaming';
import { askPage } from '../../../web/pages/ask.ts';
import { createNumbering, type Read, type Turn } from '../../../web/pages/ask-sources.ts';
import { quotePart, readPart, sentencePart, turnPart } from '../../../web/pages/ask-turn.ts';
import type { Html, Ui } from '../../../web/ui.ts';
import type { AnswerEvent } from '../../services/answers/answer.ts';
import type { Actor } from '../../services.ts';
import { describeError } from '../api.ts';
import { askDocuments, readOf, turnOf, workingTurn } from './ask-progress.ts';
import { fieldsOf } from './form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

const RECENT = 6;
type Send = (event: string, part: Html | string) => Promise<void>;

export function createAskPages(deps: PageDeps) {
  const { regulation, db, log } = deps.services;
  const ask = askDocuments(deps.services);
  const app = createPageApp();
  app.get('/ask', signedIn(deps), async (c) => {
    const actor = readerOf(c);
    const question = (c.req.query('question') ?? '').trim();
    const documents = (await regulation.documents(actor.tenant)).filter(({ state }) => state === 'ready').length;
    const turns = question ? [turnOf(await ask(actor, { question }, { signal: c.req.raw.signal }), [])] : [];
    const recent = turns.length > 0 ? [] : await recentQuestions(actor);
    return sendPage(c, askPage({ documents, question: '', turns, conversation: null, recent }, uiOf(deps, c)));
  });
  app.post('/ask', signedIn(deps), csrfChecked(deps), async (c) => {
    const [ui, actor] = [uiOf(deps, c), readerOf(c)];
    const { question = '', conversation } = await fieldsOf(c);
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (stream) => {
      const left = new AbortController();
      stream.onAbort(() => left.abort());
      const turn = workingTurn(question.trim(), randomUUID());
      const teller = createTeller(turn, ui, async (event, part) =>
        stream.writeSSE({ event, data: String(await part) }),
      );
      teller.begin();
      const watch = { on: teller.take, signal: left.signal };
      await ask(actor, { question: turn.question, conversation: conversation || null }, watch).then(
        (answer) => teller.end(turnOf(answer, teller.read()), answer.conversation),
        (error: unknown) => {
          log.warn({ err: error }, 'a question could not be answered');
          return teller.end({ ...turn, status: 'failed', reason: describeError(error).detail }, '');
        },
      );
    });
  });
  return app;

  /** The person's own questions, newest first, each once. */
  async function recentQuestions({ tenant, person }: Actor) {
    const rows = await db.asTenant(tenant, (sql) =>
      sql<{ object: string }>(
        `select object from usage_event where kind = 'question' and person = $1 group by object order by max(at) desc limit $2`,
        [person, RECENT],
      ),
    );
    return rows.map(({ object }) => ({
      title: object,
      href: `/ask?question=${encodeURIComponent(object)}`,
      when_ms: null,
    }));
  }
}

/** Sends each piece, in order, as the HTML that takes its place on the page. */
function createTeller(turn: Turn, ui: Ui, write: Send) {
  const number = createNumbering();
  let quoted = 0;
  let read: Read[] = [];
  let sent: Promise<unknown> = Promise.resolve();
  const send: Send = async (event, part) => {
    // Who has left hears nothing more; the answer itself is stopped by the signal.
    sent = sent.then(() => write(event, part)).catch(() => {});
  };
  return {
    read: () => read,
    begin: () => send('turn', turnPart(turn, ui)),
    take(told: AnswerEvent) {
      if (told.event === 'run' && told.data.conversation) void send('conversation', told.data.conversation);
      if (told.event === 'sources') {
        read = told.data.passages.map(readOf);
        void send('read', readPart(read, ui));
      }
      if (told.event !== 'sentence') return;
      void send('sentence', sentencePart(turn.id, told.data, number));
      for (const { n, source } of number.all().slice(quoted)) void send('quote', quotePart(turn.id, n, source, ui));
      quoted = number.all().length;
    },
    async end(last: Turn, conversation: string) {
      if (conversation) void send('conversation', conversation);
      void send('done', turnPart(last, ui));
      await sent;
    },
  };
}
