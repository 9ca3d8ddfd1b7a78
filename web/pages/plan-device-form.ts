/** A device of the plan as a form: what it is, when it is there, how it is told, and whether the grid operator may reduce it. */
import { html } from 'hono/html';
import { askOnce } from '../components/ask-once.ts';
import { checkControl, type FormState, type Option, selectControl, textControl } from '../components/controls.ts';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import {
  DEVICE_KINDS,
  type DeviceKind,
  NUMBER_FIELDS,
  type NumberField,
  REGISTER_FIELD,
  REGISTER_TYPES,
  ROW_FIELDS,
  RUNNING_FIELDS,
  SAFE_FIELD,
  SECTION_14A_FIELD,
  SECTION_14A_KINDS,
  UNIT_FIELD,
} from './plan-device-fields.ts';

export type Choice = { id: string; name: string };
export type PlanDeviceFormView = {
  /** null: a new one. */
  id: string | null;
  kind: DeviceKind;
  name: string;
  form: FormState;
  /** What belongs to no field. */
  problem: string | null;
  rows: number;
  /** Meter points that may show a state of charge, and those that may measure a device. */
  soc_meters: readonly Choice[];
  meters: readonly Choice[];
  /** Devices of the box that setpoints can go to. */
  mqtt_devices: readonly Choice[];
  modbus_devices: readonly Choice[];
};

export function planDeviceFormPage(view: PlanDeviceFormView, ui: Ui): Html {
  const { t } = ui;
  const { id, kind, form } = view;
  const faulty = Object.keys(form.errors).length > 0;
  const told = view.problem ? notice('fault', view.problem) : faulty ? notice('fault', t('setup.faults')) : '';
  const kinds =
    id === null
      ? html`<nav class="choice" aria-label="${t('plan.form.kind')}">${DEVICE_KINDS.map((one) => html`<a href="/plan/devices/new?kind=${one}" ${one === kind ? html`aria-current="page"` : ''}>${t(`plan.kind.${one}`)}</a>`)}</nav>`
      : '';
  const as_text = id === null ? `/plan/devices/new?kind=${kind}&as=text` : `/plan/devices/${id}?as=text`;
  return layout(ui, {
    title: id === null ? t('plan.add_device') : view.name,
    page: 'plan',
    styles: ['plan.css'],
    action: html`<a class="small" href="/plan">${t('plan.form.back')}</a>`,
    content: html`<form class="stack plan-device" method="post" action="/plan/devices/${id ?? 'new'}" novalidate>${csrfField(ui)}<input type="hidden" name="kind" value="${kind}"><input type="hidden" name="rows" value="${view.rows}">
<button class="unseen" name="act" value="save" tabindex="-1" aria-hidden="true">${t('plan.device_save')}</button>${told}${kinds}${whatCard(view, ui)}${rowsCard(view, ui)}${wayCard(view, ui)}${operatorCard(view, ui)}
<div class="actions"><button class="primary" name="act" value="save">${icon('check')}${t('plan.device_save')}</button><a class="small" href="${as_text}">${t('plan.form.as_text')}</a></div></form>${removal(view, ui)}`,
  });
}

function numberControl(form: FormState, { name, label, hint }: NumberField, { t }: Ui): Html {
  return textControl(form, { id: name, label: t(label), inputmode: 'decimal', ...(hint ? { hint: t(hint) } : {}) });
}

function whatCard(view: PlanDeviceFormView, ui: Ui): Html {
  const { t } = ui;
  const { kind, form } = view;
  const fields = NUMBER_FIELDS[kind];
  const [usual, rare] = [fields.filter((one) => !one.rare), fields.filter((one) => one.rare)];
  const runs = kind === 'heat-pump' || kind === 'load';
  const behind = [...rare, ...(runs ? RUNNING_FIELDS : [])];
  const open = behind.some(({ name }) => form.errors[name]);
  return card({
    title: t(`plan.kind.${kind}`),
    content: html`<p class="soft">${t(`plan.form.about.${kind}`)}</p><div class="form">
<div class="form-row">${textControl(form, { id: 'name', label: t('plan.form.name'), autocomplete: 'off' })}${meterControl(view, ui)}</div>
<div class="form-row">${usual.map((one) => numberControl(form, one, ui))}</div>${gridChecks(view, ui)}
${behind.length > 0 ? html`<details ${open ? html`open` : ''}><summary>${t(runs ? 'plan.form.more_running' : 'plan.form.more')}</summary><div class="form-row">${behind.map((one) => numberControl(form, one, ui))}</div></details>` : ''}</div>`,
  });
}

const options = (none: string, choices: readonly Choice[]): Option[] => [
  ['', none],
  ...choices.map(({ id, name }) => [id, name] as const),
];

function meterControl({ kind, form, soc_meters, meters }: PlanDeviceFormView, { t }: Ui): Html {
  const soc = () =>
    selectControl(form, {
      id: 'soc_meter',
      label: t('plan.form.soc_meter'),
      hint: t(kind === 'battery' ? 'plan.form.soc_meter_hint' : 'plan.form.soc_meter_vehicle_hint'),
      options: options(t(kind === 'battery' ? 'plan.form.choose' : 'plan.form.soc_meter_none'), soc_meters),
    });
  if (kind === 'battery') return soc();
  const meter = selectControl(form, {
    ...{ id: 'meter', label: t('plan.form.meter'), hint: t('plan.form.meter_hint') },
    options: options(t('plan.form.meter_none'), meters),
  });
  return kind === 'vehicle' ? html`${meter}${soc()}` : meter;
}

