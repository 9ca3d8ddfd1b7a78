/** Rows as a Parquet file, by DuckDB in memory: one reader for every tool that analysts use. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export type ParquetColumn = { name: string; type: 'VARCHAR' | 'DOUBLE' | 'INTEGER' | 'BIGINT' };
export type ParquetValue = string | number | null;

const MEMORY = '256MB';

/**
 * @param rows in batches; each row has a value per column in their order. A bigint column takes whole numbers.
 * @returns the file's bytes (Snappy).
 */
export async function parquetOf(
  columns: readonly ParquetColumn[],
  rows: AsyncIterable<readonly (readonly ParquetValue[])[]>,
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'luna-parquet-'));
  const file = join(folder, 'rows.parquet');
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: MEMORY });
  try {
    const connection = await instance.connect();
    const declared = columns.map(({ name, type }) => `"${name.replaceAll('"', '""')}" ${type}`).join(', ');
    await connection.run(`create table exported (${declared})`);
    const appender = await connection.createAppender('exported');
    for await (const batch of rows)
      for (const row of batch) {
        for (const [i, { type }] of columns.entries()) appendValue(appender, type, row[i] ?? null);
        appender.endRow();
      }
    appender.closeSync();
    await connection.run(`copy exported to '${file.replaceAll("'", "''")}' (format parquet)`);
    connection.closeSync();
    return new Uint8Array(await readFile(file));
  } finally {
    instance.closeSync();
    await rm(folder, { recursive: true, force: true });
  }
}

type Appender = Awaited<ReturnType<Awaited<ReturnType<DuckDBInstance['connect']>>['createAppender']>>;

function appendValue(appender: Appender, type: ParquetColumn['type'], value: ParquetValue): void {
  if (value === null) appender.appendNull();
  else if (type === 'VARCHAR') appender.appendVarchar(String(value));
  else if (type === 'DOUBLE') appender.appendDouble(Number(value));
  else if (type === 'INTEGER') appender.appendInteger(Number(value));
  else appender.appendBigInt(BigInt(Math.round(Number(value))));
}
