/** Admin, notifications: over which channels who is told of alerts, when not, and what came of it. */
import { html } from 'hono/html';
import { askOnce } from '../../components/ask-once.ts';
import {
  checkControl,
  EMPTY_FORM,
  type FormState,
  type Option,
  selectControl,
  textControl,
} from '../../components/controls.ts';
import { icon } from '../../components/icon.ts';
import { card, csrfField, field, notice, type State, stateMark } from '../../components/parts.ts';
import { copyLine, onceWarning } from '../../components/secret.ts';
import type { Html, Ui } from '../../ui.ts';
import { deliveryState, type ToldView } from '../alert.ts';
import { adminPage, type Told } from './frame.ts';

export const CHANNEL_KINDS = ['email', 'webhook', 'mqtt'] as const;
export type ChannelKind = (typeof CHANNEL_KINDS)[number];
export type ChannelRow = {
  id: string;
  name: string;
  kind: ChannelKind;
  enabled: boolean;
  has_secret: boolean;
  state: 'ok' | 'unused' | 'failing';
  /** What the other side said last. */
  outcome: string | null;
  form: FormState;
};
export type RecipientRow = {
  id: string;
  name: string;
  address: string | null;
  channel_name: string;
  step: number;
  quiet: { from: string; to: string } | null;
  enabled: boolean;
  form: FormState;
};
export type MessageRow = Omit<ToldView, 'what'> & { id: string; alerts: number };
export type NotificationsView = {
  channels: readonly ChannelRow[];
  recipients: readonly RecipientRow[];
  messages: readonly MessageRow[];
  devices: readonly Option[];
  rules: FormState;
  /** What was typed into a form that was refused, by its name: `channel-new-email`, `recipient-new`, … */
  refused: { form: string; state: FormState } | null;
  test: { name: string; ok: boolean; text: string; took_ms: number } | null;
  secret: { name: string; secret: string } | 'gone' | null;
  told: Told;
};

export function notificationsPage(view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const content = html`${testNotice(view, ui)}${secretCard(view, ui)}
${card({ title: t('notify.channels'), content: channelList(view, ui) })}
${card({ title: t('notify.recipients'), content: html`<p class="soft">${t('notify.recipients_lead')}</p>${recipientList(view, ui)}` })}
${card({ title: t('notify.rules'), size: 'half', content: rulesForm(view, ui) })}
${card({ title: t('notify.log'), size: 'half', content: log(view, ui) })}`;
  return adminPage(ui, 'notifications', content, { told: view.told, scripts: ['copy.js'] });
}

function testNotice({ test }: NotificationsView, ui: Ui): Html | string {
  if (!test) return '';
  const { name, ok, text, took_ms } = test;
  if (!ok) return notice('fault', ui.t('notify.test_failed', { name, text }));
  return notice('ok', ui.t('notify.test_ok', { name, text, time: `${ui.format.number(took_ms)}\u00a0ms` }));
}

function secretCard({ secret }: NotificationsView, ui: Ui): Html | string {
  const { t } = ui;
  if (secret === null) return '';
  if (secret === 'gone') return card({ title: t('once.gone_title'), content: html`<p>${t('once.gone')}</p>` });
  return card({
    title: t('notify.secret_title', { name: secret.name }),
    content: html`${onceWarning(ui)}<dl class="stack">${copyLine(ui, t('notify.secret'), secret.secret)}</dl>`,
  });
}

const STATES: Record<ChannelRow['state'], State> = { ok: 'ok', unused: 'unknown', failing: 'fault' };

function channelList(view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const known =
    view.channels.length === 0
      ? html`<p class="soft">${t('notify.channels_none')}</p>`
      : html`<ul class="rows">${view.channels.map((channel) => channelRow(channel, view, ui))}</ul>`;
  const adding = CHANNEL_KINDS.map((kind) => {
    const name = `channel-new-${kind}`;
    const state = refusedState(view, name) ?? EMPTY_FORM;
    return html`<details class="edit" ${state === EMPTY_FORM ? '' : html`open`}><summary><span>${icon('plus')} ${t(`notify.add_${kind}`)}</span></summary>
<div class="edit-body">${channelForm({ kind, state, id: null, has_secret: false }, view, ui)}</div></details>`;
  });
  return html`${known}<div class="stack">${adding}</div>`;
}