function gridChecks({ kind, form }: PlanDeviceFormView, { t }: Ui): Html | string {
  if (kind !== 'battery') return '';
  const check = (id: 'charge_from_grid' | 'discharge_to_grid') =>
    checkControl({ id, label: t(`plan.form.${id}`), checked: form.values[id] === 'yes' });
  return html`<div class="form-row">${check('charge_from_grid')}${check('discharge_to_grid')}</div>`;
}

/** When a car is at its charger, and how full it must leave; when a load may run, and what it needs. */
function rowsCard(view: PlanDeviceFormView, ui: Ui): Html | string {
  const { t } = ui;
  const { kind, form } = view;
  if (kind !== 'vehicle' && kind !== 'load') return '';
  const { prefix } = ROW_FIELDS[kind];
  const rows = Array.from({ length: view.rows }, (_, i) => rowFields(kind, i, form, ui));
  const error = form.errors[`${prefix}_0_days`];
  return card({
    title: t(`plan.form.${prefix}s`),
    content: html`<p class="soft small">${t(`plan.form.${prefix}s_hint`)}</p>${error ? html`<p class="error" role="alert">${icon('octagon-alert')}${error}</p>` : ''}
<div class="form">${rows}<div class="actions"><button name="act" value="more">${t('plan.form.another')}</button></div></div>`,
  });
}

function rowFields(kind: 'vehicle' | 'load', i: number, form: FormState, ui: Ui): Html {
  const { t, format } = ui;
  const { prefix, from, to, number } = ROW_FIELDS[kind];
  const day = (n: number) => {
    const name = `${prefix}_${i}_d${n}`;
    // 1 January 2024 was a Monday.
    const word = new Intl.DateTimeFormat(format.locale, { weekday: 'short', timeZone: 'UTC' }).format(
      Date.UTC(2024, 0, n),
    );
    return html`<label class="option"><input type="checkbox" name="${name}" value="yes" ${form.values[name] === 'yes' ? html`checked` : ''}>${word}</label>`;
  };
  const time = (part: typeof from | typeof to) => timeControl(form, `${prefix}_${i}_${part}`, t(`plan.form.${part}`));
  return html`<fieldset class="week-row"><legend>${t('plan.row', { n: i + 1 })}</legend><div class="days" role="group" aria-label="${t('plan.form.days')}">${[1, 2, 3, 4, 5, 6, 7].map(day)}</div>
<div class="form-row">${time(from)}${time(to)}${textControl(form, { id: `${prefix}_${i}_${number}`, label: t(`plan.form.${number}`), inputmode: 'decimal' })}</div></fieldset>`;
}

function timeControl(form: FormState, id: string, label: string): Html {
  const error = form.errors[id];
  return html`<div class="field"><label for="${id}">${label}</label><input id="${id}" name="${id}" type="time" value="${form.values[id] ?? ''}" ${error ? html`aria-invalid="true" aria-describedby="${id}-error"` : ''}>${error ? html`<p class="error" id="${id}-error">${icon('octagon-alert')}${error}</p>` : ''}</div>`;
}

/** How the device is told what to do; nothing is written before the box to tick is ticked. */
function wayCard(view: PlanDeviceFormView, ui: Ui): Html {
  const { t } = ui;
  const { form } = view;
  const device = (way: 'mqtt' | 'modbus', choices: readonly Choice[]) =>
    selectControl(form, {
      id: `${way}_device`,
      label: t(`plan.form.${way}_device`),
      hint: t(choices.length > 0 ? `plan.form.${way}_device_hint` : `plan.form.${way}_device_none`),
      options: options(t('plan.form.choose'), choices),
    });
  const ways: Option[] = (['none', 'mqtt', 'modbus'] as const).map((way) => [way, t(`plan.form.way.${way}`)]);
  return card({
    title: t('plan.form.way'),
    content: html`<div class="form by-way"><p class="soft small">${t('plan.form.way_text')}</p>
${selectControl(form, { id: 'way', label: t('plan.form.way_label'), options: ways, value: 'none' })}
<div class="when-mqtt">${device('mqtt', view.mqtt_devices)}</div>
<div class="form-row when-modbus">${device('modbus', view.modbus_devices)}${numberControl(form, REGISTER_FIELD, ui)}
${selectControl(form, { id: 'type', label: t('plan.form.type'), options: REGISTER_TYPES.map((type) => [type, t(`plan.form.type.${type}`)] as const) })}${numberControl(form, UNIT_FIELD, ui)}</div>
<div class="when-told form">${numberControl(form, SAFE_FIELD, ui)}
${checkControl({ id: 'writing', label: html`<b>${t('plan.form.writing')}</b>`, hint: t('plan.form.writing_hint'), checked: form.values.writing === 'yes' })}</div></div>`,
  });
}

function operatorCard({ form }: PlanDeviceFormView, ui: Ui): Html {
  const { t } = ui;
  const kinds: Option[] = SECTION_14A_KINDS.map((kind) => [kind, t(`plan.form.section_14a.${kind}`)]);
  return card({
    title: t('plan.signal_title'),
    content: html`<div class="form by-14a"><p class="soft small">${t('plan.form.section_14a_text')}</p><div class="form-row">
${selectControl(form, { id: 'section_14a', label: t('plan.form.section_14a'), options: [['', t('plan.form.section_14a.none')], ...kinds] })}
<div class="when-14a">${numberControl(form, SECTION_14A_FIELD, ui)}</div></div></div>`,
  });
}

function removal({ id, name }: PlanDeviceFormView, ui: Ui): Html | string {
  if (id === null) return '';
  const { t } = ui;
  return askOnce(ui, {
    action: `/plan/devices/${id}/remove`,
    label: t('plan.device_remove'),
    text: t('plan.device_remove'),
    question: t('plan.device_remove_ask', { name }),
    yes: t('plan.device_remove'),
  });
}
