/** A line of a bill, and the slots behind it. */
/** `demand_billed`: what earlier months were charged of a yearly demand charge, taken off. */
export type LineKind = 'energy' | 'feed_in' | 'standing' | 'demand' | 'demand_billed' | 'vat';
export type BillLine = {
  /** Names the line within its bill. */
  id: string;
  kind: LineKind;
  name: string;
  /** The period of the day, or month, whose price this is; null where the charge has one price. */
  period: string | null;
  /** null: not known. */
  quantity: number | null;
  unit: 'kWh' | 'kW' | 'days' | 'money';
  /** Net price of a unit; null where it is not the same in every slot, and where steps have none. */
  unit_price: number | null;
  /** Net amount, rounded; negative is a credit. null: a price is missing, or nothing was measured. */
  amount: number | null;
  vat_percent: number;
  rows: LineRows;
};

/** What a line was computed from: slots, the intervals of peaks, days, or (VAT) the lines of its rate. `amount` is net
 * and not rounded; `price` and `amount` are NaN where a row has none of its own (the peaks of steps). */
export type LineRows = {
  from_ms: Float64Array;
  to_ms: Float64Array;
  quantity: Float64Array;
  price: Float64Array;
  amount: Float64Array;
};

/** A line before its rounding. */
export type DraftLine = Omit<BillLine, 'id' | 'amount'> & { exact: number | null };

/** @param spans from and to of each row @param values quantity and price of each row */
export function rowsOf(
  spans: readonly (readonly [number, number])[],
  values: readonly (readonly [number, number])[],
): LineRows {
  return {
    from_ms: Float64Array.from(spans, ([from_ms]) => from_ms),
    to_ms: Float64Array.from(spans, ([, to_ms]) => to_ms),
    quantity: Float64Array.from(values, ([quantity]) => quantity),
    price: Float64Array.from(values, ([, price]) => price),
    amount: Float64Array.from(values, ([quantity, price]) => quantity * price),
  };
}

/** Sum of what is known; null where nothing is. */
export function known(values: Float64Array): number | null {
  let sum: number | null = null;
  for (const value of values) if (!Number.isNaN(value)) sum = (sum ?? 0) + value;
  return sum;
}
