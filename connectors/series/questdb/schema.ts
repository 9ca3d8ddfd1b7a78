/**
 * Tables in QuestDB. Rows name their series by number. There is no DELETE: rows are replaced by their DEDUP keys, and
 * a row that is gone carries a mark (`quality` −1, `state` 0). `seq` holds the journal's sequence number, so that the
 * cursor moves with the readings in one transaction.
 */
import { ConfigError } from '../../../engine/errors.ts';

/** A row that was taken away. */
export const GONE = -1;

/** `keys` besides the time: a row with the same ones replaces the stored one. */
type Table = { columns: string; keys: readonly string[]; partition: 'week' | 'month' | 'year' };

export const TABLES = {
  series: {
    columns: 'id int, tenant varchar, meter varchar, quantity varchar, readings boolean, state int',
    ...{ keys: ['id'], partition: 'year' },
  },
  journal_cursor: { columns: 'seq long, n int', keys: ['n'], partition: 'year' },
  // two rows in turn, each what became of the readings up to its seq: that of the cursor is the newest not above it
  reading_count: { columns: 'seq long, counts varchar, n int', keys: ['n'], partition: 'year' },
  reading: {
    columns: 'series int, value double, quality int, from_ms long, seq long',
    ...{ keys: ['series'], partition: 'week' },
  },
  // shown once the cursor has reached shown_seq: entries are written before the readings they belong to
  reading_change: {
    columns: 'series int, value double, replaced_by double, changed_ms long, seq long, n int, shown_seq long',
    ...{ keys: ['series', 'seq', 'n', 'changed_ms'], partition: 'month' },
  },
  repair: { columns: 'series int, value double, state int, "by" varchar', keys: ['series'], partition: 'year' },
  dirty: { columns: 'series int, from_ms long, to_ms long, state int', keys: ['series'], partition: 'year' },
  slot: { columns: 'series int, value double, quality int', keys: ['series'], partition: 'month' },
  span: {
    columns: 'series int, from_ms long, value double, quality int',
    ...{ keys: ['series', 'from_ms'], partition: 'month' },
  },
  price: {
    columns:
      'area symbol, market symbol, value double, currency varchar, vat_included boolean, source varchar, fetched_ms long',
    ...{ keys: ['area', 'market'], partition: 'month' },
  },
  // "at" is when it was made; the points are one JSON text, as they are always read together
  forecast: {
    columns:
      'tenant varchar, series_name varchar, unit varchar, model varchar, inputs_known_ms long, to_ms long, points varchar',
    ...{ keys: ['tenant', 'series_name'], partition: 'week' },
  },
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof TABLES;
export const PREFIX = 'luna_';

/** The table's name in the database, which others may use too. */
export function tableName(name: TableName): string {
  return PREFIX + name;
}

export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

export function createTableSql(name: TableName): string {
  const { columns, keys, partition } = TABLES[name];
  return (
    `create table if not exists ${tableName(name)} (${columns}, at timestamp) timestamp(at) ` +
    `partition by ${partition} wal dedup upsert keys(at, ${keys.join(', ')})`
  );
}

/** A table and a column of it, as `tables()` and `show columns` describe them. */
export type FoundTable = { partition: string; wal: boolean; ttl: number; time: string | null };
export type FoundColumn = { name: string; type: string; key: boolean };

/**
 * What would make rows of ours wrong in a table that is there already: another type, other keys (twice the same reading
 * would count twice), another partition (retention drops too much), no log, rows that end by themselves. Columns that
 * are not ours do no harm.
 */
export function faultsOf(name: TableName, table: FoundTable, columns: readonly FoundColumn[]): string[] {
  const { columns: wanted, keys, partition } = TABLES[name];
  const found = new Map(columns.map((column) => [column.name, column]));
  const faults = wanted.split(', ').flatMap((text) => {
    const [column, type] = text.replaceAll('"', '').split(' ') as [string, string];
    const there = found.get(column)?.type.toLowerCase();
    return there === type ? [] : [`column ${column} is ${there ?? 'missing'} instead of ${type}`];
  });
  const time = found.get('at')?.type.toLowerCase();
  if (table.time !== 'at' || time !== 'timestamp')
    faults.push(`its time is ${table.time ?? 'none'} (${time ?? 'no column at'}) instead of at (timestamp)`);
  const keyed = columns.filter((column) => column.key).map((column) => column.name);
  if ([...keyed].sort().join() !== ['at', ...keys].sort().join())
    faults.push(`its DEDUP keys are ${keyed.join(', ') || 'none'} instead of at, ${keys.join(', ')}`);
  if (table.partition.toLowerCase() !== partition)
    faults.push(`it is partitioned by ${table.partition} instead of ${partition.toUpperCase()}`);
  if (!table.wal) faults.push('it has no WAL');
  if (table.ttl > 0) faults.push('it has a TTL, which removes rows without the box');
  return faults;
}

/** @throws ConfigError where there are faults, with each of them. */
export function refuseForeign(faults: readonly { table: TableName; faults: readonly string[] }[]): void {
  const wrong = faults.filter((one) => one.faults.length > 0);
  if (wrong.length === 0) return;
  const words = wrong.map((one) => `${tableName(one.table)}: ${one.faults.join('; ')}`);
  throw new ConfigError(
    `QuestDB has tables of another making, nothing is written to them (${words.join('. ')}).`,
    'Give the box a QuestDB of its own, or rename these tables (RENAME TABLE x TO y); the box makes its own then.',
  );
}
