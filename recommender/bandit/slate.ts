/** Draws a slate place by place from a distribution over the actions that are still free. */
import { InvalidDataError } from '../../engine/errors.ts';
import type { Random } from '../../engine/random.ts';
import { drawIndex, mixFloor, PROPENSITY_FLOOR } from './floor.ts';
import type { Candidate, DecisionContext, SlatePosition } from './port.ts';

/** Chances (≥ 0, any sum > 0) of the candidates at `free`, in that order. */
export type Distribution = (free: readonly number[]) => Float64Array;

/** Uses one random number a place, so that a place's choice is exactly what its propensities say. */
export function drawSlate(
  candidates: readonly Candidate[],
  slate: number,
  distribution: Distribution,
  random: Random,
  floor = PROPENSITY_FLOOR,
): SlatePosition[] {
  const free = candidates.map((_, i) => i);
  const positions: SlatePosition[] = [];
  while (free.length > 0 && positions.length < slate) {
    const probabilities = mixFloor(distribution(free), floor);
    const at = drawIndex(probabilities, random());
    const propensities: Record<string, number> = {};
    for (const [k, i] of free.entries()) propensities[candidates[i]!.id] = probabilities[k]!;
    positions.push({ chosen: candidates[free[at]!]!.id, propensities });
    free.splice(at, 1);
  }
  return positions;
}

/** @throws InvalidDataError where two candidates share an id or a feature is missing or not finite. */
export function checkCandidates(context: DecisionContext, candidates: readonly Candidate[], inputs: number): void {
  if (new Set(candidates.map(({ id }) => id)).size !== candidates.length)
    throw new InvalidDataError('Two eligible actions have the same id.', 'Give every action an id of its own.');
  for (const { id, features } of candidates) checkFeatures(id, context.features, features, inputs);
}

export function checkFeatures(
  name: string,
  context: readonly number[],
  features: readonly number[],
  inputs: number,
): void {
  const count = context.length + features.length;
  if (count !== inputs)
    throw new InvalidDataError(
      `${name} has ${count} features, the policy knows ${inputs}.`,
      'Use one list of features.',
    );
  for (const values of [context, features])
    for (const value of values)
      if (!Number.isFinite(value))
        throw new InvalidDataError(`A feature of ${name} is not a finite number.`, 'Replace what is missing before.');
}
