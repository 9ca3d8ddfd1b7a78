import { SLOT_MS } from './time.ts';

/** What a price means on its market. */
export type PriceMarket = 'day-ahead' | 'real-time';

/** Prices of consecutive-or-not slots of one market area. */
export type PriceSeries = {
  /** Market area such as `DE-LU`, `AT`, `NO1`, `HB_HOUSTON`, `C` (Octopus region). */
  area: string;
  market: PriceMarket;
  /** ISO 4217 of the unit; values are per MWh. */
  currency: string;
  /** True where the values contain VAT. */
  vat_included: boolean;
  /** The provider the values came from. */
  source: string;
  /** One per 15-minute UTC slot; null is known to be missing. Ascending, no duplicates. */
  slots: PriceSlot[];
};

export type PriceSlot = { at_ms: number; value: number | null };

/** Spreads a price that holds over [from_ms, to_ms) to its slots. */
export function slotsOfPrice(from_ms: number, to_ms: number, value: number | null): PriceSlot[] {
  const slots: PriceSlot[] = [];
  for (let at_ms = from_ms; at_ms < to_ms; at_ms += SLOT_MS) slots.push({ at_ms, value });
  return slots;
}
