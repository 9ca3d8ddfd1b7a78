/** Admin, devices: state and way of each, and new passwords for those that push. */
import { html } from 'hono/html';
import { askOnce } from '../../components/ask-once.ts';
import { card, emptyState, linkButton, type State, stateMark } from '../../components/parts.ts';
import { copyLine, onceWarning } from '../../components/secret.ts';
import type { Html, Ui } from '../../ui.ts';
import { adminPage, type Told } from './frame.ts';

export type DeviceRow = {
  id: string;
  name: string;
  way: string;
  state: State;
  /** The state in a word or two. */
  text: string;
  /** What failed, as a sentence. */
  problem: string | null;
  last_seen_ms: number | null;
  /** Whether it has a user name and password of its own. */
  pushes: boolean;
};
export type ShownCredential = { name: string; username: string; password: string } | 'gone' | null;
export type DevicesView = { devices: readonly DeviceRow[]; shown: ShownCredential; told: Told };

const RANK: Record<State, number> = { fault: 0, warning: 1, unknown: 2, ok: 3 };

export function devicesPage(view: DevicesView, ui: Ui): Html {
  const { t } = ui;
  const add = linkButton('/meters/new', t('meters.add'), 'primary', 'plus');
  const devices = [...view.devices].sort((a, b) => RANK[a.state] - RANK[b.state] || a.name.localeCompare(b.name));
  const list =
    devices.length === 0
      ? emptyState({ title: t('devices.title'), text: t('devices.empty'), icon: 'cable', actions: add })
      : card({
          title: `${t('devices.title')} (${devices.length})`,
          content: html`<p class="soft">${t('devices.lead')}</p><ul class="rows">${devices.map((device) => row(device, ui))}</ul>`,
        });
  return adminPage(ui, 'devices', html`${shownCard(view.shown, ui)}${list}`, {
    told: view.told,
    scripts: ['copy.js'],
    action: devices.length === 0 ? html`` : add,
  });
}

function shownCard(shown: ShownCredential, ui: Ui): Html | string {
  const { t } = ui;
  if (shown === null) return '';
  if (shown === 'gone') return card({ title: t('once.gone_title'), content: html`<p>${t('once.gone')}</p>` });
  return card({
    title: t('devices.once_title', { name: shown.name }),
    content: html`${onceWarning(ui)}<dl class="stack">${copyLine(ui, t('once.username'), shown.username)}${copyLine(ui, t('once.password'), shown.password)}</dl>`,
  });
}

function row(device: DeviceRow, ui: Ui): Html {
  const { t, format } = ui;
  const seen =
    device.last_seen_ms === null
      ? t('meters.never')
      : t('devices.seen', { when: format.when(device.last_seen_ms, ui.now_ms) });
  const fresh = device.pushes
    ? askOnce(ui, {
        action: `/admin/devices/${encodeURIComponent(device.id)}/credential`,
        label: t('devices.new_secret_for', { name: device.name }),
        question: t('devices.new_secret_ask', { name: device.name }),
        yes: t('devices.new_secret_yes'),
        icon: 'key-round',
      })
    : '';
  return html`<li><div class="stack tight"><span><a href="/devices/${encodeURIComponent(device.id)}"><b>${device.name}</b></a> <span class="soft">${device.id}</span></span><span class="soft small">${device.way} · ${seen}</span>${device.problem ? html`<span class="small">${device.problem}</span>` : ''}</div>
<div class="actions">${stateMark(device.state, device.text)}${fresh}</div></li>`;
}
