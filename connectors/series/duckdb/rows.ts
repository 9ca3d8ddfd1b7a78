/** The DuckDB file as rows, for a move from or to another store. */
import { DOUBLE, LIST, listValue } from '@duckdb/node-api';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { type MovedRow, type MovedSeries, orNull, type Piece, type RowStore, type SeriesTable } from '../move.ts';
import type { NumberColumn } from './connection.ts';
import { openFile } from './open.ts';

/** Expressions of a table's columns in the order of SERIES_TABLES. */
const READ: Record<SeriesTable, string> = {
  reading: '"at"::double as a, value as b, quality as c, from_ms::double as d',
  slot: `"at"::double * ${SLOT_MS} as a, value as b, quality as c`,
  reading_change: '"at"::double as a, value as b, replaced_by as c, changed_ms::double as d',
  repair: '"at"::double as a, value as b, "by" as c',
  span: 'to_ms::double as a, from_ms::double as b, value as c, quality as d',
  // One mark holds them all, as other stores keep them.
  dirty: 'min(from_ms)::double as a, max(to_ms)::double as b',
};
type Kind = NumberColumn['type'];
/** Columns as they lie in the table after `series`: place in a moved row, and type. */
const WRITE: Record<Exclude<SeriesTable, 'repair'>, readonly (readonly [number, Kind])[]> = {
  reading: [
    [0, 'bigint'],
    [1, 'double'],
    [2, 'integer'],
    [3, 'bigint'],
  ],
  slot: [
    [0, 'integer'],
    [1, 'double'],
    [2, 'integer'],
  ],
  reading_change: [
    [0, 'bigint'],
    [1, 'double'],
    [2, 'double'],
    [3, 'bigint'],
  ],
  span: [
    [1, 'bigint'],
    [0, 'bigint'],
    [2, 'double'],
    [3, 'integer'],
  ],
  dirty: [
    [0, 'bigint'],
    [1, 'bigint'],
  ],
};

/** Opens or makes the file. @throws UnavailableError while another process has it open */
export async function openDuckDbRows(file: string, memory: string): Promise<RowStore> {
  const { db } = await openFile({ file, memory });
  const rowsOf = async (sql: string, parameters?: Parameters<typeof db.rows>[1]): Promise<MovedRow[]> =>
    (await db.rows(sql, parameters)).map((row) => Object.values(row).map(plain));
  const pieceOf = (piece: Piece): Record<string, string | number> =>
    'key' in piece ? { a: piece.key[0], b: piece.key[1] } : { series: piece.series };
  return {
    async series() {
      const rows = await db.rows('select id, tenant, meter, quantity, readings from series order by id');
      return rows as MovedSeries[];
    },
    async keys(table) {
      const columns = table === 'price' ? 'area, market' : 'tenant, series';
      const rows = await rowsOf(`select distinct ${columns} from ${table} order by 1, 2`);
      return rows as unknown as [string, string][];
    },
    async read(piece, after, limit) {
      if (piece.table === 'price')
        return rowsOf(
          `select "at"::double * ${SLOT_MS} as a, value, currency, vat_included, source, fetched_ms::double as f from price where area = $a and market = $b order by a`,
          pieceOf(piece),
        );
      if (piece.table === 'forecast') return readForecasts(rowsOf, pieceOf(piece));
      const from = after === null ? '' : `and a > ${after}`;
      const sql = `select * from (select ${READ[piece.table]} from ${piece.table} where series = $series${piece.table === 'dirty' ? ' having count(*) > 0' : ''}) where true ${from} order by all limit ${limit}`;
      return rowsOf(
        piece.table === 'reading' || piece.table === 'slot' ? sql : sql.replace(/ limit \d+$/, ''),
        pieceOf(piece),
      );
    },
    clear: (piece) =>
      db.write(async (writer) => {
        if (piece.table === 'forecast') {
          const where = 'tenant = $a and series = $b';
          await writer.run(
            `delete from forecast_point where forecast in (select id from forecast where ${where})`,
            pieceOf(piece),
          );
          return writer.run(`delete from forecast where ${where}`, pieceOf(piece));
        }
        const where = piece.table === 'price' ? 'area = $a and market = $b' : 'series = $series';
        await writer.run(`delete from ${piece.table} where ${where}`, pieceOf(piece));
      }),
    write: (piece, rows) =>
      db.write(async (writer) => {
        if ('key' in piece) return writeKeyed(writer, piece, rows);
        if (piece.table === 'repair') {
          for (const [at, value, by] of rows)
            await writer.run('insert into repair values ($s, $at, $value, $by)', {
              s: piece.series,
              at: BigInt(Number(at)),
              value: value ?? null,
              by: String(by ?? ''),
            });
          return;
        }
        const columns = WRITE[piece.table].map(([place, type]): NumberColumn => {
          const scale = piece.table === 'slot' && place === 0 ? SLOT_MS : 1;
          return { type, values: rows.map((row) => (row[place] === null ? Number.NaN : Number(row[place]) / scale)) };
        });
        const numbers = { type: 'integer', values: rows.map(() => piece.series) } as const;
        await writer.append(piece.table, [numbers, ...columns]);
      }),
    writeSeries: (series) =>
      db.write(async (writer) => {
        for (const { id, tenant, meter, quantity, readings } of series)
          await writer.run('insert or ignore into series values ($id, $tenant, $meter, $quantity, $readings)', {
            id,
            tenant,
            meter,
            quantity,
            readings,
          });
      }),
    async cursor() {
      const [row] = await db.rows('select seq::double as seq, counts from journal_cursor');
      return { seq: Number(row?.seq ?? 0), counts: (row?.counts as string | null) ?? null };
    },
    writeCursor: ({ seq, counts }) =>
      db.write((writer) =>
        writer.run('update journal_cursor set seq = $seq, applied = $seq, counts = $counts', {
          seq: BigInt(seq),
          counts,
        }),
      ),
    close: async () => db.close(),
  };
}

