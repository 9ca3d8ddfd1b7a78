/** A plan with what makes it believable: what it is measured against, and a reason for each device in each slot. */
import { type Baseline, baselines } from './baselines.ts';
import { explainSlot, type ReasonCode } from './explain.ts';
import type { MixedSolver } from './mixed-program.ts';
import { planSite } from './plan.ts';
import type { Plan, PlanInput } from './site.ts';

export type SlotReason = { code: ReasonCode; at_ms: number | null };
export type PlanReport = {
  plan: Plan;
  baselines: Baseline[];
  /** By device, one a slot. */
  reasons: Record<string, SlotReason[]>;
};

/** @throws InvalidDataError that names every missing or impossible input. */
export function reportPlan(input: PlanInput, mixed: MixedSolver): PlanReport {
  const { plan } = planSite(input, { mixed });
  const reasons = Object.fromEntries(
    plan.devices.map(({ id, power_W }) => [
      id,
      Array.from(power_W, (_, t): SlotReason => {
        const { code, at_ms } = explainSlot(input, plan, id, t);
        return { code, at_ms };
      }),
    ]),
  );
  return { plan, baselines: baselines(input), reasons };
}
