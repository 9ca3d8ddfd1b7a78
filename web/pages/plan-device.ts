/** A device of the plan as text, with every fault; to add one, an example of each kind. */
import { html } from 'hono/html';
import { askOnce } from '../components/ask-once.ts';
import { layout } from '../components/layout.ts';
import { card, csrfField, notice } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import { DEVICE_KINDS, type DeviceKind } from './plan-device-fields.ts';

export type PlanDeviceView = {
  /** null: a new one. */
  id: string | null;
  kind: DeviceKind;
  name: string;
  yaml: string;
  faults: readonly { where: string; problem: string }[];
};

export function planDevicePage(view: PlanDeviceView, ui: Ui): Html {
  const { t } = ui;
  const faults =
    view.faults.length === 0
      ? ''
      : notice(
          'fault',
          html`<p><b>${t('plan.device_faults')}</b></p><ul>${view.faults.map(({ where, problem }) => html`<li><code>${where}</code> ${problem}</li>`)}</ul>`,
        );
  const kinds =
    view.id === null
      ? html`<nav class="choice" aria-label="${t('plan.add_device')}">${DEVICE_KINDS.map((kind) => html`<a href="/plan/devices/new?kind=${kind}&amp;as=text" ${kind === view.kind ? html`aria-current="page"` : ''}>${t(`plan.kind.${kind}`)}</a>`)}</nav>`
      : '';
  const remove =
    view.id === null
      ? ''
      : askOnce(ui, {
          action: `/plan/devices/${view.id}/remove`,
          label: t('plan.device_remove'),
          text: t('plan.device_remove'),
          question: t('plan.device_remove_ask', { name: view.name }),
          yes: t('plan.device_remove'),
        });
  return layout(ui, {
    title: t('plan.device_title'),
    page: 'plan',
    styles: ['bill.css'],
    content: card({
      title: view.id === null ? t('plan.add_device') : view.name,
      content: html`${kinds}${faults}<form class="form stack" method="post" action="/plan/devices/${view.id ?? 'new'}">${csrfField(ui)}
<div class="field"><label for="yaml">${t('plan.device_yaml')}</label><textarea class="yaml" id="yaml" name="yaml" rows="22" spellcheck="false" aria-describedby="yaml-hint">${view.yaml}</textarea><p class="hint" id="yaml-hint">${t('plan.device_hint')}</p></div>
<div class="actions"><button class="primary">${t('plan.device_save')}</button><a class="small" href="${view.id === null ? `/plan/devices/new?kind=${view.kind}` : `/plan/devices/${view.id}`}">${t('plan.form.as_form')}</a></div></form>${remove}`,
    }),
  });
}
