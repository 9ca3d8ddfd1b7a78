/** The shipped policy on handwritten digits, one pass, mean of seeds; also without its exploration floor. */

import { createRandom } from '../../engine/random.ts';
import { createShippedPolicy } from '../../recommender/bandit/default-policy.ts';
import { digitsTask, loadDigits } from './bandit/digits.ts';
import { deviationOf, meanOf, playTask } from './bandit/play.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'advice policy on handwritten digits, loss: --seeds 20 --seed 1';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const seeds = Number(options.seeds ?? 20);
  const first = Number(options.seed ?? 1);
  const digits = loadDigits(process.env.LUNA_BENCH_DATA);
  const losses: number[] = [];
  const bare: number[] = [];
  let min_propensity = 1;
  for (let seed = first; seed < first + seeds; seed++) {
    const task = () => digitsTask(digits, createRandom(seed));
    const inputs = task().inputs;
    const play = playTask(createShippedPolicy(inputs), task(), seed + 1_000_000);
    const without = playTask(createShippedPolicy(inputs, { floor: 0 }), task(), seed + 1_000_000);
    losses.push(play.regret / play.rounds);
    bare.push(without.regret / without.rounds);
    min_propensity = Math.min(min_propensity, play.min_propensity);
    progress(`seed ${seed}: loss ${losses.at(-1)!.toFixed(4)}, without floor ${bare.at(-1)!.toFixed(4)}`);
  }
  return {
    ...{ seed: first, seeds },
    loss: Number(meanOf(losses).toFixed(4)),
    loss_sd: Number(deviationOf(losses).toFixed(4)),
    loss_no_floor: Number(meanOf(bare).toFixed(4)),
    min_propensity: Number(min_propensity.toFixed(6)),
  };
}
