/** What the learner sees: the moment once, and of each action what sets it apart. All about −1 … 1. */
import { localTime, SLOT_MS } from '../engine/model/time.ts';
import type { Action, AdviceContext } from './action.ts';
import type { Candidate } from './bandit/port.ts';
import { KIND } from './catalogue/kinds.ts';

export const MOMENT_NAMES = ['bias', 'hour_sin', 'hour_cos', 'weekend', 'price_spread', 'solar_share'] as const;
export const ACTION_NAMES = ['saving', 'certainty', 'urgency', 'effort'] as const;
/** Length of a policy's input: both together. */
export const INPUTS = MOMENT_NAMES.length + ACTION_NAMES.length;

const HOUR_MS = 3_600_000;
const DAY_SLOTS = (24 * HOUR_MS) / SLOT_MS;
/** A saving of this much (in the site's currency) is half of the scale; an effort of so many minutes, too. */
const HALF_SAVING = 10;
const HALF_EFFORT_MIN = 20;

/** @returns as many numbers as MOMENT_NAMES. */
export function momentFeatures(context: AdviceContext): number[] {
  const local = localTime(context.at_ms, context.time_zone);
  const weekday = new Date(Date.UTC(local.year, local.month - 1, local.day)).getUTCDay();
  const angle = (2 * Math.PI * (local.hour + local.minute / 60)) / 24;
  return [
    1,
    Math.sin(angle),
    Math.cos(angle),
    weekday === 0 || weekday === 6 ? 1 : 0,
    spreadOf(context),
    solarShare(context),
  ];
}

/** @returns as many numbers as ACTION_NAMES, each in 0 … 1. */
export function actionFeatures(
  { saving, deadline_ms, effort_min }: Pick<Action, 'saving' | 'deadline_ms' | 'effort_min'>,
  { at_ms }: AdviceContext,
): number[] {
  const amount = Math.max(0, saving?.amount ?? 0);
  const hoursLeft = deadline_ms === null ? 48 : Math.max(0, (deadline_ms - at_ms) / HOUR_MS);
  return [
    amount / (amount + HALF_SAVING),
    saving && saving.high > 0 ? Math.max(0, saving.low) / saving.high : 0.5,
    1 / (1 + hoursLeft / 6),
    effort_min / (effort_min + HALF_EFFORT_MIN),
  ];
}

/** The rule baseline ranks by money, or what a kind without money is held for; what is sooner void goes first among equals. */
export function ruleScore({ kind, saving, features }: Action): number {
  const worth = saving ? Math.max(0, saving.amount) : KIND[kind].worth;
  return worth / (worth + HALF_SAVING) + 0.1 * features[2]!;
}

export function candidateOf(action: Action): Candidate {
  return { id: action.id, arm: action.kind, features: action.features, rule_score: ruleScore(action) };
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

/** Forecast generation as a share of both forecasts' sum over the coming day; 0 where either is missing. */
function solarShare({ load, generation }: AdviceContext): number {
  const sum = (slots: AdviceContext['load']) =>
    slots.slice(0, DAY_SLOTS).reduce((total, { power_W }) => total + Math.max(0, power_W), 0);
  const given = sum(generation);
  const used = sum(load);
  return given > 0 && used > 0 ? given / (given + used) : 0;
}
