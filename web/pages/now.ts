/** Now: is all well, what do we draw and pay, what should I do, what comes next. */
import { html } from 'hono/html';
import { asOf, layout } from '../components/layout.ts';
import { emptyState, linkButton, stateMark } from '../components/parts.ts';
import { type StoreWaiting, storeNotice } from '../components/store-notice.ts';
import type { Html, Ui } from '../ui.ts';
import { adviceCard, costCard } from './now-cards.ts';
import { dataCard } from './now-data.ts';
import { flowCard } from './now-flow.ts';
import { nextCard } from './now-next.ts';

/** `power_W` null: no current value, since `stale_since_ms` (null: there never was one). */
export type FlowPart = { power_W: number | null; stale_since_ms: number | null };
/** Signs: grid + import, generation + production, battery + discharge, load + consumption. Null: no such meter. */
export type PowerFlow = {
  grid: FlowPart | null;
  generation: FlowPart | null;
  battery: FlowPart | null;
  load: FlowPart;
  soc_percent: number | null;
};
/** `cheap`, `dear` and `negative` last until `at_ms`; `cheap-from` begins then. */
export type PricePhase = { kind: 'cheap' | 'dear' | 'negative' | 'cheap-from'; at_ms: number };

export type DayCost = {
  currency: string;
  amount: number | null;
  import_kWh: number | null;
  /** Slots of today so far without a value or price. */
  missing_slots: number;
  /** The mean of the same hours of the same weekday in the last weeks; null before there are any. */
  usual: number | null;
  /** The store did not answer. */
  failed?: boolean;
  /** It has not answered yet. */
  pending?: boolean;
};

export type FirstAdvice = {
  decision_id: string;
  action: {
    id: string;
    text: string;
    why: string;
    saving: { amount: number; low: number; high: number; currency: string } | null;
    deadline_ms: number | null;
    link: string | null;
  };
};

export type SeriesColumns = { at_ms: ArrayLike<number>; values: ArrayLike<number> };
export type FanColumns = {
  at_ms: readonly number[];
  mean: readonly number[];
  low: readonly number[];
  high: readonly number[];
};
/** Power in W per slot, price per kWh as the site pays it. */
export type NextDay = {
  from_ms: number;
  to_ms: number;
  load: SeriesColumns;
  load_forecast: FanColumns | null;
  generation: SeriesColumns | null;
  generation_forecast: FanColumns | null;
  price: SeriesColumns;
  /** The store did not answer: what is missing may well exist. */
  failed?: boolean;
  /** It has not answered yet. */
  pending?: boolean;
  /** Days of readings there are, and about how many a forecast needs. */
  history: { has_days: number; need_days: number };
};

export type SilentMeter = { id: string; name: string; state: 'fault' | 'warning'; text: string };
export type DataState = {
  live: number;
  total: number;
  silent: readonly SilentMeter[];
  prices:
    | { kind: 'fixed' }
    | { kind: 'none' }
    | { kind: 'stale'; since_ms: number }
    | { kind: 'fresh'; until_ms: number; fetched_ms: number | null };
  forecast: { made_ms: number; model: string } | null;
  /** Prices and forecast are still being asked for. */
  pending?: boolean;
};

/** How many, and the words of the worst. */
export type OpenAlerts = { n: number; severity: 'info' | 'warning' | 'fault'; text: string };

export type NowView = {
  flow: PowerFlow;
  /** Forecast load of the current slot. */
  expected_load_W: number | null;
  phase: PricePhase | null;
  /** Newest reading of any meter. */
  as_of_ms: number | null;
  data: DataState;
  /** What is open and nobody has seen yet; null where nothing is. */
  alerts?: OpenAlerts | null;
  /** The series store is away or catches up; null where it does neither. */
  store?: StoreWaiting | null;
  cost: DayCost;
  advice: FirstAdvice | null;
  next: NextDay;
};

/** The regions that change by themselves, by the name of their event. */
export const nowRegions = {
  'as-of': (view: NowView, ui: Ui) => (view.as_of_ms === null ? html`` : asOf(ui, view.as_of_ms)),
  state: (view: NowView, ui: Ui) => stateLine(view, ui),
  flow: (view: NowView, ui: Ui) => flowCard(view.flow, ui),
  cost: (view: NowView, ui: Ui) => costCard(view.cost, ui),
  advice: (view: NowView, ui: Ui) => adviceCard(view, ui),
  next: (view: NowView, ui: Ui) => nextCard(view, ui),
  data: (view: NowView, ui: Ui) => dataCard(view.data, ui),
};
export type NowRegion = keyof typeof nowRegions;

