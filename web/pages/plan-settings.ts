/** How plans are made: how careful, how far ahead, what the connection bears, whether generation may be reduced. */
import { html } from 'hono/html';
import { checkControl, type FormState, type Option, selectControl, textControl } from '../components/controls.ts';
import { icon } from '../components/icon.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

/** Quantiles of the forecasts that a plan can be made for, beside their mean. */
export const WEIGHTS = ['expected', '0.7', '0.8', '0.9', '0.95'] as const;
export const SOFT_PRICES = ['import', 'export', 'goal', 'reserve', 'heat', 'load'] as const;

export type PlanSettingsView = { form: FormState; currency: string; saved: boolean; problem: string | null };

export function planSettingsPage({ form, currency, saved, problem }: PlanSettingsView, ui: Ui): Html {
  const { t } = ui;
  const faulty = Object.keys(form.errors).length > 0;
  const told = problem ? notice('fault', problem) : faulty ? notice('fault', t('setup.faults')) : '';
  const number = (id: 'horizon_h' | 'import_limit_kW' | 'export_limit_kW', hint: string) =>
    textControl(form, { id, label: t(`plan.settings.${id}`), inputmode: 'decimal', hint });
  const known: readonly string[] = WEIGHTS;
  const own = form.values.weigh;
  const weights = [...WEIGHTS, ...(own && !known.includes(own) ? [own] : [])];
  const soft_open = SOFT_PRICES.some((name) => form.errors[`soft_${name}`]);
  return layout(ui, {
    title: t('plan.settings.title'),
    page: 'plan',
    styles: ['plan.css'],
    action: html`<a class="small" href="/plan">${t('plan.form.back')}</a>`,
    content: html`<form class="stack plan-settings" method="post" action="/plan/settings" novalidate>${csrfField(ui)}${saved ? notice('ok', t('admin.saved')) : ''}${told}
${card({
  title: t('plan.settings.forecasts'),
  content: html`<div class="form"><div class="form-row">${selectControl(form, { id: 'weigh', label: t('plan.settings.weigh'), hint: t('plan.settings.weigh_hint'), options: weights.map((weight): Option => [weight, weightWords(weight, ui)]) })}
${number('horizon_h', t('plan.settings.horizon_hint'))}</div></div>`,
})}
${card({
  title: t('plan.settings.connection'),
  content: html`<div class="form"><div class="form-row">${number('import_limit_kW', t('plan.settings.limit_hint'))}${number('export_limit_kW', t('plan.settings.export_hint'))}</div>
${checkControl({ id: 'curtailable', label: t('plan.settings.curtailable'), hint: t('plan.settings.curtailable_hint'), checked: form.values.curtailable === 'yes' })}</div>`,
})}
${card({
  title: t('plan.settings.soft'),
  content: html`<p class="soft">${t('plan.settings.soft_text')}</p><details ${soft_open ? html`open` : ''}><summary>${t('plan.settings.soft_show')}</summary><div class="form-row">${SOFT_PRICES.map((name) => textControl(form, { id: `soft_${name}`, label: t(`plan.settings.soft_${name}`, { currency }), inputmode: 'decimal' }))}</div></details>`,
})}
<div class="actions"><button class="primary">${icon('check')}${t('plan.device_save')}</button></div></form>`,
  });
}

/** How a plan weighs what may come, in words. */
export function weightWords(weigh: string, { t, format }: Ui): string {
  return weigh === 'expected'
    ? t('plan.settings.expected')
    : t('plan.settings.quantile', { percent: format.percent(Number(weigh)) });
}
