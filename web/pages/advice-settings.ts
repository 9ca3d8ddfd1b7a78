/** How much advice a site wants, and when. */
import { html } from 'hono/html';
import { type FormState, textControl } from '../components/controls.ts';
import { card, csrfField, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';

/** `values`: per_day, quiet_from, quiet_to (`hh:mm` or empty), demand_charge. */
export type AdviceForm = FormState & { saved: boolean };

export function settingsCard(form: AdviceForm, ui: Ui): Html {
  const { t } = ui;
  const told = form.saved ? notice('ok', t('advice.saved')) : '';
  const open = form.saved || Object.keys(form.errors).length > 0;
  return card({
    title: t('advice.settings'),
    id: 'settings',
    content: html`${told}<details ${open ? html`open` : ''}><summary>${t('advice.settings_open')}</summary>
<form class="form" method="post" action="/advice/settings" novalidate>${csrfField(ui)}
${textControl(form, { id: 'per_day', label: t('advice.per_day'), inputmode: 'numeric', hint: t('advice.per_day_hint') })}
${textControl(form, { id: 'quiet_from', label: t('advice.quiet_from'), placeholder: '22:00' })}
${textControl(form, { id: 'quiet_to', label: t('advice.quiet_to'), placeholder: '06:00', hint: t('advice.quiet_hint') })}
${textControl(form, { id: 'demand_charge', label: t('advice.demand_charge'), inputmode: 'decimal', hint: t('advice.demand_charge_hint') })}
<div class="actions"><button class="primary">${t('advice.save')}</button></div></form></details>`,
  });
}
