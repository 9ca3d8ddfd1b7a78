/** What the tables of one DuckDB file share. */
import type { TouchedSeries } from '../../../engine/ports.ts';
import type { RepairRow } from '../overlay.ts';
import type { RegisteredSeries, SeriesRegistry } from '../registry.ts';
import type { DuckDb, Writer } from './connection.ts';

export type DuckDbContext = {
  db: DuckDb;
  /** Series of readings and of slots alike. */
  registry: SeriesRegistry;
  /** An instant that no reading of the series lies after; unknown until first asked. */
  tails: Map<number, number>;
  /** The first reading's instant, of series that began since the file was opened. */
  heads: Map<number, number>;
  /** Marks of slots to compute again that are in the table already, so that they need not be written twice. */
  marked: Map<number, { from_ms: number; to_ms: number }>;
  /** Repairs by series, ascending: few, so they are kept in memory. */
  repairs: Map<number, RepairRow[]>;
};

type Key = Pick<TouchedSeries, 'tenant' | 'meter' | 'quantity'>;
/** The number of a series, a new one where it has none; `readings` where readings are going to be stored. */
export type NumberOf = (key: Key, readings: boolean) => Promise<number>;

/** A write whose new series are taken back when it fails. `added` grows with each new series. */
export async function writeSeries<T>(
  { db, registry }: DuckDbContext,
  work: (writer: Writer, numberOf: NumberOf, added: readonly RegisteredSeries[]) => Promise<T>,
): Promise<T> {
  const added: RegisteredSeries[] = [];
  const promoted: RegisteredSeries[] = [];
  try {
    return await db.write((writer) => {
      const numberOf: NumberOf = async (key, readings) => {
        const known = registry.get(key.tenant, key.meter, key.quantity);
        if (known && readings && !known.readings) {
          promoted.push(known);
          registry.load({ ...known, readings });
          await writer.run('update series set readings = true where id = $id', { id: known.id });
        }
        if (known) return known.id;
        const series = registry.add(key, readings);
        added.push(series);
        await writer.run('insert into series values ($id, $tenant, $meter, $quantity, $readings)', { ...series });
        return series.id;
      };
      return work(writer, numberOf, added);
    });
  } catch (error) {
    registry.remove(added.map((series) => series.id));
    for (const series of promoted) registry.load(series);
    throw error;
  }
}
