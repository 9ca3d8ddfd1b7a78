/** The tables in QuestDB as rows, for a move from or to another store. */
import { type MovedRow, type MovedSeries, orNull, type Piece, type RowStore, type SeriesTable } from '../move.ts';
import { connectQuestDb, FLUSH_ROWS, type QuestDb, type Row } from './client.ts';
import { AT_MS, micros, whole } from './context.ts';
import { loadCounts } from './counts.ts';
import { openTables } from './open.ts';
import { GONE, tableName } from './schema.ts';

/** Columns in the order of SERIES_TABLES, and which rows are there. */
const READ: Record<SeriesTable, { columns: string; where: string; order: string }> = {
  reading: { columns: `${AT_MS}, value, quality, from_ms`, where: `quality <> ${GONE}`, order: 'at' },
  slot: { columns: `${AT_MS}, value, quality`, where: `quality <> ${GONE}`, order: 'at' },
  reading_change: {
    ...{ columns: `${AT_MS}, value, replaced_by, changed_ms`, where: 'value is not null' },
    order: 'at, value, replaced_by, changed_ms',
  },
  repair: { columns: `${AT_MS}, value, "by"`, where: 'state > 0', order: 'at' },
  span: { columns: `${AT_MS}, from_ms, value, quality`, where: `quality <> ${GONE}`, order: 'at, from_ms' },
  dirty: { columns: 'from_ms, to_ms', where: 'state = 1', order: 'from_ms' },
};

/** Makes the tables where they are missing. @throws as openQuestDbSeries */
export async function openQuestDbRows(url: string): Promise<RowStore> {
  const db = connectQuestDb(url);
  try {
    await openTables(db);
  } catch (error) {
    await db.close();
    throw error;
  }
  const ask = async (table: Piece['table'] | 'series', sql: string, parameters?: readonly (string | number)[]) =>
    (await db.ask([tableName(table)], sql, parameters)).map((row) => row.map(plain)) as MovedRow[];
  return {
    async series() {
      const rows = await ask(
        'series',
        `select id, tenant, meter, quantity, readings from ${tableName('series')} where state = 1 order by id`,
      );
      return rows.map(([id, tenant, meter, quantity, readings]) => ({
        id,
        tenant,
        meter,
        quantity,
        readings,
      })) as MovedSeries[];
    },
    async keys(table) {
      const columns = table === 'price' ? 'area, market' : 'tenant, series_name';
      const where = table === 'price' ? '' : 'where points is not null';
      const rows = await ask(table, `select distinct ${columns} from ${tableName(table)} ${where} order by 1, 2`);
      return rows as unknown as [string, string][];
    },
    read: (piece, after, limit) => ask(piece.table, ...questionOf(piece, after, limit)),
    // The same rows replace each other by their keys; what else an interrupted move wrote are rows of the source too.
    clear: async () => {},
    async write(piece, rows) {
      const named = rows.map((row, index) => rowOf(piece, row, index));
      for (let at = 0; at < named.length; at += FLUSH_ROWS)
        await db.write(tableName(piece.table), named.slice(at, at + FLUSH_ROWS));
    },
    writeSeries: (series) =>
      db.write(
        tableName('series'),
        series.map((one) => ({ ...one, state: 1, at_ms: 0 })),
      ),
    cursor: () => readCursor(db),
    async writeCursor({ seq, counts }) {
      if (counts !== null) await db.write(tableName('reading_count'), [{ n: 0, seq, counts, at_ms: 0 }]);
      await db.write(tableName('journal_cursor'), [{ n: 0, seq, at_ms: 0 }]);
    },
    close: () => db.close(),
  };
}

function questionOf(piece: Piece, after: number | null, limit: number): [string, (string | number)[]] {
  const table = tableName(piece.table);
  if ('key' in piece) {
    const columns =
      piece.table === 'price'
        ? 'value, currency, vat_included, source, fetched_ms'
        : 'unit, model, inputs_known_ms, points';
    const where =
      piece.table === 'price' ? 'area = $1 and market = $2' : 'tenant = $1 and series_name = $2 and points is not null';
    return [`select ${AT_MS}, ${columns} from ${table} where ${where} order by at`, [...piece.key]];
  }
  const { columns, where, order } = READ[piece.table];
  const from = after === null ? '' : `and at > ${micros(after)}`;
  const most = piece.table === 'reading' || piece.table === 'slot' ? `limit ${whole(limit)}` : '';
  return [
    `select ${columns} from ${table} where series = ${whole(piece.series)} and ${where} ${from} order by ${order} ${most}`,
    [],
  ];
}

/** @param index tells changes of the same instant apart */
function rowOf(piece: Piece, row: MovedRow, index: number): Row {
  const [a, b, c, d, e, f] = row as [number, number, number, number, number, number];
  if ('key' in piece && piece.table === 'price') {
    const [area, market] = piece.key;
    return { area, market, at_ms: a, value: b, currency: c, vat_included: d, source: e, fetched_ms: f };
  }
  if ('key' in piece) {
    const [tenant, series_name] = piece.key;
    const points = JSON.parse(String(e)) as { at_ms: number }[];
    const to_ms = points.reduce((last, point) => Math.max(last, point.at_ms), a);
    return { tenant, series_name, at_ms: a, unit: b, model: c, inputs_known_ms: d, points: String(e), to_ms };
  }
  const { series } = piece;
  switch (piece.table) {
    case 'reading':
      return { series, at_ms: a, value: b, quality: c, from_ms: d, seq: 0 };
    case 'slot':
      return { series, at_ms: a, value: b, quality: c };
    case 'reading_change':
      return { series, at_ms: a, value: b, replaced_by: c, changed_ms: d, seq: 0, n: index, shown_seq: 0 };
    case 'repair':
      return { series, at_ms: a, value: b, by: c, state: b === null ? 2 : 1 };
    case 'span':
      return { series, at_ms: a, from_ms: b, value: c, quality: d };
    case 'dirty':
      return { series, from_ms: a, to_ms: b, state: 1, at_ms: 0 };
  }
}

async function readCursor(db: QuestDb): Promise<{ seq: number; counts: string | null }> {
  const [[inReadings]] = (await db.ask([tableName('reading')], `select max(seq) from ${tableName('reading')}`)) as [
    [number | null],
  ];
  const rows = await db.ask(
    [tableName('journal_cursor')],
    `select seq from ${tableName('journal_cursor')} where n = 0`,
  );
  const seq = Math.max(inReadings ?? 0, (rows[0]?.[0] as number | undefined) ?? 0);
  const counts = JSON.stringify((await loadCounts(db, seq)).now());
  return { seq, counts: counts === '{}' ? null : counts };
}

function plain(value: unknown): string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return orNull(value);
}
