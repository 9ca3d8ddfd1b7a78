/** The frame of the Admin pages: one tab a part. */
import { html } from 'hono/html';
import { type LayoutInput, layout } from '../../components/layout.ts';
import { notice } from '../../components/parts.ts';
import type { Html, Ui } from '../../ui.ts';

export const ADMIN_TABS = [
  'site',
  'people',
  'keys',
  'devices',
  'notifications',
  'regulation',
  'hosts',
  'health',
  'backups',
  'audit',
] as const;
export type AdminTab = (typeof ADMIN_TABS)[number];

/** What happened on the way here: something was saved, or why it was not. */
export type Told = { saved: boolean; problem: string | null };
export const NOTHING_TOLD: Told = { saved: false, problem: null };

export function adminPage(
  ui: Ui,
  tab: AdminTab,
  content: Html,
  more: Pick<LayoutInput, 'live' | 'scripts' | 'styles' | 'action'> & { told?: Told } = {},
): Html {
  const { told = NOTHING_TOLD, ...rest } = more;
  const link = (name: AdminTab) =>
    html`<a href="/admin/${name}" ${name === tab ? html`aria-current="page"` : ''}>${ui.t(`admin.${name}`)}</a>`;
  return layout(ui, {
    title: ui.t('page.admin'),
    page: 'admin',
    content: html`<nav class="choice tabs" aria-label="${ui.t('admin.tabs')}">${ADMIN_TABS.map(link)}</nav>
${told.saved ? notice('ok', ui.t('admin.saved')) : ''}${told.problem ? notice('fault', told.problem) : ''}${content}`,
    ...rest,
  });
}
