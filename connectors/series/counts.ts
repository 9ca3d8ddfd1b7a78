/** What became of the readings that were offered to a store, by their source: kept with the cursor, so that it is exact. */
import type { JournalledGroup } from '../../engine/model/reading.ts';
import type { MergedSeries } from './merge.ts';

/** `stored` readings are new, or replaced another value; `duplicate` ones said again what is known; `dead` ones the
 * store refused, so that they were put aside. */
export type AppliedCount = { stored: number; duplicate: number; dead: number };
/** By source (`mqtt`, `http`, …), since the store began to count. */
export type AppliedCounts = Readonly<Record<string, AppliedCount>>;

const NONE: AppliedCount = { stored: 0, duplicate: 0, dead: 0 };

/** The totals after `groups` were stored; `merged` says which of their readings brought nothing new. */
export function countStored(
  before: AppliedCounts,
  groups: readonly JournalledGroup[],
  merged: readonly Pick<MergedSeries, 'known_seqs'>[],
): AppliedCounts {
  const after = { ...before };
  const sources = new Map<number, string>();
  for (const { seq, source, readings } of groups) {
    sources.set(seq, source);
    after[source] = add(after[source], { stored: readings.length });
  }
  for (const { known_seqs } of merged)
    for (const seq of known_seqs) {
      const source = sources.get(seq)!;
      after[source] = add(after[source], { stored: -1, duplicate: 1 });
    }
  return after;
}

/** The totals after a group was put aside. */
export function countDead(before: AppliedCounts, { source, readings }: JournalledGroup): AppliedCounts {
  return { ...before, [source]: add(before[source], { dead: readings.length }) };
}

function add(count: AppliedCount = NONE, { stored = 0, duplicate = 0, dead = 0 }: Partial<AppliedCount>): AppliedCount {
  return { stored: count.stored + stored, duplicate: count.duplicate + duplicate, dead: count.dead + dead };
}

/** Reads what a store has kept as text; nothing where it never counted. */
export function parseCounts(text: unknown): AppliedCounts {
  return typeof text === 'string' && text !== '' ? (JSON.parse(text) as AppliedCounts) : {};
}
