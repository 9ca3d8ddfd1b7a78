/** What a person can do with a plan: try another battery or tariff, set a device by hand, change devices. */
import { html } from 'hono/html';
import type { PlanDevice } from '../../engine/dispatch/plan-devices.ts';
import { EMPTY_FORM, type FormState, selectControl, textControl } from '../components/controls.ts';
import { card, csrfField, linkButton, stateMark } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

export type PlanControls = {
  can_change: boolean;
  can_override: boolean;
  devices: readonly PlanDevice[];
  setpoints: readonly { device: string; power_W: number; because: 'plan' | 'signal' | 'safe'; fault: string | null }[];
  overrides: readonly { id: string; device: string; to_ms: number; power_W: number; cost: number | null; by: string }[];
  currency: string;
  signal: { limit_W: number; since_ms: number } | null;
  minimum_W: number;
  tariffs: readonly { id: string; name: string }[];
  what_if: WhatIfResult | null;
  hand: HandResult | null;
};
export type WhatIfResult =
  | { battery_kWh: number; tariff: string; cost: number; more: number; saving: number }
  | { problem: string };
export type HandResult = { values: Readonly<Record<string, string>>; cost: number | null; problem: string | null };

const batteries = (controls: PlanControls) =>
  controls.devices.reduce((sum, device) => sum + (device.kind === 'battery' ? device.capacity_kWh : 0), 0);

export function whatIfCard(controls: PlanControls, ui: Ui): Html {
  const { t, format } = ui;
  const own = batteries(controls);
  const most = Math.max(20, Math.ceil((own * 3) / 10) * 10);
  const asked = controls.what_if && 'cost' in controls.what_if ? controls.what_if : null;
  const now = asked?.battery_kWh ?? own;
  const slider =
    own > 0
      ? html`<div class="field"><label for="battery_kWh">${t('plan.what_if_battery')}: <output for="battery_kWh" data-unit="kWh">${format.energy(now)}</output></label>
<input id="battery_kWh" name="battery_kWh" type="range" min="0" max="${most}" step="${most <= 60 ? 1 : 5}" value="${now}"></div>`
      : '';
  return card({
    title: t('plan.what_if'),
    size: 'half',
    id: 'what-if',
    content: html`<p class="small soft">${t('plan.what_if_hint')}</p>
<form class="form" method="post" action="/plan/what-if" hx-post="/plan/what-if" hx-target="#what-if-result" hx-swap="innerHTML" hx-trigger="submit, change delay:300ms" hx-sync="this:replace">${csrfField(ui)}
${slider}${selectControl(EMPTY_FORM, {
  id: 'tariff',
  label: t('plan.what_if_tariff'),
  options: [['', t('plan.what_if_own')], ...controls.tariffs.map(({ id, name }) => [id, name] as const)],
  value: asked?.tariff ?? '',
})}
<div class="actions"><button>${t('plan.what_if_try')}</button></div></form>
<div id="what-if-result" role="status" aria-live="polite">${controls.what_if ? whatIfWords(controls.what_if, controls.currency, ui) : ''}</div>`,
  });
}

export function whatIfWords(result: WhatIfResult, currency: string, { t, format }: Ui): Html {
  if ('problem' in result) return html`<p>${result.problem}</p>`;
  const amount = format.money(Math.abs(result.more), currency);
  const difference =
    Math.abs(result.more) < 0.005
      ? t('plan.what_if_same')
      : result.more > 0
        ? t('plan.what_if_more', { amount })
        : t('plan.what_if_less', { amount });
  return html`<p><b>${t('plan.what_if_result', { cost: format.money(result.cost, currency), difference })}</b></p>
<p class="soft">${t('plan.what_if_saving', { saving: format.money(result.saving, currency) })}</p>`;
}

const HOURS = [1, 2, 3, 4, 6, 8, 12, 24] as const;

