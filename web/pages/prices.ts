/** Prices: when is it cheap. */
import { html } from 'hono/html';
import { type Layer, type Plot, timeChart } from '../charts/time-chart.ts';
import { layout } from '../components/layout.ts';
import { age, card, csrfField, emptyState, notice, stateMark } from '../components/parts.ts';
import { priceTabs } from '../components/price-tabs.ts';
import type { Html, Ui } from '../ui.ts';
import type { SeriesColumns } from './now.ts';

/** A named stretch of time with its mean price per kWh. */
export type PriceWindow = { from_ms: number; to_ms: number; mean: number };
export type PriceDay = {
  from_ms: number;
  to_ms: number;
  /** What a kWh costs the site, fees and VAT included; NaN is missing. */
  site: SeriesColumns;
  /** The market's price per kWh, without VAT. */
  market: SeriesColumns;
  /** Among what is still to come; null where nothing differs. */
  windows: { cheapest: PriceWindow; dearest: PriceWindow } | null;
  /** Stretches whose market price is below zero. */
  negative: readonly { from_ms: number; to_ms: number }[];
};
export type PriceSource = {
  name: string;
  area: string;
  used: boolean;
  last_success_ms: number | null;
  last_run_ms: number | null;
  fault: string | null;
  next_run_ms: number | null;
};
export type PricesView =
  | { kind: 'fixed'; per_kWh: number; currency: string }
  | {
      kind: 'market';
      currency: string;
      /** null: the tariff changes with the time, but asks no market. */
      area: string | null;
      /** How the price is made, where it is one market price; else the name of the tariff. */
      tariff: { factor: number; fee_per_kWh: number; vat_percent: number } | string;
      current: number | null;
      mean_today: number | null;
      days: readonly [today: PriceDay, tomorrow: PriceDay];
      sources: readonly PriceSource[];
      stale_since_ms: number | null;
      /** About when the market publishes tomorrow. */
      publication_ms: number;
    };
type Market = Extract<PricesView, { kind: 'market' }>;

const SLOT_MS = 15 * 60_000;

export function pricesPage(view: PricesView, ui: Ui): Html {
  const content = html`${priceTabs(ui, 'prices')}<div class="region" id="price-page" sse-swap="prices" hx-swap="morph:innerHTML">${pricesRegion(view, ui)}</div>`;
  return layout(ui, {
    title: ui.t('page.prices'),
    page: 'prices',
    content,
    as_of_ms: view.kind === 'market' ? fetchedLast(view.sources) : null,
    live: 'page=prices',
    scripts: ['chart.js'],
  });
}

function fetchedLast(sources: readonly PriceSource[]): number | null {
  const known = sources.flatMap((source) => (source.used && source.last_success_ms) || []);
  return known.length === 0 ? null : Math.max(...known);
}

/** All that changes by itself: with every slot, and when prices come in. */
export function pricesRegion(view: PricesView, ui: Ui): Html {
  if (view.kind === 'fixed') return fixedPrice(view, ui);
  const stale = view.stale_since_ms === null ? '' : staleNotice(view.stale_since_ms, ui);
  const hasPrices = view.days.some((day) => hasValue(day.site));
  if (!hasPrices) return html`<div class="stack">${stale}${nothingYet(view, ui)}${sourcesCard(view, ui)}</div>`;
  return html`<div class="stack">${stale}
${sentence(view, ui)}
${view.days.map((day, i) => dayCard(view, day, i, ui))}
${sourcesCard(view, ui)}</div>`;
}

function hasValue(columns: SeriesColumns): boolean {
  return Array.from(columns.values).some(Number.isFinite);
}

function fixedPrice(view: Extract<PricesView, { kind: 'fixed' }>, ui: Ui): Html {
  return html`<div class="stack"><p class="headline">${ui.rich('prices.fixed', { price: html`<b>${ui.format.price(view.per_kWh, view.currency)}</b>` })}.</p>
<p class="soft">${ui.t('prices.fixed_hint')}</p></div>`;
}

