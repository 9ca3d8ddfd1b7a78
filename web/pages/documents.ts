/** Documents: what is in and in which state, with one way to add and a careful way to remove. */
import { html } from 'hono/html';
import { askOnce } from '../components/ask-once.ts';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, emptyState, field, type State, stateMark } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

export type DocumentRow = {
  id: string;
  title: string;
  version: string;
  pages: number | null;
  passages: number;
  state: 'queued' | 'reading' | 'ready' | 'refused';
  reason: string | null;
  uploaded_ms: number;
  uploaded_by: string;
};
export type DocumentsView = { documents: readonly DocumentRow[]; problem: string | null };

const STATES: Record<DocumentRow['state'], State> = {
  queued: 'unknown',
  reading: 'unknown',
  ready: 'ok',
  refused: 'fault',
};
const WORDS = {
  queued: 'documents.queued',
  reading: 'documents.reading',
  ready: 'documents.ready',
  refused: 'documents.refused',
} as const;

export function documentsPage(view: DocumentsView, ui: Ui): Html {
  const { t } = ui;
  const isAdmin = ui.actor?.role === 'admin';
  const list =
    view.documents.length === 0
      ? emptyState({ title: t('documents.empty_title'), text: t('documents.empty'), icon: 'file-text' })
      : card({ title: t('documents.title'), content: documentList(view.documents, ui) });
  const content = html`${list}${isAdmin ? uploadCard(view.problem, ui) : ''}`;
  return layout(ui, { title: t('documents.title'), page: 'documents', content, live: 'page=documents' });
}

/** The list, also sent live while documents are being read. */
export function documentList(documents: readonly DocumentRow[], ui: Ui): Html {
  return html`<ul class="rows" id="document-list" sse-swap="documents" hx-swap="morph:innerHTML">${documentRows(documents, ui)}</ul>`;
}

export function documentRows(documents: readonly DocumentRow[], ui: Ui): Html {
  return html`${documents.map((document) => row(document, ui))}`;
}

function row(document: DocumentRow, ui: Ui): Html {
  const { t, format } = ui;
  const facts = [
    t('documents.version_of', { version: document.version }),
    document.pages === null
      ? ''
      : `${format.number(document.pages)} ${t('documents.pages', { n: document.pages }).replace(/^\S+\s/, '')}`,
    document.state === 'ready' ? t('documents.passages', { n: document.passages }) : '',
    t('documents.uploaded', { when: format.when(document.uploaded_ms, ui.now_ms), who: document.uploaded_by }),
  ].filter(Boolean);
  const name =
    document.state === 'ready'
      ? html`<a href="/documents/${encodeURIComponent(document.id)}?version=${encodeURIComponent(document.version)}">${document.title}</a>`
      : document.title;
  return html`<li><div class="stack tight"><span><b>${name}</b></span><span class="soft small">${facts.join(' · ')}</span>${document.reason ? html`<span class="small">${document.reason}</span>` : ''}</div>
<div class="actions">${stateMark(STATES[document.state], t(WORDS[document.state]))}${ui.actor?.role === 'admin' ? removal(document, ui) : ''}</div></li>`;
}

/** Asks once, naming what goes; works without JavaScript. */
function removal(document: DocumentRow, ui: Ui): Html {
  return askOnce(ui, {
    action: `/documents/${encodeURIComponent(document.id)}/remove`,
    label: `${ui.t('documents.remove')}: ${document.title}`,
    question: ui.t('documents.remove_ask', { title: document.title }),
    yes: ui.t('documents.remove_yes'),
  });
}

function uploadCard(problem: string | null, ui: Ui): Html {
  const { t } = ui;
  return card({
    title: t('documents.upload'),
    id: 'upload',
    content: html`<form class="form" method="post" action="/documents" enctype="multipart/form-data">${csrfField(ui)}
${field({ id: 'file', label: t('documents.file'), error: problem, control: html`<input id="file" name="file" type="file" accept=".pdf,.md,.txt,application/pdf,text/markdown,text/plain" required>` })}
<div class="form-row">${field({ id: 'title', label: t('documents.name'), hint: t('documents.name_hint'), control: html`<input id="title" name="title" maxlength="200" aria-describedby="title-hint">` })}
${field({ id: 'version', label: t('documents.version'), hint: t('documents.version_hint'), control: html`<input id="version" name="version" maxlength="60" aria-describedby="version-hint">` })}</div>
<div class="actions"><button class="primary">${icon('upload')}${t('documents.submit')}</button></div></form>`,
  });
}
