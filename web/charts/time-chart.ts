/**
 * Plots under one another over one time axis, drawn on the server. Paths stretch with the width while text keeps its
 * size: places are percentages, strokes do not scale. `chart.js` reads the values of the table below the plots and
 * shows them under pointer and arrow keys.
 */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';
import {
  bandPath,
  HEIGHT,
  linePath,
  niceScale,
  type Range,
  type Scale,
  stepPath,
  type TimeTick,
  timeTicks,
  WIDTH,
  xOf,
  yOf,
} from './scale.ts';

export type Tone = 'load' | 'generation' | 'price' | 'import' | 'export' | 'battery' | 'warning' | 'fault' | 'grey';

export type Layer =
  /** Power: a line through the values, NaN is a gap. */
  | { kind: 'line'; tone: Tone; at_ms: ArrayLike<number>; values: ArrayLike<number>; style?: LineStyle }
  /** Values that hold for a slot. */
  | { kind: 'step'; tone: Tone; at_ms: ArrayLike<number>; values: ArrayLike<number>; fill?: boolean; style?: LineStyle }
  /** Uncertainty. The inner band is drawn darker. */
  | {
      kind: 'band';
      tone: Tone;
      at_ms: ArrayLike<number>;
      lower: ArrayLike<number>;
      upper: ArrayLike<number>;
      inner?: boolean;
    }
  /** A stretch of time that is named elsewhere in words. */
  | { kind: 'window'; tone: Tone; from_ms: number; to_ms: number; label: string }
  /** The slot that holds now. */
  | { kind: 'slot'; tone: Tone; from_ms: number; to_ms: number };
export type LineStyle = '' | 'dashed' | 'thin' | 'faint' | 'dashed faint' | 'thin faint';

export type Plot = {
  title: string;
  unit: string;
  /** What stands for what, beside the title. */
  keys?: readonly {
    tone: Tone;
    shape: 'line' | 'dashed' | 'faint' | 'dashed faint' | 'band' | 'inner';
    text: string;
  }[];
  layers: readonly Layer[];
  /** Writes the numbers of the value axis. */
  tick: (value: number) => string;
  /** The factor from values to what the axis counts in, so that ticks are round there. */
  factor: number;
  zero?: boolean;
  height?: 'low' | 'normal' | 'high';
  /** Shown in place of the plot when no layer has a value. */
  empty?: string;
};

export type ChartTable = {
  columns: readonly string[];
  /** One row a slot: [from, to) and a text per column. */
  rows: readonly { from_ms: number; to_ms: number; cells: readonly string[] }[];
  csv?: string | null;
};

export type TimeChart = {
  id: string;
  label: string;
  range: Range;
  now_ms: number | null;
  plots: readonly Plot[];
  table: ChartTable;
  /** Longest distance of two values that a line joins. */
  gap_ms?: number;
};

const SLOT_MS = 15 * 60_000;
const percent = (share: number, whole: number) => `${Number(((share / whole) * 100).toFixed(3))}%`;

/** The chart with its reading line and table. */
export function timeChart(ui: Ui, chart: TimeChart): Html {
  const ticks = timeTicks(chart.range, ui.format.wall);
  return html`<luna-chart id="${chart.id}" data-from="${chart.range.from_ms}" data-to="${chart.range.to_ms}" data-now="${chart.now_ms ?? ''}">
<div class="chart-focus" role="slider" tabindex="0" aria-label="${chart.label}" aria-valuemin="0" aria-valuemax="${Math.max(0, chart.table.rows.length - 1)}" aria-valuenow="0" aria-valuetext="${ui.t('chart.hint')}">
${chart.plots.map((plot) => plotOf(chart, plot, ticks, ui))}
<div class="plot-frame plot-axis"><div></div><svg aria-hidden="true">${ticks.map((tick, i) => {
    const text = tickText(tick, chart.range, ui);
    const place = percent(xOf(tick.at_ms, chart.range), WIDTH);
    return html`<text class="${i % 2 ? 'minor' : ''}" x="${place}" y="13" text-anchor="${anchorOf(tick.at_ms, chart.range)}">${text}</text>`;
  })}</svg></div>
</div>
<p class="readout" data-hint="${ui.t('chart.hint')}" aria-hidden="true">${ui.t('chart.hint')}</p>
${tableOf(ui, chart)}
</luna-chart>`;
}

/** The date where a day begins; within a single day its ends are 00:00 and 24:00. */
function tickText(tick: TimeTick, range: Range, ui: Ui): string {
  if (tick.kind === 'hour') return ui.format.time(tick.at_ms);
  if (range.to_ms - range.from_ms > 25 * 3_600_000) return ui.format.date(tick.at_ms);
  return tick.at_ms === range.to_ms ? '24:00' : ui.format.time(tick.at_ms);
}

/** Labels at the ends stay inside. */
function anchorOf(at_ms: number, range: Range): string {
  const x = xOf(at_ms, range) / WIDTH;
  return x < 0.02 ? 'start' : x > 0.96 ? 'end' : 'middle';
}