function channelRow(channel: ChannelRow, view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const { id, name, kind, enabled, has_secret, state, outcome } = channel;
  const refused = refusedState(view, `channel-${id}`);
  const mark = enabled ? stateMark(STATES[state], t(`notify.state_${state}`)) : stateMark('unknown', t('notify.off'));
  return html`<li class="whole"><details class="edit" ${refused ? html`open` : ''}><summary><span class="stack tight"><span><b>${name}</b> <span class="badge">${t(`notify.kind_${kind}`)}</span></span>${mark}${outcome && state === 'failing' ? html`<span class="soft small wrap">${outcome}</span>` : ''}</span>
<span class="edit-sign">${icon('pencil')}<span>${t('notify.change')}</span></span></summary>
<div class="edit-body">${channelForm({ kind, state: refused ?? channel.form, id, has_secret }, view, ui)}
${askOnce(ui, {
  action: `/admin/notifications/channels/${id}/remove`,
  label: t('notify.remove', { name }),
  question: t('notify.remove_channel_ask', { name }),
  yes: t('notify.remove_yes'),
  text: t('notify.remove_short'),
})}</div></details>${testForm(channel, ui)}</li>`;
}

function testForm({ id, kind, name }: ChannelRow, ui: Ui): Html {
  const { t } = ui;
  const to =
    kind === 'email'
      ? textControl(EMPTY_FORM, {
          id: `to-${id}`,
          name: 'to',
          label: t('notify.test_to'),
          placeholder: 'anna@example.org',
        })
      : '';
  return html`<form class="form form-row" method="post" action="/admin/notifications/channels/${id}/test">${csrfField(ui)}${to}<div class="actions"><button>${icon('send')}<span>${t('notify.test')}<span class="unseen">: ${name}</span></span></button></div></form>`;
}

type ChannelForm = { kind: ChannelKind; state: FormState; id: string | null; has_secret: boolean };

function channelForm(form: ChannelForm, view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const { kind, state, id } = form;
  const text = (name: string, label: string, more: Partial<Parameters<typeof textControl>[1]> = {}) =>
    textControl(state, { id: `${name}-${id ?? kind}`, name, label, autocomplete: 'off', ...more });
  const fields = kind === 'email' ? emailFields : kind === 'webhook' ? webhookFields : mqttFields;
  return html`<form class="form" method="post" action="/admin/notifications/channels${id ? `/${id}` : ''}" novalidate autocomplete="off">${csrfField(ui)}<input type="hidden" name="kind" value="${kind}">
${text('name', t('notify.name'))}
${fields(form, text, view, ui)}
<div class="form-row">${selectControl(state, { id: `min_severity-${id ?? kind}`, name: 'min_severity', label: t('notify.min_severity'), value: 'warning', options: severityOptions(ui) })}
${text('repeat_min', t('notify.repeat_min'), { inputmode: 'numeric', hint: t('notify.repeat_hint') })}</div>
${checkControl({ id: `enabled-${id ?? kind}`, name: 'enabled', label: t('notify.enabled'), checked: state.values.enabled !== '' })}
<div class="actions"><button class="primary">${t(id ? 'notify.save' : 'notify.add')}</button></div></form>`;
}

type Text = (name: string, label: string, more?: Partial<Parameters<typeof textControl>[1]>) => Html;

