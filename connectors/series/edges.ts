/** Reads a range of readings with the nearest values outside of it, repairs laid over them: the same for every store. */
import { quantityInfo } from '../../engine/model/quantity.ts';
import type { ReadingColumns, SeriesRange } from '../../engine/ports.ts';
import { overlayRepairs, type RepairRow, without } from './overlay.ts';

export type ReadOptions = { edges?: boolean; limit?: number };
export type Side = 'before' | 'after';
/** What a store knows of one series, without repairs. */
export type ReadingSource = {
  rows(from_ms: number, to_ms: number, limit?: number): Promise<ReadingColumns>;
  /** The nearest instant with a reading before `edge_ms`, or at it or after; none of `gone` counts. */
  nearest(edge_ms: number, side: Side, gone: readonly number[]): Promise<number | null>;
};

/** @param repairs ascending */
export async function readRange(
  source: ReadingSource,
  repairs: readonly RepairRow[],
  range: Pick<SeriesRange, 'from_ms' | 'to_ms'>,
  { edges, limit }: ReadOptions,
): Promise<ReadingColumns> {
  let { from_ms, to_ms } = range;
  if (edges) {
    const before = await neighbour(source, repairs, from_ms, 'before');
    const after = await neighbour(source, repairs, to_ms, 'after');
    from_ms = before ?? from_ms;
    to_ms = after === null ? to_ms : after + 1;
  }
  const readings = await source.rows(from_ms, to_ms, limit);
  const inside = repairs.filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms);
  // A value that a person took away is no edge.
  const gone = inside.filter(
    (row) => Number.isNaN(row.value) && (row.at_ms < range.from_ms || row.at_ms >= range.to_ms),
  );
  return without(
    overlayRepairs(readings, inside),
    gone.map((row) => row.at_ms),
    limit,
  );
}

/** The nearest instant with a value outside the range; repairs that say "no value" do not count. */
async function neighbour(
  source: ReadingSource,
  repairs: readonly RepairRow[],
  edge_ms: number,
  side: Side,
): Promise<number | null> {
  const before = side === 'before';
  const outside = repairs.filter((row) => (before ? row.at_ms < edge_ms : row.at_ms >= edge_ms));
  const set = outside.filter((row) => !Number.isNaN(row.value)).map((row) => row.at_ms);
  const gone = outside.filter((row) => Number.isNaN(row.value)).map((row) => row.at_ms);
  const near = (before ? set.at(-1) : set[0]) ?? null;
  const found = await source.nearest(edge_ms, side, gone);
  if (found === null || near === null) return found ?? near;
  return before ? Math.max(found, near) : Math.min(found, near);
}

export function emptyReadings(quantity: string): ReadingColumns {
  return {
    at_ms: new Float64Array(0),
    values: new Float64Array(0),
    quality: new Int32Array(0),
    from_ms: isInterval(quantity) ? new Float64Array(0) : null,
  };
}

export function isInterval(quantity: string): boolean {
  return quantityInfo(quantity)?.kind === 'interval';
}

/** @param from the intervals' starts, null for quantities that hold at an instant */
export function readingColumns(
  at_ms: Float64Array,
  values: Float64Array,
  quality: Float64Array,
  from: Float64Array | null,
): ReadingColumns {
  return { at_ms, values, quality: Int32Array.from(quality), from_ms: from };
}
