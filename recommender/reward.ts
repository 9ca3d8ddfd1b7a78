/**
 * What an answer counts: 0 where it was dismissed; half a point where it was accepted, and the other half for what came
 * of it. Silence and a snooze are no reward at all: nothing is known.
 */
import type { Action } from './action.ts';
import { KIND } from './catalogue/kinds.ts';

/** Share of the reward that accepting earns; the rest is the effect. */
export const ACCEPTED = 0.5;

/** The reward on the answer itself. Where meters will tell the effect, its half comes later. */
export function rewardOfAnswer(kind: Action['kind'], accepted: boolean): number {
  return accepted ? ACCEPTED + (1 - ACCEPTED) * (KIND[kind].worth ?? 0) : 0;
}

/**
 * The reward once the meters have told.
 * @param amount realised saving; below 0 counts as 0.
 * @param half_saving money at which a saving counts half; see halfSaving.
 */
export function rewardOfEffect(amount: number, half_saving: number): number {
  const realised = Math.max(0, amount);
  return ACCEPTED + (1 - ACCEPTED) * (realised / (realised + half_saving));
}
