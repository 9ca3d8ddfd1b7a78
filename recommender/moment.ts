/** What the learner sees: the moment once, and of each action what sets it apart. All about −1 … 1. */
import { localTime, SLOT_MS } from '../engine/model/time.ts';
import type { Action, AdviceContext } from './action.ts';
import type { Candidate } from './bandit/port.ts';
import { KIND } from './catalogue/kinds.ts';
import { meanPrice } from './windows.ts';

/** The same as in the simulator that the policy was tuned on (test/bench/site). */
export const MOMENT_NAMES = ['bias', 'weekend', 'price_spread', 'price_level', 'season_sin', 'season_cos'] as const;
export const ACTION_NAMES = ['saving', 'certainty', 'urgency', 'shown_today', 'shown_this_week'] as const;
/** Length of a policy's input: both together. */
export const INPUTS = MOMENT_NAMES.length + ACTION_NAMES.length;
/** Pieces of advice at once. */
export const SLATE = 3;

const HOUR_MS = 3_600_000;
const DAY_SLOTS = (24 * HOUR_MS) / SLOT_MS;
const YEAR_DAYS = 365.25;
/** A saving of this share of a day's cost is half of the scale. */
const HALF_SHARE = 0.004;
const LEAST_HALF = 0.05;
/** Where load or prices are not known. */
const USUAL_HALF = 1;

/** @returns as many numbers as MOMENT_NAMES. */
export function momentFeatures(context: AdviceContext): number[] {
  const local = localTime(context.at_ms, context.time_zone);
  const day_ms = Date.UTC(local.year, local.month - 1, local.day);
  const weekday = new Date(day_ms).getUTCDay();
  const angle = (2 * Math.PI * ((day_ms / (24 * HOUR_MS)) % YEAR_DAYS)) / YEAR_DAYS;
  return [
    1,
    weekday === 0 || weekday === 6 ? 1 : 0,
    spreadOf(context),
    levelOf(context),
    Math.sin(angle),
    Math.cos(angle),
  ];
}

/** @returns as many numbers as ACTION_NAMES, each in 0 … 1. */
export function actionFeatures(
  { kind, saving, deadline_ms }: Pick<Action, 'kind' | 'saving' | 'deadline_ms'>,
  context: AdviceContext,
): number[] {
  const amount = Math.max(0, saving?.amount ?? 0);
  const hoursLeft = deadline_ms === null ? 48 : Math.max(0, (deadline_ms - context.at_ms) / HOUR_MS);
  const shown = context.shown?.[kind] ?? { day: 0, week: 0 };
  return [
    amount / (amount + halfSaving(context)),
    saving && saving.high > 0 ? Math.max(0, saving.low) / saving.high : 0.5,
    1 / (1 + hoursLeft / 6),
    Math.min(1, shown.day / SLATE),
    Math.min(1, shown.week / 14),
  ];
}

/** Money at which a saving counts half: grows with what the site pays a day, so that sites can learn from each other. */
export function halfSaving({ load, prices }: AdviceContext): number {
  const price = new Map(prices.map(({ at_ms, per_kWh }) => [at_ms, per_kWh]));
  let cost = 0;
  let known = 0;
  for (const { at_ms, power_W } of load.slice(0, DAY_SLOTS)) {
    const per_kWh = price.get(at_ms);
    if (per_kWh == null) continue;
    known++;
    cost += ((Math.max(0, power_W) * SLOT_MS) / 3.6e9) * per_kWh;
  }
  return known === 0 ? USUAL_HALF : Math.max(LEAST_HALF, (HALF_SHARE * cost * DAY_SLOTS) / known);
}

/** The rule baseline ranks by money, or what a kind without money is held for; of equals what is sooner void. */
export function ruleScore({ kind, saving, features }: Action): number {
  return (saving ? Math.max(0, saving.amount) : KIND[kind].rule_money) + 1e-3 * features[2]!;
}

export function candidateOf(action: Action): Candidate {
  return { id: action.id, arm: action.kind, features: action.features, rule_score: ruleScore(action) };
}

/** (dearest − cheapest) / (|dearest| + |cheapest|) of the known prices of a day; 0 without prices. */
function spreadOf({ prices }: AdviceContext): number {
  const known = prices.slice(0, DAY_SLOTS).flatMap((slot) => (slot.per_kWh === null ? [] : [slot.per_kWh]));
  if (known.length === 0) return 0;
  const low = Math.min(...known);
  const high = Math.max(...known);
  const scale = Math.abs(high) + Math.abs(low);
  return scale === 0 ? 0 : Math.min(1, (high - low) / scale);
}

/** Mean price ahead against that of the month before, −1 … 1; 0 where either is not known. */
function levelOf(context: AdviceContext): number {
  const ahead = meanPrice(context);
  const usual = context.usual_per_kWh ?? null;
  if (ahead === null || usual === null) return 0;
  return Math.max(-1, Math.min(1, ahead / Math.max(1e-3, usual) - 1));
}
