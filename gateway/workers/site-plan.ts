/** Plans a site off the serving thread, with what the plan is measured against and its reasons. */
import { type HighsSolver, openHighs } from '../../engine/dispatch/highs.ts';
import { type PlanReport, reportPlan } from '../../engine/dispatch/plan-report.ts';
import type { PlanInput } from '../../engine/dispatch/site.ts';

let opened: Promise<HighsSolver> | undefined;

/** @throws InvalidDataError that names every missing or impossible input. */
export default async function sitePlan(input: PlanInput): Promise<PlanReport> {
  opened ??= openHighs();
  const { mixed } = await opened;
  return reportPlan(input, mixed);
}
