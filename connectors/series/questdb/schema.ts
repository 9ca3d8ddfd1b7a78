/**
 * Tables in QuestDB. Rows name their series by number. There is no DELETE: rows are replaced by their DEDUP keys, and
 * a row that is gone carries a mark (`quality` −1, `state` 0). `seq` holds the journal's sequence number, so that the
 * cursor moves with the readings in one transaction.
 */
const dedup = (keys: string, partition: string) =>
  `timestamp(at) partition by ${partition} wal dedup upsert keys(at, ${keys})`;

/** A row that was taken away. */
export const GONE = -1;

export const TABLES = {
  series: `(id int, tenant varchar, meter varchar, quantity varchar, readings boolean, state int, at timestamp) ${dedup('id', 'year')}`,
  journal_cursor: `(seq long, n int, at timestamp) ${dedup('n', 'year')}`,
  // two rows in turn, each what became of the readings up to its seq: that of the cursor is the newest not above it
  reading_count: `(seq long, counts varchar, n int, at timestamp) ${dedup('n', 'year')}`,
  reading: `(series int, value double, quality int, from_ms long, seq long, at timestamp) ${dedup('series', 'week')}`,
  // shown once the cursor has reached shown_seq: entries are written before the readings they belong to
  reading_change: `(series int, value double, replaced_by double, changed_ms long, seq long, n int, shown_seq long, at timestamp) ${dedup('series, seq, n, changed_ms', 'month')}`,
  repair: `(series int, value double, state int, "by" varchar, at timestamp) ${dedup('series', 'year')}`,
  dirty: `(series int, from_ms long, to_ms long, state int, at timestamp) ${dedup('series', 'year')}`,
  slot: `(series int, value double, quality int, at timestamp) ${dedup('series', 'month')}`,
  span: `(series int, from_ms long, value double, quality int, at timestamp) ${dedup('series, from_ms', 'month')}`,
  price: `(area symbol, market symbol, value double, currency varchar, vat_included boolean, source varchar, fetched_ms long, at timestamp) ${dedup('area, market', 'month')}`,
  // "at" is when it was made; the points are one JSON text, as they are always read together
  forecast: `(tenant varchar, series_name varchar, unit varchar, model varchar, inputs_known_ms long, to_ms long, points varchar, at timestamp) ${dedup('tenant, series_name', 'week')}`,
} as const;

export type TableName = keyof typeof TABLES;
const PREFIX = 'luna_';

/** The table's name in the database, which others may use too. */
export function tableName(name: TableName): string {
  return PREFIX + name;
}
