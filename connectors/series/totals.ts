/** Tables of totals, the same for every store. Pure. */
import { periodEndingAt } from './periods.ts';
import type { TotalsColumns } from './store.ts';

export function emptyTotals(meters: readonly string[], periods: number): TotalsColumns {
  const cells = meters.length * Math.max(0, periods);
  return {
    meters,
    values: new Float64Array(cells).fill(Number.NaN),
    quality: new Int32Array(cells),
    slots: new Int32Array(cells),
  };
}

/** Adds spans to the period they end in; one that ends at a bound belongs to the period before it. */
export function addSpans(
  totals: TotalsColumns,
  bounds_ms: readonly number[],
  spans: readonly { row: number; to_ms: number; value: number; quality: number }[],
): void {
  for (const span of spans) {
    const period = periodEndingAt(bounds_ms, span.to_ms);
    if (period < 0) continue;
    const cell = span.row * (bounds_ms.length - 1) + period;
    const before = totals.values[cell]!;
    totals.values[cell] = (Number.isNaN(before) ? 0 : before) + span.value;
    totals.quality[cell]! |= span.quality;
  }
}
