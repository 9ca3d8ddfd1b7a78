/** A logged decision, and proof that the same state makes it again. */
import { createRandom } from '../../engine/random.ts';
import type { Candidate, DecisionContext, Policy, SlatePosition } from './port.ts';

/** All that a decision depended on, and what came of it. Plain data: it survives JSON. */
export type LoggedDecision = {
  policy: string;
  state_hash: string;
  seed: number;
  context: DecisionContext;
  candidates: readonly Candidate[];
  positions: readonly SlatePosition[];
};

/** Decides with a seeded source of chance and keeps everything that is needed to decide again. */
export function decideLogged(
  policy: Policy,
  context: DecisionContext,
  candidates: readonly Candidate[],
  seed: number,
): LoggedDecision {
  const { positions } = policy.decide(context, candidates, createRandom(seed));
  return { policy: policy.version, state_hash: policy.stateHash(), seed, context, candidates, positions };
}

/**
 * Decides again with a policy in the state of that time.
 * @returns what differs from the log; empty where the decision replays bit for bit.
 */
export function replayFaults(policy: Policy, logged: LoggedDecision): string[] {
  if (policy.version !== logged.policy) return [`the policy is ${policy.version}, it was ${logged.policy}`];
  if (policy.stateHash() !== logged.state_hash) return ['the policy has learnt something else than it had then'];
  const { positions } = policy.decide(logged.context, logged.candidates, createRandom(logged.seed));
  if (positions.length !== logged.positions.length)
    return [`${positions.length} positions, there were ${logged.positions.length}`];
  return positions.flatMap((position, i) => {
    const before = logged.positions[i]!;
    if (position.chosen !== before.chosen) return [`position ${i + 1}: ${position.chosen}, it was ${before.chosen}`];
    const ids = Object.keys(before.propensities);
    const same =
      ids.length === Object.keys(position.propensities).length &&
      ids.every((id) => Object.is(position.propensities[id], before.propensities[id]));
    return same ? [] : [`position ${i + 1}: other propensities`];
  });
}
