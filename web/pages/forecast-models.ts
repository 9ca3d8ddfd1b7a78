/** The lower half of the Forecasts page: what an hour is made of, the error from day to day, and the models. */
import { html } from 'hono/html';
import type { GroupPart } from '../../engine/forecast/feature-groups.ts';
import { age, card, csrfField } from '../components/parts.ts';
import type { Scaled } from '../format.ts';
import type { Html, Ui } from '../ui.ts';
import type { ForecastView } from './forecasts.ts';

export type WhyView =
  | { at_ms: number; mean: number; base: number; groups: readonly GroupPart[] }
  | { at_ms: number; fault: string };

export type RunView = {
  id: string;
  recipe: string;
  state: 'live' | 'pinned' | 'former' | 'barred' | 'challenger' | 'failed';
  reason: string | null;
  trained_ms: number;
  /** On days that it had not seen, in the unit of the page. */
  mae: number | null;
};
export type HorizonView = {
  horizon: 'intraday' | 'day-ahead' | 'gate-closure' | 'planning';
  pinned: boolean;
  has_former: boolean;
  runs: readonly RunView[];
};
/** Daily errors of a horizon, by local noon. */
export type AccuracyView = {
  at_ms: readonly number[];
  live: readonly number[];
  former: readonly number[];
  naive: readonly number[];
  coverage: { share: number; days: number } | null;
};
export type ModelsView = {
  horizons: readonly HorizonView[];
  accuracy: AccuracyView | null;
  training: { done: number; total: number; text: string } | null;
};

const HOUR_MS = 3_600_000;
const SHOWN_REASONS = 3;
const MOST_HOURS = 48;

/** A chosen hour in words and bars. Outside of what changes by itself, so that nothing moves while it is read. */
export function whyCard(view: ForecastView, at_ms: readonly number[], scale: Scaled, ui: Ui): Html {
  const { t } = ui;
  const hours = at_ms.filter((at) => at % HOUR_MS === 0).slice(0, MOST_HOURS);
  const chosen = view.why?.at_ms;
  return card({
    title: t('forecasts.why'),
    content: html`<form method="get" action="/forecasts" class="row"><input type="hidden" name="series" value="${view.series}">
<label for="why-hour">${t('forecasts.why_hour')}</label><select id="why-hour" name="hour">${hours.map(
      (at) =>
        html`<option value="${at}" ${at === chosen ? html`selected` : ''}>${ui.format.day(at, ui.now_ms)} ${ui.format.time(at)}</option>`,
    )}</select><button class="button">${t('forecasts.why_show')}</button></form>${reasons(view.why, scale, ui)}`,
  });
}

function reasons(why: WhyView | null, scale: Scaled, ui: Ui): Html {
  const { t, format } = ui;
  if (!why) return html`<p class="soft">${t('forecasts.why_none')}</p>`;
  if ('fault' in why) return html`<p class="soft">${t('forecasts.why_failed', { reason: why.fault })}</p>`;
  const text = (value: number) => format.scaled(value, scale);
  const signed = (value: number) => `${value >= 0 ? '+' : '−'}${text(Math.abs(value))}`;
  const named = why.groups.map(({ group, adds }) => ({ name: t(`forecasts.why_${group}`), adds }));
  const told = named.slice(0, SHOWN_REASONS).map(({ name, adds }) => `${name} (${signed(adds)})`);
  const when = t('common.at_time', { day: format.day(why.at_ms, ui.now_ms), time: format.time(why.at_ms) });
  const sentence = t('forecasts.why_sum', {
    ...{ when: when.charAt(0).toUpperCase() + when.slice(1), value: text(why.mean), base: text(why.base) },
    reasons: told.join(', '),
  });
  const top = Math.max(1e-9, ...named.map(({ adds }) => Math.abs(adds)));
  const bars = named.map(
    ({ name, adds }) =>
      html`<span>${name}</span><svg><rect class="${adds >= 0 ? 'bar-today' : 'bar-usual'}" width="${((Math.abs(adds) / top) * 100).toFixed(1)}%" height="100%" rx="2"/></svg><span class="numbers">${signed(adds)}</span>`,
  );
  return html`<p>${sentence}</p><div class="named-bars small">${bars}</div>`;
}

