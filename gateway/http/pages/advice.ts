/** `GET /advice` and the answers given there. */
import { InvalidDataError } from '../../../engine/errors.ts';
import { type AdviceView, actionAnswered, advicePage } from '../../../web/pages/advice.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Actor, Outcome } from '../../services.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, sendPart, signedIn, uiOf } from './page.ts';

const OUTCOMES: readonly Outcome[] = ['accepted', 'dismissed', 'snoozed'];
const EARLIER = 30;

export function createAdvicePages(deps: PageDeps) {
  const { advice } = deps.services;
  const app = createPageApp();
  app.get('/advice', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    return sendPage(c, advicePage(await gather(readerOf(c), ui), ui));
  });
  app.post('/advice', signedIn(deps), csrfChecked(deps), async (c) => {
    const answer = answerOf(await c.req.parseBody());
    if (!answer) throw incompleteAnswer();
    const ui = uiOf(deps, c);
    await advice.feedback(readerOf(c), answer.decision, answer.action, answer.outcome);
    if (!c.req.header('hx-request')) return c.redirect('/advice', 303);
    const known = await advice.history(readerOf(c).tenant, EARLIER);
    const text = known.find((entry) => entry.action.id === answer.action)?.action.text[ui.language] ?? '';
    return sendPart(c, actionAnswered(answer.outcome, text, ui));
  });
  return app;

  async function gather(actor: Actor, ui: Ui): Promise<AdviceView> {
    const { decision_id, actions } = await advice.recommend(actor);
    const history = await advice.history(actor.tenant, EARLIER);
    const shown = new Set(actions.map((action) => action.id));
    return {
      decision_id,
      actions: actions.map((action) => ({ ...action, text: action.text[ui.language], why: action.why[ui.language] })),
      earlier: history
        .filter((entry) => !shown.has(entry.action.id))
        .map((entry) => ({
          text: entry.action.text[ui.language],
          at_ms: entry.outcome_ms ?? entry.at_ms,
          outcome: entry.outcome,
          saving: entry.action.saving,
        })),
    };
  }
}

/** The answer to a recommendation in a form of the Advice or Now page; null when it is incomplete. */
export function answerOf(form: Record<string, unknown>): { decision: string; action: string; outcome: Outcome } | null {
  const { decision, action } = form;
  const outcome = OUTCOMES.find((one) => one === form.outcome);
  return outcome && typeof decision === 'string' && typeof action === 'string' ? { decision, action, outcome } : null;
}

export function incompleteAnswer(): InvalidDataError {
  return new InvalidDataError('The answer to the recommendation is incomplete.', 'Load the page again.');
}
