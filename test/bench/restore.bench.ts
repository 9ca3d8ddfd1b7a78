/** How long a box of many meters takes to come back from its backup folder, and what is missing then. */
import { loseAYear } from '../gateway/backup/year.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'a lost box comes back: --meters 200 --days 365 --quantities 4 --seed 1 (--every 2: seconds between two copies, by which rpo_s is to be judged)';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const meters = Number(options.meters ?? 200);
  const days = Number(options.days ?? 365);
  const quantities = Number(options.quantities ?? 4);
  const seed = Number(options.seed ?? 1);
  const every_ms = 1000 * Number(options.every ?? 2);
  return { meters, days, quantities, ...(await loseAYear({ meters, days, quantities, every_ms, seed }, progress)) };
}
