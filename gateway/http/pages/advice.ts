/** `GET /advice`, the answers given there, and the settings of the site's advice. */
import { InvalidDataError } from '../../../engine/errors.ts';
import type { ActionKind } from '../../../recommender/action.ts';
import { KIND } from '../../../recommender/catalogue/kinds.ts';
import { type AdviceView, actionAnswered, advicePage } from '../../../web/pages/advice.ts';
import type { AdviceResults } from '../../../web/pages/advice-results.ts';
import type { AdviceForm } from '../../../web/pages/advice-settings.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Actor, Outcome } from '../../services.ts';
import { hasRole } from '../api.ts';
import { adviceFormOf, readAdviceForm } from './advice-form.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, sendPart, signedIn, uiOf } from './page.ts';

const OUTCOMES: readonly Outcome[] = ['accepted', 'dismissed', 'snoozed'];
const EARLIER = 30;
const PASSAGES = 4;

export function createAdvicePages(deps: PageDeps) {
  const { advice, log } = deps.services;
  const app = createPageApp();
  app.get('/advice', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    const actor = readerOf(c);
    const settings = hasRole(actor, 'admin') ? await advice.settings(actor.tenant) : null;
    const saved = c.req.query('saved') === '1';
    return sendPage(c, advicePage(await gather(actor, ui, settings && adviceFormOf(settings, saved)), ui));
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
  app.post('/advice/settings', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    const ui = uiOf(deps, c);
    const { settings, form } = readAdviceForm(await c.req.parseBody(), ui);
    if (!settings) return sendPage(c, advicePage(await gather(readerOf(c), ui, form), ui), 400);
    await advice.saveSettings(readerOf(c), settings);
    return c.redirect('/advice?saved=1#settings', 303);
  });
  return app;

  /** A part that fails leaves its place empty; the page still comes. */
  async function gather(actor: Actor, ui: Ui, settings: AdviceForm | null): Promise<AdviceView> {
    const { tenant } = actor;
    const orElse = <T>(work: Promise<T>, fallback: T): Promise<T> =>
      work.catch((error: unknown) => {
        log.warn({ err: error, tenant_id: tenant }, 'a part of the page of advice could not be gathered');
        return fallback;
      });
    const { decision_id, actions, quiet } = await advice.recommend(actor);
    const history = await advice.history(tenant, EARLIER);
    const passages = await orElse(advice.documents(actor, PASSAGES), []);
    const shown = new Set(actions.map((action) => action.id));
    return {
      ...{ decision_id, quiet, settings },
      actions: actions.map((action) => ({ ...action, text: action.text[ui.language], why: action.why[ui.language] })),
      passages: passages.map((hint) => passageOf(hint, ui)),
      results: await orElse(resultsOf(actor, ui), null),
      earlier: history
        .filter((entry) => !shown.has(entry.action.id))
        .map(({ action, at_ms, outcome, outcome_ms, realised }) => ({
          ...{ text: action.text[ui.language], at_ms: outcome_ms ?? at_ms, outcome, realised },
          currency: action.saving?.currency ?? null,
        })),
    };
  }

  async function resultsOf(actor: Actor, ui: Ui): Promise<AdviceResults> {
    const { currency, realised, waiting, weeks, kinds } = await advice.performance(actor.tenant);
    const { live, judged } = await advice.policy(actor.tenant);
    return {
      ...{ currency: currency ?? ui.format.currency, realised, waiting, weeks },
      kinds: kinds.map(({ kind, ...count }) => ({
        name: KIND[kind as ActionKind]?.name[ui.language] ?? kind,
        ...count,
      })),
      policy: hasRole(actor, 'analyst')
        ? { name: live, judged_ms: judged?.at_ms ?? null, rows: judged?.rows ?? 0 }
        : null,
    };
  }
}

type Hint = Awaited<ReturnType<PageDeps['services']['advice']['documents']>>[number];

function passageOf({ document, document_title, version, page, section, quote, because }: Hint, ui: Ui) {
  const query = new URLSearchParams({ version, quote, ...(page === null ? {} : { page: String(page) }) });
  const where = [section, page === null ? '' : ui.t('ask.page', { page })].filter(Boolean).join(' · ');
  return {
    href: `/documents/${encodeURIComponent(document)}?${query.toString()}`,
    ...{ title: document_title, where, quote, because },
  };
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
