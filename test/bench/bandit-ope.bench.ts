/** Off-policy estimators on the digits: relative errors over seeded runs, and how often DR's interval holds the truth. */

import { loadDigits } from './bandit/digits.ts';
import { addErrors, covers, evaluateOnce, makeWorld, noErrors } from './bandit/off-policy.ts';
import { meanOf } from './bandit/play.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'off-policy estimators on the digits: --runs 30 --simulations 500 --seed 1';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const runs = Number(options.runs ?? 30);
  const simulations = Number(options.simulations ?? 500);
  const first = Number(options.seed ?? 1);
  const digits = loadDigits(process.env.LUNA_BENCH_DATA);
  const errors = noErrors();
  let covered = 0;
  let done = 0;
  for (let k = 0; k < runs; k++) {
    const world = makeWorld(digits, first + k);
    // The simulations are spread over the runs' worlds; the first log of each is the run itself.
    const logs = Math.max(1, Math.floor(((k + 1) * simulations) / runs) - done);
    for (let log = 0; log < logs; log++) {
      const found = evaluateOnce(world, (first + k) * 10_000 + log);
      if (log === 0) addErrors(errors, found, world.truth);
      covered += Number(covers(found.dr, world.truth));
      done++;
    }
    progress(`run ${k + 1}: truth ${world.truth.toFixed(4)}, DR off by ${(100 * errors.dr[k]!).toFixed(2)} %`);
  }
  const mean = (values: readonly number[]) => Number(meanOf(values).toFixed(4));
  return {
    ...{ seed: first, runs, simulations: done },
    ...{ dr: mean(errors.dr), snips: mean(errors.snips), ips: mean(errors.ips), dm: mean(errors.dm) },
    switch_dr: mean(errors.switch_dr),
    coverage95_pct: Number(((100 * covered) / done).toFixed(1)),
  };
}
