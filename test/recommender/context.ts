import { SLOT_MS } from '../../engine/model/time.ts';
import type { AdviceContext } from '../../recommender/action.ts';

/** 2026-03-10, 08:00 in Berlin. */
export const NOW_MS = Date.UTC(2026, 2, 10, 7);

/** A frozen context of a day whose kWh costs `price(hour since now)`; nothing else to advise on. */
export function contextOf(price: (hour: number) => number | null, change: Partial<AdviceContext> = {}): AdviceContext {
  const slots = Array.from({ length: 144 }, (_, i) => NOW_MS + i * SLOT_MS);
  return {
    at_ms: NOW_MS,
    time_zone: 'Europe/Berlin',
    currency: 'EUR',
    prices: slots.map((at_ms, i) => ({ at_ms, per_kWh: price(i / 4) })),
    load: slots.map((at_ms) => ({ at_ms, power_W: 80_000 })),
    generation: [],
    battery: null,
    meters: [],
    night: null,
    yesterday_generation: null,
    ...change,
  };
}
