/** Where signals of the grid operator come from: by HTTP, from a device over MQTT, from a register over Modbus. */
import { html } from 'hono/html';
import { checkControl, type FormState, type Option, selectControl, textControl } from '../components/controls.ts';
import { card, csrfField, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { Choice } from './plan-device-form.ts';

export type PlanInputsView = {
  form: FormState;
  problem: string | null;
  saved: boolean;
  mqtt_devices: readonly Choice[];
  modbus_devices: readonly Choice[];
};

export function inputsCard(view: PlanInputsView, ui: Ui): Html {
  const { t } = ui;
  const { form } = view;
  const faulty = Object.keys(form.errors).length > 0;
  const told = view.problem ? notice('fault', view.problem) : faulty ? notice('fault', t('setup.faults')) : '';
  const topic = form.values.mqtt_device ? html`<code>meters/${form.values.mqtt_device}/grid-limit</code>` : '';
  const check = (id: 'mqtt_on' | 'modbus_on') =>
    checkControl({ id, label: t(`plan.inputs.${id}`), checked: form.values[id] === 'yes' });
  return card({
    title: t('plan.inputs.title'),
    id: 'inputs',
    content: html`<div class="no-print">${view.saved ? notice('ok', t('admin.saved')) : ''}${told}<form class="form inputs" method="post" action="/plan/signals/inputs" novalidate>${csrfField(ui)}
<div><b>${t('plan.inputs.http')}</b><p class="soft small">${ui.rich('plan.inputs.http_text', { example: html`<code>POST /api/v1/grid-signals {"limit_W": 4200}</code>`, keys: html`<a href="/admin/keys">${t('plan.inputs.keys')}</a>` })}</p></div>
<div class="form">${check('mqtt_on')}<div class="when-mqtt">${device(view, 'mqtt', view.mqtt_devices, ui)}${topic ? html`<p class="small soft">${ui.rich('plan.inputs.topic', { topic })}</p>` : ''}</div></div>
<div class="form">${check('modbus_on')}<div class="form when-modbus"><div class="form-row">${device(view, 'modbus', view.modbus_devices, ui)}${textControl(form, { id: 'register', label: t('plan.inputs.register'), hint: t('plan.form.register_hint'), inputmode: 'numeric' })}
${selectControl(form, { id: 'function', label: t('plan.inputs.function'), options: ['3', '4'].map((code): Option => [code, t(`plan.inputs.function_${code as '3' | '4'}`)]) })}</div>
<div class="form-row">${selectControl(form, { id: 'bit', label: t('plan.inputs.bit'), hint: t('plan.inputs.bit_hint'), options: bits(form, ui) })}
${selectControl(form, {
  id: 'active',
  label: t('plan.inputs.active'),
  options: [
    ['high', t('plan.inputs.active_high')],
    ['low', t('plan.inputs.active_low')],
  ],
})}
${textControl(form, { id: 'limit_kW', label: t('plan.inputs.limit_kW'), hint: t('plan.inputs.limit_hint'), inputmode: 'decimal' })}</div></div></div>
<div class="actions"><button class="primary">${t('plan.device_save')}</button></div></form></div>`,
  });
}

function device({ form }: PlanInputsView, way: 'mqtt' | 'modbus', choices: readonly Choice[], { t }: Ui): Html {
  return selectControl(form, {
    id: `${way}_device`,
    label: t(`plan.inputs.${way}_device`),
    ...(choices.length === 0 ? { hint: t(`plan.form.${way}_device_none`) } : {}),
    options: [['', t('plan.form.choose')], ...choices.map(({ id, name }) => [id, name] as const)],
  });
}

/** A single bit, the whole register, or the mask that somebody set through the API. */
function bits({ values }: FormState, { t }: Ui): Option[] {
  const single = Array.from({ length: 16 }, (_, n): Option => [String(2 ** n), t('plan.inputs.bit_n', { n })]);
  const whole: Option = ['65535', t('plan.inputs.bit_any')];
  const own = values.bit ?? '';
  const known = [...single, whole].some(([value]) => value === own);
  return [...single, whole, ...(own && !known ? [[own, t('plan.inputs.bit_mask', { mask: own })] as const] : [])];
}
