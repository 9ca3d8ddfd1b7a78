/**
 * How a decision is made: LinUCB ranks, and an exploration floor gives every eligible action a known propensity
 * above 0, so that the log can be evaluated off-policy later.
 */
import type { Action } from './action.ts';
import { type LinUcbState, upperBound } from './linucb.ts';
import { createRandom } from './random.ts';

export const POLICY = 'linucb-floor/1';
/** Share of choices that is spread evenly over all eligible actions. */
const EXPLORATION = 0.1;
/** No eligible action is less likely than this, as long as there are at most 1 / PROPENSITY_FLOOR of them. */
export const PROPENSITY_FLOOR = 0.002;

/** One position of the slate: who could have been chosen there, with which probability, and who was. */
export type Position = { chosen: string; propensities: Record<string, number> };
export type Decision = { policy: string; seed: number; positions: Position[] };

/**
 * Chooses up to `slate` actions, best first, without repetition. The same actions, state and seed give the same
 * decision bit for bit. Within a position the probabilities sum to 1.
 */
export function decide(actions: readonly Action[], state: LinUcbState, seed: number, slate = 3): Decision {
  const random = createRandom(seed);
  const bounds = new Map(actions.map((action) => [action.id, upperBound(state, action.kind, action.features)]));
  const left = [...actions].sort((a, b) => (a.id < b.id ? -1 : 1));
  const positions: Position[] = [];
  while (left.length > 0 && positions.length < slate) {
    const propensities = distribution(left, bounds);
    const chosen = draw(propensities, random());
    positions.push({ chosen, propensities });
    left.splice(
      left.findIndex((action) => action.id === chosen),
      1,
    );
  }
  return { policy: POLICY, seed, positions };
}

/** ε / k (at least the floor, at most 1 / k) for everyone, the rest for the best upper bound (ties: the first by id). */
function distribution(actions: readonly Action[], bounds: ReadonlyMap<string, number>): Record<string, number> {
  const even = Math.min(Math.max(PROPENSITY_FLOOR, EXPLORATION / actions.length), 1 / actions.length);
  const best = actions.reduce((a, b) => (bounds.get(b.id)! > bounds.get(a.id)! ? b : a));
  const propensities: Record<string, number> = {};
  for (const action of actions)
    propensities[action.id] = action === best ? Math.max(even, 1 - even * (actions.length - 1)) : even;
  return propensities;
}

function draw(propensities: Record<string, number>, point: number): string {
  let sum = 0;
  let last = '';
  for (const [id, probability] of Object.entries(propensities)) {
    sum += probability;
    last = id;
    if (point < sum) return id;
  }
  return last;
}
