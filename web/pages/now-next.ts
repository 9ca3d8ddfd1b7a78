/** The next 24 hours: load, generation and price under one another over one time axis. */
import { html } from 'hono/html';
import { type Layer, type Plot, type Tone, timeChart } from '../charts/time-chart.ts';
import { card } from '../components/parts.ts';
import type { Html, Ui } from '../ui.ts';
import type { FanColumns, NextDay, NowView, SeriesColumns } from './now.ts';

const SLOT_MS = 15 * 60_000;

export function nextCard(view: Pick<NowView, 'next'>, ui: Ui): Html {
  const { next } = view;
  const plots = [
    powerPlot(ui, 'load', next.load, next.load_forecast),
    next.generation ? powerPlot(ui, 'generation', next.generation, next.generation_forecast) : null,
    pricePlot(ui, next),
  ].filter((plot) => plot !== null);
  return card({
    title: ui.t('now.next'),
    content: html`${noteOf(next, ui)}${timeChart(ui, {
      id: 'chart-next',
      label: ui.t('now.next_label'),
      range: next,
      now_ms: ui.now_ms,
      plots,
      table: tableOf(ui, next),
    })}`,
  });
}

/** Why something is missing from the charts. */
function noteOf(next: NextDay, ui: Ui): Html | string {
  if (next.pending) return html`<p class="soft">${ui.t('common.gathering')}</p>`;
  if (next.failed) return html`<p class="soft">${ui.t('common.unavailable')}</p>`;
  if (next.load_forecast) return '';
  const { need_days: need, has_days: has } = next.history;
  return html`<p class="soft">${has < need ? ui.t('now.no_forecast', { need, has }) : ui.t('now.forecast_none')}</p>`;
}

function powerPlot(
  ui: Ui,
  tone: Tone & ('load' | 'generation'),
  measured: SeriesColumns,
  fan: FanColumns | null,
): Plot {
  const values = [...Array.from(measured.values), ...(fan?.high ?? [])].filter(Number.isFinite);
  const scale = ui.format.powerScale(values);
  const layers: Layer[] = fan
    ? [
        { kind: 'band', tone, at_ms: middles(fan.at_ms), lower: fan.low, upper: fan.high },
        { kind: 'line', tone, at_ms: middles(fan.at_ms), values: fan.mean, style: 'dashed faint' },
      ]
    : [];
  const keys: NonNullable<Plot['keys']> = [
    { tone, shape: 'line', text: ui.t('chart.measured') },
    ...(fan ? ([{ tone, shape: 'dashed', text: ui.t('chart.forecast') }] as const) : []),
    ...(fan && tone === 'load' ? ([{ tone, shape: 'band', text: ui.t('chart.band_80') }] as const) : []),
  ];
  return {
    title: ui.t(`chart.${tone}`),
    unit: scale.unit,
    keys,
    factor: scale.factor,
    tick: ui.format.tick,
    layers: [...layers, { kind: 'line', tone, at_ms: middles(measured.at_ms), values: measured.values }],
  };
}

/** A slot's mean power is drawn at its middle. */
function middles(at_ms: ArrayLike<number>): number[] {
  return Array.from(at_ms, (at) => at + SLOT_MS / 2);
}

function pricePlot(ui: Ui, next: NextDay): Plot {
  const scale = ui.format.priceScale();
  const slot_ms = Math.floor(ui.now_ms / SLOT_MS) * SLOT_MS;
  return {
    title: ui.t('chart.price'),
    unit: scale.unit,
    height: 'low',
    factor: scale.factor,
    tick: ui.format.tick,
    layers: [
      { kind: 'slot', tone: 'price', from_ms: slot_ms, to_ms: slot_ms + SLOT_MS },
      { kind: 'step', tone: 'price', at_ms: next.price.at_ms, values: next.price.values, fill: true },
    ],
    empty: ui.t(next.pending ? 'common.gathering' : 'now.no_prices'),
  };
}

/** One row a slot with everything that is known of it. */
function tableOf(ui: Ui, next: NextDay) {
  const { t, format } = ui;
  const columns = [t('chart.load'), `${t('chart.load')}, ${t('chart.forecast')}`];
  if (next.generation) columns.push(t('chart.generation'), `${t('chart.generation')}, ${t('chart.forecast')}`);
  columns.push(t('chart.price'));
  const power = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? '–' : format.power(value));
  const load = byTime(next.load);
  const generation = next.generation ? byTime(next.generation) : null;
  const price = byTime(next.price);
  const rows = [];
  for (let at_ms = next.from_ms; at_ms < next.to_ms; at_ms += SLOT_MS) {
    const cells = [power(load.get(at_ms)), fanText(next.load_forecast, at_ms, ui)];
    if (generation) cells.push(power(generation.get(at_ms)), fanText(next.generation_forecast, at_ms, ui));
    const per_kWh = price.get(at_ms);
    cells.push(per_kWh === undefined || Number.isNaN(per_kWh) ? '–' : format.price(per_kWh));
    rows.push({ from_ms: at_ms, to_ms: at_ms + SLOT_MS, cells });
  }
  return { columns, rows };
}

function byTime(columns: SeriesColumns): Map<number, number> {
  return new Map(Array.from(columns.at_ms, (at_ms, i) => [at_ms, columns.values[i]!]));
}

function fanText(fan: FanColumns | null, at_ms: number, { format }: Ui): string {
  const i = fan ? fan.at_ms.indexOf(at_ms) : -1;
  if (!fan || i < 0) return '–';
  const scale = format.powerScale([fan.high[i]!]);
  const range = `${format.number(fan.low[i]! * scale.factor, scale.digits)}–${format.number(fan.high[i]! * scale.factor, scale.digits)}`;
  return `${format.scaled(fan.mean[i]!, scale)} (${range})`;
}
