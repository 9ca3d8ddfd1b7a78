/** The bill of a month, itemised, and the slots behind a line; both for print too. */
import { html } from 'hono/html';
import type { Bill } from '../../engine/tariff/bill.ts';
import type { BillLine } from '../../engine/tariff/line.ts';
import { layout } from '../components/layout.ts';
import { card, emptyState, linkButton, notice } from '../components/parts.ts';
import { priceTabs } from '../components/price-tabs.ts';
import type { Html, Ui } from '../ui.ts';

export type BillView = {
  /** `YYYY-MM`. */
  month: string;
  month_ms: number;
  /** The months before and after that can be asked for. */
  previous: string | null;
  next: string | null;
  /** Decimals of the currency. */
  decimals: number;
  bill: Bill | null;
  /** Why there is none. */
  problem: string | null;
};

export function billPage(view: BillView, ui: Ui): Html {
  const { t } = ui;
  const { bill } = view;
  const title = t('bill.title', { month: monthName(view.month_ms, ui) });
  const content = html`${priceTabs(ui, 'bill')}${steps(view, ui)}${
    bill === null
      ? emptyState({ title: t('bill.none'), text: view.problem ?? '', icon: 'coins' })
      : html`<div class="stack">${notices(bill, ui)}${linesCard(view, bill, ui)}${factsCard(bill, ui)}</div>`
  }`;
  return layout(ui, { title, page: 'prices', content, scripts: ['bill.js'], styles: ['bill.css'] });
}

export function monthName(at_ms: number, { format, time_zone }: Ui): string {
  return new Intl.DateTimeFormat(format.locale, { timeZone: time_zone, month: 'long', year: 'numeric' }).format(at_ms);
}

function steps({ month, previous, next, bill }: BillView, ui: Ui): Html {
  const { t } = ui;
  const step = (to: string | null, text: string) => (to ? linkButton(`/bill?month=${to}`, text) : html``);
  const exports = bill
    ? html`${linkButton(`/api/v1/bills/${month}?format=csv`, t('bill.csv'), 'plain', 'download')}<button type="button" data-print hidden>${t('bill.print')}</button>`
    : '';
  return html`<div class="actions no-print">${step(previous, t('bill.previous'))}${step(next, t('bill.next'))}${exports}</div>`;
}

function notices(bill: Bill, ui: Ui): Html {
  const { t, format } = ui;
  const said: Html[] = [];
  if (bill.until_ms < bill.to_ms)
    said.push(notice('ok', t('bill.running', { until: format.when(bill.until_ms, ui.now_ms) })));
  if (bill.unpriced.length > 0)
    said.push(
      notice(
        'fault',
        html`<p>${t('bill.unpriced')}</p><ul>${firstOf(bill.unpriced, ui, (hole) => priceWords(hole, ui))}</ul>`,
      ),
    );
  if (bill.missing.length > 0) {
    const slots = bill.missing.reduce((sum, hole) => sum + hole.slots, 0);
    const words = firstOf(bill.missing, ui, (hole) => readingWords(hole, ui));
    said.push(notice('warning', html`<p>${t('bill.missing', { n: format.number(slots) })}</p><ul>${words}</ul>`));
  }
  if (bill.spread_slots > 0) said.push(notice('warning', t('bill.spread', { n: format.number(bill.spread_slots) })));
  return html`${said}`;
}

const SHOWN = 5;

function firstOf<Hole>(holes: readonly Hole[], ui: Ui, words: (hole: Hole) => string): Html {
  const more = holes.length - SHOWN;
  return html`${holes.slice(0, SHOWN).map((hole) => html`<li>${words(hole)}</li>`)}${more > 0 ? html`<li>${ui.t('bill.more', { n: more })}</li>` : ''}`;
}

function span({ from_ms, to_ms }: { from_ms: number; to_ms: number }, { format }: Ui): string {
  const day = (at_ms: number) => `${format.date(at_ms)} ${format.time(at_ms)}`;
  return `${day(from_ms)} – ${day(to_ms)}`;
}

export function priceWords(hole: Bill['unpriced'][number], ui: Ui): string {
  const { asked } = hole;
  const parameters = { span: span(hole, ui), n: hole.slots };
  if (asked.kind === 'market')
    return ui.t(`bill.hole_${asked.market === 'day-ahead' ? 'day_ahead' : 'real_time'}`, {
      area: asked.area,
      ...parameters,
    });
  if (asked.kind === 'month') return ui.t('bill.hole_month', { month: asked.month, ...parameters });
  return ui.t('bill.hole_tariff', parameters);
}

function readingWords(hole: Bill['missing'][number], ui: Ui): string {
  const parameters = { span: span(hole, ui), n: hole.slots };
  if (hole.what === 'import') return ui.t('bill.hole_import', parameters);
  return hole.what === 'export'
    ? ui.t('bill.hole_export', parameters)
    : ui.t('bill.hole_meter', { meter: hole.what, ...parameters });
}

