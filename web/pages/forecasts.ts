/** Forecasts: what comes, and how sure. */
import { html } from 'hono/html';
import { type Layer, type Plot, timeChart } from '../charts/time-chart.ts';
import { layout } from '../components/layout.ts';
import { age, card, emptyState, linkButton, notice } from '../components/parts.ts';
import type { Scaled } from '../format.ts';
import type { Html, Ui } from '../ui.ts';
import { accuracyCard, type ModelsView, modelsCard, type WhyView, whyCard } from './forecast-models.ts';
import type { SeriesColumns } from './now.ts';

export type ForecastSeries = 'load' | 'generation' | 'price';
export const FORECAST_SERIES: readonly ForecastSeries[] = ['load', 'generation', 'price'];

/** Quantiles of consecutive slots; W for load and generation, per kWh for prices. */
export type Fan = {
  at_ms: readonly number[];
  p10: readonly number[];
  p25: readonly number[];
  p50: readonly number[];
  p75: readonly number[];
  p90: readonly number[];
};
export type ForecastView = {
  series: ForecastSeries;
  currency: string;
  from_ms: number;
  to_ms: number;
  truth: SeriesColumns;
  /** What was forecast a day ahead for the past. */
  past: SeriesColumns;
  fan: Fan | null;
  model: { name: string; made_ms: number; inputs_known_ms: number } | null;
  /** Mean absolute error and that of "same as last week", over `days`. */
  error: { mae: number | null; naive_mae: number | null; days: number };
  /** Why there is none, or none newer; in words of the forecaster. */
  reason: string | null;
  history: { has_days: number; need_days: number };
  has_generation: boolean;
  /** Null: there is no registry. */
  models: ModelsView | null;
  why: WhyView | null;
};

const SLOT_MS = 15 * 60_000;
/** An older forecast is worth a notice. */
const OLD_MS = 3 * 3_600_000;

export function forecastsPage(view: ForecastView, ui: Ui): Html {
  return layout(ui, {
    title: ui.t('page.forecasts'),
    page: 'forecasts',
    as_of_ms: view.model?.made_ms ?? null,
    live: `page=forecasts&series=${view.series}`,
    scripts: ['chart.js'],
    content: html`<div class="region" id="forecast-page" sse-swap="forecast" hx-swap="morph:innerHTML">${forecastRegion(view, ui)}</div>${view.fan ? whyCard(view, view.fan.at_ms, scaleOf(view, view.fan, ui), ui) : ''}`,
    action: choice(view, ui),
  });
}

function choice(view: ForecastView, ui: Ui): Html {
  return html`<nav class="choice" aria-label="${ui.t('forecasts.of')}">${FORECAST_SERIES.map(
    (series) =>
      html`<a href="/forecasts?series=${series}" ${series === view.series ? html`aria-current="page"` : ''}>${ui.t(`forecasts.${series}`)}</a>`,
  )}</nav>`;
}

/** All that changes by itself. */
export function forecastRegion(view: ForecastView, ui: Ui): Html {
  if (!view.fan) return html`<div class="stack">${nothingYet(view, ui)}</div>`;
  const scale = scaleOf(view, view.fan, ui);
  return html`<div class="stack">${oldNotice(view, ui)}${peak(view, view.fan, scale, ui)}
${chartCard(view, view.fan, scale, ui)}${errorCard(view, scale, ui)}${accuracyCard(view, scale, ui)}${modelsCard(view, scale, ui)}</div>`;
}

function nothingYet(view: ForecastView, ui: Ui): Html {
  return emptyState({
    title: ui.t('forecasts.empty_title'),
    text: emptyWords(view, ui),
    icon: 'chart-line',
    actions:
      ui.actor?.role === 'admin' && view.series !== 'price'
        ? linkButton('/import', ui.t('forecasts.empty_import'), 'plain', 'upload')
        : html``,
  });
}

