/** The series store of the embedded size: one DuckDB file. */
import { listValue } from '@duckdb/node-api';
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { RetentionLimits } from '../../../engine/ports.ts';
import { createSeriesRegistry } from '../registry.ts';
import type { DrainedSeries } from '../store.ts';
import type { DuckDb, Writer } from './connection.ts';
import type { DuckDbContext } from './context.ts';
import { createForecasts } from './forecasts.ts';
import { openFile } from './open.ts';
import { createPrices } from './prices.ts';
import { createReadings } from './readings.ts';
import { createSlots } from './slots.ts';
import { snapshotFile } from './snapshot.ts';

export type DuckDbOptions = {
  file: string;
  /** The most memory that a large piece of work may take, e.g. `1GB`. */
  memory: string;
  /** What is kept of it for all other work; `48MB` where left out. */
  kept?: string;
  /** The write-ahead log is taken into the file at this size; `32MB` where left out. */
  checkpoint?: string;
  /** The file is opened anew after this many appended rows; some millions where left out. */
  renew_rows?: number | undefined;
  /** For the name of a damaged file that is set aside. */
  now?: () => number;
};

/**
 * Opens or makes the file. One process at a time; a second one gets UnavailableError. A file that is damaged beyond
 * DuckDB's own recovery is set aside by a new name and `recovery` says what is lost.
 */
export async function openDuckDbSeries(options: DuckDbOptions): Promise<DrainedSeries> {
  const { db, recovery } = await openFile(options);
  const context: DuckDbContext = {
    db,
    registry: createSeriesRegistry(),
    tails: new Map(),
    heads: new Map(),
    marked: new Map(),
    repairs: await loadRepairs(db),
  };
  for (const row of await db.rows('select id, tenant, meter, quantity, readings from series'))
    context.registry.load(row as { id: number; tenant: string; meter: string; quantity: string; readings: boolean });
  const { dirty, rewind, ...readings } = createReadings(context);
  return {
    kind: 'duckdb',
    recovery,
    readings,
    dirty,
    rewind,
    slots: createSlots(context),
    prices: createPrices(context),
    forecasts: createForecasts(context),
    list: async (tenant) => context.registry.measured(tenant),
    async ping() {
      await db.numbers('select 1');
    },
    async erase(tenant, meters) {
      for (const id of await erase(context, tenant, meters))
        for (const known of [context.tails, context.heads, context.marked, context.repairs]) known.delete(id);
    },
    async prune(limits) {
      await prune(db, limits);
      context.repairs = await loadRepairs(db);
    },
    snapshot: (file) => snapshotFile(db, options.file, file),
    async close() {
      db.close();
    },
  };
}

async function loadRepairs(db: DuckDb): Promise<DuckDbContext['repairs']> {
  const repairs: DuckDbContext['repairs'] = new Map();
  const [series, at, value] = await db.numbers('select series, "at"::double, value from repair order by "at"');
  for (const [row, id] of series!.entries())
    repairs.set(id, [...(repairs.get(id) ?? []), { at_ms: at![row]!, value: value![row]! }]);
  return repairs;
}

const OF_SERIES = ['reading', 'reading_change', 'repair', 'dirty', 'slot', 'span'];

async function erase({ db, registry }: DuckDbContext, tenant: string, meters: readonly string[] | null) {
  const chosen = meters === null ? null : new Set(meters);
  const ids = registry.of(tenant).flatMap((one) => (chosen === null || chosen.has(one.meter) ? one.id : []));
  await db.write(async (writer) => {
    if (ids.length > 0) await eraseSeries(writer, ids);
    await eraseForecasts(writer, tenant, meters);
  }, 'large');
  registry.remove(ids);
  return ids;
}

async function eraseSeries(writer: Writer, ids: readonly number[]): Promise<void> {
  for (const table of OF_SERIES)
    await writer.run(`delete from ${table} where series in (select unnest($ids))`, { ids: listValue(ids) });
  await writer.run('delete from series where id in (select unnest($ids))', { ids: listValue(ids) });
}

/** Forecasts of a meter point are named `<meter>:<quantity>`. */
async function eraseForecasts(writer: Writer, tenant: string, meters: readonly string[] | null): Promise<void> {
  const of =
    "tenant = $tenant and ($all or exists (select 1 from (select unnest($meters::varchar[]) as m) where starts_with(series, m || ':')))";
  const parameters = { tenant, all: meters === null, meters: listValue(meters ?? ['']) };
  await writer.run(`delete from forecast_point where forecast in (select id from forecast where ${of})`, parameters);
  await writer.run(`delete from forecast where ${of}`, parameters);
}

async function prune(db: DuckDb, limits: RetentionLimits): Promise<void> {
  const { readings_before_ms: readings, slots_before_ms: slots } = limits;
  const { prices_before_ms: prices, forecasts_before_ms: forecasts } = limits;
  await db.write(async (writer) => {
    if (readings !== null)
      for (const table of ['reading', 'reading_change', 'repair'])
        await writer.run(`delete from ${table} where "at" < $before`, { before: BigInt(Math.ceil(readings)) });
    if (slots !== null) {
      await writer.run('delete from slot where "at" < $before', { before: Math.ceil(slots / SLOT_MS) });
      await writer.run('delete from span where to_ms <= $before', { before: BigInt(Math.ceil(slots)) });
    }
    if (prices !== null)
      await writer.run('delete from price where "at" < $before', { before: Math.ceil(prices / SLOT_MS) });
    if (forecasts !== null) {
      const before = BigInt(Math.ceil(forecasts));
      await writer.run(
        'delete from forecast_point where forecast in (select id from forecast where made_at_ms < $before)',
        { before },
      );
      await writer.run('delete from forecast where made_at_ms < $before', { before });
    }
  }, 'large');
}