function linesCard(view: BillView, bill: Bill, ui: Ui): Html {
  const { t } = ui;
  const money = (value: number | null) => moneyText(value, view.decimals, ui);
  const sum = (name: string, value: number | null, strong: boolean) =>
    html`<tr class="${strong ? 'total' : 'subtotal'}"><th scope="row">${name}</th><td class="wide-only"></td><td class="wide-only"></td><td class="numbers">${money(value)}</td></tr>`;
  const row = (line: BillLine) =>
    html`<tr><th scope="row"><a href="/bill/line?month=${view.month}&amp;line=${line.id}">${nameOf(line, ui)}</a><span class="narrow-only small soft">${[quantityText(line, view, bill, ui), unitPrice(line, bill, ui)].filter(Boolean).join(' · ')}</span></th><td class="numbers wide-only">${quantityText(line, view, bill, ui)}</td><td class="numbers wide-only">${unitPrice(line, bill, ui)}</td><td class="numbers">${money(line.amount)}</td></tr>`;
  const net = bill.lines.filter(({ kind }) => kind !== 'vat');
  const vat = bill.lines.filter(({ kind }) => kind === 'vat');
  return card({
    title: t('bill.lines'),
    aside: html`<span class="small soft">${bill.parts.map(({ name }) => name).join(', ')}</span>`,
    content: html`<div class="scroll" tabindex="0" role="region" aria-label="${t('bill.lines')}"><table class="bill"><thead><tr><th scope="col">${t('bill.line')}</th><th scope="col" class="numbers wide-only">${t('bill.quantity')}</th><th scope="col" class="numbers wide-only">${t('bill.unit_price')}</th><th scope="col" class="numbers">${t('bill.amount', { currency: bill.currency })}</th></tr></thead>
<tbody>${net.map(row)}${vat.length > 0 ? sum(t('bill.net'), bill.net, false) : ''}${vat.map(row)}${sum(t('bill.total'), bill.total, true)}</tbody></table></div>
<p class="small soft">${t(bill.rounding === 'half-up' ? 'bill.rounding_up' : 'bill.rounding_even')}</p>`,
  });
}

export function nameOf(line: BillLine, ui: Ui): string {
  if (line.kind === 'vat') return ui.t('bill.vat', { percent: percentText(line.vat_percent, ui) });
  if (line.kind === 'demand_billed') return `${line.name}: ${ui.t('bill.billed_before')}`;
  return line.period === null ? line.name : `${line.name}: ${line.period}`;
}

function percentText(percent: number, { format }: Ui): string {
  const digits = Number.isInteger(percent) ? 0 : 2;
  return `${format.number(percent, digits)}\u00a0%`;
}

export function moneyText(value: number | null, decimals: number, ui: Ui): string {
  return value === null ? ui.t('bill.unknown') : ui.format.number(value, decimals);
}

function quantityText(line: BillLine, { decimals }: BillView, { currency }: Bill, ui: Ui): string {
  const { quantity, unit } = line;
  if (quantity === null) return ui.t('bill.unknown');
  if (unit === 'days') return ui.t('bill.days', { n: quantity });
  if (unit === 'money') return `${ui.format.number(quantity, decimals)}\u00a0${currency}`;
  return `${ui.format.number(quantity, unit === 'kW' ? 2 : 1)}\u00a0${unit}`;
}

function unitPrice({ unit, unit_price, quantity, amount, kind }: BillLine, { currency }: Bill, ui: Ui): string {
  if (kind === 'vat') return '';
  const per = unit === 'days' ? ui.t('bill.day') : unit;
  if (unit_price !== null) return `${priceText(unit_price, ui)}\u00a0${currency}/${per}`;
  if (unit !== 'kWh' || !quantity || amount === null) return '–';
  return ui.t('bill.mean_price', { price: `${priceText(amount / quantity, ui)}\u00a0${currency}/${per}` });
}

function priceText(value: number, { format }: Ui): string {
  return format.number(value, Math.abs(value) >= 1 ? 2 : 4);
}

function factsCard(bill: Bill, ui: Ui): Html {
  const { t, format } = ui;
  const kWh = (value: number | null) => (value === null ? t('bill.unknown') : `${format.number(value, 1)}\u00a0kWh`);
  const part = (one: Bill['parts'][number]) =>
    html`<li>${t('bill.part', { name: one.name, from: format.longDate(one.from_ms), to: format.longDate(one.to_ms - 1) })}</li>`;
  return card({
    title: t('bill.facts'),
    content: html`<dl class="facts"><dt>${t('bill.import')}</dt><dd>${kWh(bill.import_kWh)}</dd>
${bill.export_kWh === null ? '' : html`<dt>${t('bill.export')}</dt><dd>${kWh(bill.export_kWh)}</dd>`}
${bill.co2_kg === null ? '' : html`<dt>${t('bill.co2')}</dt><dd>${format.number(bill.co2_kg, 0)}\u00a0kg</dd>`}
<dt>${t('bill.tariff')}</dt><dd><ul class="plain">${bill.parts.map(part)}</ul></dd></dl>`,
  });
}