/** The live model against last week and against the one before it. */
export function accuracyCard(view: ForecastView, scale: Scaled, ui: Ui): Html | string {
  const accuracy = view.models?.accuracy;
  if (!accuracy || accuracy.at_ms.length < 2) return '';
  const { t, format } = ui;
  const { at_ms, live, former, naive, coverage } = accuracy;
  const known = [...live, ...former, ...naive].filter(Number.isFinite);
  const top = Math.max(...known) * 1.05 || 1;
  const text = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? '–' : format.scaled(value, { ...scale, digits: scale.digits + 1 });
  const columns = ['live', 'former', 'naive'] as const;
  const lines = [
    ['naive', naive, 'line thin t-grey'],
    ['former', former, `line dashed faint t-${view.series}`],
    ['live', live, `line t-${view.series}`],
  ] as const;
  const share = coverage && { days: format.days(coverage.days), share: format.percent(coverage.share) };
  const keys = lines
    .toReversed()
    .map(
      ([name, values, style]) =>
        html`<span class="key"><svg viewBox="0 0 20 12" aria-hidden="true"><path class="${style}" d="M0 6H20"/></svg>${t(`forecasts.accuracy_${name}`)} <b>${text(meanOf(values))}</b></span>`,
    );
  const rows = at_ms.map(
    (at, k) =>
      html`<tr><th scope="row">${format.date(at)}</th>${[live, former, naive].map((values) => html`<td class="numbers">${text(values[k])}</td>`)}</tr>`,
  );
  return card({
    title: t('forecasts.accuracy'),
    content: html`${share ? html`<p>${t('forecasts.coverage', share)}</p>` : ''}<p class="plot-head">${keys}</p>
<figure class="week-plot"><svg viewBox="0 0 ${BOX_WIDTH} ${BOX_HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${t('forecasts.accuracy_label')}"><line class="zeroline" x1="0" x2="${BOX_WIDTH}" y1="${BOX_HEIGHT}" y2="${BOX_HEIGHT}"/>${lines.map(([, values, style]) => html`<path class="${style}" vector-effect="non-scaling-stroke" d="${dailyPath(values, top)}"/>`)}</svg>
<p class="small soft week-ends"><span>${format.date(at_ms[0]!)}</span><span>${format.date(at_ms.at(-1)!)}</span></p></figure>
<details class="data-table"><summary>${t('chart.table')}</summary><div class="scroll" tabindex="0" role="region" aria-label="${t('chart.table')}"><table><thead><tr><th scope="col">${t('chart.time')}</th>${columns.map((name) => html`<th scope="col" class="numbers">${t(`forecasts.accuracy_${name}`)}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div></details>`,
  });
}

const [BOX_WIDTH, BOX_HEIGHT] = [1000, 100];

function meanOf(values: readonly number[]): number {
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? Number.NaN : known.reduce((a, b) => a + b, 0) / known.length;
}

/** A line through the days; one without a value is a gap. */
function dailyPath(values: readonly number[], top: number): string {
  const step = BOX_WIDTH / Math.max(1, values.length - 1);
  let isOpen = false;
  return values
    .map((value, k) => {
      if (!Number.isFinite(value)) {
        isOpen = false;
        return '';
      }
      const place = `${(k * step).toFixed(1)} ${((1 - value / top) * BOX_HEIGHT).toFixed(1)}`;
      const command = isOpen ? 'L' : 'M';
      isOpen = true;
      return `${command}${place}`;
    })
    .join('');
}

/** The registry: one table a horizon, with what may be done. */
export function modelsCard(view: ForecastView, scale: Scaled, ui: Ui): Html | string {
  const { models } = view;
  if (!models) return '';
  const { t } = ui;
  const content =
    models.horizons.length === 0
      ? html`<p class="soft">${t('forecasts.models_none')}</p>`
      : models.horizons.map((one) => horizonTable(view, one, scale, ui));
  return card({ title: t('forecasts.models'), content: html`${training(view, models, ui)}${content}` });
}

function training(view: ForecastView, { training }: ModelsView, ui: Ui): Html | string {
  const { t, format, actor } = ui;
  const may = actor !== null && actor.role !== 'user';
  if (!training) return may ? act(view, 'train', {}, t('forecasts.train'), ui) : '';
  const words = t('forecasts.training', {
    ...{ done: format.number(Math.floor(training.done), 0), total: format.number(training.total, 0) },
    text: training.text,
  });
  return html`<p role="status">${words}</p><progress max="${training.total || 1}" value="${training.done}" aria-label="${t('forecasts.train')}"></progress>${may ? act(view, 'cancel', {}, t('forecasts.cancel'), ui) : ''}`;
}

function horizonTable(view: ForecastView, one: HorizonView, scale: Scaled, ui: Ui): Html {
  const { t } = ui;
  const isAdmin = ui.actor?.role === 'admin';
  const heads = ['model', 'state', 'error', 'trained', ...(isAdmin ? ['act'] : [])] as const;
  return html`<section class="models" data-horizon="${one.horizon}"><h3>${t(`forecasts.horizon_${one.horizon}`)}</h3>
<div class="scroll" tabindex="0" role="region" aria-label="${t(`forecasts.horizon_${one.horizon}`)}"><table><thead><tr>${heads.map((head) => html`<th scope="col">${t(`forecasts.column_${head as 'model'}`)}</th>`)}</tr></thead>
<tbody>${one.runs.map((run) => runRow(view, one, run, scale, ui))}</tbody></table></div></section>`;
}

function runRow(view: ForecastView, one: HorizonView, run: RunView, scale: Scaled, ui: Ui): Html {
  const { t, format } = ui;
  const isLive = run.state === 'live' || run.state === 'pinned';
  const error = run.mae === null ? '–' : format.scaled(run.mae, { ...scale, digits: scale.digits + 1 });
  const state = t(`forecasts.state_${run.state}`, { reason: run.reason ?? '' });
  return html`<tr data-run="${run.recipe}"><th scope="row">${run.recipe}</th><td>${isLive ? html`<b>${state}</b>` : state}</td><td class="numbers">${error}</td><td>${age(ui, run.trained_ms)}</td>${
    ui.actor?.role === 'admin' ? html`<td>${acts(view, one, run, isLive, ui)}</td>` : ''
  }</tr>`;
}

function acts(view: ForecastView, one: HorizonView, run: RunView, isLive: boolean, ui: Ui): Html | string {
  const { t } = ui;
  const { horizon } = one;
  if (run.state === 'failed') return '';
  if (!isLive) return act(view, 'promote', { run: run.id }, t('forecasts.promote'), ui);
  const pin = one.pinned
    ? act(view, 'unpin', { horizon }, t('forecasts.unpin'), ui)
    : act(view, 'pin', { horizon }, t('forecasts.pin'), ui);
  return html`${pin}${one.has_former ? act(view, 'roll-back', { horizon }, t('forecasts.roll_back'), ui) : ''}`;
}

function act(
  { series }: ForecastView,
  what: string,
  fields: Readonly<Record<string, string>>,
  text: string,
  ui: Ui,
): Html {
  return html`<form method="post" action="/forecasts/models" class="inline-form">${csrfField(ui)}<input type="hidden" name="act" value="${what}"><input type="hidden" name="series" value="${series}">${Object.entries(
    fields,
  ).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}<button class="button">${text}</button></form>`;
}
