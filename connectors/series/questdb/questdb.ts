/**
 * The series store of the appliance and fleet sizes: QuestDB. Acknowledged rows are in its log; run the server with
 * `cairo.commit.mode=sync` (QDB_CAIRO_COMMIT_MODE) so that they survive a loss of power, not only of the process.
 * One box per QuestDB: series numbers and the journal's cursor are kept in memory and in its tables.
 */
import { createSeriesRegistry } from '../registry.ts';
import { createSerial } from '../serial.ts';
import type { DrainedSeries } from '../store.ts';
import { connectQuestDb, type QuestDb, type QuestDbLimits } from './client.ts';
import { AT_MS, type QuestDbContext, whole } from './context.ts';
import { loadCounts } from './counts.ts';
import { createForecasts } from './forecasts.ts';
import { openTables } from './open.ts';
import { createPrices } from './prices.ts';
import { loadFloors, prune } from './prune.ts';
import { createReadings } from './readings.ts';
import { GONE, type TableName, tableName } from './schema.ts';
import { createSlots } from './slots.ts';

export type QuestDbOptions = { url: string; limits?: Partial<QuestDbLimits> };

/**
 * Rejects UnavailableError while the server does not answer, ConfigError for a malformed `url` and for tables of ours
 * that were made otherwise; nothing is written then.
 */
export async function openQuestDbSeries({ url, limits }: QuestDbOptions): Promise<DrainedSeries> {
  const db = connectQuestDb(url, limits);
  try {
    return await openStore(db);
  } catch (error) {
    await db.close();
    throw error;
  }
}

async function openStore(db: QuestDb): Promise<DrainedSeries> {
  const { warning } = await openTables(db);
  const context: QuestDbContext = {
    db,
    registry: createSeriesRegistry(),
    serial: createSerial(),
    repairs: new Map(),
    dirty: new Map(),
    floors: await loadFloors(db),
  };
  await loadContext(context);
  const cursor = await readCursor(db);
  const { dirty, rewind, saveCursor, ...readings } = createReadings(context, cursor, await loadCounts(db, cursor));
  return {
    kind: 'questdb',
    recovery: null,
    warning,
    readings,
    dirty,
    rewind,
    slots: createSlots(context),
    prices: createPrices(context),
    forecasts: createForecasts(context),
    list: async (tenant) => context.registry.measured(tenant),
    async ping() {
      await db.wal.check();
    },
    async erase(tenant, meters) {
      await saveCursor();
      await context.serial(() => erase(context, tenant, meters));
    },
    async prune(limits) {
      await saveCursor();
      await context.serial(() => prune(context, limits));
    },
    close: () => db.close(),
  };
}

async function loadContext({ db, registry, repairs, dirty }: QuestDbContext): Promise<void> {
  const series = await db.ask([], `select id, tenant, meter, quantity, readings, state from ${tableName('series')}`);
  let last = 0;
  for (const [id, tenant, meter, quantity, readings, state] of series as [
    number,
    string,
    string,
    string,
    boolean,
    number,
  ][]) {
    last = Math.max(last, id);
    if (state === 1) registry.load({ id, tenant, meter, quantity, readings });
  }
  registry.startAfter(last);
  const rows = await db.ask(
    [],
    `select series, ${AT_MS}, value, state from ${tableName('repair')} where state > 0 order by at`,
  );
  for (const [id, at_ms, value] of rows as [number, number, number | null][])
    repairs.set(id, [...(repairs.get(id) ?? []), { at_ms, value: value ?? Number.NaN }]);
  const marks = await db.ask([], `select series, from_ms, to_ms from ${tableName('dirty')} where state = 1`);
  for (const [id, from_ms, to_ms] of marks as [number, number, number][]) dirty.set(id, { from_ms, to_ms });
}

async function readCursor(db: QuestDb): Promise<number> {
  const [[inReadings]] = (await db.ask([], `select max(seq) from ${tableName('reading')}`)) as [[number | null]];
  const rows = await db.ask([], `select seq from ${tableName('journal_cursor')} where n = 0`);
  return Math.max(inReadings ?? 0, (rows[0]?.[0] as number | undefined) ?? 0);
}

const VALUES: readonly { table: TableName; set: string }[] = [
  { table: 'reading', set: `value = null, from_ms = null, quality = ${GONE}` },
  { table: 'reading_change', set: 'value = null, replaced_by = null' },
  { table: 'repair', set: 'value = null, "by" = null, state = 0' },
  { table: 'dirty', set: 'state = 0' },
  { table: 'slot', set: `value = null, quality = ${GONE}` },
  { table: 'span', set: `value = null, quality = ${GONE}` },
];

/** There is no DELETE: values and names are overwritten, what remains are instants of numbers that nobody has. */
async function erase(
  { db, registry, repairs, dirty }: QuestDbContext,
  tenant: string,
  meters: readonly string[] | null,
) {
  const chosen = meters === null ? null : new Set(meters);
  const gone = registry.of(tenant).filter((one) => chosen === null || chosen.has(one.meter));
  if (gone.length > 0) {
    const ids = gone.map((one) => whole(one.id)).join(', ');
    for (const { table, set } of VALUES) await update(db, table, `${set} where series in (${ids})`);
    await db.write(
      tableName('series'),
      gone.map(({ id }) => ({ id, tenant: '', meter: '', quantity: '', readings: false, state: 0, at_ms: 0 })),
    );
  }
  registry.remove(gone.map((one) => one.id));
  for (const { id } of gone) {
    repairs.delete(id);
    dirty.delete(id);
  }
  if (meters === null) await update(db, 'forecast', 'points = null where tenant = $1', [tenant]);
  for (const meter of meters ?? [])
    await update(db, 'forecast', 'points = null where tenant = $1 and starts_with(series_name, $2)', [
      tenant,
      `${meter}:`,
    ]);
}

async function update(db: QuestDb, table: TableName, rest: string, parameters: readonly string[] = []): Promise<void> {
  await db.wal.settle(tableName(table));
  await db.run(`update ${tableName(table)} set ${rest}`, parameters);
  db.unsettled(tableName(table));
}
