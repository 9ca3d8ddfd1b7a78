/** Two marks of a line of text: a spark line and the quality of a day as a strip of cells. */
import { html } from 'hono/html';
import type { Html } from '../ui.ts';
import { HEIGHT, WIDTH } from './scale.ts';
import type { Tone } from './time-chart.ts';

/** A spark line is about this many pixels wide. */
const MOST_POINTS = 60;

/** The course of the last minutes, without axes; its values stand beside it. Nothing for less than two values. */
export function sparkLine(points: readonly { at_ms: number; value: number }[], tone: Tone): Html {
  if (points.length < 2) return html`<svg class="spark" aria-hidden="true"></svg>`;
  const from_ms = points[0]!.at_ms;
  const length_ms = Math.max(1, points.at(-1)!.at_ms - from_ms);
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { value } of points) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const every = Math.ceil(points.length / MOST_POINTS);
  let path = '';
  points.forEach(({ at_ms, value }, i) => {
    if (i % every !== 0 && i !== points.length - 1) return;
    const x = Math.round(((at_ms - from_ms) / length_ms) * WIDTH);
    const y = high > low ? Math.round((1 - (value - low) / (high - low)) * HEIGHT) : HEIGHT / 2;
    path += `${path === '' ? 'M' : 'L'}${x} ${y}`;
  });
  return html`<svg class="spark" viewBox="0 -4 ${WIDTH} ${HEIGHT + 8}" preserveAspectRatio="none" aria-hidden="true"><path class="line thin t-${tone}" d="${path}"/></svg>`;
}

export type Cell = 'good' | 'marked' | 'left-out' | 'missing' | 'to-come';

/** One cell a slot of the day; runs of the same kind are one rectangle. `label` says the same in words. */
export function qualityStrip(cells: readonly Cell[], label: string): Html {
  const runs: { cell: Cell; from: number; to: number }[] = [];
  cells.forEach((cell, i) => {
    const last = runs.at(-1);
    if (last?.cell === cell) last.to = i + 1;
    else runs.push({ cell, from: i, to: i + 1 });
  });
  return html`<svg class="strip" viewBox="0 0 ${Math.max(1, cells.length)} 10" preserveAspectRatio="none" role="img" aria-label="${label}">${runs.map(rectOf)}</svg>`;
}

/** Kinds differ in height as well as colour. */
const SHAPE: Record<Cell, [y: number, height: number]> = {
  good: [0, 10],
  marked: [0, 10],
  'left-out': [0, 10],
  missing: [4, 2],
  'to-come': [4, 2],
};

function rectOf(run: { cell: Cell; from: number; to: number }): Html {
  const [y, height] = SHAPE[run.cell];
  const mark =
    run.cell === 'left-out' || run.cell === 'marked'
      ? html`<rect class="cell-mark ${run.cell}" x="${run.from}" y="0" width="${run.to - run.from}" height="${run.cell === 'marked' ? 3 : 6}"/>`
      : '';
  return html`<rect class="cell ${run.cell}" x="${run.from}" y="${y}" width="${run.to - run.from}" height="${height}"/>${mark}`;
}
