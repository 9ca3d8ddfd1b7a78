/** The signals of the grid operator with what was drawn: evidence on screen and on paper. */
import { html } from 'hono/html';
import { layout } from '../components/layout.ts';
import { card, linkButton } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import { inputsCard, type PlanInputsView } from './plan-inputs.ts';

export type PlanSignalsView = {
  devices: readonly string[];
  minimum_W: number;
  signals: readonly {
    source: 'http' | 'mqtt' | 'modbus' | 'person';
    from_ms: number;
    end_ms: number | null;
    asked_W: number;
    limit_W: number;
    /** From the begin to the first sign that it is kept. */
    obeyed_after_ms: number | null;
    most_W: number | null;
  }[];
  /** For admins: where signals come from. */
  inputs: PlanInputsView | null;
};

export function planSignalsPage(view: PlanSignalsView, ui: Ui): Html {
  const { t, format } = ui;
  const when = (at_ms: number) => `${format.longDate(at_ms)} ${format.timeWithSeconds(at_ms)}`;
  const heads = ['from', 'to', 'source', 'asked', 'limit', 'obeyed', 'most'] as const;
  const rows = view.signals.map(
    (
      one,
    ) => html`<tr><th scope="row">${when(one.from_ms)}</th><td>${one.end_ms === null ? t('plan.signals_running') : when(one.end_ms)}</td>
<td>${t(`plan.source.${one.source}`)}</td><td class="numbers">${format.power(one.asked_W)}</td><td class="numbers">${format.power(one.limit_W)}</td>
<td class="numbers">${one.obeyed_after_ms === null ? t('plan.signals_not_yet') : `${format.number(Math.max(0, one.obeyed_after_ms) / 1000)} s`}</td>
<td class="numbers">${one.most_W === null ? t('plan.signals_unmeasured') : format.power(one.most_W)}</td></tr>`,
  );
  const table =
    rows.length === 0
      ? html`<p class="soft">${t('plan.signals_empty')}</p>`
      : html`<div class="scroll" tabindex="0" role="region" aria-label="${t('plan.signals_title')}"><table class="bill"><thead><tr>${heads.map((head) => html`<th scope="col">${t(`plan.signals_${head}`)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
  const actions = html`<div class="actions no-print">${linkButton('/api/v1/grid-signals?format=csv', t('plan.signals_csv'), 'plain', 'download')}<button type="button" data-print hidden>${t('plan.signals_print')}</button></div>`;
  return layout(ui, {
    title: t('plan.signals_title'),
    page: 'plan',
    styles: ['bill.css', 'plan.css'],
    action: html`<a class="small" href="/plan">${t('plan.form.back')}</a>`,
    scripts: ['bill.js'],
    content: html`${card({
      title: t('plan.signal_title'),
      content: html`<p>${t('plan.signals_head', { devices: view.devices.join(', ') || '–', minimum: format.power(view.minimum_W) })}</p>${table}${actions}`,
    })}${view.inputs ? inputsCard(view.inputs, ui) : ''}`,
  });
}
