/** One page of a document as it was printed, with the passage marked; its text beside it for reading aloud. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, linkButton, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { Standing } from './ask-sources.ts';

export type DocumentPageView = {
  document: {
    id: string;
    title: string;
    version: string;
    pages: number | null;
    /** How this version stands today. */
    standing?: Standing | null;
  };
  page: number;
  quote: string;
  /** Boxes in PDF points from the top left; `text` is the text of the page. */
  marks: {
    width: number;
    height: number;
    boxes: readonly { x: number; y: number; width: number; height: number }[];
    text: string;
  };
};

export function documentPage(view: DocumentPageView, ui: Ui): Html {
  const { document, marks, quote } = view;
  const { t } = ui;
  const isPdf = document.pages !== null;
  const missing = quote !== '' && marks.boxes.length === 0 && !marks.text.includes(quote);
  const { standing = null, version } = document;
  const old =
    standing === null || standing === 'in_force'
      ? ''
      : notice('warning', `${t('documents.version_of', { version })}: ${t(`standing.${standing}`)}`);
  const content = html`<section class="card viewer">${old}
${isPdf ? pager(view, ui) : ''}
${missing ? html`<p class="soft">${t('viewer.not_found')}</p>` : ''}
${isPdf ? sheet(view, ui) : html`<div class="plain-text">${marked(marks.text, quote)}</div>`}
</section>
<div class="stack viewer-side">
${quote ? card({ title: t('viewer.passage'), content: html`<blockquote>${quote}</blockquote>` }) : ''}
${isPdf ? html`<details class="card"><summary><b>${t('viewer.text')}</b></summary><p class="page-text">${marked(marks.text, quote)}</p></details>` : ''}
<div class="actions">${linkButton('/documents', t('viewer.back'))}${linkButton(fileAddress(document), t('documents.download'), 'plain', 'download')}</div>
</div>`;
  return layout(ui, { title: document.title, page: 'documents', content, scripts: isPdf ? ['viewer.js'] : [] });
}

function fileAddress({ id, version }: DocumentPageView['document']): string {
  return `/api/v1/documents/${encodeURIComponent(id)}/file?version=${encodeURIComponent(version)}`;
}

/** The canvas is filled by viewer.js; the boxes lie over it as SVG in the page's own coordinates. */
function sheet({ document, page, marks }: DocumentPageView, ui: Ui): Html {
  return html`<luna-page class="sheet" data-file="${fileAddress(document)}" data-page="${page}" data-library="${ui.asset('pdf.mjs')}" data-worker="${ui.asset('pdf.worker.mjs')}">
<canvas width="${Math.round(marks.width)}" height="${Math.round(marks.height)}" role="img" aria-label="${ui.t('viewer.page_of', { page, pages: document.pages ?? 1 })}"></canvas>
<svg class="marks" viewBox="0 0 ${marks.width} ${marks.height}" aria-hidden="true">${marks.boxes.map(
    (box) => html`<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="1.5"/>`,
  )}</svg>
</luna-page>`;
}

function pager({ document, page }: DocumentPageView, ui: Ui): Html {
  const pages = document.pages ?? 1;
  const step = (to: number, name: 'viewer.previous' | 'viewer.next', picture: string) =>
    to < 1 || to > pages
      ? html`<span></span>`
      : html`<a class="button quiet" href="/documents/${encodeURIComponent(document.id)}?version=${encodeURIComponent(document.version)}&amp;page=${to}" aria-label="${ui.t(name)}">${icon(picture)}</a>`;
  return html`<nav class="pager" aria-label="${ui.t('viewer.page_of', { page, pages })}">${step(page - 1, 'viewer.previous', 'chevron-left')}<span>${ui.t('viewer.page_of', { page, pages })}</span>${step(page + 1, 'viewer.next', 'chevron-right')}</nav>`;
}

/** The text with the quote marked where it stands in it word for word. */
function marked(text: string, quote: string): Html {
  const at = quote === '' ? -1 : text.indexOf(quote);
  if (at < 0) return html`${text}`;
  return html`${text.slice(0, at)}<mark id="mark">${quote}</mark>${text.slice(at + quote.length)}`;
}
