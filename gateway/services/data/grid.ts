/** Slots and totals laid on grids without gaps. Pure. */
import type { TotalsColumns } from '../../../connectors/series/store.ts';
import { emptyTotals } from '../../../connectors/series/totals.ts';
import type { MeterPoint } from '../../../engine/model/site.ts';
import { SLOT_MS } from '../../../engine/model/time.ts';
import type { Columns } from '../../../engine/ports.ts';

/** One entry per slot that starts in [from_ms, to_ms); NaN where there is none. */
export function denseSlots(columns: Columns | null, from_ms: number, to_ms: number): Columns {
  const first = Math.ceil(from_ms / SLOT_MS);
  const count = Math.max(0, Math.ceil(to_ms / SLOT_MS) - first);
  if (columns && columns.at_ms.length === count) return columns;
  const dense = {
    at_ms: new Float64Array(count),
    values: new Float64Array(count).fill(Number.NaN),
    quality: new Int32Array(count),
  };
  for (let index = 0; index < count; index++) dense.at_ms[index] = (first + index) * SLOT_MS;
  if (!columns) return dense;
  for (let index = 0; index < columns.at_ms.length; index++) {
    const slot = Math.round(columns.at_ms[index]! / SLOT_MS) - first;
    dense.values[slot] = columns.values[index]!;
    dense.quality[slot] = columns.quality[index]!;
  }
  return dense;
}

/**
 * Rows of the wanted meter points from what is stored. A virtual one is the sum of its parts times their factors, NaN
 * where a part has nothing. `all`: meter points without any data are left out, stored ones that are no longer in the
 * list of meter points too.
 * @param parts the measured parts of each virtual meter point
 */
export function combineTotals(
  stored: TotalsColumns,
  points: readonly MeterPoint[],
  parts: ReadonlyMap<string, ReadonlyMap<string, number>>,
  periods: number,
  all: boolean,
): TotalsColumns {
  const rows = new Map(stored.meters.map((meter, row) => [meter, row]));
  const wanted = points
    .filter((point) => !all || isKnown(point, rows, parts))
    .sort((a, b) => (all && a.id > b.id ? 1 : all ? -1 : 0));
  const out = emptyTotals(
    wanted.map((point) => point.id),
    periods,
  );
  for (const [row, point] of wanted.entries()) {
    const formula = parts.get(point.id) ?? new Map([[point.id, 1]]);
    const base = row * periods;
    let first = true;
    for (const [meter, factor] of formula) {
      addPart(out, base, stored, rows.get(meter), factor, periods, first);
      first = false;
    }
  }
  return out;
}

function isKnown(
  point: MeterPoint,
  rows: ReadonlyMap<string, number>,
  parts: ReadonlyMap<string, ReadonlyMap<string, number>>,
): boolean {
  const formula = parts.get(point.id);
  return formula ? [...formula.keys()].some((meter) => rows.has(meter)) : rows.has(point.id);
}

function addPart(
  out: TotalsColumns,
  base: number,
  stored: TotalsColumns,
  row: number | undefined,
  factor: number,
  periods: number,
  first: boolean,
): void {
  for (let period = 0; period < periods; period++) {
    const from = row === undefined ? -1 : row * periods + period;
    const value = from < 0 ? Number.NaN : factor * stored.values[from]!;
    out.values[base + period] = first ? value : out.values[base + period]! + value;
    if (from >= 0) {
      out.quality[base + period]! |= stored.quality[from]!;
      out.slots[base + period]! += stored.slots[from]!;
    }
  }
}
