/** Admin, audit log: who did what and when, in words. */
import { html } from 'hono/html';
import { card, linkButton, notice, stateMark } from '../../components/parts.ts';
import type { TextKey } from '../../i18n/text.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage } from './frame.ts';

export type AuditRow = {
  id: number;
  at_ms: number;
  actor: string;
  act: string;
  object: string;
  detail: Record<string, unknown>;
};
export type AuditView = {
  entries: readonly AuditRow[];
  /** Id after which older entries follow; null at the end. */
  older: number | null;
  is_first: boolean;
  /** Whether every entry is as it was written. */
  chain: {
    entries: number;
    signed: { id: number; at: string } | null;
    accepted: { entry: number; at: string; actor: string; through: number } | null;
    fault: { problem: string; other_keys?: { through: number } } | null;
  };
};

export function auditPage(view: AuditView, ui: Ui): Html {
  const { t } = ui;
  const list =
    view.entries.length === 0
      ? html`<p class="soft">${t('audit.empty')}</p>`
      : html`<ol class="rows audit">${view.entries.map((entry) => row(entry, ui))}</ol>`;
  const steps = html`${view.is_first ? '' : linkButton('/admin/audit', t('audit.newest'))}${view.older === null ? '' : linkButton(`/admin/audit?before=${view.older}`, t('audit.older'))}`;
  const content = card({
    title: t('audit.title'),
    content: html`<p class="soft">${t('audit.lead')}</p>${chainState(view.chain, ui)}${list}<div class="actions">${steps}${linkButton('/api/v1/audit/export', t('audit.export'), 'plain', 'download')}</div>`,
  });
  return adminPage(ui, 'audit', content);
}

/** Complete and unchanged, or the first entry that is not, in words. */
function chainState({ entries, signed, accepted, fault }: AuditView['chain'], ui: Ui): Html {
  const { t, format } = ui;
  if (fault?.other_keys)
    return notice(
      'warning',
      html`<b>${t('audit.chain_other_key', fault.other_keys)}</b> ${t('audit.chain_other_key_remedy')}`,
    );
  if (fault)
    return notice(
      'fault',
      html`<b>${t('audit.chain_broken')}</b> <span lang="en">${fault.problem}</span> ${t('audit.chain_remedy')}`,
    );
  const when =
    signed && t('audit.chain_signed', { id: signed.id, when: format.when(Date.parse(signed.at), ui.now_ms) });
  return html`<p>${stateMark('ok', `${t('audit.chain_ok', { n: entries })} ${when ?? t('audit.chain_unsigned')}`)}</p>${accepted ? html`<p class="soft">${acceptedWords(accepted, ui)}</p>` : ''}`;
}

function acceptedWords({ entry, at, actor, through }: NonNullable<AuditView['chain']['accepted']>, ui: Ui): string {
  const when = ui.format.when(Date.parse(at), ui.now_ms);
  return ui.t('audit.chain_accepted', { entry, through, when, actor: actorWords(actor, ui) });
}

function row(entry: AuditRow, ui: Ui): Html {
  const detail = detailWords(entry.detail, ui);
  return html`<li><time class="soft" datetime="${new Date(entry.at_ms).toISOString()}">${ui.format.when(entry.at_ms, ui.now_ms)}</time><span class="audit-what"><b>${actorWords(entry.actor, ui)}</b> ${actWords(entry, ui)}${detail ? html`<br><span class="soft small">${detail}</span>` : ''}</span></li>`;
}

function actorWords(actor: string, ui: Ui): string {
  if (actor === 'system') return ui.t('audit.system');
  if (actor === 'command line') return ui.t('audit.command_line');
  if (actor.startsWith('key:')) return ui.t('audit.key', { name: actor.slice(4) });
  if (actor.startsWith('device:')) return ui.t('audit.device', { name: actor.slice(7) });
  return actor;
}

/** An act without words of its own stands as it was written. */
function actWords({ act, object }: AuditRow, ui: Ui): Html {
  const key = `act.${act}`;
  if (!ui.has(key)) return html`${act} <b>${object}</b>`;
  const write = ui.rich as (key: TextKey, parameters: Record<string, Html>) => Html;
  return write(key as TextKey, { object: html`<b>${object}</b>` });
}

const MOST_DETAILS = 8;
/** Ids that tell a reader nothing, and whole texts: the export has them. */
const UNTOLD = new Set(['decision', 'id', 'yaml', 'replaced']);

/** `role: admin · may not sign in: yes`; nested things name their fields. */
function detailWords(detail: Record<string, unknown>, ui: Ui): string {
  const said = Object.entries(detail).flatMap(([name, value]) => {
    const words = UNTOLD.has(name) ? '' : valueWords(value, ui);
    return words === '' ? [] : `${labelOf(name, ui)}: ${words}`;
  });
  return said.slice(0, MOST_DETAILS).join(' · ');
}

function labelOf(name: string, ui: Ui): string {
  const key = `detail.${name}`;
  return ui.has(key) ? (ui.t as (key: TextKey) => string)(key as TextKey) : name.replaceAll('_', ' ');
}

function valueWords(value: unknown, ui: Ui): string {
  if (value === null || value === undefined || value === '') return '';
  if (typeof value === 'boolean') return ui.t(value ? 'detail.yes' : 'detail.no');
  if (typeof value !== 'object') return String(value);
  const parts = Array.isArray(value)
    ? value.map((each) => valueWords(each, ui))
    : Object.entries(value).map(([name, each]) => {
        const words = valueWords(each, ui);
        return words === '' || name === 'kind' ? words : `${labelOf(name, ui)} ${words}`;
      });
  return parts.filter(Boolean).join(', ');
}
