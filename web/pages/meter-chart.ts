/** The zoomable chart of a meter point; drawn by static/meter-chart.js from the data API. */
import { html } from 'hono/html';
import { icon } from '../components/icon.ts';
import { card } from '../components/parts.ts';
import { markWords, quantityName, toneOf } from '../components/quantity.ts';
import type { Html, Ui } from '../ui.ts';
import type { MeterView, QuantityChoice } from './meter.ts';

const RANGES = ['hour', 'day', 'week', 'month', 'year'] as const;

export function meterChart(view: MeterView, ui: Ui): Html {
  const { t } = ui;
  const name = quantityName(ui, view.quantity.name);
  const label = t('meter.chart', { quantity: name, name: view.row.name });
  const button = (act: string, iconName: string, text: string) =>
    html`<button type="button" class="quiet" data-act="${act}" aria-label="${text}" title="${text}">${icon(iconName)}</button>`;
  return card({
    id: 'chart',
    title: name,
    aside: quantityChoice(view, ui),
    content: html`<luna-zoom data-config="${JSON.stringify(configOf(view, ui))}">
<div class="zoom-bar"><div class="choice" role="group" aria-label="${t('meter.range')}">${RANGES.map(
      (range) =>
        html`<button type="button" data-range="${range}" aria-pressed="${String(range === 'day')}">${t(`meter.range_${range}`)}</button>`,
    )}</div>
<div class="zoom-steps">${button('earlier', 'chevron-left', t('meter.earlier'))}<span class="zoom-title" aria-live="polite"></span>${button('later', 'chevron-right', t('meter.later'))}${button('in', 'zoom-in', t('meter.zoom_in'))}${button('out', 'zoom-out', t('meter.zoom_out'))}</div></div>
<div class="zoom-area" tabindex="0" role="application" aria-label="${label}. ${t('meter.chart_hint')}"></div>
<p class="readout" aria-live="polite">${t('meter.chart_hint')}</p>
<noscript><p class="notice warning">${t('layout.no_script')}</p></noscript>
<div class="zoom-marks" hidden><h3>${t('meter.marked_title')}</h3><ul class="rows small"></ul></div>
<div class="chart-foot"><details class="data-table"><summary>${t('chart.table')}</summary><div class="scroll" tabindex="0" role="region" aria-label="${t('chart.table')}"><table>
<thead><tr><th scope="col">${t('chart.time')}</th><th scope="col" class="numbers">${name}</th><th scope="col">${t('meter.marked_title')}</th></tr></thead><tbody></tbody></table></div></details>
<a class="zoom-csv" href="${csvPath(view, ui)}" download>${t('chart.csv')}</a></div>
</luna-zoom>`,
  });
}

/** All that static/meter-chart.js needs to know; it knows no language of its own. */
function configOf(view: MeterView, ui: Ui) {
  const { t } = ui;
  return {
    meter: view.row.id,
    quantity: view.quantity.name,
    unit: view.quantity.unit,
    kind: view.quantity.kind,
    tone: toneOf(view.row.role, view.quantity.name),
    from: view.from_ms,
    to: view.to_ms,
    now: ui.now_ms,
    tz: ui.time_zone,
    locale: ui.format.locale,
    digits: ui.format.scaleOf(view.quantity.unit, [1]).digits,
    marks: markWords(ui),
    texts: {
      hint: t('meter.chart_hint'),
      none: t('meter.no_data'),
      loading: t('meter.loading'),
      failed: t('meter.failed'),
      more: t('meter.marked_more', { n: '{n}' }),
      raw: t('meter.resolution_raw'),
      slot: t('meter.resolution_slot'),
      hour: t('meter.resolution_hour'),
      day: t('meter.resolution_day'),
      per_slot: t('meter.per_slot'),
      per_hour: t('meter.per_hour'),
      per_day: t('meter.per_day'),
      register: t('meter.register'),
    },
  };
}

function csvPath(view: MeterView, ui: Ui): string {
  const query = new URLSearchParams({
    meter: view.row.id,
    quantity: view.quantity.name,
    from: new Date(view.from_ms).toISOString(),
    to: new Date(view.to_ms).toISOString(),
    resolution: 'slot',
    tz: ui.time_zone,
    format: 'csv',
  });
  return `/api/v1/data/query?${query}`;
}

/** A list that changes the page as soon as something is chosen (page.js), or by its button. */
function quantityChoice(view: MeterView, ui: Ui): Html | string {
  if (view.quantities.length < 2) return '';
  const option = (each: QuantityChoice) =>
    html`<option value="${each.name}" ${each.name === view.quantity.name ? html`selected` : ''}>${quantityName(ui, each.name)}</option>`;
  return html`<form class="inline-choice" method="get" data-submit-on-change><label for="quantity" class="small soft">${ui.t('meter.quantity')}</label>
<select id="quantity" name="quantity">${view.quantities.map(option)}</select><noscript><button>${ui.t('meter.quantity')}</button></noscript></form>`;
}
