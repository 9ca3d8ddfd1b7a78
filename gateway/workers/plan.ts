/** Plans a site off the serving thread; the solver for yes-or-no decisions is loaded once a thread. */
import { type HighsSolver, openHighs } from '../../engine/dispatch/highs.ts';
import { planSite } from '../../engine/dispatch/plan.ts';
import type { Plan, PlanInput } from '../../engine/dispatch/site.ts';

let opened: Promise<HighsSolver> | undefined;

/** @throws InvalidDataError that names every missing or impossible input. */
export default async function plan(input: PlanInput): Promise<Plan> {
  opened ??= openHighs();
  const { mixed } = await opened;
  return planSite(input, { mixed }).plan;
}
