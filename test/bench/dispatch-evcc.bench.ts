/** Schedules for evcc's own cases against the published ones: violations first, then the bill. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { answerEvcc } from '../../engine/dispatch/evcc.ts';
import type { EvccRequest, EvccResponse } from '../../engine/dispatch/evcc-request.ts';
import { openHighs } from '../../engine/dispatch/highs.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = "schedules for the cases of evcc's optimizer against its own: --dir FOLDER --repeat 5";

type Case = { request: EvccRequest; expected_response: EvccResponse };
export type Judged = { violation_Wh: number; bill: number };

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const dir = resolve(options.dir ?? join(process.env.LUNA_BENCH_DATA ?? '../shared/data', 'dispatch/evcc_cases'));
  if (!existsSync(dir)) throw new Error(`${dir} is missing: give --dir or set LUNA_BENCH_DATA.`);
  const repeat = Number(options.repeat ?? 5);
  const { mixed } = await openHighs();
  const files = readdirSync(dir)
    .filter((file) => file.endsWith('.json'))
    .sort();
  const cases = files.map((file) => JSON.parse(readFileSync(join(dir, file), 'utf8')) as Case);
  // The box is warm when evcc asks: the first answer of all compiles the solver.
  if (cases[0]) answerEvcc(cases[0].request, mixed);
  let [worse, more_violation, worst_gap] = [0, 0, 0];
  const times: number[] = [];
  cases.forEach(({ request, expected_response }, k) => {
    let answer: EvccResponse | undefined;
    const own_times: number[] = [];
    for (let n = 0; n < repeat; n++) {
      const started = performance.now();
      answer = answerEvcc(request, mixed);
      own_times.push(performance.now() - started);
    }
    times.push(...own_times);
    const [own, published] = [judge(request, answer!), judge(request, expected_response)];
    const more = own.violation_Wh - published.violation_Wh;
    const gap = (own.bill - published.bill) / Math.max(1, Math.abs(published.bill));
    if (more > 1) more_violation++;
    else if (Math.abs(more) <= 1) {
      if (gap > 1e-4) worse++;
      worst_gap = Math.max(worst_gap, gap);
    }
    progress(
      `${files[k]}: ${answer!.status} violation ${own.violation_Wh.toFixed(1)} (${published.violation_Wh.toFixed(1)}) Wh, bill ${own.bill.toFixed(5)} (${published.bill.toFixed(5)}), ${Math.max(...own_times).toFixed(0)} ms`,
    );
  });
  times.sort((a, b) => a - b);
  return {
    cases: cases.length,
    worse,
    more_violation,
    worst_gap: Number(worst_gap.toExponential(2)),
    p95_ms: Math.round(times[Math.min(times.length - 1, Math.floor(0.95 * times.length))] ?? 0),
    max_ms: Math.round(times.at(-1) ?? 0),
  };
}

/** Wh over limits and short of goals and demands, and import − export − value of the final charge. */
export function judge(request: EvccRequest, schedule: EvccResponse): Judged {
  const { dt, p_N, p_E } = request.time_series;
  let [violation_Wh, bill] = [0, 0];
  const rated = request.grid?.p_max_imp != null && request.grid.prc_p_exc_imp != null;
  for (let t = 0; t < dt.length; t++) {
    const over_import = schedule.grid_import_overshoot?.[t] ?? 0;
    violation_Wh += (rated ? 0 : over_import) + (schedule.grid_export_overshoot?.[t] ?? 0);
    bill += (schedule.grid_import[t]! + (rated ? 0 : over_import)) * p_N[t]! - schedule.grid_export[t]! * p_E[t]!;
  }
  request.batteries.forEach((battery, i) => {
    const { charging_power, state_of_charge } = schedule.batteries[i]!;
    bill -= state_of_charge.at(-1)! * battery.p_a;
    state_of_charge.forEach((energy, t) => {
      violation_Wh += Math.max(0, energy - battery.s_max) + Math.max(0, battery.s_min - energy);
      violation_Wh += Math.max(0, (battery.s_goal?.[t] ?? 0) - energy);
      const demand = Math.min(battery.p_demand?.[t] ?? 0, (battery.c_max * dt[t]!) / 3600);
      const full = energy >= battery.s_max - 1;
      if (!full) violation_Wh += Math.max(0, demand - charging_power[t]!);
    });
  });
  return { violation_Wh, bill };
}
