/** Readings that wait for a trusted clock, and the erasing of them: a record behind them in the same small journal. */
import { openHeadReader, openJournalReader } from '../../connectors/journal/reader.ts';
import { ERASURE, erasedBy } from '../../engine/model/erasure.ts';
import type { JournalledGroup, Reading } from '../../engine/model/reading.ts';

const BATCH_BYTES = 1024 * 1024;

/** What is left of the readings of a group of the journal in `dir`, of those behind `after_seq`; none of an erasure. */
export async function readErasures(dir: string, after_seq: number): Promise<(group: JournalledGroup) => Reading[]> {
  const erasures: { seq: number; meters: ReadonlySet<string> | null }[] = [];
  if (await holdsErasure(dir, after_seq))
    await eachGroup(await openJournalReader(dir), after_seq, (group) => {
      const meters = erasedBy(group);
      if (meters !== undefined) erasures.push({ seq: group.seq, meters: meters && new Set(meters) });
    });
  return (group) => {
    if (group.source === ERASURE) return [];
    const later = erasures.filter(({ seq }) => seq > group.seq);
    return group.readings.filter(({ meter }) => !later.some(({ meters }) => meters === null || meters.has(meter)));
  };
}

/** A look at the heads alone, ten times as fast: there seldom is one. */
async function holdsErasure(dir: string, after_seq: number): Promise<boolean> {
  let found = false;
  await eachGroup(await openHeadReader(dir), after_seq, ({ source }) => {
    found ||= source === ERASURE;
  });
  return found;
}

type Reader<Group> = { read(after_seq: number, max_bytes: number): Promise<Group[]>; close(): Promise<void> };

async function eachGroup<Group extends { seq: number }>(
  reader: Reader<Group>,
  after_seq: number,
  work: (group: Group) => void,
): Promise<void> {
  try {
    for (let seq = after_seq; ; ) {
      const groups = await reader.read(seq, BATCH_BYTES);
      if (groups.length === 0) return;
      for (const group of groups) work(group);
      seq = groups.at(-1)!.seq;
    }
  } finally {
    await reader.close();
  }
}