function staleNotice(since_ms: number, ui: Ui): Html {
  return notice('warning', ui.t('prices.stale', { since: ui.format.when(since_ms, ui.now_ms) }));
}

function nothingYet(view: Market, ui: Ui): Html {
  const next = view.sources.flatMap((source) => source.next_run_ms ?? []);
  return emptyState({
    title: ui.t('prices.empty_title'),
    text: ui.t('prices.empty', {
      area: view.area ?? '',
      next: next.length ? ui.format.when(Math.min(...next), ui.now_ms) : ui.t('prices.empty_soon'),
    }),
    icon: 'coins',
    actions: ui.actor?.role === 'admin' ? refreshForm(ui) : html``,
  });
}

function refreshForm(ui: Ui): Html {
  return html`<form method="post" action="/prices/refresh" hx-post="/prices/refresh" hx-swap="outerHTML">${csrfField(ui)}<button>${ui.t('prices.refresh')}</button></form>`;
}

function sentence(view: Market, ui: Ui): Html {
  const { t, format } = ui;
  if (view.current === null) return html`<p class="headline">${t('prices.now_unknown')}.</p>`;
  const price = html`<b>${format.price(view.current, view.currency)}</b>`;
  const ratio = view.mean_today ? view.current / view.mean_today - 1 : 0;
  const percent = format.percent(Math.abs(ratio));
  const key = Math.abs(ratio) < 0.03 ? 'near' : ratio < 0 ? 'below' : 'above';
  const words = {
    near: t('prices.near_mean'),
    below: t('prices.against_mean', { percent }),
    above: t('prices.above_mean', { percent }),
  };
  return html`<p class="headline">${ui.rich('prices.now', { price })}, ${words[key]}.</p>`;
}

function dayCard(view: Market, day: PriceDay, index: number, ui: Ui): Html {
  const { t, format } = ui;
  const name = format.day(day.from_ms, ui.now_ms);
  const title = `${name.charAt(0).toLocaleUpperCase(format.locale)}${name.slice(1)}, ${format.date(day.from_ms)}`;
  if (!hasValue(day.site))
    return card({
      title,
      content: html`<p class="soft">${index === 1 ? tomorrowWords(view, ui) : t('prices.day_none')}</p>`,
    });
  const chart = timeChart(ui, {
    id: `chart-price-${index}`,
    label: t('prices.chart_label', { day: title }),
    range: day,
    now_ms: ui.now_ms >= day.from_ms && ui.now_ms < day.to_ms ? ui.now_ms : null,
    plots: [pricePlot(view, day, ui)],
    table: tableOf(view, day, ui),
  });
  return card({ title, content: html`${windowWords(view, day, ui)}${chart}` });
}

function tomorrowWords(view: Market, ui: Ui): string {
  const time = ui.format.when(view.publication_ms, ui.now_ms);
  const next = view.sources.flatMap((source) => source.next_run_ms ?? []);
  if (next.length === 0) return ui.t('prices.tomorrow_none_unknown', { time });
  return ui.t('prices.tomorrow_none', { time, next: ui.format.when(Math.min(...next), ui.now_ms) });
}

function range(from_ms: number, to_ms: number, ui: Ui): string {
  const to = ui.format.time(to_ms);
  return ui.t('common.time_range', { from: ui.format.time(from_ms), to: to === '00:00' ? '24:00' : to });
}

/** The cheapest and dearest stretches in words, which the chart only marks. */
function windowWords(view: Market, day: PriceDay, ui: Ui): Html {
  const { t, format } = ui;
  if (!day.windows) return html`<p class="soft">${t('prices.same')}</p>`;
  const { cheapest, dearest } = day.windows;
  const words = (window: PriceWindow) =>
    t('prices.window', {
      time: range(window.from_ms, window.to_ms, ui),
      price: format.price(window.mean, view.currency),
    });
  const negative = day.negative.map((stretch) => range(stretch.from_ms, stretch.to_ms, ui));
  return html`<dl class="facts windows"><dt>${t('prices.cheapest')}</dt><dd><b>${words(cheapest)}</b> <span class="soft">${t('prices.cheaper_by', { price: format.price(dearest.mean - cheapest.mean, view.currency) })}</span></dd>
<dt>${t('prices.dearest')}</dt><dd>${words(dearest)}</dd></dl>
${negative.length ? html`<p class="small">${t('prices.negative', { time: negative.join(', ') })}</p>` : ''}`;
}

