/** The catalogue of advice: every rule, asked in this order. */
import type { Action, AdviceContext, Rule } from '../action.ts';
import { featuresOf } from '../features.ts';
import { chargeVehicles } from './charge-vehicles.ts';
import { checkBaseLoad } from './check-base-load.ts';
import { checkMeter } from './check-meter.ts';
import { inspectGeneration } from './inspect-generation.ts';
import { KIND } from './kinds.ts';
import { runBattery } from './run-battery.ts';
import { shiftLoad } from './shift-load.ts';

const RULES: readonly Rule[] = [shiftLoad, runBattery, chargeVehicles, checkMeter, checkBaseLoad, inspectGeneration];

/**
 * @param hidden ids of advice that was dismissed or snoozed and may not come back yet.
 * @returns every action that is eligible now, with its features. Pure.
 */
export function eligibleActions(context: AdviceContext, hidden: ReadonlySet<string>): Action[] {
  return RULES.flatMap((rule) => rule(context))
    .filter((draft) => !hidden.has(draft.id))
    .map((draft) => ({ ...draft, effort_min: KIND[draft.kind].effort_min, features: featuresOf(draft, context) }));
}
