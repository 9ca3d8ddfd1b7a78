/** Admin, hosts: what the box may ask on private networks. */
import { html } from 'hono/html';
import { askOnce } from '../../components/ask-once.ts';
import { type FormState, textControl } from '../../components/controls.ts';
import { icon } from '../../components/icon.ts';
import { card, csrfField } from '../../components/parts.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage, type Told } from './frame.ts';

export type HostsView = {
  /** From the configuration file. */
  configured: readonly string[];
  allowed: readonly { host: string; by: string; at_ms: number }[];
  /** Who may not change them reads why. */
  refused: string | null;
  add: FormState;
  told: Told;
};

export function hostsPage(view: HostsView, ui: Ui): Html {
  const { t } = ui;
  const lead = html`<p class="soft">${t('hosts.lead')}</p>`;
  if (view.refused !== null)
    return adminPage(ui, 'hosts', card({ title: t('hosts.title'), content: html`${lead}<p>${view.refused}</p>` }));
  const rows = [
    ...view.configured.map((host) => row(host, t('hosts.configured'), '')),
    ...view.allowed.map((one) => row(one.host, by(one, ui), removal(one.host, ui))),
  ];
  const list = rows.length === 0 ? html`<p class="soft">${t('hosts.empty')}</p>` : html`<ul class="rows">${rows}</ul>`;
  const content = html`${card({ title: t('hosts.title'), content: html`${lead}${list}` })}
${card({ title: t('hosts.add'), id: 'add', content: addForm(view.add, ui) })}`;
  return adminPage(ui, 'hosts', content, { told: view.told });
}

function row(host: string, words: string, action: Html | string): Html {
  return html`<li><div class="stack tight"><b>${host}</b><span class="soft small">${words}</span></div>${action}</li>`;
}

function by(one: { by: string; at_ms: number }, { t, format, now_ms }: Ui): string {
  return t('hosts.by', { who: one.by, when: format.when(one.at_ms, now_ms) });
}

function removal(host: string, ui: Ui): Html {
  const { t } = ui;
  return askOnce(ui, {
    action: `/admin/hosts/${encodeURIComponent(host)}/remove`,
    label: t('hosts.remove', { host }),
    question: t('hosts.remove_ask', { host }),
    yes: t('hosts.remove_yes'),
  });
}

function addForm(form: FormState, ui: Ui): Html {
  const { t } = ui;
  return html`<form class="form" method="post" action="/admin/hosts" novalidate>${csrfField(ui)}
${textControl(form, { id: 'host', label: t('hosts.host'), hint: t('hosts.host_hint'), autocomplete: 'off' })}
<div class="actions"><button class="primary">${icon('plus')}${t('hosts.submit')}</button></div></form>`;
}
