/** Questions to the table of raw readings. */

import { listValue } from '@duckdb/node-api';
import { quantityInfo } from '../../../engine/model/quantity.ts';
import { HOUR_MS } from '../../../engine/model/time.ts';
import type { ReadingColumns, SeriesRange } from '../../../engine/ports.ts';
import { overlayRepairs, type RepairRow, splitSeries, without } from '../overlay.ts';
import type { SeriesName } from '../store.ts';
import type { DuckDbContext } from './context.ts';

/** How far back the last reading before a range is looked for, step by step: near steps touch few blocks. */
const LOOK_MS = [2 * HOUR_MS, 48 * HOUR_MS, 40 * 24 * HOUR_MS, Number.POSITIVE_INFINITY];
const LIMIT_MS = 8.64e15;

export type ReadOptions = { edges?: boolean; limit?: number };

/** Bounds of a range as parameters of a statement. */
export function bounds(series: number, { from_ms, to_ms }: Pick<SeriesRange, 'from_ms' | 'to_ms'>) {
  return { series, from: whole(from_ms), to: whole(to_ms) };
}

/** The first whole millisecond at or after `at_ms`, within what a date can be. */
function whole(at_ms: number): bigint {
  return BigInt(Math.ceil(Math.max(-LIMIT_MS, Math.min(LIMIT_MS, at_ms))));
}

export function emptyReadings(quantity: string): ReadingColumns {
  return {
    at_ms: new Float64Array(0),
    values: new Float64Array(0),
    quality: new Int32Array(0),
    from_ms: quantityInfo(quantity)?.kind === 'interval' ? new Float64Array(0) : null,
  };
}

export async function readSeries(
  context: DuckDbContext,
  series: number,
  range: SeriesRange,
  { edges, limit }: ReadOptions,
): Promise<ReadingColumns> {
  const repairs = context.repairs.get(series) ?? [];
  let { from_ms, to_ms } = range;
  if (edges) {
    const before = await neighbour(context, series, from_ms, 'before', repairs);
    const after = await neighbour(context, series, to_ms, 'after', repairs);
    from_ms = before ?? from_ms;
    to_ms = after === null ? to_ms : after + 1;
  }
  const gone = edges ? missingEdges(repairs, range) : [];
  const readings = await readRange(context, series, { from_ms, to_ms }, range.quantity, limit);
  const inside = repairs.filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms);
  return without(overlayRepairs(readings, inside), gone, limit);
}

async function readRange(
  { db }: DuckDbContext,
  series: number,
  range: Pick<SeriesRange, 'from_ms' | 'to_ms'>,
  quantity: string,
  limit: number | undefined,
): Promise<ReadingColumns> {
  const interval = quantityInfo(quantity)?.kind === 'interval';
  const top = limit === undefined ? '' : ` limit ${Math.max(0, Math.floor(limit))}`;
  const [at, values, quality, from] = await db.numbers(
    `select "at"::double, value, quality${interval ? ', from_ms::double' : ''} from reading ` +
      `where series = $series and "at" >= $from and "at" < $to order by "at"${top}`,
    bounds(series, range),
  );
  return { at_ms: at!, values: values!, quality: Int32Array.from(quality!), from_ms: interval ? from! : null };
}

/** The nearest instant with a value outside the range; repairs that say "no value" do not count. */
async function neighbour(
  { db, tails, heads }: DuckDbContext,
  series: number,
  edge_ms: number,
  side: 'before' | 'after',
  repairs: readonly RepairRow[],
): Promise<number | null> {
  const before = side === 'before';
  const outside = (at_ms: number) => (before ? at_ms < edge_ms : at_ms >= edge_ms);
  const repaired = repairs.filter((row) => outside(row.at_ms) && !Number.isNaN(row.value)).map((row) => row.at_ms);
  const near = before ? repaired.at(-1) : repaired[0];
  const none = before ? (heads.get(series) ?? -Infinity) >= edge_ms : (tails.get(series) ?? Infinity) < edge_ms;
  if (none) return near ?? null;
  for (const look_ms of LOOK_MS) {
    const range = before
      ? { from_ms: edge_ms - look_ms, to_ms: edge_ms }
      : { from_ms: edge_ms, to_ms: edge_ms + look_ms };
    const [found] = await db.numbers(
      `select ${before ? 'max' : 'min'}("at")::double from reading where series = $series and "at" >= $from and "at" < $to ` +
        'and not exists (select 1 from repair p where p.series = reading.series and p."at" = reading."at" and p.value is null)',
      bounds(series, range),
    );
    const at = found![0]!;
    if (Number.isNaN(at)) continue;
    if (near === undefined) return at;
    return before ? Math.max(at, near) : Math.min(at, near);
  }
  return near ?? null;
}

/** Instants outside the range whose value a person took away: they are no edges. */
function missingEdges(repairs: readonly RepairRow[], { from_ms, to_ms }: SeriesRange): number[] {
  return repairs
    .filter((row) => Number.isNaN(row.value) && (row.at_ms < from_ms || row.at_ms >= to_ms))
    .map((row) => row.at_ms);
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
  const columns = splitSeries(rows, ids, (index) => quantityInfo(names[index]!.quantity)?.kind === 'interval');
  return columns.map((one, index) => {
    const repairs = context.repairs.get(ids[index] ?? -1) ?? [];
    return overlayRepairs(
      one,
      repairs.filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms),
    );
  });
}
