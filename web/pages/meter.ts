/** One meter point: what happened, and is it true. */
import { html } from 'hono/html';
import { asOf, layout } from '../components/layout.ts';
import { age, card, linkButton, roleIcon, type State, stateMark } from '../components/parts.ts';
import { quantityName } from '../components/quantity.ts';
import type { Html, Ui } from '../ui.ts';
import { meterChart } from './meter-chart.ts';
import { type MeterRow, type MeterValue, strip, stripKey, valueText } from './meters.ts';

export type QuantityChoice = { name: string; unit: string; kind: 'gauge' | 'register' | 'interval' };
/** Energy or volume of a register; null where nothing is known. */
export type MeterTotals = {
  quantity: string;
  unit: string;
  today: number | null;
  yesterday: number | null;
  month: number | null;
  year: number | null;
};
export type QualityCheck = {
  name: 'schema' | 'nulls' | 'ranges' | 'gaps' | 'outliers' | 'agreement';
  quantity: string;
  passed: boolean;
  text: string;
};
export type MeterDevice = {
  id: string;
  name: string;
  /** How it is reached, in words. */
  way: string;
  profile: string | null;
  firmware: string | null;
  enabled: boolean;
  connected: boolean | null;
  last_seen_ms: number | null;
  last_error: { at_ms: number; text: string } | null;
};
export type MeterSpan = { from_ms: number; to_ms: number; value: number; unit: string; quantity: string };

export type MeterView = {
  row: MeterRow;
  quantities: readonly QuantityChoice[];
  /** The one that is shown. */
  quantity: QuantityChoice;
  from_ms: number;
  to_ms: number;
  /** All current values but the headline. */
  others: readonly MeterValue[];
  /** Null where the store does not answer, as is `report`. */
  totals: readonly MeterTotals[] | null;
  report: 'unavailable' | { state: 'ok' | 'warning' | 'fault'; checks: readonly QualityCheck[] } | null;
  spans: readonly MeterSpan[];
  device: MeterDevice | null;
  /** Of a virtual meter point: `Grid − Hall 1`. */
  formula: string | null;
};

export function meterPage(view: MeterView, ui: Ui): Html {
  const { row } = view;
  const content = html`<div class="region" id="meter-head" sse-swap="head" hx-swap="morph:innerHTML">${head(view, ui)}</div>
${meterChart(view, ui)}
${totalsCard(view.totals, ui)}
${qualityCard(view, ui)}
${deviceCard(view, ui)}
${view.others.length ? card({ size: 'half', title: ui.t('meter.others'), content: html`<div id="meter-others" sse-swap="others" hx-swap="morph:innerHTML">${others(view, ui)}</div>` }) : ''}`;
  return layout(ui, {
    title: row.name,
    page: 'meters',
    as_of_ms: row.last_ms,
    live: `page=meter&id=${encodeURIComponent(row.id)}`,
    scripts: ['meter-chart.js'],
    styles: ['uplot.css'],
    content,
    action: html`<a class="small" href="/meters">${ui.t('meter.all')}</a>`,
  });
}

/** The regions of the live page. */
export function meterRegions(view: MeterView, ui: Ui): Record<string, Html> {
  const regions: Record<string, Html> = { head: head(view, ui), others: others(view, ui) };
  if (view.row.last_ms !== null) regions['as-of'] = asOf(ui, view.row.last_ms);
  return regions;
}

function head({ row }: MeterView, ui: Ui): Html {
  const value = row.value ? valueText(row.value, ui) : ui.t('common.no_value');
  const note = row.note ? html`<span class="soft">· ${row.note}</span>` : '';
  return html`<div class="meter-head"><p class="figure ${row.state === 'ok' ? '' : 'stale'}">${roleIcon(ui, row.role)} ${value}</p>
<p>${stateMark(row.state, row.text)} <span class="soft">· ${age(ui, row.last_ms)}</span> ${note}</p></div>`;
}

function others(view: MeterView, ui: Ui): Html {
  return html`<dl class="facts">${view.others.map(
    (each) => html`<dt>${quantityName(ui, each.quantity)}</dt><dd>${valueText(each, ui)}</dd>`,
  )}</dl>`;
}

function totalsCard(totals: MeterView['totals'], ui: Ui): Html {
  const { t } = ui;
  const columns = ['today', 'yesterday', 'month', 'year'] as const;
  const known = (totals ?? []).filter((each) => columns.some((column) => each[column] !== null));
  if (known.length === 0)
    return card({
      size: 'half',
      title: t('meter.totals'),
      content: html`<p class="soft">${t(totals ? 'meter.totals_none' : 'common.unavailable')}</p>`,
    });
  const text = (each: MeterTotals, value: number | null) => (value === null ? '–' : ui.format.value(value, each.unit));
  return card({
    size: 'half',
    title: t('meter.totals'),
    content: html`<div class="scroll"><table><thead><tr><td></td>${known.map((each) => html`<th scope="col" class="numbers">${quantityName(ui, each.quantity)}</th>`)}</tr></thead>
<tbody>${columns.map((column) => html`<tr><th scope="row">${t(`meter.total_${column}`)}</th>${known.map((each) => html`<td class="numbers"><b>${text(each, each[column])}</b></td>`)}</tr>`)}</tbody></table></div>`,
  });
}