type Rows = (sql: string, parameters?: Record<string, string | number>) => Promise<MovedRow[]>;

/** Points as the other store keeps them: one JSON text, ascending. */
async function readForecasts(rowsOf: Rows, key: Record<string, string | number>): Promise<MovedRow[]> {
  const heads = await rowsOf(
    'select made_at_ms::double as a, unit, model, inputs_known_ms::double as d, id::double as id from forecast where tenant = $a and series = $b order by a',
    key,
  );
  const rows: MovedRow[] = [];
  for (const [made, unit, model, known, id] of heads) {
    const points = await rowsOf(
      'select "at"::double as a, mean, quantiles from forecast_point where forecast = $id order by a',
      { id: Number(id) },
    );
    const text = JSON.stringify(
      points.map(([at_ms, mean, quantiles]) => ({ at_ms, mean, quantiles: JSON.parse(String(quantiles)) as unknown })),
    );
    rows.push([made ?? 0, unit ?? '', model ?? '', known ?? 0, text]);
  }
  return rows;
}

type Writer = Parameters<Parameters<Awaited<ReturnType<typeof openFile>>['db']['write']>[0]>[0];

async function writeKeyed(
  writer: Writer,
  { table, key }: Extract<Piece, { key: unknown }>,
  rows: readonly MovedRow[],
): Promise<void> {
  const [a, b] = key;
  if (table === 'price') {
    for (const [at, value, currency, vat, source, fetched] of rows)
      await writer.run('insert into price values ($a, $b, $at, $value, $currency, $vat, $source, $fetched)', {
        ...{ a, b, at: Number(at) / SLOT_MS, value: value ?? null, currency: String(currency), vat: vat === true },
        ...{ source: String(source), fetched: BigInt(Number(fetched)) },
      });
    return;
  }
  for (const [made, unit, model, known, text] of rows) {
    const points = JSON.parse(String(text)) as { at_ms: number; mean: number; quantiles: unknown }[];
    await writer.run("insert into forecast values (nextval('forecast_id'), $a, $b, $unit, $made, $model, $known)", {
      ...{ a, b, unit: String(unit), made: BigInt(Number(made)), model: String(model), known: BigInt(Number(known)) },
    });
    await writer.run(
      "insert into forecast_point select currval('forecast_id'), unnest($at::double[])::bigint, unnest($mean::double[]), unnest($quantiles::varchar[])",
      {
        at: listValue(points.map((point) => point.at_ms)),
        mean: listValue(points.map((point) => point.mean)),
        quantiles: listValue(points.map((point) => JSON.stringify(point.quantiles))),
      },
      { at: LIST(DOUBLE), mean: LIST(DOUBLE) },
    );
  }
}

function plain(value: unknown): string | number | boolean | null {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  return orNull(value);
}
