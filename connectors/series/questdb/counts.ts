/**
 * What became of the readings, in step with the cursor though no transaction spans two tables: a row is written before
 * the readings it counts, beside the one that counts up to the cursor, and is believed once the cursor has reached it.
 */
import { type AppliedCounts, parseCounts } from '../counts.ts';
import type { QuestDb } from './client.ts';
import { whole } from './context.ts';
import { tableName } from './schema.ts';

export type CountKeeper = {
  now(): AppliedCounts;
  /** Writes the totals up to `seq`; they count once `confirm` is called, or at the next opening if the cursor is there. */
  save(seq: number, counts: AppliedCounts): Promise<void>;
  confirm(): void;
};

const TABLE = tableName('reading_count');

export async function loadCounts(db: QuestDb, cursor: number): Promise<CountKeeper> {
  const rows = await db.ask([TABLE], `select n, counts from ${TABLE} where seq <= ${whole(cursor)} order by seq desc`);
  const [row, text] = (rows[0] ?? [0, '']) as [number, string];
  let valid = { row, counts: parseCounts(text) };
  let written = valid;
  return {
    now: () => valid.counts,
    async save(seq, counts) {
      const other = 1 - valid.row;
      await db.write(TABLE, [{ n: other, seq, counts: JSON.stringify(counts), at_ms: 0 }]);
      written = { row: other, counts };
    },
    confirm() {
      valid = written;
    },
  };
}
