/** What the provider's market knows. The shapes put it into each provider's own form. */
import type { PriceMarket } from '../../../engine/model/price.ts';

export type MarketTruth = {
  /** Price of the slot per MWh; null is known to be missing, undefined is not published (yet). */
  price(area: string, market: PriceMarket, slot_ms: number): number | null | undefined;
  /** Whether the market settles this slot in hours or in quarters of an hour. */
  step_ms(area: string, slot_ms: number): number;
};

export type Answer = { status: number; type: string; body: string };
/** `path` is what follows the provider's base URL. */
export type Call = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  body: string;
};
export type Shape = (call: Call, truth: MarketTruth) => Answer;

export function json(value: unknown, status = 200): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}

/** The market's own intervals of [from_ms, to_ms) that are published. */
export function published(
  truth: MarketTruth,
  area: string,
  market: PriceMarket,
  from_ms: number,
  to_ms: number,
): { from_ms: number; to_ms: number; value: number | null }[] {
  const found = [];
  const SLOT_MS = 900_000;
  for (let at_ms = Math.ceil(from_ms / SLOT_MS) * SLOT_MS; at_ms < to_ms; ) {
    const step_ms = truth.step_ms(area, at_ms);
    const start_ms = Math.floor(at_ms / step_ms) * step_ms;
    const value = truth.price(area, market, start_ms);
    if (value !== undefined) found.push({ from_ms: start_ms, to_ms: start_ms + step_ms, value });
    at_ms = start_ms + step_ms;
  }
  return found;
}
