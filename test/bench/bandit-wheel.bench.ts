/** The shipped policy on the wheel: rare high rewards in a region that nothing straight describes. */

import { createRandom } from '../../engine/random.ts';
import { createShippedPolicy } from '../../recommender/bandit/default-policy.ts';
import { meanOf, playTask } from './bandit/play.ts';
import { WHEEL_ROUNDS, wheel } from './bandit/wheel.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'advice policy on the wheel, regret in % of even chances: --seeds 20 --seed 1 --rounds 10000';

const DELTAS = [0.5, 0.7, 0.9, 0.95];

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const seeds = Number(options.seeds ?? 20);
  const first = Number(options.seed ?? 1);
  const rounds = Number(options.rounds ?? WHEEL_ROUNDS);
  const result: BenchResult = { seed: first, seeds };
  for (const delta of DELTAS)
    for (const [suffix, floor] of [['', undefined] as const, ['_no_floor', 0] as const]) {
      const shares: number[] = [];
      for (let seed = first; seed < first + seeds; seed++) {
        const task = wheel(createRandom(seed * 100 + Math.round(delta * 100)), delta, rounds);
        const play = playTask(createShippedPolicy(task.inputs, { floor }), task, seed + 1_000_000);
        shares.push((100 * play.regret) / play.uniform_regret);
      }
      result[`regret_pct_${Math.round(delta * 100)}${suffix}`] = Number(meanOf(shares).toFixed(2));
      progress(`δ ${delta}${suffix}: ${shares.map((share) => share.toFixed(1)).join(' ')}`);
    }
  return result;
}