/** The page; `view` null while there is no meter point. */
export function nowPage(view: NowView | null, ui: Ui): Html {
  if (!view) return layout(ui, { title: ui.t('page.now'), page: 'now', content: emptyNow(ui), live: 'page=now' });
  const region = (name: NowRegion, classes: string) =>
    html`<div class="${classes}" id="now-${name}" sse-swap="${name}" hx-swap="morph:innerHTML">${nowRegions[name](view, ui)}</div>`;
  const content = html`${region('state', 'now-state')}
<div class="now-flow large region">${region('flow', 'region')}</div>
<div class="stack small-card">${region('cost', 'region')}${region('advice', 'region grow')}</div>
${region('next', 'region')}
${region('data', 'region')}`;
  return layout(ui, {
    title: ui.t('page.now'),
    page: 'now',
    content,
    as_of_ms: view.as_of_ms,
    live: 'page=now',
    scripts: ['chart.js'],
  });
}

function emptyNow(ui: Ui): Html {
  const { t } = ui;
  const actions =
    ui.actor?.role === 'admin'
      ? html`${linkButton('/meters/new', t('now.empty_add'), 'primary', 'plus')}${linkButton('/import', t('now.empty_import'), 'plain', 'upload')}`
      : html`<p class="soft">${t('now.empty_admin')}</p>`;
  return emptyState({ title: t('now.empty_title'), text: t('now.empty'), icon: 'gauge', actions });
}

/** Below this share of the forecast a difference is not said. */
const SAME = 0.03;
/** Below this the grid connection counts as idle. */
const IDLE_W = 20;

/** The one sentence: what is used or drawn, against the forecast, and what the price does. */
function stateLine(view: NowView, ui: Ui): Html {
  return html`<div>${storeNotice(view.store, ui)}<p class="headline">${powerWords(view, ui)}${comparison(view, ui)}${phaseWords(view, ui)}.</p>
<p class="wellness">${wellness(view.data, ui)}</p>${view.alerts ? alertLine(view.alerts, ui) : ''}</div>`;
}

function alertLine({ n, severity, text }: OpenAlerts, ui: Ui): Html {
  const words = `${ui.t('alerts.open_on_now', { n })}: ${text}`;
  return html`<p class="wellness"><a href="/alerts">${stateMark(severity === 'info' ? 'unknown' : severity, words)}</a></p>`;
}

/** Whether all is well; what is wrong stands first and leads to it. */
function wellness(data: DataState, ui: Ui): Html {
  if (data.silent.length === 0) return stateMark('ok', ui.t('now.all_live', { n: data.total }));
  const first = data.silent[0]!;
  const words = ui.t('now.one_fault', { n: data.silent.length });
  const rest = ui.t('now.meters_live', { live: data.live, total: data.total });
  return html`<a href="${data.silent.length === 1 ? `/meters/${encodeURIComponent(first.id)}` : '/meters'}">${stateMark(
    first.state,
    `${words}: ${data.silent
      .map((meter) => meter.name)
      .slice(0, 3)
      .join(', ')}`,
  )}</a> <span class="soft">· ${rest}</span>`;
}

function powerWords({ flow }: NowView, ui: Ui): Html | string {
  const power = (power_W: number) => html`<b>${ui.format.power(Math.abs(power_W))}</b>`;
  const grid_W = flow.grid?.power_W ?? null;
  const hasOwnSource = flow.generation !== null || flow.battery !== null;
  if (flow.load.power_W !== null && (hasOwnSource || grid_W === null))
    return ui.rich('now.using', { power: power(flow.load.power_W) });
  if (grid_W === null) return ui.t('now.unknown');
  if (Math.abs(grid_W) < IDLE_W) return ui.t('now.balanced');
  return ui.rich(grid_W > 0 ? 'now.drawing' : 'now.feeding', { power: power(grid_W) });
}

function comparison({ flow, expected_load_W }: NowView, ui: Ui): Html | string {
  const load_W = flow.load.power_W;
  if (load_W === null || expected_load_W === null || expected_load_W <= 0) return '';
  const ratio = load_W / expected_load_W - 1;
  if (Math.abs(ratio) < SAME) return html`, ${ui.t('now.as_forecast')}`;
  const percent = ui.format.percent(Math.abs(ratio));
  return html`, ${ui.t(ratio < 0 ? 'now.below' : 'now.above', { percent })}`;
}

const PHASES = {
  cheap: 'now.cheap_until',
  dear: 'now.dear_until',
  negative: 'now.negative_until',
  'cheap-from': 'now.cheap_from',
} as const;

function phaseWords({ phase }: NowView, ui: Ui): Html | string {
  if (!phase) return '';
  return html`; ${ui.t(PHASES[phase.kind], { time: ui.format.until(phase.at_ms, ui.now_ms) })}`;
}
