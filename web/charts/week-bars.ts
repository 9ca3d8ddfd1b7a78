/** One bar a week with its figure above: how something went over a quarter of a year. The table beside it has the numbers. */
import { html } from 'hono/html';
import type { Html, Ui } from '../ui.ts';
import type { Tone } from './time-chart.ts';

export type WeekBars = {
  at_ms: readonly number[];
  /** Null: nothing is known of that week. */
  values: readonly (number | null)[];
  tone: Tone;
  title: string;
  figure: string;
  note: string;
};

const WIDTH = 240;
const HEIGHT = 48;
const GAP = 4;

export function weekBars(ui: Ui, { at_ms, values, tone, title, figure, note }: WeekBars): Html {
  const known = values.filter((value) => value !== null);
  const top = Math.max(0, ...known);
  const bottom = Math.min(0, ...known);
  const span = top - bottom || 1;
  const step = WIDTH / Math.max(1, values.length);
  const zero = (top / span) * HEIGHT;
  const bars = values.map((value, i) => {
    if (value === null) return '';
    const height = Math.max(1, (Math.abs(value) / span) * HEIGHT);
    const y = value >= 0 ? zero - height : zero;
    return html`<rect class="week-bar t-${tone}" x="${round(i * step + GAP / 2)}" y="${round(y)}" width="${round(step - GAP)}" height="${round(height)}"/>`;
  });
  const ends = [at_ms[0], at_ms.at(-1)].map((at) => (at === undefined ? '' : ui.format.date(at)));
  return html`<figure class="week-plot"><figcaption><span class="soft">${title}</span> <b class="figure">${figure}</b></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none" aria-hidden="true"><line class="zeroline" x1="0" x2="${WIDTH}" y1="${round(zero)}" y2="${round(zero)}"/>${bars}</svg>
<p class="small soft week-ends"><span>${ends[0]}</span><span>${ends[1]}</span></p><p class="small soft">${note}</p></figure>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