function emptyWords(view: ForecastView, ui: Ui): string {
  const { has_days: has, need_days: need } = view.history;
  if (view.series === 'price') return view.reason ?? ui.t('forecasts.empty_price', { need });
  if (view.series === 'generation' && !view.has_generation) return ui.t('forecasts.empty_generation');
  if (has < need)
    return ui.t('forecasts.empty_history', { series: ui.t(`forecasts.series_${view.series}`), need, has });
  return view.reason ?? ui.t('forecasts.empty_soon');
}

function oldNotice(view: ForecastView, ui: Ui): Html | string {
  if (!view.model || ui.now_ms - view.model.made_ms < OLD_MS) return '';
  const old = ui.format.duration(ui.now_ms - view.model.made_ms);
  return notice('warning', ui.t('forecasts.stale', { age: old, reason: view.reason ?? '' }));
}

function scaleOf(view: ForecastView, fan: Fan, ui: Ui): Scaled {
  if (view.series === 'price') return ui.format.priceScale(view.currency);
  return ui.format.powerScale([...fan.p90, ...Array.from(view.truth.values)].filter(Number.isFinite));
}

/** The one sentence: the peak to come, for prices the trough. */
function peak(view: ForecastView, fan: Fan, scale: Scaled, ui: Ui): Html {
  const sign = view.series === 'price' ? -1 : 1;
  let best = -1;
  fan.at_ms.forEach((at_ms, i) => {
    if (at_ms + SLOT_MS > ui.now_ms && (best < 0 || sign * (fan.p50[i]! - fan.p50[best]!) > 0)) best = i;
  });
  if (best < 0) return html``;
  const text = (value: number) => ui.format.scaled(value, scale);
  return html`<p class="headline">${ui.rich(`forecasts.peak_${view.series}`, {
    when: whenWords(fan.at_ms[best]!, ui),
    value: html`<b>${text(fan.p50[best]!)}</b>`,
    low: ui.format.number(fan.p10[best]! * scale.factor, scale.digits),
    high: text(fan.p90[best]!),
  })}.</p>`;
}

function whenWords(at_ms: number, { t, format, now_ms }: Ui): string {
  return t('common.at_time', { day: format.day(at_ms, now_ms), time: format.time(at_ms) });
}

function chartCard(view: ForecastView, fan: Fan, scale: Scaled, ui: Ui): Html {
  const { t } = ui;
  return card({
    title: t('forecasts.chart'),
    content: timeChart(ui, {
      id: 'chart-forecast',
      label: t('forecasts.chart_label', { series: t(`forecasts.${view.series}`) }),
      range: view,
      now_ms: ui.now_ms,
      plots: [fanPlot(view, fan, scale, ui)],
      table: tableOf(view, fan, scale, ui),
    }),
  });
}

function fanPlot(view: ForecastView, fan: Fan, scale: Scaled, ui: Ui): Plot {
  const { t } = ui;
  const tone = view.series;
  const isPrice = tone === 'price';
  const at_ms = isPrice ? fan.at_ms : fan.at_ms.map((at) => at + SLOT_MS / 2);
  const middle = (columns: SeriesColumns) => ({
    at_ms: isPrice ? columns.at_ms : Array.from(columns.at_ms, (at) => at + SLOT_MS / 2),
    values: columns.values,
  });
  const kind = isPrice ? 'step' : 'line';
  const layers: Layer[] = [
    { kind: 'band', tone, at_ms, lower: fan.p10, upper: fan.p90 },
    { kind: 'band', tone, at_ms, lower: fan.p25, upper: fan.p75, inner: true },
    { kind, tone, ...middle(view.past), style: 'dashed faint' },
    { kind, tone, at_ms, values: fan.p50, style: 'dashed' },
    { kind, tone, ...middle(view.truth) },
  ];
  return {
    title: t(`forecasts.${view.series}`),
    unit: scale.unit,
    height: 'high',
    factor: scale.factor,
    tick: ui.format.tick,
    layers,
    keys: [
      { tone, shape: 'line', text: t(isPrice ? 'forecasts.truth_price' : 'forecasts.truth') },
      { tone, shape: 'dashed', text: t('forecasts.median') },
      { tone, shape: 'inner', text: t('chart.band_50') },
      { tone, shape: 'band', text: t('chart.band_80') },
      { tone, shape: 'dashed faint', text: t('forecasts.past') },
    ],
  };
}

