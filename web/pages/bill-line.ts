/** The slots, peaks or lines behind one line of a bill. */
import { html } from 'hono/html';
import type { Bill } from '../../engine/tariff/bill.ts';
import type { BillLine } from '../../engine/tariff/line.ts';
import { layout } from '../components/layout.ts';
import { card, linkButton } from '../components/parts.ts';
import { priceTabs } from '../components/price-tabs.ts';
import type { Html, Ui } from '../ui.ts';
import { moneyText, monthName, nameOf } from './bill.ts';

export type BillLineView = { month: string; month_ms: number; decimals: number; bill: Bill; line: BillLine };

const SLOT_MS = 15 * 60_000;
/** Rows of one page; the CSV has all. */
const SHOWN = 500;

export function billLinePage(view: BillLineView, ui: Ui): Html {
  const { t } = ui;
  const { line, bill, month } = view;
  const name = nameOf(line, ui);
  const content = html`${priceTabs(ui, 'bill')}
<div class="actions no-print">${linkButton(`/bill?month=${month}`, t('bill.back', { month: monthName(view.month_ms, ui) }))}${linkButton(`/api/v1/bills/${month}/lines/${line.id}?format=csv`, t('bill.csv'), 'plain', 'download')}</div>
<div class="stack"><p class="headline">${name}: <b>${moneyText(line.amount, view.decimals, ui)} ${bill.currency}</b></p>
<p class="soft">${t(`bill.how_${line.kind}`)}</p>
${line.kind === 'energy' || line.kind === 'feed_in' ? daysCard(view, ui) : ''}${rowsCard(view, ui)}</div>`;
  return layout(ui, { title: name, page: 'prices', content, styles: ['bill.css'] });
}

type Day = { at_ms: number; kWh: number; amount: number };

/** Energy and amount of each local day, where the rows are slots. */
function daysCard({ line, bill, decimals }: BillLineView, ui: Ui): Html {
  if (line.rows.from_ms.length === 0) return html``;
  const { t, format } = ui;
  const days = daily(line, bill, ui);
  const row = (day: Day) =>
    html`<tr><th scope="row">${format.date(day.at_ms)}</th><td class="numbers">${format.number(day.kWh, 1)}</td><td class="numbers">${moneyText(day.amount, decimals, ui)}</td></tr>`;
  return card({
    title: t('bill.by_day'),
    content: html`${bars(days, bill.currency, decimals, ui)}
<details class="data-table"><summary>${t('chart.table')}</summary><div class="scroll" tabindex="0" role="region" aria-label="${t('bill.by_day')}"><table><thead><tr><th scope="col">${t('bill.date')}</th><th scope="col" class="numbers">kWh</th><th scope="col" class="numbers">${t('bill.amount', { currency: bill.currency })}</th></tr></thead><tbody>${days.map(row)}</tbody></table></div></details>`,
  });
}

const BAR = 10;
const HEIGHT = 60;

/** One bar a day, down from the line for what is earned. Values stand in the table below. */
function bars(days: readonly Day[], currency: string, decimals: number, ui: Ui): Html {
  const top = Math.max(0, ...days.map(({ amount }) => amount));
  const bottom = Math.min(0, ...days.map(({ amount }) => amount));
  const scale = HEIGHT / (top - bottom || 1);
  const bar = ({ at_ms, amount }: Day, i: number) => {
    const words = `${ui.format.date(at_ms)}: ${moneyText(amount, decimals, ui)} ${currency}`;
    return html`<rect x="${i * BAR + 1}" y="${(top - Math.max(0, amount)) * scale}" width="${BAR - 2}" height="${Math.abs(amount) * scale}"><title>${words}</title></rect>`;
  };
  return html`<svg class="day-bars" viewBox="0 0 ${days.length * BAR} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${ui.t('bill.by_day')}">${days.map(bar)}</svg>
<div class="day-bars-ends small soft" aria-hidden="true"><span>${ui.format.date(days[0]!.at_ms)}</span><span>${ui.format.date(days.at(-1)!.at_ms)}</span></div>`;
}

/** Sums of local days, also of those without any row. */
function daily({ rows: { from_ms, quantity, amount } }: BillLine, bill: Bill, { format }: Ui): Day[] {
  const days = new Map<string, Day>();
  for (let at_ms = bill.from_ms; at_ms < bill.to_ms; at_ms += SLOT_MS) {
    const name = format.longDate(at_ms);
    if (!days.has(name)) days.set(name, { at_ms, kWh: 0, amount: 0 });
  }
  for (let i = 0; i < from_ms.length; i++) {
    const day = days.get(format.longDate(from_ms[i]!));
    if (!day) continue;
    day.kWh += quantity[i]!;
    day.amount += amount[i]!;
  }
  return [...days.values()];
}

function rowsCard({ line, bill, decimals }: BillLineView, ui: Ui): Html {
  const { t, format } = ui;
  const { rows, unit } = line;
  const count = rows.from_ms.length;
  const number = (value: number, digits: number) => (Number.isNaN(value) ? '–' : format.number(value, digits));
  const days = line.kind === 'standing';
  const until = (i: number) => (days ? ` – ${format.date(rows.to_ms[i]! - 1)}` : '');
  const when = (i: number) =>
    days
      ? `${format.date(rows.from_ms[i]!)}${until(i)}`
      : `${format.date(rows.from_ms[i]!)} ${format.time(rows.from_ms[i]!)}`;
  const own = bill.lines.filter(({ kind, vat_percent }) => kind !== 'vat' && vat_percent === line.vat_percent);
  const head = (i: number) => (line.kind === 'vat' ? (own[i] ? nameOf(own[i], ui) : '') : when(i));
  const shown = Array.from({ length: Math.min(count, SHOWN) }, (_, i) => i);
  const unitName = unit === 'money' ? bill.currency : unit === 'days' ? t('bill.days_unit') : unit;
  return card({
    title: t(`bill.rows_${line.kind}`),
    content:
      count === 0
        ? html`<p class="soft">${t('bill.rows_none')}</p>`
        : html`<div class="scroll tall" tabindex="0" role="region" aria-label="${t(`bill.rows_${line.kind}`)}"><table><thead><tr><th scope="col">${line.kind === 'vat' ? t('bill.line') : t('bill.slot')}</th><th scope="col" class="numbers">${unitName}</th><th scope="col" class="numbers">${t('bill.unit_price')}</th><th scope="col" class="numbers">${t('bill.amount', { currency: bill.currency })}</th></tr></thead>
<tbody>${shown.map((i) => html`<tr><th scope="row">${head(i)}</th><td class="numbers">${number(rows.quantity[i]!, unit === 'kWh' ? 3 : decimals)}</td><td class="numbers">${number(rows.price[i]!, 5)}</td><td class="numbers">${number(rows.amount[i]!, 5)}</td></tr>`)}</tbody></table></div>
${count > SHOWN ? html`<p class="small soft">${t('bill.rows_more', { shown: SHOWN, n: format.number(count) })}</p>` : ''}`,
  });
}
