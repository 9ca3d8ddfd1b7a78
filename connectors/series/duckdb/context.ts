/** What the tables of one DuckDB file share. */
import type { TouchedSeries } from '../../../engine/ports.ts';
import type { RegisteredSeries, SeriesRegistry } from '../registry.ts';
import type { DuckDb, Writer } from './connection.ts';

export type DuckDbContext = {
  db: DuckDb;
  /** Series of readings and of slots alike. */
  registry: SeriesRegistry;
};

/** The series' number, a new one where it has none. A caller whose transaction fails must `forget` the new ones. */
export async function numberSeries(
  { registry }: DuckDbContext,
  writer: Writer,
  key: Pick<TouchedSeries, 'tenant' | 'meter' | 'quantity'>,
  added: RegisteredSeries[],
): Promise<number> {
  const known = registry.find(key.tenant, key.meter, key.quantity);
  if (known !== undefined) return known;
  const series = registry.add(key);
  added.push(series);
  const { id, tenant, meter, quantity } = series;
  await writer.run('insert into series values ($id, $tenant, $meter, $quantity)', { id, tenant, meter, quantity });
  return id;
}

/** A write whose new series are taken back when it fails. */
export async function writeSeries<T>(
  context: DuckDbContext,
  work: (
    writer: Writer,
    numberOf: (key: Pick<TouchedSeries, 'tenant' | 'meter' | 'quantity'>) => Promise<number>,
    added: readonly RegisteredSeries[],
  ) => Promise<T>,
): Promise<T> {
  const added: RegisteredSeries[] = [];
  try {
    return await context.db.write((writer) => work(writer, (key) => numberSeries(context, writer, key, added), added));
  } catch (error) {
    context.registry.remove(added.map((series) => series.id));
    throw error;
  }
}
