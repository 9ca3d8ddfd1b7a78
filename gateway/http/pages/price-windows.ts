/** When power is cheap: the phase of the current slot, and the best and worst stretches of a period. Pure. */
import { SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';
import type { PricePhase } from '../../../web/pages/now.ts';
import type { PriceWindow } from '../../../web/pages/prices.ts';

/** A spread below this share of the mean price is not worth a word. */
const WORTH_SAYING = 0.1;

type Prices = Pick<Columns, 'at_ms' | 'values'>;

/**
 * What the price does now: `cheap` or `dear` (lowest or highest third of the known prices from the start of today)
 * until it leaves that third, `negative` below 0, or `cheap-from` where a cheap stretch comes within 12 hours.
 * Null for a fixed price or one that hardly moves.
 */
export function pricePhase(prices: Prices, now_ms: number): PricePhase | null {
  const known = Array.from(prices.values)
    .filter(Number.isFinite)
    .sort((a, b) => a - b);
  if (known.length < 8) return null;
  const mean = known.reduce((sum, value) => sum + Math.abs(value), 0) / known.length;
  if (known.at(-1)! - known[0]! < WORTH_SAYING * mean) return null;
  const third = Math.floor(known.length / 3);
  const low = known[third - 1]!;
  const high = known[known.length - third]!;
  const here = indexAt(prices, now_ms);
  const value = here < 0 ? Number.NaN : prices.values[here]!;
  if (value < 0) return { kind: 'negative', at_ms: endOf(prices, here, (price) => price < 0) };
  if (value <= low) return { kind: 'cheap', at_ms: endOf(prices, here, (price) => price <= low) };
  if (value >= high) return { kind: 'dear', at_ms: endOf(prices, here, (price) => price >= high) };
  for (let i = here + 1; here >= 0 && i < prices.values.length; i++) {
    if (prices.at_ms[i]! - now_ms > 12 * 3_600_000) return null;
    if (prices.values[i]! <= low) return { kind: 'cheap-from', at_ms: prices.at_ms[i]! };
  }
  return null;
}

function indexAt(prices: Prices, at_ms: number): number {
  return prices.at_ms.indexOf(slotStart(at_ms));
}

function endOf(prices: Prices, from: number, holds: (price: number) => boolean): number {
  let i = from;
  while (
    i + 1 < prices.values.length &&
    prices.at_ms[i + 1]! - prices.at_ms[i]! === SLOT_MS &&
    holds(prices.values[i + 1]!)
  )
    i++;
  return prices.at_ms[i]! + SLOT_MS;
}

/**
 * The cheapest and the dearest stretch of `slots` consecutive known slots inside [from_ms, to_ms); null when there is
 * none, or when they do not differ. The first of equals wins.
 */
export function priceWindows(
  prices: Prices,
  from_ms: number,
  to_ms: number,
  slots = 12,
): { cheapest: PriceWindow; dearest: PriceWindow } | null {
  let cheapest: PriceWindow | null = null;
  let dearest: PriceWindow | null = null;
  for (let i = 0; i + slots <= prices.at_ms.length; i++) {
    const start = prices.at_ms[i]!;
    const end = prices.at_ms[i + slots - 1]! + SLOT_MS;
    if (start < from_ms || end > to_ms || end - start !== slots * SLOT_MS) continue;
    const mean = prices.values.subarray(i, i + slots).reduce((sum, value) => sum + value, 0) / slots;
    if (Number.isNaN(mean)) continue;
    if (!cheapest || mean < cheapest.mean) cheapest = { from_ms: start, to_ms: end, mean };
    if (!dearest || mean > dearest.mean) dearest = { from_ms: start, to_ms: end, mean };
  }
  if (!cheapest || !dearest || dearest.mean - cheapest.mean < 1e-9) return null;
  return { cheapest, dearest };
}
