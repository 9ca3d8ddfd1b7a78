/** How fast a running site is planned anew, against plain HiGHS on the same program. */
import { openHighs } from '../../engine/dispatch/highs.ts';
import { type PlanState, planSite } from '../../engine/dispatch/plan.ts';
import { loadHome } from './dispatch/home-data.ts';
import { seeded } from './dispatch/random-site.ts';
import { FIRST_LEVELS, type Levels, levelsAfter, scaleInput } from './dispatch/scale-site.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  're-planning a site of five devices over 96 and 2,880 slots, and plain HiGHS on the same: --plans 200 --highs-every 1 --start 400';

type Figures = { p95_ms: number; highs_p95_ms: number; gap: number };

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const plans = Number(options.plans ?? 200);
  const day = await measure(96, plans, Number(options['highs-every'] ?? 1), options, progress);
  // A plan of 30 days takes HiGHS a second and more: every fifth is enough for a 95th percentile of it.
  const month =
    options['slots-only'] === '96'
      ? day
      : await measure(2880, plans, Number(options['highs-every'] ?? 5), options, progress);
  return {
    p95_ms_96: day.p95_ms,
    p95_ms_2880: month.p95_ms,
    objective_gap: Number(Math.max(day.gap, month.gap).toExponential(2)),
    highs_p95_ms_96: day.highs_p95_ms,
    highs_p95_ms_2880: month.highs_p95_ms,
  };
}

async function measure(
  slots: number,
  plans: number,
  every: number,
  options: BenchOptions,
  progress: (line: string) => void,
): Promise<Figures> {
  const home = loadHome();
  const first = home.yearStart(2022);
  const start = Number(options.start ?? 400);
  const highs = await openHighs();
  const random = seeded(Number(options.seed ?? 1));
  const [times, highs_times]: number[][] = [[], []];
  let [before, levels, wrong, gap, iterations]: [PlanState | undefined, Levels, number, number, number] = [
    undefined,
    FIRST_LEVELS,
    0,
    0,
    0,
  ];
  // The first plans are cold and compile the code; they are not counted.
  const cold = 3;
  for (let k = 0; k < plans + cold; k++) {
    wrong = 0.95 * wrong + 0.03 * (random() - 0.5);
    const input = scaleInput(home, first, start + k, slots, wrong, levels);
    const began = performance.now();
    const { plan, state } = planSite(input, before ? { before, mixed: highs.mixed } : { mixed: highs.mixed });
    const took = performance.now() - began;
    before = state;
    levels = levelsAfter(plan, levels);
    iterations += state.solution.iterations;
    if (k < cold) continue;
    times!.push(took);
    if (k % every !== 0) continue;
    const highs_began = performance.now();
    const { objective } = highs.linear(state.site.program);
    highs_times!.push(performance.now() - highs_began);
    gap = Math.max(gap, Math.abs(state.solution.objective - objective) / Math.max(1, Math.abs(objective)));
    if (k % 20 === 0)
      progress(
        `${slots} slots: plan ${k}, ${took.toFixed(1)} ms, ${state.solution.iterations} iterations, gap ${gap.toExponential(1)}`,
      );
  }
  progress(`${slots} slots: ${(iterations / (plans + cold)).toFixed(1)} iterations a plan`);
  return { p95_ms: p95(times!), highs_p95_ms: p95(highs_times!), gap };
}

function p95(values: number[]): number {
  values.sort((a, b) => a - b);
  return Math.round(10 * (values[Math.min(values.length - 1, Math.floor(0.95 * values.length))] ?? 0)) / 10;
}
