/** A DuckDB file that is opened anew from time to time, so that its memory does not grow with every reading. */
import { UnavailableError } from '../../../engine/errors.ts';
import type { DuckDb, Writer } from './connection.ts';

/**
 * Until a file is closed, DuckDB keeps for each vector of 2,048 rows that more than one transaction filled which one
 * brought which row (its `ChunkVectorInfo`, 16 bytes a row): up to 190 MB a day at 200 readings a second. A million rows are 16 MB of it.
 */
export const RENEW_ROWS = 1_000_000;

/**
 * Closes the file and opens it again after each `rows` appended rows, at the next moment in which nothing is under way;
 * what comes meanwhile waits some tenths of a second. Where it does not open again, every call throws UnavailableError.
 */
export function createRenewed(first: DuckDb, open: () => Promise<DuckDb>, rows = RENEW_ROWS): DuckDb {
  let db: DuckDb | null = first;
  let appended = 0;
  let under_way = 0;
  let opening: Promise<void> | null = null;
  let fault: unknown;
  let closed = false;

  async function inTurn<T>(call: (db: DuckDb) => Promise<T>): Promise<T> {
    while (opening) await opening;
    if (!db) throw notOpen(fault);
    under_way++;
    try {
      return await call(db);
    } finally {
      under_way--;
      if (appended >= rows && under_way === 0 && !opening && !closed)
        opening = renew().finally(() => {
          opening = null;
        });
    }
  }
  async function renew(): Promise<void> {
    appended = 0;
    db?.close();
    db = null;
    await open().then(
      (fresh) => {
        db = fresh;
        if (closed) fresh.close();
      },
      (error: unknown) => {
        fault = error;
      },
    );
  }
  const counted = (writer: Writer): Writer => ({
    ...writer,
    append(table, columns) {
      appended += columns[0]?.values.length ?? 0;
      return writer.append(table, columns);
    },
  });
  return {
    numbers: (sql, parameters) => inTurn((db) => db.numbers(sql, parameters)),
    rows: (sql, parameters) => inTurn((db) => db.rows(sql, parameters)),
    write: (work, size) => inTurn((db) => db.write((writer) => work(counted(writer)), size)),
    still: (work) => inTurn((db) => db.still(work)),
    close() {
      closed = true;
      db?.close();
    },
  };
}

function notOpen(cause: unknown): UnavailableError {
  const remedy = 'It is tried again by itself; readings stay in the journal meanwhile.';
  return new UnavailableError('The series store could not be opened anew.', remedy, { cause });
}
