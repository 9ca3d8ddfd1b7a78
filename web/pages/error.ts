/** The page of a failure: what happened, what was kept, what to do. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { linkButton } from '../components/parts.ts';
import type { TextKey } from '../i18n/text.ts';
import type { Html, Ui } from '../ui.ts';

export type ErrorView = { status: number; detail: string; request_id: string | null };

export function errorPage(view: ErrorView, ui: Ui): Html {
  const title = ui.t(titleOf(view.status));
  const content = html`<section class="card full empty" role="alert">${icon(view.status === 404 ? 'search' : 'octagon-alert')}
<h2>${title}</h2>
<p>${sentenceOf(view, ui)}</p>
<div class="actions">${view.status === 503 ? linkButton(ui.path, ui.t('error.retry'), 'primary') : ''}${linkButton('/', ui.t('error.back'), view.status === 503 ? 'plain' : 'primary')}</div>
${view.request_id ? html`<p class="small soft">${ui.t('error.request_id', { id: view.request_id })}</p>` : ''}
</section>`;
  return layout(ui, { title, page: null, content });
}

function titleOf(status: number): TextKey & `error.${string}title` {
  if (status === 404) return 'error.not_found_title';
  if (status === 403) return 'error.not_allowed_title';
  return 'error.title';
}

function sentenceOf(view: ErrorView, ui: Ui): string {
  if (view.status === 404) return ui.t('error.not_found');
  if (view.status === 403)
    return `${view.detail} ${ui.t('error.not_allowed', { role: ui.actor ? ui.t(`people.role_${ui.actor.role}`) : '–' })}`;
  if (view.status === 503) return `${view.detail} ${ui.t('error.unavailable')}`;
  if (view.status >= 500) return ui.t('error.internal');
  return view.detail;
}