function serverFields(form: ChannelForm, text: Text, ui: Ui): Html {
  const { t } = ui;
  const hint = form.has_secret ? t('notify.password_kept') : undefined;
  const ca = form.state.values.ca_pem ?? '';
  const id = `ca_pem-${form.id ?? form.kind}`;
  return html`<div class="form-row">${text('user', t('notify.user'), { hint: t('notify.user_hint') })}
${text('secret', t('notify.password'), { type: 'password', autocomplete: 'new-password', ...(hint ? { hint } : {}) })}</div>
${field({ id, label: t('notify.ca_pem'), hint: t('notify.ca_pem_hint'), error: form.state.errors.ca_pem ?? null, control: html`<textarea id="${id}" name="ca_pem" rows="3" spellcheck="false" aria-describedby="${id}-hint">${ca}</textarea>` })}`;
}

function emailFields(form: ChannelForm, text: Text, _view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const options = (['starttls', 'tls', 'none'] as const).map((key) => [key, t(`notify.security_${key}`)] as const);
  return html`<div class="form-row">${text('host', t('notify.host'), { placeholder: 'mail.example.org' })}
${text('port', t('notify.port'), { inputmode: 'numeric', value: '587' })}
${selectControl(form.state, { id: `security-${form.id ?? 'email'}`, name: 'security', label: t('notify.security'), options })}</div>
${text('from', t('notify.from'), { hint: t('notify.from_hint') })}
${serverFields(form, text, ui)}`;
}

function webhookFields(form: ChannelForm, text: Text, _view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const hint = t(form.has_secret ? 'notify.password_kept' : 'notify.secret_hint');
  const kept = form.id !== null;
  const placeholder = kept ? `https://${form.state.values.host ?? ''}…` : 'https://example.org/alerts';
  return html`${text('url', t('notify.url'), { type: 'url', hint: t(kept ? 'notify.url_kept' : 'notify.url_hint'), placeholder })}
${text('secret', t('notify.secret'), { type: 'password', autocomplete: 'new-password', hint })}`;
}

function mqttFields(form: ChannelForm, text: Text, { devices }: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const id = form.id ?? 'mqtt';
  return html`${selectControl(form.state, {
    ...{ id: `broker-${id}`, name: 'broker', label: t('notify.broker'), value: 'own' },
    options: [
      ['own', t('notify.broker_own')],
      ['external', t('notify.broker_external')],
    ],
  })}
<fieldset class="stack"><legend class="soft">${t('notify.broker_own')}</legend>${selectControl(form.state, { id: `device-${id}`, name: 'device', label: t('notify.device'), options: [['', '–'], ...devices], hint: t('notify.device_hint', { tenant: '<organisation>' }) })}</fieldset>
<fieldset class="stack"><legend class="soft">${t('notify.broker_external')}</legend>
<div class="form-row">${text('host', t('notify.host'), { placeholder: 'broker.example.org' })}${text('port', t('notify.port'), { inputmode: 'numeric', value: '8883' })}${text('prefix', t('notify.prefix'), { value: 'luna/alerts' })}</div>
${checkControl({ id: `tls-${id}`, name: 'tls', label: t('notify.tls'), checked: form.state.values.tls !== '' })}
${serverFields(form, text, ui)}</fieldset>`;
}

function severityOptions({ t }: Ui): Option[] {
  return (['info', 'warning', 'fault'] as const).map((key) => [key, t(`alerts.severity_${key}`)]);
}

function recipientList(view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  if (view.channels.length === 0) return html`<p>${t('notify.recipient_needs_channel')}</p>`;
  const rows =
    view.recipients.length === 0
      ? html`<p class="soft">${t('notify.recipients_none')}</p>`
      : html`<ul class="rows">${view.recipients.map((recipient) => recipientRow(recipient, view, ui))}</ul>`;
  const state = refusedState(view, 'recipient-new');
  return html`${rows}<details class="edit" ${state ? html`open` : ''}><summary><span>${icon('user-plus')} ${t('notify.recipient_add')}</span></summary>
<div class="edit-body">${recipientForm(state ?? EMPTY_FORM, null, view, ui)}</div></details>`;
}

