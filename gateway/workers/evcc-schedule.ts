/** Answers evcc's charge-schedule request off the serving thread. */
import { answerEvcc } from '../../engine/dispatch/evcc.ts';
import type { EvccRequest, EvccResponse } from '../../engine/dispatch/evcc-request.ts';
import { type HighsSolver, openHighs } from '../../engine/dispatch/highs.ts';

let opened: Promise<HighsSolver> | undefined;

/** @throws InvalidDataError naming every missing or impossible field. */
export default async function evccSchedule(request: EvccRequest): Promise<EvccResponse> {
  opened ??= openHighs();
  const { mixed } = await opened;
  return answerEvcc(request, mixed);
}
