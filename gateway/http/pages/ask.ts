/** `GET /ask` (also with `?question=`, which works without JavaScript) and `POST /ask` for htmx. */
import { type AskedView, answerPart, askPage } from '../../../web/pages/ask.ts';
import type { Actor } from '../../services.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, sendPart, signedIn, uiOf } from './page.ts';

const RECENT = 6;

export function createAskPages(deps: PageDeps) {
  const { regulation, db } = deps.services;
  const app = createPageApp();
  app.get('/ask', signedIn(deps), async (c) => {
    const actor = readerOf(c);
    const question = (c.req.query('question') ?? '').trim();
    const documents = await regulation.documents(actor.tenant);
    const asked = question ? await ask(actor, question) : null;
    const recent = await recentQuestions(actor);
    return sendPage(c, askPage({ has_documents: documents.length > 0, question, asked, recent }, uiOf(deps, c)));
  });
  app.post('/ask', signedIn(deps), csrfChecked(deps), async (c) => {
    const { question } = await c.req.parseBody();
    return sendPart(c, answerPart(await ask(readerOf(c), String(question ?? '').trim()), uiOf(deps, c)));
  });
  return app;

  async function ask(actor: Actor, question: string): Promise<AskedView> {
    return { question, ...(await regulation.ask(actor, question)) };
  }

  /** The person's own questions, newest first, each once. */
  async function recentQuestions({ tenant, person }: Actor): Promise<string[]> {
    const rows = await db.asTenant(tenant, (sql) =>
      sql<{ object: string }>(
        `select object from usage_event where kind = 'question' and person = $1 group by object order by max(at) desc limit $2`,
        [person, RECENT],
      ),
    );
    return rows.map((row) => row.object);
  }
}