function recipientRow(recipient: RecipientRow, view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const { id, name, address, channel_name, step, quiet, enabled } = recipient;
  const refused = refusedState(view, `recipient-${id}`);
  const facts = [channel_name, address, quiet ? t('notify.quiet', quiet) : null, enabled ? null : t('notify.off')];
  return html`<li><details class="edit" ${refused ? html`open` : ''}><summary><span class="stack tight"><span><span class="badge">${t('notify.step_n', { n: step })}</span> <b>${name}</b></span><span class="soft small">${facts.filter(Boolean).join(' · ')}</span></span>
<span class="edit-sign">${icon('pencil')}<span>${t('notify.change')}</span></span></summary>
<div class="edit-body">${recipientForm(refused ?? recipient.form, id, view, ui)}
${askOnce(ui, {
  action: `/admin/notifications/recipients/${id}/remove`,
  label: t('notify.remove', { name }),
  question: t('notify.remove_recipient_ask', { name }),
  yes: t('notify.remove_yes'),
  text: t('notify.remove_short'),
})}</div></details></li>`;
}

function recipientForm(state: FormState, id: string | null, { channels }: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const own = (name: string) => ({ id: `recipient-${name}-${id ?? 'new'}`, name });
  const steps = Array.from({ length: 9 }, (_, i) => [String(i + 1), String(i + 1)] as const);
  return html`<form class="form" method="post" action="/admin/notifications/recipients${id ? `/${id}` : ''}" novalidate autocomplete="off">${csrfField(ui)}
<div class="form-row">${textControl(state, { ...own('name'), label: t('notify.name'), autocomplete: 'off' })}
${selectControl(state, { ...own('channel'), label: t('notify.channel'), options: channels.map((one) => [one.id, one.name] as const) })}
${textControl(state, { ...own('address'), label: t('notify.address'), hint: t('notify.address_hint'), autocomplete: 'off' })}</div>
<div class="form-row">${selectControl(state, { ...own('step'), label: t('notify.step'), options: steps })}
${selectControl(state, {
  ...own('language'),
  label: t('notify.language'),
  value: ui.language,
  options: [
    ['en', 'English'],
    ['de', 'Deutsch'],
  ],
})}</div>
<div class="form-row">${textControl(state, { ...own('quiet_from'), label: t('notify.quiet_from'), hint: t('notify.quiet_hint'), placeholder: '22:00', autocomplete: 'off' })}
${textControl(state, { ...own('quiet_to'), label: t('notify.quiet_to'), placeholder: '06:00', autocomplete: 'off' })}</div>
${checkControl({ ...own('faults_break_through'), label: t('notify.break_through'), checked: state.values.faults_break_through !== '' })}
${checkControl({ ...own('enabled'), label: t('notify.enabled'), checked: state.values.enabled !== '' })}
<div class="actions"><button class="primary">${t(id ? 'notify.save' : 'notify.add')}</button></div></form>`;
}

function rulesForm(view: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  const state = refusedState(view, 'rules') ?? view.rules;
  return html`<form class="form" method="post" action="/admin/notifications/rules" novalidate>${csrfField(ui)}
${textControl(state, { id: 'group_s', label: t('notify.group_s'), inputmode: 'numeric', hint: t('notify.group_hint') })}
${textControl(state, { id: 'escalate_min', label: t('notify.escalate_min'), inputmode: 'numeric', hint: t('notify.escalate_hint') })}
<div class="actions"><button class="primary">${t('notify.save')}</button></div></form>`;
}

function log({ messages }: NotificationsView, ui: Ui): Html {
  const { t } = ui;
  if (messages.length === 0) return html`<p class="soft">${t('notify.log_none')}</p>`;
  const line = (message: MessageRow) =>
    html`<li><div class="stack tight"><b>${t('notify.log_line', { who: message.recipient_name, channel: message.channel_name })}</b>${deliveryState(message, ui)}</div><span class="soft small">${t('notify.count', { n: message.alerts })} · ${ui.format.when(message.made_ms, ui.now_ms)}</span></li>`;
  return html`<ul class="rows">${messages.map(line)}</ul>`;
}

function refusedState({ refused }: NotificationsView, form: string): FormState | null {
  return refused?.form === form ? refused.state : null;
}
