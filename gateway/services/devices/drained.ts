import type { Journal, SeriesStore } from '../../../engine/ports.ts';

const STEP_MS = 50;
const LONGEST_MS = 10_000;

/** Resolves when all that the journal holds now is in the series store, or after ten seconds. */
export async function drained({
  journal,
  series,
}: {
  journal: Pick<Journal, 'stats'>;
  series: Pick<SeriesStore, 'readings'>;
}): Promise<void> {
  const target = journal.stats().last_seq;
  for (let waited_ms = 0; waited_ms < LONGEST_MS; waited_ms += STEP_MS) {
    if ((await series.readings.cursor()) >= target) return;
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
