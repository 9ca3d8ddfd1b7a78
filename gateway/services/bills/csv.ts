/** A bill, or the slots behind one of its lines, as a CSV table. */
import type { Bill } from '../../../engine/tariff/bill.ts';
import type { BillLine } from '../../../engine/tariff/line.ts';
import { decimalsOf } from '../../../engine/tariff/money.ts';
import { csvTable } from '../../csv.ts';

/** Columns: line, kind, name, period, quantity, unit, unit_price, amount, currency, vat_percent; then net and total. */
export function billCsv(bill: Bill): string {
  const money = (value: number | null) => (value === null ? '' : value.toFixed(decimalsOf(bill.currency)));
  const rows = bill.lines.map((line) => [
    ...[line.id, line.kind, line.name, line.period ?? '', numberText(line.quantity)],
    ...[line.unit === 'money' ? bill.currency : line.unit, numberText(line.unit_price), money(line.amount)],
    ...[bill.currency, String(line.vat_percent)],
  ]);
  const sum = (kind: string, value: number | null) => ['', kind, '', '', '', '', '', money(value), bill.currency, ''];
  const head = [
    'line',
    'kind',
    'name',
    'period',
    'quantity',
    'unit',
    'unit_price',
    'amount',
    'currency',
    'vat_percent',
  ];
  return csvTable([head, ...rows, sum('net', bill.net), sum('total', bill.total)]);
}

/** Columns: from, to, quantity, price, amount (net, not rounded). */
export function lineCsv({ rows, unit }: BillLine, currency: string): string {
  const iso = (at_ms: number) => (Number.isNaN(at_ms) ? '' : new Date(at_ms).toISOString());
  const body = Array.from(rows.from_ms, (from_ms, i) => [
    ...[iso(from_ms), iso(rows.to_ms[i]!), numberText(rows.quantity[i]!)],
    ...[numberText(rows.price[i]!), numberText(rows.amount[i]!)],
  ]);
  const quantity = unit === 'money' ? currency : unit;
  return csvTable([['from', 'to', `quantity_${quantity}`, `price_${currency}`, `amount_${currency}`], ...body]);
}

function numberText(value: number | null): string {
  return value === null || Number.isNaN(value) ? '' : String(Number(value.toPrecision(12)));
}