function qualityCard(view: MeterView, ui: Ui): Html {
  const { t } = ui;
  const isDown = view.report === 'unavailable';
  const report = view.report === 'unavailable' ? null : view.report;
  const checks = report?.checks ?? [];
  const failed = checks.filter((check) => !check.passed);
  const passed = [...new Set(checks.filter((check) => check.passed).map((check) => check.name))].filter(
    (name) => !failed.some((check) => check.name === name),
  );
  const list = report
    ? html`<ul class="rows">${grouped(failed).map(({ check, quantities }) => html`<li>${stateMark(report?.state === 'fault' ? 'fault' : 'warning', `${t(`check.${check.name}`)}: ${quantityNames(quantities, ui)}`)}<span>${check.text}</span></li>`)}
${passed.length ? html`<li>${stateMark('ok', passed.map((name) => t(`check.${name}`)).join(', '))}<span class="soft">${t('meter.check_passed')}</span></li>` : ''}</ul>`
    : html`<p class="soft">${t(isDown ? 'common.unavailable' : 'meter.quality_none')}</p>`;
  return card({
    size: 'half',
    title: t('meter.quality'),
    content: html`${strip(view.row.cells, ui)}${view.row.cells.length ? stripKey(ui) : ''}${list}${spanList(view.spans, ui)}${repairLink(view, ui)}`,
  });
}

/** Quantities that fail alike, as when a meter was silent, stand in one row. */
function grouped(checks: readonly QualityCheck[]): { check: QualityCheck; quantities: string[] }[] {
  const groups = new Map<string, { check: QualityCheck; quantities: string[] }>();
  for (const check of checks) {
    const key = `${check.name} ${check.text}`;
    const group = groups.get(key) ?? { check, quantities: [] };
    group.quantities.push(check.quantity);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const NAMED = 2;

function quantityNames(quantities: readonly string[], ui: Ui): string {
  const names = quantities.slice(0, NAMED).map((quantity) => quantityName(ui, quantity));
  const more = quantities.length - names.length;
  return more > 0 ? ui.t('meter.and_more', { names: names.join(', '), more }) : names.join(', ');
}

/** For those who may, and for what is measured. */
function repairLink(view: MeterView, ui: Ui): Html | string {
  if (view.formula !== null || !ui.actor || ui.actor.role === 'user') return '';
  const address = `/meters/${encodeURIComponent(view.row.id)}/repair?quantity=${encodeURIComponent(view.quantity.name)}`;
  return html`<p>${linkButton(address, ui.t('repair.link'), 'plain', 'wrench')}</p>`;
}

function spanList(spans: readonly MeterSpan[], ui: Ui): Html | string {
  if (spans.length === 0) return '';
  return html`<h3>${ui.t('meter.spans')}</h3><p class="small soft">${ui.t('meter.spans_hint')}</p>
<ul class="rows">${spans.map((span) => html`<li><span>${ui.format.when(span.from_ms, ui.now_ms)} – ${ui.format.when(span.to_ms, ui.now_ms)}</span><b>${ui.format.value(span.value, span.unit)}</b></li>`)}</ul>`;
}

function deviceCard(view: MeterView, ui: Ui): Html {
  const { t, format } = ui;
  const { device } = view;
  const isAdmin = ui.actor?.role === 'admin';
  if (!device)
    return card({
      size: 'half',
      title: t('meter.connection'),
      content: html`<p>${t('meter.way_virtual', { formula: view.formula ?? '–' })}</p>${isAdmin ? html`<p>${linkButton(`/meters/${encodeURIComponent(view.row.id)}/formula`, t('virtual.edit'), 'plain', 'pencil')}</p>` : ''}`,
    });
  const [state, words]: [State, string] = !device.enabled
    ? ['unknown', t('meter.disabled')]
    : device.connected === false
      ? ['fault', t('meter.disconnected')]
      : ['ok', t('meter.connected')];
  const error = device.last_error
    ? `${format.when(device.last_error.at_ms, ui.now_ms)}: ${device.last_error.text}`
    : t('meter.no_error');
  return card({
    size: 'half',
    title: t('meter.connection'),
    aside: stateMark(state, words),
    content: html`<dl class="facts"><dt>${t('meter.device')}</dt><dd>${device.name}, ${device.way}</dd>
<dt>${t('meter.profile')}</dt><dd>${device.profile ?? t('meter.no_profile')}</dd>
${device.firmware ? html`<dt>${t('meter.firmware')}</dt><dd>${device.firmware}</dd>` : ''}
<dt>${t('meter.last_value')}</dt><dd>${age(ui, device.last_seen_ms)}</dd>
<dt>${t('meter.last_error')}</dt><dd>${error}</dd></dl>${isAdmin ? html`<p>${linkButton(`/devices/${encodeURIComponent(device.id)}`, t('device.edit'), 'plain', 'pencil')}</p>` : ''}`,
  });
}
