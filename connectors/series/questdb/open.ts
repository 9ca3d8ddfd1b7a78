/** Looks at the tables and settings of a QuestDB, makes the tables that are missing, and waits until all show. */
import type { QuestDb } from './client.ts';
import { createTableSql, type FoundColumn, faultsOf, refuseForeign, TABLE_NAMES, tableName } from './schema.ts';

/** @throws ConfigError for tables of another making, UnavailableError. */
export async function openTables(db: QuestDb): Promise<{ warning: string | null }> {
  await checkTables(db);
  for (const name of TABLE_NAMES) await db.run(createTableSql(name));
  // What the server accepted before it was killed must show before the cursor is read.
  await db.wal.settleAll();
  return { warning: await commitWarning(db) };
}

async function checkTables(db: QuestDb): Promise<void> {
  const tables = await db.ask(
    [],
    'select table_name, partitionBy, walEnabled, ttlValue, designatedTimestamp from tables()',
  );
  const found = new Map((tables as [string, string, boolean, number, string | null][]).map((row) => [row[0], row]));
  const faults = [];
  for (const table of TABLE_NAMES) {
    const row = found.get(tableName(table));
    if (!row) continue;
    const [, partition, wal, ttl, time] = row;
    faults.push({
      table,
      faults: faultsOf(table, { partition, wal, ttl, time }, await columnsOf(db, tableName(table))),
    });
  }
  refuseForeign(faults);
}

async function columnsOf(db: QuestDb, name: string): Promise<FoundColumn[]> {
  const rows = await db.ask([], `select "column", type, upsertKey from (show columns from ${name})`);
  return (rows as [string, string, boolean][]).map(([name, type, key]) => ({ name, type, key }));
}

/** The journal lets go of what the store has: a store that does not sync loses it with the power. */
async function commitWarning(db: QuestDb): Promise<string | null> {
  const rows = await db
    .ask([], "select value from (show parameters) where property_path = 'cairo.commit.mode'")
    .catch(() => []);
  const mode = rows[0]?.[0];
  if (mode === 'sync') return null;
  return (
    (mode === undefined
      ? 'Whether QuestDB syncs what it commits could not be read: a power cut may take readings'
      : `QuestDB runs with cairo.commit.mode=${mode}: a power cut may take readings`) +
    ' that the journal no longer holds. Set QDB_CAIRO_COMMIT_MODE=sync and start QuestDB again.'
  );
}