function pricePlot(view: Market, day: PriceDay, ui: Ui): Plot {
  const { t } = ui;
  const scale = ui.format.priceScale(view.currency);
  const slot_ms = Math.floor(ui.now_ms / SLOT_MS) * SLOT_MS;
  const windows: Layer[] = day.windows
    ? [
        { kind: 'window', tone: 'price', ...day.windows.cheapest, label: t('prices.mark_cheapest') },
        { kind: 'window', tone: 'grey', ...day.windows.dearest, label: t('prices.mark_dearest') },
      ]
    : [];
  return {
    title: t('chart.price'),
    unit: scale.unit,
    factor: scale.factor,
    keys: [
      { tone: 'price', shape: 'line', text: t('prices.site') },
      { tone: 'price', shape: 'faint', text: t('prices.market') },
    ],
    tick: ui.format.tick,
    layers: [
      { kind: 'slot', tone: 'price', from_ms: slot_ms, to_ms: slot_ms + SLOT_MS },
      ...windows,
      { kind: 'step', tone: 'price', ...day.market, style: 'thin faint' },
      { kind: 'step', tone: 'price', ...day.site, fill: true },
    ],
  };
}

function tableOf(view: Market, day: PriceDay, ui: Ui) {
  const market = new Map(Array.from(day.market.at_ms, (at_ms, i) => [at_ms, day.market.values[i]!]));
  const text = (value: number | undefined) =>
    value === undefined || Number.isNaN(value) ? '–' : ui.format.price(value, view.currency);
  const rows = Array.from(day.site.at_ms, (from_ms, i) => ({
    from_ms,
    to_ms: from_ms + SLOT_MS,
    cells: [text(day.site.values[i]), text(market.get(from_ms))],
  }));
  return { columns: [ui.t('prices.site'), ui.t('prices.market')], rows };
}

function sourcesCard(view: Market, ui: Ui): Html {
  const { t, format } = ui;
  const line = (source: PriceSource) => {
    const state = source.fault ? 'warning' : source.last_success_ms === null ? 'unknown' : 'ok';
    const words =
      source.last_success_ms === null
        ? t('prices.source_never')
        : ui.rich('prices.source_ok', { age: age(ui, source.last_success_ms) });
    const fault = source.fault
      ? html`<br>${t('prices.source_fault', { age: format.ago(source.last_run_ms, ui.now_ms), fault: source.fault })}`
      : '';
    const next = source.next_run_ms
      ? html`<br>${t('prices.source_next', { time: format.when(source.next_run_ms, ui.now_ms) })}`
      : '';
    const used = source.used ? html` <span class="badge">${t('prices.source_used')}</span>` : '';
    return html`<li><span>${stateMark(state, source.name)}${used}</span><span class="small soft source-words">${words}${fault}${next}</span></li>`;
  };
  return card({
    title: t('prices.origin'),
    aside: view.area === null ? html`` : html`<span class="small soft">${t('prices.area', { area: view.area })}</span>`,
    content: html`<p>${formula(view, ui)} <a href="/tariff">${t('prices.to_tariff')}</a></p>
<ul class="rows">${view.sources.map(line)}</ul>`,
  });
}

/** How the price of a kWh is made. */
function formula({ tariff, currency }: Market, { t, format }: Ui): string {
  if (typeof tariff === 'string') return t('prices.by_tariff', { name: tariff });
  const { factor, fee_per_kWh, vat_percent } = tariff;
  return t('prices.formula', {
    factor: format.number(factor, factor === 1 ? 0 : 2),
    fee: format.price(fee_per_kWh, currency),
    vat: format.percent(vat_percent / 100),
  });
}
