/** Ask: the answer first, its quotes beside it, the page one click away; or an honest "the documents do not say". */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, emptyState, linkButton } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { Turn } from './ask-sources.ts';
import { exportLink, turnPart } from './ask-turn.ts';

export type AskView = {
  /** Documents that can be quoted. */
  documents: number;
  /** What stands in the field. */
  question: string;
  turns: readonly Turn[];
  /** The stored conversation that goes on; null: a new one begins. */
  conversation: string | null;
  /** Earlier conversations, or single questions where `href` asks again. */
  recent: readonly { title: string; href: string; when_ms: number | null }[];
};

export function askPage(view: AskView, ui: Ui): Html {
  const { t } = ui;
  if (view.documents === 0) return noDocuments(ui);
  const going = view.turns.length > 0;
  const action = going
    ? html`<div class="actions">${view.conversation ? exportLink(view.conversation, ui) : ''}${linkButton('/ask', t('ask.new'), 'plain', 'plus')}</div>`
    : undefined;
  const content = html`<div id="answer" class="stack conversation">${view.turns.map((turn) => turnPart(turn, ui))}</div>
${askForm(view, ui)}
${!going && view.recent.length > 0 ? recentCard(view.recent, ui) : ''}`;
  return layout(ui, {
    title: t('ask.title'),
    page: 'ask',
    content,
    scripts: ['ask.js', 'copy.js'],
    styles: ['regulation.css'],
    ...(action ? { action } : {}),
  });
}

/** Works without JavaScript too; ask.js then shows the answer while it is written. */
function askForm(view: AskView, ui: Ui): Html {
  const { t } = ui;
  const going = view.turns.length > 0;
  return html`<form class="card ask" method="get" action="/ask" data-failed="${t('ask.failed')}" data-stopped="${t('ask.stopped')}">
${csrfField(ui)}<input type="hidden" name="conversation" value="${view.conversation ?? ''}">
<label for="question" data-follow-up="${t('ask.follow_up')}">${going ? t('ask.follow_up') : t('ask.label')}</label>
<div class="ask-row"><textarea id="question" name="question" rows="2" maxlength="1000" required placeholder="${t('ask.placeholder')}" aria-describedby="promise">${view.question}</textarea>
<button class="primary">${icon('arrow-up')}${t('ask.submit')}</button></div>
<p class="soft small" id="promise">${t('ask.promise', { n: view.documents })}</p>
</form>`;
}

function noDocuments(ui: Ui): Html {
  const { t } = ui;
  const isAdmin = ui.actor?.role === 'admin';
  const actions = isAdmin
    ? linkButton('/documents', t('documents.upload'), 'primary')
    : html`<p class="soft">${t('ask.empty_user')}</p>`;
  return layout(ui, {
    title: t('ask.title'),
    page: 'ask',
    content: emptyState({ title: t('ask.empty_title'), text: t('ask.empty'), icon: 'file-question-mark', actions }),
  });
}

function recentCard(recent: AskView['recent'], ui: Ui): Html {
  return card({
    title: ui.t('ask.recent'),
    id: 'recent',
    content: html`<ul class="rows">${recent.map(
      ({ title, href, when_ms }) =>
        html`<li><a href="${href}">${title}</a>${when_ms === null ? '' : html`<span class="soft small">${ui.format.when(when_ms, ui.now_ms)}</span>`}</li>`,
    )}</ul>`,
  });
}
