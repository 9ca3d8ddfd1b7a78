/** Spoils a backup in many ways; none of them may be taken for a whole one. */
import { readFile, writeFile } from 'node:fs/promises';
import { openSpoilt, spoil } from '../gateway/backup/spoil.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'backups that were spoilt are refused: --corruptions 1000 --seed 1 (--state FILE goes on after a stop)';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const corruptions = Number(options.corruptions ?? 1000);
  const seed = Number(options.seed ?? 1);
  const state = typeof options.state === 'string' ? options.state : null;
  const before = state ? await kept(state, seed) : NOTHING;
  const backup = await openSpoilt();
  try {
    const tally = await spoil(backup, { from: before.corruptions, count: corruptions, seed }, progress, async (now) => {
      if (now.corruptions % 100 === 0) progress(`${before.corruptions + now.corruptions} of ${corruptions}`);
      if (state) await writeFile(state, JSON.stringify({ seed, ...sum(before, now) }));
    });
    return sum(before, tally);
  } finally {
    await backup.end();
  }
}

const NOTHING = { corruptions: 0, refused: 0, unnamed: 0, accepted: 0 };
type Tally = typeof NOTHING;

async function kept(file: string, seed: number): Promise<Tally> {
  const text = await readFile(file, 'utf8').catch(() => null);
  const { seed: former, ...tally } = text ? (JSON.parse(text) as Tally & { seed: number }) : { seed, ...NOTHING };
  return former === seed ? tally : NOTHING;
}

const sum = (a: Tally, b: Tally): Tally => ({
  corruptions: a.corruptions + b.corruptions,
  refused: a.refused + b.refused,
  unnamed: a.unnamed + b.unnamed,
  accepted: a.accepted + b.accepted,
});
