/** A device: its settings, a test read, its meter points, its credential, and how it goes. */
import { html } from 'hono/html';
import { askOnce } from '../components/ask-once.ts';
import { connectionFields, type Transport } from '../components/connection-fields.ts';
import { checkControl, EMPTY_FORM, type FormState, textControl } from '../components/controls.ts';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, linkButton, notice, roleIcon, type State, stateMark } from '../components/parts.ts';
import { type PointChoice, pointFields } from '../components/point-fields.ts';
import { type TestView, testBlock } from '../components/test-read.ts';
import type { Html, Ui } from '../ui.ts';
import { verifiedBadge } from './add-meter/choose.ts';
import type { ChannelView } from './add-meter/form.ts';
import type { Told } from './admin/frame.ts';

export type DevicePoint = {
  id: string;
  name: string;
  role: ChannelView['role'];
  parent: string | null;
  channel: string;
};
export type DeviceView = {
  device: { id: string; name: string; enabled: boolean; firmware: string | null; way: string };
  state: { state: State; text: string; problem: string | null; last_seen_ms: number | null };
  profile: { vendor: string; model: string; verified: boolean; notes: string | null } | null;
  transport: Transport;
  form: FormState;
  defaults: Readonly<Record<string, string>>;
  has_token: boolean;
  /** User name of its credential; null for devices that the box reads. */
  username: string | null;
  points: readonly DevicePoint[];
  /** Channels of the profile that have no meter point. */
  unused: readonly { name: string; label: string }[];
  others: readonly PointChoice[];
  test: TestView | null;
  told: Told;
};

export function devicePage(view: DeviceView, ui: Ui): Html {
  const { t } = ui;
  const { told } = view;
  const faulty = Object.keys(view.form.errors).length > 0;
  const content = html`${told.saved ? notice('ok', t('admin.saved')) : ''}${told.problem ? notice('fault', told.problem) : faulty ? notice('fault', t('add.faults')) : ''}
${settingsCard(view, ui)}${pointsCard(view, ui)}${credentialCard(view, ui)}${removalCard(view, ui)}`;
  return layout(ui, {
    title: t('device.title', { name: view.device.name }),
    page: 'meters',
    content,
    action: html`<a class="small" href="/admin/devices">${t('device.all')}</a>`,
  });
}

function base(view: DeviceView): string {
  return `/devices/${encodeURIComponent(view.device.id)}`;
}

function settingsCard(view: DeviceView, ui: Ui): Html {
  const { t } = ui;
  const { device, profile, state } = view;
  const facts = [
    profile ? `${profile.vendor} ${profile.model}` : t('meter.no_profile'),
    device.firmware ? `${t('meter.firmware')} ${device.firmware}` : '',
    state.last_seen_ms === null
      ? t('meters.never')
      : t('devices.seen', { when: ui.format.when(state.last_seen_ms, ui.now_ms) }),
  ];
  const enabled = 'name' in view.form.values ? view.form.values.enabled !== undefined : device.enabled;
  const form = {
    ...view.form,
    transport: view.transport,
    defaults: view.defaults,
    has_token: view.has_token,
    is_new: false,
  };
  const pushes = view.username !== null;
  const test =
    view.transport === 'push'
      ? ''
      : testBlock(ui, {
          action: `${base(view)}/test`,
          label: t('device.test'),
          text: t(pushes ? 'add.test_text_mqtt' : 'add.test_text'),
          result: view.test,
        });
  return card({
    title: t('device.settings'),
    aside: stateMark(state.state, state.text),
    content: html`<p class="soft">${facts.filter(Boolean).join(' · ')} ${profile ? verifiedBadge(profile.verified, ui) : ''}</p>${state.problem ? html`<p>${state.problem}</p>` : ''}
<form class="form" method="post" action="${base(view)}" novalidate>${csrfField(ui)}
<div class="form-row">${textControl(view.form, { id: 'name', label: t('add.name'), value: device.name })}${checkControl({ id: 'enabled', label: t('device.enabled'), checked: enabled, hint: t('device.enabled_hint') })}</div>
${connectionFields(form, ui)}${test}
<div class="actions"><button class="primary">${t('device.save')}</button></div></form>`,
  });
}

function pointsCard(view: DeviceView, ui: Ui): Html {
  const { t } = ui;
  const none = view.points.length + view.unused.length === 0;
  return card({
    title: t('device.points'),
    content: none
      ? html`<p class="soft">${t('device.none')}</p>`
      : html`<ul class="rows">${view.points.map((point, i) => pointRow(view, point, i, ui))}${view.unused.map((channel) => unusedRow(view, channel, ui))}</ul>`,
  });
}

function pointRow(view: DeviceView, point: DevicePoint, i: number, ui: Ui): Html {
  const { t } = ui;
  const others = view.others.filter(({ id }) => id !== point.id);
  const fields = pointFields(EMPTY_FORM, { suffix: `_${i}`, role: point.role, parent: point.parent, others }, ui);
  return html`<li><details class="edit"><summary><span>${roleIcon(ui, point.role)} <b>${point.name}</b> <span class="soft small">${point.id}</span></span><span class="edit-sign">${icon('pencil')}<span>${t('people.change_short')}</span></span></summary>
<div class="edit-body"><form class="form" method="post" action="${base(view)}/points/${encodeURIComponent(point.id)}">${csrfField(ui)}<input type="hidden" name="place" value="${i}">
<div class="form-row">${textControl(EMPTY_FORM, { id: `name_${i}`, label: t('add.name'), value: point.name, required: true })}${fields}</div>
<div class="actions"><button class="primary">${t('device.point_save')}</button>${linkButton(`/meters/${encodeURIComponent(point.id)}`, t('add.done_look', { name: point.name }))}</div></form></div></details></li>`;
}

function unusedRow(view: DeviceView, channel: { name: string; label: string }, ui: Ui): Html {
  return html`<li><span>${channel.label} <span class="soft">${ui.t('device.unused')}</span></span><form method="post" action="${base(view)}/points">${csrfField(ui)}<input type="hidden" name="channel" value="${channel.name}"><button>${icon('plus')}${ui.t('device.point_add')}</button></form></li>`;
}

function credentialCard(view: DeviceView, ui: Ui): Html | string {
  const { t } = ui;
  if (view.username === null) return '';
  const { name, id } = view.device;
  return card({
    title: t('device.credential'),
    size: 'half',
    content: html`<p>${t('device.credential_text', { username: view.username })}</p>${askOnce(ui, { action: `/admin/devices/${encodeURIComponent(id)}/credential`, label: t('devices.new_secret_for', { name }), question: t('devices.new_secret_ask', { name }), yes: t('devices.new_secret_yes'), icon: 'key-round', text: t('devices.new_secret') })}`,
  });
}

function removalCard(view: DeviceView, ui: Ui): Html {
  const { t } = ui;
  const { name } = view.device;
  const points = view.points.map((point) => point.name).join(', ');
  return card({
    title: t('device.remove'),
    size: 'half',
    content: html`<p>${points ? t('device.remove_text', { points }) : t('device.remove_text_none')}</p>${askOnce(ui, {
      action: `${base(view)}/remove`,
      label: `${t('device.remove')}: ${name}`,
      question: points ? t('device.remove_ask', { name, points }) : t('device.remove_ask_none', { name }),
      yes: t('device.remove_yes'),
      text: t('device.remove'),
      more: checkControl({ id: 'erase_readings', label: t('device.remove_erase'), checked: false }),
    })}`,
  });
}