function plotOf(chart: TimeChart, plot: Plot, ticks: readonly { at_ms: number }[], ui: Ui): Html {
  const values = [...valuesOf(plot.layers)].map((value) => value * plot.factor);
  const head = html`<p class="plot-head"><span><strong>${plot.title}</strong> ${plot.unit}</span>${(plot.keys ?? []).map(keyOf)}</p>`;
  if (!values.some(Number.isFinite))
    return html`<div class="plot ${plot.height ?? ''}">${head}<p class="soft">${plot.empty ?? ui.t('chart.empty')}</p></div>`;
  const count = plot.height === 'low' ? 2 : 4;
  const shown = niceScale(values, { zero: plot.zero ?? true, count });
  const scale: Scale = { ...shown, min: shown.min / plot.factor, max: shown.max / plot.factor };
  const heights = shown.ticks.map((tick) => percent(yOf(tick, shown), HEIGHT));
  return html`<div class="plot ${plot.height ?? ''}">${head}<div class="plot-frame">
<svg class="y" aria-hidden="true">${shown.ticks.map(
    (tick, i) => html`<text x="100%" dx="-8" y="${heights[i]}" dy="4" text-anchor="end">${plot.tick(tick)}</text>`,
  )}</svg>
<svg class="area" aria-hidden="true">
${heights.map((y, i) => html`<line class="${shown.ticks[i] === 0 ? 'zeroline' : 'gridline'}" x1="0" x2="100%" y1="${y}" y2="${y}"/>`)}
${ticks.map((tick) => {
  const x = percent(xOf(tick.at_ms, chart.range), WIDTH);
  return html`<line class="gridline" x1="${x}" x2="${x}" y1="100%" y2="100%"/>`;
})}
${plot.layers.map((layer) => markOf(layer, chart.range))}
<svg class="area-inner" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" width="100%" height="100%">${plot.layers.map((layer) => pathOf(layer, chart, scale))}</svg>
${chart.now_ms === null ? '' : nowLine(chart.now_ms, chart.range)}
<line class="cross" x1="0" x2="0" y1="0" y2="100%"/>
</svg></div></div>`;
}

function* valuesOf(layers: readonly Layer[]): Iterable<number> {
  for (const layer of layers) {
    if (layer.kind === 'band') {
      yield* Array.from(layer.lower);
      yield* Array.from(layer.upper);
    } else if (layer.kind === 'line' || layer.kind === 'step') yield* Array.from(layer.values);
  }
}

function pathOf(layer: Layer, chart: TimeChart, scale: Scale): Html | string {
  const gap_ms = chart.gap_ms ?? 2 * SLOT_MS;
  if (layer.kind === 'band')
    return html`<path class="band ${layer.inner ? 'inner' : ''} t-${layer.tone}" d="${bandPath(layer, chart.range, scale, gap_ms)}"/>`;
  if (layer.kind === 'line')
    return html`<path class="line ${layer.style ?? ''} t-${layer.tone}" d="${linePath(layer, chart.range, scale, gap_ms)}"/>`;
  if (layer.kind !== 'step') return '';
  const fill = layer.fill
    ? html`<path class="fill t-${layer.tone}" d="${stepPath(layer, chart.range, scale, SLOT_MS, true)}"/>`
    : '';
  return html`${fill}<path class="line ${layer.style ?? ''} t-${layer.tone}" d="${stepPath(layer, chart.range, scale, SLOT_MS)}"/>`;
}

function markOf(layer: Layer, range: Range): Html | string {
  if (layer.kind !== 'window' && layer.kind !== 'slot') return '';
  const from = xOf(Math.max(layer.from_ms, range.from_ms), range);
  const to = xOf(Math.min(layer.to_ms, range.to_ms), range);
  if (to <= from) return '';
  if (layer.kind === 'slot')
    return html`<rect class="current t-${layer.tone}" x="${percent(from, WIDTH)}" width="${percent(to - from, WIDTH)}" y="0" height="100%"/>`;
  return html`<line class="window-mark t-${layer.tone}" x1="${percent(from, WIDTH)}" x2="${percent(to, WIDTH)}" y1="100%" y2="100%"/>
<text class="halo" x="${percent((from + to) / 2, WIDTH)}" y="100%" dy="-6" text-anchor="middle">${layer.label}</text>`;
}

function nowLine(now_ms: number, range: Range): Html | string {
  if (now_ms < range.from_ms || now_ms > range.to_ms) return '';
  const x = percent(xOf(now_ms, range), WIDTH);
  return html`<line class="nowline" x1="${x}" x2="${x}" y1="0" y2="100%"/>`;
}

type Key = NonNullable<Plot['keys']>[number];

function keyOf(key: Key): Html {
  const shape =
    key.shape === 'band' || key.shape === 'inner'
      ? html`<rect class="band ${key.shape === 'inner' ? 'inner' : ''}" width="20" height="12"/>`
      : html`<path class="line ${key.shape === 'line' ? '' : key.shape}" d="M0 6H20"/>`;
  return html`<span class="key t-${key.tone}"><svg viewBox="0 0 20 12" aria-hidden="true">${shape}</svg>${key.text}</span>`;
}

function tableOf(ui: Ui, { table }: TimeChart): Html {
  const now_ms = ui.now_ms;
  return html`<div class="chart-foot"><details class="data-table"><summary>${ui.t('chart.table')}</summary><div class="scroll" tabindex="0" role="region" aria-label="${ui.t('chart.table')}"><table>
<thead><tr><th scope="col">${ui.t('chart.time')}</th>${table.columns.map((column) => html`<th scope="col" class="numbers">${column}</th>`)}</tr></thead>
<tbody>${table.rows.map(
    (row) =>
      html`<tr data-at="${row.from_ms}" data-to="${row.to_ms}"><th scope="row">${ui.format.when(row.from_ms, now_ms)}</th>${row.cells.map((cell) => html`<td class="numbers">${cell}</td>`)}</tr>`,
  )}</tbody>
</table></div></details>${table.csv ? html`<a href="${table.csv}" download>${ui.t('chart.csv')}</a>` : ''}</div>`;
}
