/** How the parameters of the shipped policy were chosen: each value in turn on simulated tasks, never on a bench's rows. */

import { createRandom } from '../../engine/random.ts';
import {
  createDefaultPolicy,
  DEFAULT_PARAMETERS,
  type DefaultParameters,
} from '../../recommender/bandit/default-policy.ts';
import { meanOf, playTask } from './bandit/play.ts';
import { TASK_FAMILIES } from './bandit/tasks.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'parameters of the advice policy on simulated tasks: --seeds 3 --seed 100 (--only alpha)';

const TRIED: { [Name in keyof DefaultParameters]: readonly number[] } = {
  alpha: [0.5, 0.7, 1],
  curiosity: [0, 0.05, 0.1, 0.2],
  noise_rewards: [0.3, 1, 3],
  ridge: [0.5, 1, 2],
  features: [64, 96, 128, 192],
  length_scale: [0.2, 0.3, 0.4],
  weight: [1.5, 2, 3],
  straight: [0.5, 1],
};

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const seeds = Number(options.seeds ?? 3);
  const first = Number(options.seed ?? 100);
  const names = (Object.keys(TRIED) as (keyof DefaultParameters)[]).filter((name) => name === (options.only ?? name));
  const shipped = score(DEFAULT_PARAMETERS, first, seeds);
  progress(`shipped: ${line(shipped)}`);
  for (const name of names)
    for (const value of TRIED[name].filter((tried) => tried !== DEFAULT_PARAMETERS[name]))
      progress(`${name} ${value}: ${line(score({ ...DEFAULT_PARAMETERS, [name]: value }, first, seeds))}`);
  return { seed: first, seeds, mean_regret_pct: Number(meanOf(shipped).toFixed(2)) };
}

/** Regret in % of even chances, a family each. */
function score(parameters: DefaultParameters, first: number, seeds: number): number[] {
  return TASK_FAMILIES.map((family) =>
    meanOf(
      Array.from({ length: seeds }, (_, k) => {
        const task = family(createRandom(first + k));
        const play = playTask(createDefaultPolicy(task.inputs, { parameters }), task, first + k + 1_000_000);
        return (100 * play.regret) / play.uniform_regret;
      }),
    ),
  );
}

const line = (shares: readonly number[]): string =>
  `${shares.map((share) => share.toFixed(1)).join(' ')} (mean ${meanOf(shares).toFixed(2)} %)`;
