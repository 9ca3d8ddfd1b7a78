/** The detector on faults put into real loads and weather: what its settings were chosen on. */
import { cleanSeries, injectFaults } from './anomaly/faults.ts';
import { nabScore } from './anomaly/nab.ts';
import { alarmRows } from './anomaly/watch.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'alerts on faults put into real loads and weather, scored as NAB does: --seeds 1,2,3 --series N';

const HOUR_MS = 3_600_000;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const all = cleanSeries();
  const clean = all.slice(0, Number(options.series ?? all.length));
  const seeds = (options.seeds ?? options.seed ?? '1,2,3').split(',').map(Number);
  const found = new Map<string, { hits: number; faults: number }>();
  let [score, faults, hits, false_alarms, hours, series] = [0, 0, 0, 0, 0, 0];
  for (const one of seeds.flatMap((seed) => injectFaults(clean, seed))) {
    const at_ms = Array.from(one.values, (_, k) => k * HOUR_MS);
    const alarms = alarmRows(at_ms, [...one.values]);
    const scored = nabScore(one.values.length, alarms, one.windows);
    score += scored.score;
    faults += scored.perfect;
    hits += scored.hits;
    false_alarms += scored.false_alarms;
    hours += one.values.length;
    series++;
    for (const [w, { from, to }] of one.windows.entries()) {
      const kind = found.get(one.kinds[w]!) ?? { hits: 0, faults: 0 };
      const hit = alarms.some((row) => row >= from && row <= to);
      found.set(one.kinds[w]!, { hits: kind.hits + (hit ? 1 : 0), faults: kind.faults + 1 });
    }
    progress(`${one.name}: ${scored.hits} of ${scored.perfect} found, ${scored.false_alarms} false alarms`);
  }
  return {
    score: round((100 * (score + faults)) / (2 * faults)),
    found: round(hits / faults),
    false_alarms_per_100_days: round((false_alarms / hours) * 2400),
    series,
    faults,
    ...Object.fromEntries([...found].sort().map(([kind, { hits, faults }]) => [`found_${kind}`, round(hits / faults)])),
    seeds: seeds.join(','),
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
