/** Ask: the answer first, its quotes beside it, the page one click away; or an honest "the documents do not say". */
import { html } from 'hono/html';
import { askOnce } from '../components/ask-once.ts';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, emptyState, linkButton } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { Turn } from './ask-sources.ts';
import { turnPart } from './ask-turn.ts';

export type AskView = {
  /** Documents that can be quoted. */
  documents: number;
  /** What stands in the field. */
  question: string;
  /** The day whose law is asked for, `YYYY-MM-DD`; empty: today. */
  as_of: string;
  turns: readonly Turn[];
  /** The stored conversation that goes on; null: a new one begins. */
  conversation: string | null;
  /** Earlier conversations, newest first. */
  recent: readonly { id: string; title: string; href: string; when_ms: number }[];
};

export function askPage(view: AskView, ui: Ui): Html {
  const { t } = ui;
  const going = view.turns.length > 0;
  const content = html`${view.documents === 0 && !going ? noDocuments(ui) : ''}<div id="answer" class="stack conversation">${view.turns.map((turn) => turnPart(turn, ui))}</div>
${askForm(view, ui)}
${!going && view.recent.length > 0 ? recentCard(view.recent, ui) : ''}`;
  return layout(ui, {
    title: t('ask.title'),
    page: 'ask',
    content,
    scripts: ['ask.js', 'copy.js'],
    styles: ['regulation.css'],
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
${view.documents === 0 ? '' : dayField(view.as_of, ui)}${conversationActions(view.conversation, ui)}<p class="soft small" id="promise">${view.documents === 0 ? t('ask.promise_site') : t('ask.promise', { n: view.documents })}</p>
</form>`;
}

/** Former law is asked for by its day; most questions are about today. */
function dayField(as_of: string, { t }: Ui): Html {
  return html`<details class="small" ${as_of ? html`open` : ''}><summary>${t('ask.as_of_other')}</summary><p class="field"><label for="as_of">${t('ask.as_of')}</label> <input id="as_of" name="as_of" type="date" value="${as_of}" aria-describedby="as_of-hint"> <span class="soft small" id="as_of-hint">${t('ask.as_of_hint')}</span></p></details>`;
}

/** Taking a conversation along, and beginning another; ask.js shows them once there is one. */
function conversationActions(conversation: string | null, ui: Ui): Html {
  const hidden = conversation === null ? html`hidden` : '';
  const path = `/ask/conversations/${conversation === null ? '' : encodeURIComponent(conversation)}/export`;
  return html`<p class="actions" id="conversation-actions" ${hidden}>${linkButton(path, ui.t('ask.export'), 'plain', 'download')}${linkButton('/ask', ui.t('ask.new'), 'plain', 'plus')}</p>`;
}

/** Without documents the box can still tell of itself. */
function noDocuments(ui: Ui): Html {
  const { t } = ui;
  const actions =
    ui.actor?.role === 'admin'
      ? linkButton('/documents', t('documents.upload'), 'primary')
      : html`<p class="soft">${t('ask.empty_user')}</p>`;
  return emptyState({ title: t('ask.empty_title'), text: t('ask.empty'), icon: 'file-question-mark', actions });
}

function recentCard(recent: AskView['recent'], ui: Ui): Html {
  return card({
    title: ui.t('ask.recent'),
    id: 'recent',
    content: html`<ul class="rows">${recent.map(
      ({ id, title, href, when_ms }) =>
        html`<li><div class="stack tight"><a href="${href}">${title}</a><span class="soft small">${ui.format.when(when_ms, ui.now_ms)}</span></div>${askOnce(
          ui,
          {
            action: `/ask/conversations/${encodeURIComponent(id)}/remove`,
            label: `${ui.t('ask.remove')}: ${title}`,
            question: ui.t('ask.remove_ask', { title }),
            yes: ui.t('ask.remove_yes'),
          },
        )}</li>`,
    )}</ul>`,
  });
}
