/** Files and bodies made to exhaust the box: what each costs in memory and time, and whether the box goes on. */
import { bodyBombs } from '../gateway/box/bombs/body.ts';
import type { Bomb } from '../gateway/box/bombs/bomb.ts';
import { type Defused, defuse } from '../gateway/box/bombs/defuse.ts';
import { pdfBombs } from '../gateway/box/bombs/pdf.ts';
import { textBombs } from '../gateway/box/bombs/text.ts';
import { startBox } from '../setup/box.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'uploads that unpack, nest or never end: (--only PART_OF_A_NAME)';

export async function run({ only = '' }: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const bombs = [...pdfBombs(), ...textBombs(), ...bodyBombs()].filter(({ name }) => name.includes(only));
  const results: Defused[] = [];
  let down = 0;
  let box = await startBox({ LUNA_PRICE_SOURCES: '' });
  try {
    let key = await keyOf(box);
    for (const bomb of bombs) {
      const result = await defuse({ url: box.url, key, pid: box.pid }, bomb).catch(() => null);
      if (result) results.push(result);
      else {
        down++;
        await box.remove();
        box = await startBox({ LUNA_PRICE_SOURCES: '' });
        key = await keyOf(box);
      }
      progress(lineOf(bomb, result));
    }
  } finally {
    await box.remove();
  }
  const most = (value: (one: Defused) => number) => Number(Math.max(0, ...results.map(value)).toFixed(1));
  return {
    bombs: bombs.length,
    max_mb: most(({ peak_MB }) => peak_MB),
    max_s: most(({ seconds }) => seconds),
    longest_wait_ms: most(({ longest_wait_ms }) => longest_wait_ms),
    killed: results.filter(({ outcome }) => /was stopped/.test(outcome)).length,
    not_killed: results.filter(({ outcome, helpers_left }) => /was stopped/.test(outcome) && helpers_left > 0).length,
    service_down: down,
  };
}

async function keyOf(box: Awaited<ReturnType<typeof startBox>>): Promise<string> {
  return (await box.lunaJson<{ key: string }>('key', 'create', '--name', 'bombs', '--role', 'admin')).key;
}

function lineOf({ name }: Bomb, result: Defused | null): string {
  if (!result) return `the box did not survive ${name}`;
  const { seconds, peak_MB, longest_wait_ms, outcome } = result;
  return `${seconds.toFixed(1)} s, ${peak_MB.toFixed(0)} MB, others waited ${longest_wait_ms.toFixed(0)} ms: ${name}: ${outcome.slice(0, 120)}`;
}
