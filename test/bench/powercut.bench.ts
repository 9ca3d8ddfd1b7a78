/**
 * The power goes while readings come in. The journal and the series store (DuckDB with its own log) run in a process
 * whose every write, truncation, rename and sync is recorded below Node (powercut/record-writes.c); the disk that a cut at
 * a random moment leaves is made from that record (powercut/disk-model.ts): what was synced stays, of the rest sectors,
 * lengths and names survive by chance. The next life starts on it and must have every reading that was acknowledged
 * before the cut, once. Cuts hit recoveries too: every life begins with one.
 */
import { createRandom } from '../../engine/random.ts';
import { openProgress } from './load/state.ts';
import type { BenchOptions, BenchResult } from './options.ts';
import { openChain } from './powercut/chain.ts';
import { buildRecorder, canRecord } from './powercut/trace.ts';

export const about = 'power cuts that drop what was not synced: --cuts 20 --seed 1 (--state FILE); needs cc';

/** The store grows with each life of a chain, and with it the time to compare. */
const CUTS_A_CHAIN = 15;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const cuts = Number(options.cuts ?? 20);
  const seed = Number(options.seed ?? 1);
  if (!canRecord()) throw new Error('this bench builds a small C library: install gcc or clang as cc (Linux only)');
  const recorder = buildRecorder();
  const fresh = { cuts: 0, acknowledged: 0, lost: 0, duplicated: 0 };
  const { state, save } = openProgress(options.state, `powercut --seed ${seed}`, fresh);
  while (state.cuts < cuts) {
    const chain = await openChain(recorder, createRandom(seed * 1_000_003 + state.cuts));
    try {
      for (let n = 0; n < CUTS_A_CHAIN && state.cuts < cuts; n++) {
        const cut = await chain.cut();
        state.cuts++;
        for (const key of ['acknowledged', 'lost', 'duplicated'] as const) state[key] += cut[key];
        save();
        const set_aside = cut.repairs.length > 0 ? `; ${cut.repairs.join('; ')}` : '';
        progress(
          `cut ${state.cuts} of ${cuts}: ${cut.acknowledged} acknowledged, ${cut.lost} lost, ${cut.duplicated} duplicated, ` +
            `${cut.stored.length} in the store after ${cut.start_s.toFixed(2)} s${set_aside}`,
        );
      }
    } finally {
      await chain.end();
    }
  }
  return { ...state };
}
