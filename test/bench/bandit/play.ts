/** Lets a policy play a task round by round, each reward known before the next round. */

import { createRandom } from '../../../engine/random.ts';
import type { Candidate, Policy } from '../../../recommender/bandit/port.ts';
import type { Task } from './tasks.ts';

export type Play = { regret: number; uniform_regret: number; rounds: number; min_propensity: number };

const SITE = 'bench';

/** @returns sums over all rounds of what was lost against the best action, and what even chances would have lost. */
export function playTask(policy: Policy, task: Task, seed: number): Play {
  const random = createRandom(seed);
  const candidates = Array.from(
    { length: task.arms },
    (_, arm): Candidate => ({ id: String(arm), arm: String(arm), features: [], rule_score: 0 }),
  );
  const play: Play = { regret: 0, uniform_regret: 0, rounds: task.rounds, min_propensity: 1 };
  for (let round = 0; round < task.rounds; round++) {
    const { x, means, reward } = task.next();
    const { positions } = policy.decide({ site: SITE, features: x, slate: 1 }, candidates, random);
    const { chosen, propensities } = positions[0]!;
    const best = Math.max(...means);
    play.regret += best - means[Number(chosen)]!;
    play.uniform_regret += best - means.reduce((a, b) => a + b, 0) / means.length;
    for (const p of Object.values(propensities)) play.min_propensity = Math.min(play.min_propensity, p);
    policy.update([
      { site: SITE, context: x, arm: chosen, features: [], rule_score: 0, reward: reward(Number(chosen)) },
    ]);
  }
  return play;
}

export const meanOf = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / Math.max(1, values.length - 1));
}
