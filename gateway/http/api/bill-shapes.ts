/** A bill and the rows behind its lines as JSON. */
import { z } from '@hono/zod-openapi';
import type { Bill } from '../../../engine/tariff/bill.ts';
import type { BillLine } from '../../../engine/tariff/line.ts';
import { iso } from '../api.ts';

const at = z.iso.datetime();
const HoleSchema = z.object({ what: z.string(), from: at, to: at, slots: z.number().int() });
const LineSchema = z
  .object({
    id: z.string().openapi({ example: '1' }),
    kind: z.enum(['energy', 'feed_in', 'standing', 'demand', 'demand_billed', 'vat']),
    name: z.string().openapi({ description: 'Empty for VAT.', example: 'Netzentgelt' }),
    period: z.string().nullable().openapi({ example: 'HT' }),
    quantity: z.number().nullable().openapi({ description: 'null: not known.', example: 32020 }),
    unit: z.enum(['kWh', 'kW', 'days', 'money']),
    unit_price: z
      .number()
      .nullable()
      .openapi({ description: 'Net; null where it differs by slot or step.', example: 0.042 }),
    amount: z
      .number()
      .nullable()
      .openapi({ description: 'Net, rounded; null where a price is missing.', example: 1344.84 }),
    vat_percent: z.number().openapi({ example: 19 }),
  })
  .openapi('BillLine');
export const BillSchema = z
  .object({
    month: z.string().openapi({ example: '2026-04' }),
    currency: z.string().openapi({ example: 'EUR' }),
    from: at,
    to: at,
    until: at.openapi({ description: 'Until when it counts: the end of the month, or now.' }),
    tariffs: z.array(z.object({ valid_from: z.string(), name: z.string(), from: at, to: at })),
    lines: z.array(LineSchema),
    net: z.number().nullable(),
    total: z.number().nullable().openapi({ description: 'With VAT: the exact sum of all lines.', example: 13163.02 }),
    import_kWh: z.number().nullable(),
    export_kWh: z.number().nullable(),
    co2_kg: z.number().nullable(),
    rounding: z.enum(['half-up', 'half-even']),
    complete: z.boolean().openapi({ description: 'False while the month runs, or something is missing.' }),
    missing: z.array(HoleSchema).openapi({ description: 'Slots without a reading; they count as nothing.' }),
    unpriced: z.array(HoleSchema).openapi({ description: 'Slots with energy, but without a price.' }),
    spread_slots: z.number().int().openapi({ description: "Slots with an even share of a gap's known sum." }),
  })
  .openapi('Bill');
export const RowsSchema = z
  .object({
    line: LineSchema,
    currency: z.string(),
    rows: z.array(
      z.object({
        from: at.nullable(),
        to: at.nullable(),
        quantity: z.number().nullable(),
        price: z.number().nullable().openapi({ description: 'Net; null where a row has none of its own.' }),
        amount: z.number().nullable().openapi({ description: 'Net, not rounded.' }),
      }),
    ),
  })
  .openapi('BillLineRows');

const holesOut = (holes: readonly { what: string; from_ms: number; to_ms: number; slots: number }[]) =>
  holes.map(({ what, from_ms, to_ms, slots }) => ({ what, from: iso(from_ms), to: iso(to_ms), slots }));
const lineOut = ({ rows: _, ...line }: BillLine) => line;

export function billOut(bill: Bill, month: string) {
  const { currency, net, total, import_kWh, export_kWh, co2_kg, rounding, complete, spread_slots } = bill;
  return {
    ...{ month, currency, net, total, import_kWh, export_kWh, co2_kg, rounding, complete, spread_slots },
    ...{ from: iso(bill.from_ms), to: iso(bill.to_ms), until: iso(bill.until_ms) },
    tariffs: bill.parts.map(({ valid_from, name, from_ms, to_ms }) => ({
      ...{ valid_from, name, from: iso(from_ms), to: iso(to_ms) },
    })),
    lines: bill.lines.map(lineOut),
    ...{ missing: holesOut(bill.missing), unpriced: holesOut(bill.unpriced) },
  };
}

export function rowsOut(line: BillLine, currency: string) {
  const known = (value: number | undefined) => (value === undefined || Number.isNaN(value) ? null : value);
  const time = (value: number | undefined) => (known(value) === null ? null : iso(value!));
  const { from_ms, to_ms, quantity, price, amount } = line.rows;
  const rows = Array.from(from_ms, (start_ms, i) => ({
    ...{ from: time(start_ms), to: time(to_ms[i]), quantity: known(quantity[i]) },
    ...{ price: known(price[i]), amount: known(amount[i]) },
  }));
  return { line: lineOut(line), currency, rows };
}
