/** What the learner sees of an action in its context. Every feature lies in about 0 … 1. */
import { localTime } from '../engine/model/time.ts';
import type { ActionDraft, AdviceContext } from './action.ts';

export const FEATURE_NAMES = [
  'bias',
  'saving',
  'certainty',
  'urgency',
  'working_hours',
  'weekend',
  'price_spread',
  'morning',
] as const;
export const FEATURES = FEATURE_NAMES.length;

const HOUR_MS = 3_600_000;
/** A saving of this much (in the site's currency) is half of the scale. */
const HALF_SAVING = 10;

/** @returns FEATURES numbers. */
export function featuresOf(action: ActionDraft, context: AdviceContext): number[] {
  const local = localTime(context.at_ms, context.time_zone);
  const weekday = new Date(Date.UTC(local.year, local.month - 1, local.day)).getUTCDay();
  const weekend = weekday === 0 || weekday === 6;
  const amount = Math.max(0, action.saving?.amount ?? 0);
  const hoursLeft = action.deadline_ms === null ? 48 : Math.max(0, (action.deadline_ms - context.at_ms) / HOUR_MS);
  return [
    1,
    amount / (amount + HALF_SAVING),
    action.saving && action.saving.high > 0 ? Math.max(0, action.saving.low) / action.saving.high : 0.5,
    1 / (1 + hoursLeft / 6),
    !weekend && local.hour >= 7 && local.hour < 18 ? 1 : 0,
    weekend ? 1 : 0,
    spreadOf(context),
    local.hour < 12 ? 1 : 0,
  ];
}

/** (dearest − cheapest) / (|dearest| + |cheapest|) of the known prices; 0 without prices. */
function spreadOf({ prices }: AdviceContext): number {
  const known = prices.flatMap((slot) => (slot.per_kWh === null ? [] : [slot.per_kWh]));
  if (known.length === 0) return 0;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const scale = Math.abs(high) + Math.abs(low);
  return scale === 0 ? 0 : Math.min(1, (high - low) / scale);
}
