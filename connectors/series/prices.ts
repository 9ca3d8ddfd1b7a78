/** Stored prices from their rows, the same for every store. Pure. */
import type { StoredPrices } from '../../engine/ports.ts';

export type PriceRow = {
  at_ms: number;
  value: number | null;
  currency: string;
  vat_included: boolean;
  source: string;
  fetched_ms: number;
};

/** @param rows ascending in time. Currency and VAT are those of the newest fetch. */
export function storedPrices(rows: readonly PriceRow[]): StoredPrices {
  let newest: PriceRow | null = null;
  for (const row of rows) if (!newest || row.fetched_ms > newest.fetched_ms) newest = row;
  return {
    currency: newest?.currency ?? null,
    vat_included: newest?.vat_included ?? false,
    at_ms: Float64Array.from(rows, (row) => row.at_ms),
    values: Float64Array.from(rows, (row) => row.value ?? Number.NaN),
    sources: [...new Set(rows.map((row) => row.source))],
    fetched_ms: newest?.fetched_ms ?? null,
  };
}
