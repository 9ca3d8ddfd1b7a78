/** Questions to the table of raw readings. */

import { listValue } from '@duckdb/node-api';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { ReadingColumns, SeriesRange } from '../../../engine/ports.ts';
import { isInterval, type ReadingSource, type ReadOptions, readingColumns, readRange } from '../edges.ts';
import { overlayRepairs, splitSeries } from '../overlay.ts';
import type { SeriesName } from '../store.ts';
import type { DuckDbContext } from './context.ts';

/** How far back the last reading before a range is looked for, step by step: near steps touch few blocks. */
const LOOK_MS = [2 * HOUR_MS, 48 * HOUR_MS, 40 * 24 * HOUR_MS, Number.POSITIVE_INFINITY];
const LIMIT_MS = 8.64e15;

/** Bounds of a range as parameters of a statement. */
export function bounds(series: number, { from_ms, to_ms }: Pick<SeriesRange, 'from_ms' | 'to_ms'>) {
  return { series, from: whole(from_ms), to: whole(to_ms) };
}

/** The first whole millisecond at or after `at_ms`, within what a date can be. */
function whole(at_ms: number): bigint {
  return BigInt(Math.ceil(Math.max(-LIMIT_MS, Math.min(LIMIT_MS, at_ms))));
}

/** The readings of one series as they are stored. */
function sourceOf({ db, tails, heads }: DuckDbContext, series: number, quantity: string): ReadingSource {
  const interval = isInterval(quantity);
  return {
    async rows(from_ms, to_ms, limit) {
      const top = limit === undefined ? '' : ` limit ${Math.max(0, Math.floor(limit))}`;
      const [at, values, quality, from] = await db.numbers(
        `select "at"::double, value, quality${interval ? ', from_ms::double' : ''} from reading ` +
          `where series = $series and "at" >= $from and "at" < $to order by "at"${top}`,
        bounds(series, { from_ms, to_ms }),
      );
      return readingColumns(at!, values!, quality!, interval ? from! : null);
    },
    async nearest(edge_ms, side) {
      const before = side === 'before';
      const none = before ? (heads.get(series) ?? -Infinity) >= edge_ms : (tails.get(series) ?? Infinity) < edge_ms;
      if (none) return null;
      for (const look_ms of LOOK_MS) {
        const range = before
          ? { from_ms: edge_ms - look_ms, to_ms: edge_ms }
          : { from_ms: edge_ms, to_ms: edge_ms + look_ms };
        const [found] = await db.numbers(
          `select ${before ? 'max' : 'min'}("at")::double from reading where series = $series and "at" >= $from and "at" < $to ` +
            'and not exists (select 1 from repair p where p.series = reading.series and p."at" = reading."at" and p.value is null)',
          bounds(series, range),
        );
        if (!Number.isNaN(found![0]!)) return found![0]!;
      }
      return null;
    },
  };
}

export function readSeries(
  context: DuckDbContext,
  series: number,
  range: SeriesRange,
  options: ReadOptions,
): Promise<ReadingColumns> {
  const source = sourceOf(context, series, range.quantity);
  return readRange(source, context.repairs.get(series) ?? [], range, options);
}

/** Readings of many series with one pass over their time. */
export async function readMany(
  context: DuckDbContext,
  names: readonly SeriesName[],
  from_ms: number,
  to_ms: number,
): Promise<ReadingColumns[]> {
  const ids = names.map(({ tenant, meter, quantity }) => context.registry.find(tenant, meter, quantity));
  const known = listValue(ids.filter((id) => id !== undefined));
  const range = { from: whole(from_ms), to: whole(to_ms), ids: known };
  const rows = await context.db.numbers(
    'select series, "at"::double, value, quality, from_ms::double from reading where "at" >= $from and "at" < $to ' +
      'and series in (select unnest($ids::integer[])) order by series, "at"',
    range,
  );
  const columns = splitSeries(rows, ids, (index) => isInterval(names[index]!.quantity));
  return columns.map((one, index) => {
    const repairs = context.repairs.get(ids[index] ?? -1) ?? [];
    return overlayRepairs(
      one,
      repairs.filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms),
    );
  });
}
