/** Meters: which one is wrong. Faults first, then by last change. */
import { html } from 'hono/html';
import type { MeterRole } from '../../engine/model/site.ts';
import { type Cell, qualityStrip, sparkLine } from '../charts/spark.ts';
import { asOf, layout } from '../components/layout.ts';
import { age, card, emptyState, linkButton, roleIcon, type State, stateMark } from '../components/parts.ts';
import { toneOf } from '../components/quantity.ts';
import { type StoreWaiting, storeNotice } from '../components/store-notice.ts';
import type { Html, Ui } from '../ui.ts';

/** `register` is a counter that only grows. */
export type MeterValue = { quantity: string; value: number; unit: string; register: boolean };

export type MeterRow = {
  id: string;
  name: string;
  role: MeterRole;
  state: State;
  /** The state in words. */
  text: string;
  /** What it is a part of, or that it is computed. */
  note: string | null;
  value: MeterValue | null;
  last_ms: number | null;
  recent: readonly { at_ms: number; value: number }[];
  cells: readonly Cell[];
};
export type MetersView = {
  rows: readonly MeterRow[];
  as_of_ms: number | null;
  /** The series store is away or catches up; null where it does neither. */
  store?: StoreWaiting | null;
};

export function metersPage(view: MetersView, ui: Ui): Html {
  const isAdmin = ui.actor?.role === 'admin';
  const mayImport = isAdmin || ui.actor?.role === 'analyst';
  const add = html`${mayImport ? linkButton('/import', ui.t('meters.import'), 'plain', 'file-up') : ''}${isAdmin ? linkButton('/meters/new', ui.t('meters.add'), 'primary', 'plus') : ''}`;
  if (view.rows.length === 0)
    return layout(ui, {
      title: ui.t('page.meters'),
      page: 'meters',
      content: emptyState({
        title: ui.t('meters.empty_title'),
        text: ui.t('meters.empty'),
        icon: 'gauge',
        actions: isAdmin ? add : html`<p class="soft">${ui.t('now.empty_admin')}</p>`,
      }),
    });
  return layout(ui, {
    title: ui.t('page.meters'),
    page: 'meters',
    action: add,
    as_of_ms: view.as_of_ms,
    live: 'page=meters',
    content: html`<div class="region" id="meter-list" sse-swap="meters" hx-swap="morph:innerHTML">${meterList(view, ui)}</div>`,
  });
}

/** The regions of the live page. */
export function metersRegions(view: MetersView, ui: Ui): Record<string, Html> {
  const list = meterList(view, ui);
  return view.as_of_ms === null ? { meters: list } : { meters: list, 'as-of': asOf(ui, view.as_of_ms) };
}

const RANK: Record<State, number> = { fault: 0, warning: 1, unknown: 2, ok: 3 };

/** Faults first; then by the last change in steps of a quarter-hour, so that rows do not dance; then by name. */
export function orderMeters(rows: readonly MeterRow[]): MeterRow[] {
  const newest_ms = Math.max(0, ...rows.map((row) => row.last_ms ?? 0));
  const age = (row: MeterRow) => Math.floor((newest_ms - (row.last_ms ?? 0)) / (15 * 60_000));
  return [...rows].sort((a, b) => RANK[a.state] - RANK[b.state] || age(a) - age(b) || a.name.localeCompare(b.name));
}

function meterList(view: MetersView, ui: Ui): Html {
  const rows = orderMeters(view.rows);
  const bad = rows.filter((row) => row.state !== 'ok');
  const good = rows.filter((row) => row.state === 'ok');
  return html`<div class="stack">${storeNotice(view.store, ui)}${bad.length ? group(ui.t('meters.attention'), bad, ui) : ''}${good.length ? group(ui.t('meters.live'), good, ui) : ''}${stripKey(ui)}</div>`;
}

function group(title: string, rows: readonly MeterRow[], ui: Ui): Html {
  return card({
    title: `${title} (${rows.length})`,
    content: html`<ul class="meter-list">${rows.map((row) => meterRow(row, ui))}</ul>`,
  });
}

function meterRow(row: MeterRow, ui: Ui): Html {
  const value = row.value ? valueText(row.value, ui) : '–';
  const words =
    row.state !== 'ok' ? stateMark(row.state, row.text) : row.note ? html`<span class="soft">${row.note}</span>` : '';
  return html`<li class="meter-row" id="meter-${row.id}">
${roleIcon(ui, row.role)}
<div class="meter-name"><a href="/meters/${encodeURIComponent(row.id)}">${row.name}</a></div><p class="meter-words small">${words}</p>
${sparkLine(row.recent, toneOf(row.role, row.value?.quantity ?? ''))}
<div class="meter-value"><b class="${row.state === 'ok' ? '' : 'stale'}">${value}</b><p class="small soft">${age(ui, row.last_ms)}</p></div>
<div class="meter-quality">${strip(row.cells, ui)}</div>
</li>`;
}

/** A current value; a counter with all its digits. */
export function valueText(value: MeterValue, { format }: Ui): string {
  return value.register ? format.register(value.value, value.unit) : format.value(value.value, value.unit);
}

/** The strip of today with its words. */
export function strip(cells: readonly Cell[], ui: Ui): Html {
  if (cells.length === 0) return html``;
  const count = (...kinds: Cell[]) => cells.filter((cell) => kinds.includes(cell)).length;
  const [missing, marked] = [count('missing'), count('marked', 'left-out')];
  const due = cells.length - count('to-come');
  const words = ui.t('meters.quality_words', { good: count('good'), due, marked, missing });
  const short =
    missing + marked === 0 ? ui.t('meters.quality_all_good') : ui.t('meters.quality_short', { missing, marked });
  return html`${qualityStrip(cells, words)}<p class="small soft" aria-hidden="true">${short}</p>`;
}

/** What the colours of the strip mean, once. */
export function stripKey(ui: Ui): Html {
  const key = (cell: Cell, text: string) =>
    html`<span class="strip-key">${qualityStrip([cell], text)}<span aria-hidden="true">${text}</span></span>`;
  return html`<p class="small soft strip-keys"><span>${ui.t('meters.strip')}:</span>${key('good', ui.t('meters.key_good'))}${key('marked', ui.t('meters.key_marked'))}${key('left-out', ui.t('meters.key_left_out'))}${key('missing', ui.t('meters.key_missing'))}</p>`;
}
