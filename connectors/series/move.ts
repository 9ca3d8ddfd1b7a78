/**
 * Everything of one series store into another, table by table as it lies: repairs, changes and marks too. Each piece (a
 * table of one series) is read back and compared by count and digest before it counts as moved, so that an interrupted
 * move goes on where it was. No box may run on either store meanwhile.
 */
import { createHash } from 'node:crypto';
import { InvalidDataError } from '../../engine/errors.ts';

/** Text, numbers (null is none), flags; the first is what rows are ordered by. */
export type MovedRow = readonly (string | number | boolean | null)[];
export type MovedSeries = { id: number; tenant: string; meter: string; quantity: string; readings: boolean };

/** Tables of one series, with their columns besides it. */
export const SERIES_TABLES = {
  reading: ['at_ms', 'value', 'quality', 'from_ms'],
  slot: ['at_ms', 'value', 'quality'],
  reading_change: ['at_ms', 'value', 'replaced_by', 'changed_ms'],
  repair: ['at_ms', 'value', 'by'],
  span: ['to_ms', 'from_ms', 'value', 'quality'],
  dirty: ['from_ms', 'to_ms'],
} as const;
export type SeriesTable = keyof typeof SERIES_TABLES;
/** Read in pages by their first column, which is unique within a series; the others are small. */
export const PAGED: ReadonlySet<string> = new Set<SeriesTable>(['reading', 'slot']);

/** `price`: key is (area, market), rows (at_ms, value, currency, vat_included, source, fetched_ms); `forecast`: key is
 * (tenant, series), rows (made_at_ms, unit, model, inputs_known_ms, points as JSON). */
export type Piece =
  | { table: SeriesTable; series: number }
  | { table: 'price' | 'forecast'; key: readonly [string, string] };

/** A store as rows. */
export type RowStore = {
  series(): Promise<MovedSeries[]>;
  keys(table: 'price' | 'forecast'): Promise<(readonly [string, string])[]>;
  /** Ascending, those after `after` (by the first column) where given; paged tables give at most `limit`. */
  read(piece: Piece, after: number | null, limit: number): Promise<MovedRow[]>;
  /** Removes what an interrupted move left of this piece. */
  clear(piece: Piece): Promise<void>;
  write(piece: Piece, rows: readonly MovedRow[]): Promise<void>;
  writeSeries(series: readonly MovedSeries[]): Promise<void>;
  cursor(): Promise<{ seq: number; counts: string | null }>;
  /** Last: the journal goes on after it. */
  writeCursor(cursor: { seq: number; counts: string | null }): Promise<void>;
  close(): Promise<void>;
};

const PAGE_ROWS = 20_000;

export type PieceFacts = { rows: number; sha256: string };
export type MoveMemory = { done: Record<string, PieceFacts>; save(): Promise<void> };
export type MoveProgress = (done: number, total: number, what: string) => void;

/**
 * @param memory what earlier tries moved; saved after each piece
 * @returns rows by table
 * @throws InvalidDataError where the target holds other series, or reads back otherwise than was written
 */
export async function moveSeries(
  from: RowStore,
  to: RowStore,
  memory: MoveMemory,
  progress: MoveProgress,
): Promise<Record<string, number>> {
  const series = await from.series();
  await refuseForeign(series, await to.series());
  await to.writeSeries(series);
  const pieces: Piece[] = series.flatMap(({ id }) =>
    (Object.keys(SERIES_TABLES) as SeriesTable[]).map((table) => ({ table, series: id })),
  );
  for (const table of ['price', 'forecast'] as const)
    for (const key of await from.keys(table)) pieces.push({ table, key });
  const rows: Record<string, number> = {};
  for (const [index, piece] of pieces.entries()) {
    const name = nameOf(piece);
    memory.done[name] ??= await movePiece(from, to, piece);
    rows[piece.table] = (rows[piece.table] ?? 0) + memory.done[name].rows;
    if (index % 50 === 49 || index === pieces.length - 1) await memory.save();
    progress(index + 1, pieces.length, name);
  }
  await to.writeCursor(await from.cursor());
  return rows;
}

export const nameOf = (piece: Piece): string =>
  'key' in piece ? `${piece.table} ${piece.key.join(' ')}` : `${piece.table} ${piece.series}`;

async function movePiece(from: RowStore, to: RowStore, piece: Piece): Promise<PieceFacts> {
  await to.clear(piece);
  const stated = await factsOf(from, piece, (rows) => to.write(piece, rows));
  const found = await factsOf(to, piece);
  if (stated.rows !== found.rows || stated.sha256 !== found.sha256)
    throw new InvalidDataError(
      `${nameOf(piece)} reads back otherwise than it was written (${found.rows} rows instead of ${stated.rows}).`,
      'Is somebody else writing into the target? Empty it and move again; the source is as it was.',
    );
  return stated;
}

/** Count and digest of a piece, each page given to `each` on the way. */
async function factsOf(store: RowStore, piece: Piece, each?: (rows: MovedRow[]) => Promise<void>): Promise<PieceFacts> {
  const hash = createHash('sha256');
  let rows = 0;
  for (let after: number | null = null; ; ) {
    const page = await store.read(piece, after, PAGE_ROWS);
    for (const row of page) hash.update(`${JSON.stringify(row)}\n`);
    rows += page.length;
    if (page.length > 0) await each?.(page);
    if (!PAGED.has(piece.table) || page.length < PAGE_ROWS) return { rows, sha256: hash.digest('hex') };
    after = Number(page.at(-1)?.[0]);
  }
}

/** Series that an earlier try wrote are the same; others belong to somebody else. */
async function refuseForeign(ours: readonly MovedSeries[], theirs: readonly MovedSeries[]): Promise<void> {
  const known = new Map(ours.map((one) => [one.id, JSON.stringify(one)]));
  const foreign = theirs.filter((one) => known.get(one.id) !== JSON.stringify(one));
  if (foreign.length > 0)
    throw new InvalidDataError(
      `The target holds ${foreign.length} series of its own, such as ${foreign[0]?.meter}.`,
      'Move into an empty store: another database folder, or drop its tables that begin with luna_.',
    );
}

/** NaN has no JSON. */
export const orNull = (value: unknown): number | null =>
  value === null || value === undefined || Number.isNaN(Number(value)) ? null : Number(value);