export function handCard(controls: PlanControls, ui: Ui): Html {
  const { t, format } = ui;
  const form: FormState = { values: controls.hand?.values ?? {}, errors: {} };
  const nameOf = (id: string) => controls.devices.find((device) => device.id === id)?.name ?? id;
  const lines = controls.overrides.map(
    ({
      id,
      device,
      to_ms,
      power_W,
      cost,
      by,
    }) => html`<li><span>${t('plan.hand_line', { device: nameOf(device), power: format.power(power_W), until: format.when(to_ms, ui.now_ms), by })}${cost === null ? '' : html` <span class="soft">${t('plan.hand_line_cost', { cost: format.money(cost, controls.currency) })}</span>`}</span>
<form method="post" action="/plan/overrides/${id}/lift">${csrfField(ui)}<button>${t('plan.hand_lift')}</button></form></li>`,
  );
  return card({
    title: t('plan.hand'),
    size: 'half',
    id: 'hand',
    content: html`<p class="small soft">${t('plan.hand_hint')}</p>${lines.length > 0 ? html`<ul class="rows">${lines}</ul>` : ''}
<form class="form" method="post" action="/plan/overrides">${csrfField(ui)}
${selectControl(form, { id: 'device', label: t('plan.hand_device'), options: controls.devices.map(({ id, name }) => [id, name] as const) })}
${selectControl(form, {
  id: 'direction',
  label: t('plan.hand_act'),
  options: [
    ['charge', t('plan.hand_charge')],
    ['discharge', t('plan.hand_discharge')],
    ['stop', t('plan.hand_stop')],
  ],
})}
<div class="form-row">${textControl(form, { id: 'power_kW', label: t('plan.hand_power'), inputmode: 'decimal', value: '0' })}
${selectControl(form, { id: 'hours', label: t('plan.hand_hours'), options: HOURS.map((n) => [String(n), t('plan.hours', { n })] as const), value: '2' })}</div>
${handResult(controls, ui)}
<div class="actions"><button name="act" value="cost">${t('plan.hand_cost')}</button><button name="act" value="set" class="primary">${t('plan.hand_set')}</button></div></form>`,
  });
}

function handResult({ hand, currency }: PlanControls, { t, format }: Ui): Html | string {
  if (!hand) return '';
  if (hand.problem !== null) return html`<p class="error" role="alert">${hand.problem}</p>`;
  const cost = hand.cost ?? 0;
  return html`<p role="status"><b>${cost >= 0.005 ? t('plan.hand_costs', { cost: format.money(cost, currency) }) : t('plan.hand_saves')}</b></p>`;
}

export function devicesCard(controls: PlanControls, ui: Ui): Html {
  const { t } = ui;
  const rows = controls.devices.map((device) => {
    const edit = controls.can_change ? html`<a href="/plan/devices/${device.id}">${t('plan.edit')}</a>` : '';
    return html`<li><span><b>${device.name}</b> <span class="soft">${t(`plan.kind.${device.kind}`)}</span><br>${writingWords(device, controls, ui)}</span>${edit}</li>`;
  });
  return card({
    title: t('plan.devices'),
    size: 'half',
    id: 'devices',
    aside: controls.can_change ? linkButton('/plan/devices/new', t('plan.add_device')) : '',
    content: html`<ul class="rows">${rows}</ul>${controls.can_change ? html`<p><a href="/plan/settings">${t('plan.settings.to')}</a></p>` : ''}`,
  });
}

function writingWords({ id, control }: PlanDevice, { setpoints }: PlanControls, { t, format }: Ui): Html {
  const sent = setpoints.find(({ device }) => device === id);
  if (control.way === 'none' || !control.writing || !sent)
    return html`<span class="small soft">${t('plan.writing_off')}</span>`;
  if (sent.fault !== null) return stateMark('warning', t('plan.writing_fault', { fault: sent.fault }));
  const words = t('plan.writing_on', { power: format.power(sent.power_W), because: t(`plan.because.${sent.because}`) });
  return stateMark('ok', words);
}

export function signalCard({ devices, signal, minimum_W }: PlanControls, ui: Ui): Html | string {
  const { t, format } = ui;
  if (!devices.some(({ section_14a }) => section_14a)) return '';
  const words = signal
    ? stateMark(
        'warning',
        t('plan.signal_holds', { limit: format.power(signal.limit_W), since: format.when(signal.since_ms, ui.now_ms) }),
      )
    : html`<p>${t('plan.signal_none', { minimum: format.power(minimum_W) })}</p>`;
  return card({
    title: t('plan.signal_title'),
    size: 'half',
    content: html`${words}<p><a href="/plan/signals">${t('plan.signal_to_log')}</a></p>`,
  });
}
