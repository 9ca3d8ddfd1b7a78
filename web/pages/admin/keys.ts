/** Admin, API keys: for programs; each is shown once. */
import { html } from 'hono/html';
import type { Role } from '../../../engine/model/site.ts';
import { askOnce } from '../../components/ask-once.ts';
import { type FormState, selectControl, textControl } from '../../components/controls.ts';
import { icon } from '../../components/icon.ts';
import { card, csrfField } from '../../components/parts.ts';
import { copyBlock, copyLine, onceWarning } from '../../components/secret.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage, type Told } from './frame.ts';
import { roleOptions } from './people.ts';

export type KeyRow = { id: string; name: string; role: Role; created_ms: number; last_used_ms: number | null };
/** `gone`: its link was opened before. */
export type ShownKey = { name: string; key: string; base_url: string } | 'gone' | null;
export type KeysView = { keys: readonly KeyRow[]; shown: ShownKey; add: FormState; told: Told };

export function keysPage(view: KeysView, ui: Ui): Html {
  const { t } = ui;
  const list =
    view.keys.length === 0
      ? html`<p class="soft">${t('keys.empty')}</p>`
      : html`<ul class="rows">${view.keys.map((key) => row(key, ui))}</ul>`;
  const content = html`${shownCard(view.shown, ui)}
${card({ title: t('keys.title'), content: html`<p class="soft">${t('keys.lead')} <a href="/api">${t('admin.api_reference')}</a></p>${list}` })}
${card({ title: t('keys.add'), id: 'add', content: addForm(view.add, ui) })}`;
  return adminPage(ui, 'keys', content, { told: view.told, scripts: ['copy.js'] });
}

function shownCard(shown: ShownKey, ui: Ui): Html | string {
  const { t } = ui;
  if (shown === null) return '';
  if (shown === 'gone') return card({ title: t('once.gone_title'), content: html`<p>${t('once.gone')}</p>` });
  const example = `curl -H 'Authorization: Bearer ${shown.key}' ${shown.base_url}/api/v1/meters`;
  return card({
    title: t('keys.once_title', { name: shown.name }),
    content: html`${onceWarning(ui)}<dl class="stack">${copyLine(ui, t('once.key'), shown.key)}</dl>${copyBlock(ui, t('once.example'), example)}`,
  });
}

function row(key: KeyRow, ui: Ui): Html {
  const { t, format } = ui;
  const when = (at_ms: number) => format.when(at_ms, ui.now_ms);
  const used = key.last_used_ms === null ? t('keys.unused') : t('keys.used', { when: when(key.last_used_ms) });
  return html`<li><div class="stack tight"><span><b>${key.name}</b> <span class="badge">${t(`people.role_${key.role}`)}</span></span><span class="soft small">${t('keys.made', { when: when(key.created_ms) })} · ${used}</span></div>
${askOnce(ui, { action: `/admin/keys/${key.id}/revoke`, label: t('keys.revoke', { name: key.name }), question: t('keys.revoke_ask', { name: key.name }), yes: t('keys.revoke_yes') })}</li>`;
}

function addForm(form: FormState, ui: Ui): Html {
  const { t } = ui;
  return html`<form class="form" method="post" action="/admin/keys" novalidate>${csrfField(ui)}
<div class="form-row">${textControl(form, { id: 'name', label: t('keys.name'), hint: t('keys.name_hint'), autocomplete: 'off' })}
${selectControl(form, { id: 'role', label: t('keys.role'), value: 'user', options: roleOptions(ui) })}</div>
<div class="actions"><button class="primary">${icon('key-round')}${t('keys.submit')}</button></div></form>`;
}
