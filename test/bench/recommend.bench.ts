/** How long the shipped policy takes to decide and to learn, and whether it ever advises what cannot be done. */
import type { BenchOptions, BenchResult } from './options.ts';
import { measureTimes } from './recommend/times.ts';
import { countInfeasible } from './recommend/walk.ts';

export const about =
  'time to decide among 50 actions of 64 features and to learn, infeasible advice: --contexts 1000000 --seed 1 --state FILE';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const seed = Number(options.seed ?? 1);
  const contexts = Number(options.contexts ?? 1_000_000);
  const times = measureTimes(seed, Number(options.decisions ?? 2000));
  progress(`decides in ${times.p95_ms} ms (p95), learns in ${times.update_p95_ms} ms (p95)`);
  const { infeasible, chosen } = countInfeasible(seed, contexts, { file: options.state, progress });
  return { seed, ...times, contexts, chosen, infeasible };
}