function tableOf(view: ForecastView, fan: Fan, scale: Scaled, ui: Ui) {
  const { t, format } = ui;
  const text = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? '–' : format.scaled(value, scale);
  const byTime = ({ at_ms, values }: SeriesColumns) => new Map(Array.from(at_ms, (at, i) => [at, values[i]!] as const));
  const [truth, past] = [byTime(view.truth), byTime(view.past)];
  const index = new Map(fan.at_ms.map((at, i) => [at, i]));
  const rows = [];
  for (let from_ms = view.from_ms; from_ms < view.to_ms; from_ms += SLOT_MS) {
    const i = index.get(from_ms);
    const low = i === undefined ? '' : format.number(fan.p10[i]! * scale.factor, scale.digits);
    const ahead =
      i === undefined ? '–' : `${text(fan.p50[i])} (${low}–${format.number(fan.p90[i]! * scale.factor, scale.digits)})`;
    rows.push({ from_ms, to_ms: from_ms + SLOT_MS, cells: [text(truth.get(from_ms)), text(past.get(from_ms)), ahead] });
  }
  const truthName = t(view.series === 'price' ? 'forecasts.truth_price' : 'forecasts.truth');
  return { columns: [truthName, t('forecasts.column_past'), t('forecasts.column_ahead')], rows };
}

function errorCard(view: ForecastView, scale: Scaled, ui: Ui): Html {
  const { t, format } = ui;
  const { model } = view;
  const facts = model
    ? html`<dl class="facts"><dt>${t('forecasts.made')}</dt><dd>${age(ui, model.made_ms)}</dd>
<dt>${t('forecasts.inputs')}</dt><dd>${format.when(model.inputs_known_ms, ui.now_ms)}</dd>
<dt>${t('forecasts.reaches')}</dt><dd>${format.until(view.to_ms, ui.now_ms)}</dd>
<dt>${t('forecasts.model')}</dt><dd>${model.name}</dd></dl>`
    : '';
  return card({
    title: t('forecasts.sure'),
    content: html`<p>${errorWords(view, scale, ui)}</p>${errorBars(view, scale, ui)}${facts}`,
  });
}

function errorWords(view: ForecastView, scale: Scaled, ui: Ui): string {
  const { mae, naive_mae, days } = view.error;
  if (mae === null) return ui.t('forecasts.error_none');
  const text = (value: number) => ui.format.scaled(value, { ...scale, digits: Math.max(scale.digits, 1) });
  const span = ui.format.days(days);
  if (naive_mae === null || naive_mae <= 0) return ui.t('forecasts.alone', { days: span, mae: text(mae) });
  const ratio = mae / naive_mae - 1;
  const words = { days: span, mae: text(mae), naive: text(naive_mae), percent: ui.format.percent(Math.abs(ratio)) };
  if (Math.abs(ratio) < 0.02) return ui.t('forecasts.same', words);
  return ui.t(ratio < 0 ? 'forecasts.better' : 'forecasts.worse', words);
}

/** The two errors as bars; the sentence above carries the numbers. */
function errorBars(view: ForecastView, scale: Scaled, ui: Ui): Html | string {
  const { mae, naive_mae } = view.error;
  if (mae === null || naive_mae === null || naive_mae <= 0) return '';
  const top = Math.max(mae, naive_mae);
  const bar = (value: number, name: string, className: string) =>
    html`<span>${name}</span><svg><rect class="${className}" width="${((value / top) * 100).toFixed(1)}%" height="100%" rx="2"/></svg><span class="numbers">${ui.format.scaled(value, { ...scale, digits: Math.max(scale.digits, 1) })}</span>`;
  return html`<div class="named-bars small" aria-hidden="true">${bar(mae, ui.t('forecasts.bar_model'), 'bar-today')}${bar(naive_mae, ui.t('forecasts.bar_naive'), 'bar-usual')}</div>`;
}
