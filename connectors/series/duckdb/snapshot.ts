/** A copy of the DuckDB file while the box runs, and what the tables of such a copy hold. */
import { open, rm, stat } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { TableFacts } from '../../../engine/ports.ts';
import type { DuckDb } from './connection.ts';

const CHUNK_BYTES = 1024 * 1024;
/** In pieces, so that the journal's own fsync never waits for a whole file. */
const SYNC_BYTES = 8 * CHUNK_BYTES;

/**
 * Writers wait while the file and its log are copied (readings stay in the journal meanwhile), readers do not.
 * Closing our descriptor gives up DuckDB's own lock on the file; the box holds the lock of its home.
 * @returns the journal's cursor in the copy
 */
export function snapshotFile(db: DuckDb, from: string, file: string): Promise<{ cursor: number }> {
  return db.still(async (writer) => {
    // Where a reader is in its way the log stays, and is copied too.
    await writer.run('checkpoint').catch(() => {});
    const [cursor] = await writer.numbers('select seq::double from journal_cursor');
    await copyDurably(from, file);
    if (await stat(`${from}.wal`).catch(() => null)) await copyDurably(`${from}.wal`, `${file}.wal`);
    return { cursor: cursor?.[0] ?? 0 };
  });
}

/**
 * Opens a copy, takes its log into the file and counts. Digests are comparable between equal versions of DuckDB only:
 * `version` tells. @throws InvalidDataError when it is no file of a series store.
 */
export async function seriesFacts(file: string): Promise<{ version: string; cursor: number; tables: TableFacts }> {
  const instance = await DuckDBInstance.create(file, {
    ...{ memory_limit: '512MB', threads: '1', enable_external_access: 'false' },
    ...{ autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' },
  }).catch((cause: Error) => {
    throw new InvalidDataError(`The copy of the series store cannot be opened: ${cause.message.split('\n')[0]}`);
  });
  try {
    const connection = await instance.connect();
    const rows = async (sql: string) => (await connection.run(sql)).getRowObjects();
    await connection.run('checkpoint');
    const tables: TableFacts = {};
    for (const { name } of await rows('select table_name as name from duckdb_tables() order by 1')) {
      const [row] = await rows(`select count(*)::double as n, sum(hash(t))::varchar as hash from "${String(name)}" t`);
      tables[String(name)] = { rows: Number(row?.n), hash: String(row?.hash ?? 0) };
    }
    const [cursor] = await rows('select seq::double as seq from journal_cursor');
    const [version] = await rows('select version() as version');
    connection.closeSync();
    return { version: String(version?.version), cursor: Number(cursor?.seq ?? 0), tables };
  } finally {
    instance.closeSync();
    await rm(`${file}.wal`, { force: true });
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  const source = await open(from, 'r');
  const target = await open(to, 'wx', 0o600);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    for (let at = 0; ; ) {
      const { bytesRead } = await source.read(chunk, 0, CHUNK_BYTES, at);
      if (bytesRead === 0) break;
      await target.writeFile(chunk.subarray(0, bytesRead));
      at += bytesRead;
      if (at % SYNC_BYTES === 0) await target.datasync();
    }
    await target.sync();
  } finally {
    await source.close();
    await target.close();
  }
}
