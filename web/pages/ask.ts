/** Ask: the answer first, its quotes beside it, the page one click away; or an honest "the documents do not say". */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, emptyState, linkButton } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

export type Source = {
  document: string;
  document_title: string;
  version: string;
  page: number | null;
  section: string;
};
export type AskedView = {
  question: string;
  status: 'answered' | 'abstained';
  sentences: readonly { text: string; citations: readonly (Source & { quote: string })[] }[];
  nearest: readonly (Source & { text: string })[];
};
export type AskView = {
  has_documents: boolean;
  question: string;
  asked: AskedView | null;
  recent: readonly string[];
};

export function askPage(view: AskView, ui: Ui): Html {
  const { t } = ui;
  if (!view.has_documents) {
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
  const content = html`<form class="card ask" method="get" action="/ask" hx-post="/ask" hx-target="#answer" hx-indicator="#asking">
${csrfField(ui)}<label for="question">${t('ask.label')}</label>
<div class="ask-row"><textarea id="question" name="question" rows="2" maxlength="1000" required placeholder="${t('ask.placeholder')}">${view.question}</textarea>
<button class="primary">${t('ask.submit')}</button></div>
<p class="soft small" id="asking" role="status"><span>${t('ask.working')}</span></p>
</form>
<div id="answer" class="stack" aria-live="polite">${view.asked ? answerPart(view.asked, ui) : ''}</div>
${view.recent.length > 0 ? recentCard(view.recent, ui) : ''}`;
  return layout(ui, { title: t('ask.title'), page: 'ask', content, scripts: ['ask.js'] });
}

/** The answer alone, for htmx. */
export function answerPart(asked: AskedView, ui: Ui): Html {
  const { t } = ui;
  if (asked.status === 'abstained') {
    const nearest =
      asked.nearest.length === 0
        ? html`<p>${t('ask.nearest_none')}</p>`
        : html`<ul class="quotes">${asked.nearest.map((passage) => html`<li>${sourceLink(passage, firstWords(passage.text), ui)}<blockquote>${passage.text}</blockquote></li>`)}</ul>`;
    return card({
      title: asked.question,
      content: html`<p class="verdict">${icon('circle-help')} ${t('ask.abstained')}</p><p class="soft">${t('ask.abstained_text')}</p>${nearest}`,
    });
  }
  const citations = asked.sentences.flatMap((sentence) => sentence.citations);
  let n = 0;
  return card({
    title: asked.question,
    content: html`<div class="answer"><div class="stack">${asked.sentences.map(
      (sentence) =>
        html`<p class="sentence">${sentence.text} ${sentence.citations.map(() => html`<sup><a href="#quote-${++n}">${n}</a></sup>`)}</p>`,
    )}<p class="small soft">${t('ask.note')}</p></div>
<ol class="quotes">${citations.map((citation, i) => html`<li id="quote-${i + 1}">${sourceLink(citation, citation.quote, ui)}<blockquote>${citation.quote}</blockquote></li>`)}</ol></div>`,
  });
}

/** Where a quote stands, as a link to the page with the passage marked. */
function sourceLink(source: Source, quote: string, ui: Ui): Html {
  const query = new URLSearchParams({ version: source.version, quote });
  if (source.page !== null) query.set('page', String(source.page));
  const where = [
    source.document_title,
    source.section,
    source.page === null ? '' : ui.t('ask.page', { page: source.page }),
  ]
    .filter(Boolean)
    .join(' · ');
  return html`<a class="source" href="/documents/${encodeURIComponent(source.document)}?${query.toString()}">${icon('file-text')}<span>${where}</span></a>`;
}

/** Enough of a passage to find it again on its page. */
function firstWords(text: string): string {
  return text.split(/\s+/).slice(0, 30).join(' ');
}

function recentCard(recent: readonly string[], ui: Ui): Html {
  return card({
    title: ui.t('ask.recent'),
    content: html`<ul class="rows">${recent.map((question) => html`<li><a href="/ask?question=${encodeURIComponent(question)}">${question}</a></li>`)}</ul>`,
  });
}
