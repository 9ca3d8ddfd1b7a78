/** Documents: what is in and in which state, with one way to add and a careful way to remove. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, emptyState, field, linkButton } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import { type DocumentRow, documentRow } from './document-row.ts';

export type DocumentsView = {
  documents: readonly DocumentRow[];
  /** Why the last upload was refused. */
  problem: string | null;
  /** Whether an upload may say from when to when it is in force. */
  takes_days?: boolean;
};

export function documentsPage(view: DocumentsView, ui: Ui): Html {
  const { t } = ui;
  const isAdmin = ui.actor?.role === 'admin';
  const list =
    view.documents.length === 0
      ? emptyState({ title: t('documents.empty_title'), text: t('documents.empty'), icon: 'file-text' })
      : card({
          title: t('documents.list'),
          content: documentList(view.documents, ui),
          aside: linkButton('/ask', t('documents.ask'), 'plain', 'message-circle-question-mark'),
        });
  const again = html`<form method="post" action="/documents/reindex">${csrfField(ui)}<p class="soft small">${t('documents.reindex_text')} <button class="quiet">${icon('refresh-cw')}${t('documents.reindex')}</button></p></form>`;
  const content = html`${list}${isAdmin ? uploadCard(view, ui) : ''}${isAdmin && view.documents.length > 0 ? again : ''}`;
  return layout(ui, {
    title: t('documents.title'),
    page: 'documents',
    content,
    live: 'page=documents',
    scripts: ['documents.js'],
    styles: ['regulation.css'],
  });
}

/** The list with its sum, also sent live while documents are being read. */
export function documentList(documents: readonly DocumentRow[], ui: Ui): Html {
  return html`<div id="documents" sse-swap="documents" hx-swap="morph:innerHTML">${documentRows(documents, ui)}</div>`;
}

export function documentRows(documents: readonly DocumentRow[], ui: Ui): Html {
  return html`<p class="soft">${summary(documents, ui)}</p><ul class="rows" id="document-list">${documents.map((document) => documentRow(document, ui))}</ul>`;
}

/** In one sentence whether all is well. */
function summary(documents: readonly DocumentRow[], ui: Ui): string {
  const { t, format } = ui;
  const of = (...states: DocumentRow['state'][]) => documents.filter(({ state }) => states.includes(state)).length;
  const passages = documents.reduce((sum, { passages }) => sum + passages, 0);
  return [
    t('documents.sum', { n: of('ready'), passages: format.number(passages) }),
    of('queued', 'reading') > 0 ? t('documents.sum_reading', { n: of('queued', 'reading') }) : '',
    of('refused') > 0 ? t('documents.sum_refused', { n: of('refused') }) : '',
  ]
    .filter(Boolean)
    .join(' ');
}

const ACCEPT =
  '.pdf,.docx,.md,.html,.htm,.txt,application/pdf,text/markdown,text/html,text/plain,application/vnd.openxmlformats-officedocument.wordprocessingml.document';

function uploadCard({ problem, takes_days = false }: DocumentsView, ui: Ui): Html {
  const { t } = ui;
  const date = (id: 'valid_from' | 'valid_to', label: string, hint: string) =>
    field({
      id,
      label,
      hint,
      control: html`<input id="${id}" name="${id}" type="date" aria-describedby="${id}-hint">`,
    });
  return card({
    title: t('documents.upload'),
    id: 'upload',
    content: html`<form class="form" method="post" action="/documents" enctype="multipart/form-data" data-sending="${t('documents.sending', { percent: '{percent}' })}" data-kept="${t('documents.sent')}" data-failed="${t('documents.send_failed')}">${csrfField(ui)}
${field({ id: 'file', label: t('documents.file'), error: problem, control: html`<input id="file" name="file" type="file" accept="${ACCEPT}" required>` })}
<div class="form-row">${field({ id: 'title', label: t('documents.name'), hint: t('documents.name_hint'), control: html`<input id="title" name="title" maxlength="200" aria-describedby="title-hint">` })}
${field({ id: 'version', label: t('documents.version'), hint: t('documents.version_hint'), control: html`<input id="version" name="version" maxlength="60" aria-describedby="version-hint">` })}</div>
${takes_days ? html`<div class="form-row">${date('valid_from', t('documents.valid_from'), t('documents.valid_from_hint'))}${date('valid_to', t('documents.valid_to'), t('documents.valid_to_hint'))}</div>` : ''}
<p class="stage sending" hidden><progress max="100" aria-label="${t('documents.upload')}"></progress><span class="small soft" role="status"></span></p>
<div class="actions"><button class="primary">${icon('upload')}${t('documents.submit')}</button></div></form>`,
  });
}
