/** Windows of consecutive priced slots. */
import { SLOT_MS } from '../engine/model/time.ts';
import type { AdviceContext, Measure } from './action.ts';

export type Window = { from_ms: number; to_ms: number; mean_per_kWh: number };

/** All windows of `slots` consecutive slots with a known price that start within the next `horizon_ms`. */
function windows({ at_ms, prices }: AdviceContext, slots: number, horizon_ms: number): Window[] {
  const found: Window[] = [];
  // Sums and counts of known prices up to each slot, so that a window costs two look-ups.
  const sums = new Float64Array(prices.length + 1);
  const counts = new Int32Array(prices.length + 1);
  for (const [i, { per_kWh }] of prices.entries()) {
    sums[i + 1] = sums[i]! + (per_kWh ?? 0);
    counts[i + 1] = counts[i]! + (per_kWh === null ? 0 : 1);
  }
  for (let i = 0; i + slots <= prices.length; i++) {
    const from_ms = prices[i]!.at_ms;
    if (from_ms > at_ms + horizon_ms) break;
    const whole = prices[i + slots - 1]!.at_ms - from_ms === (slots - 1) * SLOT_MS;
    if (!whole || counts[i + slots]! - counts[i]! < slots) continue;
    const mean_per_kWh = (sums[i + slots]! - sums[i]!) / slots;
    found.push({ from_ms, to_ms: from_ms + slots * SLOT_MS, mean_per_kWh });
  }
  return found;
}

/** Cheapest and dearest window of that length, or null where fewer than two that do not overlap are priced. */
export function extremes(
  context: AdviceContext,
  slots: number,
  horizon_ms: number,
): { cheap: Window; dear: Window } | null {
  const all = windows(context, slots, horizon_ms);
  if (all.length === 0) return null;
  const cheap = all.reduce((a, b) => (b.mean_per_kWh < a.mean_per_kWh ? b : a));
  const dear = all.reduce((a, b) => (b.mean_per_kWh > a.mean_per_kWh ? b : a));
  return cheap.from_ms < dear.to_ms && dear.from_ms < cheap.to_ms ? null : { cheap, dear };
}

/**
 * The pair of windows, the cheap one before the dear one, that gains most per kWh given: dear − cheap / efficiency.
 * Null where no such pair is priced.
 */
export function bestPair(
  context: AdviceContext,
  slots: number,
  horizon_ms: number,
  efficiency: number,
): { cheap: Window; dear: Window } | null {
  let cheapest: Window | null = null;
  let best: { cheap: Window; dear: Window; gain: number } | null = null;
  const all = windows(context, slots, horizon_ms);
  let behind = 0;
  for (const dear of all) {
    // Windows that end before this one begins become candidates for charging, each once.
    while (all[behind]!.to_ms <= dear.from_ms) {
      const candidate = all[behind++]!;
      if (!cheapest || candidate.mean_per_kWh < cheapest.mean_per_kWh) cheapest = candidate;
    }
    const gain = cheapest ? dear.mean_per_kWh - cheapest.mean_per_kWh / efficiency : Number.NEGATIVE_INFINITY;
    if (cheapest && gain > (best?.gain ?? Number.NEGATIVE_INFINITY)) best = { cheap: cheapest, dear, gain };
  }
  return best && { cheap: best.cheap, dear: best.dear };
}

/** Mean of all known prices, per kWh; null without any. */
export function meanPrice({ prices }: AdviceContext): number | null {
  const known = prices.flatMap((slot) => (slot.per_kWh === null ? [] : [slot.per_kWh]));
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
}

/** How later measurements of `series` in the windows are valued: money for a kWh more than was forecast. */
export function measuredEnergy(
  context: AdviceContext,
  series: 'load' | 'battery',
  windows: readonly { from_ms: number; to_ms: number }[],
  gain: (per_kWh: number) => number,
): Measure {
  const expected = new Map(context.load.map((slot) => [slot.at_ms, slot.power_W]));
  const slots = context.prices.flatMap(({ at_ms, per_kWh }) =>
    per_kWh !== null && windows.some(({ from_ms, to_ms }) => at_ms >= from_ms && at_ms < to_ms)
      ? [
          {
            at_ms,
            gain_per_kWh: gain(per_kWh),
            expected_W: series === 'load' ? (expected.get(at_ms) ?? null) : null,
          },
        ]
      : [],
  );
  return { kind: 'energy', series, slots };
}

/** Energy in kWh that a series of mean W per slot holds within a window; null where a slot is missing. */
export function energyIn(series: readonly { at_ms: number; power_W: number }[], window: Window): number | null {
  const inside = series.filter((slot) => slot.at_ms >= window.from_ms && slot.at_ms < window.to_ms);
  if (inside.length !== (window.to_ms - window.from_ms) / SLOT_MS) return null;
  return (inside.reduce((sum, slot) => sum + Math.max(0, slot.power_W), 0) * SLOT_MS) / 3.6e9;
}
