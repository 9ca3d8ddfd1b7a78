/** The shipped policy at simulated sites with real loads and prices, against the spine's rule and one who knows all. */
import { createShippedPolicy } from '../../recommender/bandit/default-policy.ts';
import type { BenchOptions, BenchResult } from './options.ts';
import { advised, CANDIDATE_FEATURES, CONTEXT_FEATURES } from './site/adviser.ts';
import { figuresOf, type Played, playAll } from './site/score.ts';
import { loadSiteData } from './site/series.ts';

export const about =
  'advice policy at 100 simulated sites that no parameter was chosen on: --seed 1 (--half tuning for the other 100)';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const half = options.half === 'tuning' ? 'tuning' : 'final';
  const seed = Number(options.seed ?? 1);
  const data = loadSiteData(process.env.LUNA_BENCH_DATA ?? '../shared/data');
  const shipped = () => createShippedPolicy(CONTEXT_FEATURES + CANDIDATE_FEATURES);
  const played: Played = playAll(data, half, seed, (rule) => advised(shipped(), rule), progress);
  return { seed, half, ...figuresOf(played) };
}
