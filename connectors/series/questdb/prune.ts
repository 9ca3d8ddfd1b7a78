/**
 * What is no longer kept. Whole partitions go (a week of readings, a month of slots) when all in them is too old; what
 * is too old in a partition that stays is not shown any more. So a value is on disk for a partition longer than it shows.
 */
import type { RetentionLimits } from '../../../engine/ports.ts';
import type { QuestDb } from './client.ts';
import { type Floors, NO_FLOORS, type QuestDbContext } from './context.ts';
import { type TableName, tableName } from './schema.ts';

/** Beside the cursor, which is row 0. */
const ROWS: readonly (keyof Floors)[] = ['reading', 'slot', 'price', 'forecast'];
const TABLE = tableName('journal_cursor');

export async function loadFloors(db: QuestDb): Promise<Floors> {
  const floors = { ...NO_FLOORS };
  const rows = await db.ask([TABLE], `select n, seq from ${TABLE} where n > 0`);
  for (const [n, at_ms] of rows as [number, number | null][]) {
    const name = ROWS[n - 1];
    if (name && at_ms !== null) floors[name] = at_ms;
  }
  return floors;
}

/** Nothing may be written meanwhile. The cursor must stand in its own table: the partition that holds it may go. */
export async function prune(context: QuestDbContext, limits: RetentionLimits): Promise<void> {
  const { db } = context;
  const { readings_before_ms: reading, slots_before_ms: slot } = limits;
  const { prices_before_ms: price, forecasts_before_ms: forecast } = limits;
  await moveFloors(context, { reading, slot, price, forecast });
  if (reading !== null) await dropRepairs(context, reading);
  await dropBefore(db, 'reading', reading);
  await dropBefore(db, 'reading_change', reading);
  await dropBefore(db, 'slot', slot);
  await dropBefore(db, 'span', slot);
  await dropBefore(db, 'price', price);
  await dropBefore(db, 'forecast', forecast);
}

/** They follow the limits in both directions: who keeps more from now on can load older values again. */
async function moveFloors({ db, floors }: QuestDbContext, limits: Record<keyof Floors, number | null>): Promise<void> {
  const rows = ROWS.map((name, index) => ({ n: index + 1, seq: limits[name] && Math.ceil(limits[name]), at_ms: 0 }));
  // A row of its keys alone is a null.
  await db.write(TABLE, rows);
  for (const name of ROWS) floors[name] = limits[name] ?? NO_FLOORS[name];
}

async function dropRepairs({ db, repairs }: QuestDbContext, before_ms: number): Promise<void> {
  const gone = [...repairs].flatMap(([series, rows]) =>
    rows.filter((row) => row.at_ms < before_ms).map(({ at_ms }) => ({ series, at_ms, state: 0, by: '' })),
  );
  await db.write(tableName('repair'), gone);
  for (const [series, rows] of repairs)
    repairs.set(
      series,
      rows.filter((row) => row.at_ms >= before_ms),
    );
}

async function dropBefore(db: QuestDb, table: TableName, before_ms: number | null): Promise<void> {
  if (before_ms === null) return;
  const name = tableName(table);
  await db.wal.settle(name);
  const parts = await db.ask([], `select name, cast(maxTimestamp as long) / 1000 from table_partitions('${name}')`);
  const old = (parts as [string, number][]).filter(([, newest_ms]) => newest_ms < before_ms).map(([part]) => part);
  const safe = old.filter((part) => /^[0-9A-Z-]+$/.test(part));
  if (safe.length === 0) return;
  await db.run(`alter table ${name} drop partition list ${safe.map((part) => `'${part}'`).join(', ')}`);
  db.unsettled(name);
}
