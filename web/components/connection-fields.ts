/** The fields of a way to a device, for adding one and for changing it. */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';
import { checkControl, type FormState, type Option, selectControl, textControl } from './controls.ts';

export type Transport = 'mqtt' | 'modbus' | 'http' | 'push';
export type ConnectionForm = FormState & {
  transport: Transport;
  /** What stands in fields in which nothing was typed: from the profile, whose `url` and `topic` are examples only, or
   * from a search (`found_url`, `found_topic` and the other fields). */
  defaults: Readonly<Record<string, string>>;
  /** Whether a token is stored already. */
  has_token: boolean;
  /** Whether its credential is still to come. */
  is_new: boolean;
};

export function connectionFields(form: ConnectionForm, ui: Ui): Html {
  if (form.transport === 'push') return html`${pushWords(form, ui)}<input type="hidden" name="kind" value="push">`;
  if (form.transport === 'mqtt') return mqttFields(form, ui);
  return form.transport === 'http' ? httpFields(form, ui) : modbusFields(form, ui);
}

function pushWords({ is_new }: ConnectionForm, ui: Ui): Html | string {
  return is_new ? html`<p>${ui.t('add.push_text')}</p>` : '';
}

function mqttFields(form: ConnectionForm, ui: Ui): Html {
  const { t } = ui;
  const topic = form.defaults.topic;
  return html`${pushWords(form, ui)}<input type="hidden" name="kind" value="mqtt">
${form.defaults.own_format === undefined ? textControl(form, { id: 'topic', label: t('connection.topic'), hint: t('connection.topic_hint'), value: form.defaults.found_topic ?? '', ...(topic ? { placeholder: topic } : {}) }) : ''}`;
}

function httpFields(form: ConnectionForm, ui: Ui): Html {
  const { t } = ui;
  return html`<input type="hidden" name="kind" value="http">
<div class="form-row">${textControl(form, { id: 'url', label: t('connection.url'), hint: t('connection.url_hint'), value: form.defaults.found_url ?? '', placeholder: form.defaults.url ?? '' })}
${textControl(form, { id: 'token', label: t('connection.token'), type: 'password', autocomplete: 'off', hint: t(form.has_token ? 'connection.token_kept' : 'connection.token_hint') })}
${number(form, 'poll_s', t('connection.poll_s'), '10')}</div>`;
}

function modbusFields(form: ConnectionForm, ui: Ui): Html {
  const { t } = ui;
  const kind = form.values.kind ?? form.defaults.kind ?? 'modbus-tcp';
  const choice = (value: string, label: string) =>
    html`<label class="option"><input type="radio" name="kind" value="${value}" ${kind === value ? html`checked` : ''}>${label}</label>`;
  const parities: Option[] = (['none', 'even', 'odd'] as const).map((each) => [each, t(`connection.parity_${each}`)]);
  return html`<div class="stack bus-kind"><div class="options" role="radiogroup" aria-label="${t('connection.kind')}">${choice('modbus-tcp', t('connection.modbus_tcp'))}${choice('modbus-rtu', t('connection.modbus_rtu'))}</div>
<div class="form-row when-tcp">${textControl(form, { id: 'host', label: t('connection.host'), hint: t('connection.host_hint'), value: form.defaults.host ?? '' })}${number(form, 'port', t('connection.port'), '502')}</div>
<div class="when-tcp">${checkControl({ id: 'framing', label: t('connection.framing'), checked: (form.values.framing ?? form.defaults.framing) === 'rtu', value: 'rtu' })}</div>
<div class="form-row when-rtu">${textControl(form, { id: 'path', label: t('connection.path'), hint: t('connection.path_hint'), value: form.defaults.path ?? '' })}${number(form, 'baud', t('connection.baud'), '9600')}
${selectControl(form, { id: 'parity', label: t('connection.parity'), value: form.defaults.parity ?? 'none', options: parities })}
${selectControl(form, {
  id: 'stop_bits',
  label: t('connection.stop_bits'),
  value: form.defaults.stop_bits ?? '1',
  options: [
    ['1', '1'],
    ['2', '2'],
  ],
})}</div>
<div class="form-row">${number(form, 'unit', t('connection.unit'), '1')}${number(form, 'poll_s', t('connection.poll_s'), '10')}</div></div>`;
}

function number(form: ConnectionForm, id: string, label: string, otherwise: string): Html {
  return textControl(form, { id, label, value: form.defaults[id] ?? otherwise, inputmode: 'numeric' });
}
