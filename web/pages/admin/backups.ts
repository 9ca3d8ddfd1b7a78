/** Admin, backups: the last one, how old what it brings back is, where it lies, and what is not in it. */
import { html } from 'hono/html';
import { icon } from '../../components/icon.ts';
import { card, csrfField, notice, type State, stateMark } from '../../components/parts.ts';
import { hasText } from '../../i18n/text.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage, type Told } from './frame.ts';

export type BackupsView = {
  enabled: boolean;
  folder: string;
  same_disk: boolean;
  at: string;
  every_min: number;
  running_since_ms: number | null;
  covered_ms: number | null;
  stale: boolean;
  fault: { at_ms: number; kind: string; text: string } | null;
  passphrase: boolean;
  database: boolean;
  series: boolean;
  /** Newest first. */
  backups: readonly { id: string; made_ms: number; took_ms: number; bytes: number; rows: number; keys: boolean }[];
  told: Told;
};

export function backupsPage(view: BackupsView, ui: Ui): Html {
  return adminPage(ui, 'backups', html`${stateCard(view, ui)}${missingCard(view, ui)}${listCard(view, ui)}`, {
    told: view.told,
  });
}

function stateCard(view: BackupsView, ui: Ui): Html {
  const { t, format } = ui;
  const [last] = view.backups;
  const ago = (at_ms: number) => format.number((ui.now_ms - at_ms) / 3_600_000, 1);
  const when = (at_ms: number | null | undefined) =>
    at_ms == null ? t('backups.none_yet') : t('backups.ago', { when: format.when(at_ms, ui.now_ms), n: ago(at_ms) });
  const plan = t('backups.planned', { at: view.at, n: format.number(view.every_min, view.every_min < 1 ? 2 : 0) });
  return card({
    title: t('backups.title'),
    aside: stateMark(stateOf(view), t(wordOf(view))),
    content: html`${view.fault ? notice('fault', faultText(view.fault, ui)) : ''}
<dl class="facts"><dt>${t('backups.last')}</dt><dd>${when(last?.made_ms)}</dd>
<dt>${t('backups.covered')}</dt><dd>${when(view.covered_ms)}</dd>
${last ? html`<dt>${t('backups.size')}</dt><dd>${size(last.bytes, ui)}, ${t('backups.rows', { n: format.number(last.rows) })}</dd><dt>${t('backups.took')}</dt><dd>${format.number(last.took_ms / 1000, 1)}\u00a0s</dd>` : ''}
<dt>${t('backups.folder')}</dt><dd>${view.folder}</dd></dl>
<p class="soft">${view.enabled ? plan : t('backups.off')}</p>${view.same_disk ? html`<p class="soft">${t('backups.same_disk')}</p>` : ''}
${buttonOf(view, ui)}`,
  });
}

/** In the reader's language; what nobody foresaw is followed by the words of its origin. */
function faultText({ kind, text }: { kind: string; text: string }, { t }: Ui): string {
  const key = `backup_fault.${kind}`;
  if (kind === 'other' || !hasText(key)) return `${t('backup_fault.other')} ${text}`;
  return (t as (key: string) => string)(key);
}

function buttonOf(view: BackupsView, ui: Ui): Html {
  const { t, format } = ui;
  if (view.running_since_ms !== null)
    return html`<p class="soft">${t('backups.running', { time: format.when(view.running_since_ms, ui.now_ms) })}</p>`;
  const anew =
    view.fault?.kind === 'folder_gone'
      ? html`<button name="new_folder" value="yes">${t('backups.new_folder')}</button>`
      : '';
  return html`<form method="post" action="/admin/backups">${csrfField(ui)}<div class="actions"><button class="primary">${icon('save')}${t('backups.now')}</button>${anew}</div></form>`;
}

function stateOf({ enabled, fault, stale, backups }: BackupsView): State {
  if (fault || stale) return 'fault';
  return !enabled || backups.length === 0 ? 'warning' : 'ok';
}

function wordOf(view: BackupsView) {
  if (view.fault) return 'backups.failed' as const;
  if (!view.enabled) return 'backups.off_short' as const;
  if (view.stale) return 'backups.stale' as const;
  return view.backups.length === 0 ? ('backups.none_yet' as const) : ('backups.well' as const);
}

/** Said before it is needed: what a restore does not bring back. */
function missingCard(view: BackupsView, ui: Ui): Html {
  const { t } = ui;
  const keys = view.backups[0]?.keys ?? view.passphrase;
  const lines = [
    keys ? t('backups.with_keys') : t('backups.without_keys'),
    view.database ? null : t('backups.without_database'),
    view.series ? null : t('backups.without_series'),
    t('backups.never'),
  ].filter((line) => line !== null);
  return card({
    title: t('backups.missing'),
    content: html`<ul class="stack">${lines.map((line) => html`<li>${line}</li>`)}</ul><p class="soft small">${t('backups.restore')} <code>./luna restore ${view.folder}</code></p>`,
  });
}

function listCard({ backups }: BackupsView, ui: Ui): Html {
  const { t, format } = ui;
  const rows = backups.map(
    (one) =>
      html`<tr><th scope="row">${format.when(one.made_ms, ui.now_ms)}</th><td class="numbers">${size(one.bytes, ui)}</td><td class="numbers">${format.number(one.rows)}</td><td>${t(one.keys ? 'backups.yes' : 'backups.no')}</td></tr>`,
  );
  return card({
    title: t('backups.list'),
    content:
      backups.length === 0
        ? html`<p class="soft">${t('backups.list_empty')}</p>`
        : html`<div class="scroll" tabindex="0" role="region" aria-label="${t('backups.list')}"><table><thead><tr><th scope="col">${t('backups.made')}</th><th scope="col" class="numbers">${t('backups.size')}</th><th scope="col" class="numbers">${t('backups.rows_title')}</th><th scope="col">${t('backups.keys')}</th></tr></thead><tbody>${rows}</tbody></table></div>`,
  });
}

function size(bytes: number, { format }: Ui): string {
  return bytes >= 1e9 ? `${format.number(bytes / 1e9, 1)}\u00a0GB` : `${format.number(bytes / 1e6, 1)}\u00a0MB`;
}
