/** One DuckDB file: a connection that writes, one transaction after another, and a few that read beside it. */
import {
  BIGINT,
  DOUBLE,
  type DuckDBConnection,
  DuckDBDataChunk,
  type DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  type DuckDBVector,
  INTEGER,
} from '@duckdb/node-api';
import { UnavailableError } from '../../../engine/errors.ts';
import { createSerial } from '../serial.ts';

export type Parameters = Record<string, DuckDBValue>;
export type DuckDb = {
  /** Numeric columns of the answer; nulls are NaN. Integers beyond 32 bits must be cast to double in the SQL. */
  numbers(sql: string, parameters?: Parameters): Promise<Float64Array[]>;
  rows(sql: string, parameters?: Parameters): Promise<Record<string, DuckDBValue>[]>;
  /** Runs `work` as one transaction; what it throws rolls it back. `large` work gets all the memory there is. */
  write<T>(work: (writer: Writer) => Promise<T>, size?: 'large'): Promise<T>;
  /** Runs `work` while nobody writes, in no transaction. */
  still<T>(work: (writer: Pick<Writer, 'run' | 'numbers'>) => Promise<T>): Promise<T>;
  close(): void;
};
export type Writer = {
  /** `types` where a type cannot be read off the first value: a list of doubles may begin with a whole number. */
  run(sql: string, parameters?: Parameters, types?: Record<string, DuckDBType>): Promise<void>;
  numbers(sql: string, parameters?: Parameters): Promise<Float64Array[]>;
  /** Appends columns of numbers; NaN becomes null. */
  append(table: string, columns: readonly NumberColumn[]): Promise<void>;
};
export type NumberColumn = { type: 'integer' | 'bigint' | 'double'; values: ArrayLike<number> };

/** Bounds of DuckDB's memory: what it keeps, and what it may take for a piece of work that does not get by with that. */
export type Room = { kept: string; most: string };

const OUT_OF_MEMORY = /out of memory/i;
const READERS = 3;
const TYPES: Record<NumberColumn['type'], DuckDBType> = { integer: INTEGER, bigint: BIGINT, double: DOUBLE };
const CHUNK_ROWS = 2048;

export async function connect(instance: DuckDBInstance, room: Room): Promise<DuckDb> {
  const writer = await instance.connect();
  const warden = await instance.connect();
  const readers: DuckDBConnection[] = [];
  for (let index = 0; index < READERS; index++) readers.push(await instance.connect());
  const serial = createSerial();
  let turn = 0;
  let closed = false;
  const { roomy, again, lower } = createWarden(warden, room);
  let broken: Error | null = null;
  const reader = () => {
    if (broken) throw broken;
    if (closed) throw new UnavailableError('The series store is closed.', 'The box is stopping; ask again later.');
    turn = (turn + 1) % READERS;
    return readers[turn]!;
  };
  return {
    numbers: (sql, parameters) => guarded(() => again(() => numbersOf(reader(), sql, parameters))),
    rows: (sql, parameters) => guarded(() => again(() => rowsOf(reader(), sql, parameters))),
    write: (work, size) =>
      serial(() =>
        guarded(async () => {
          reader();
          if (size === 'large') return roomy(() => transaction(writer, work));
          await lower();
          return transaction(writer, work).catch((error: Error) => {
            // What DuckDB then holds of the transaction makes later ones fail: it must be opened anew.
            if (OUT_OF_MEMORY.test(error.message)) broken = error;
            throw error;
          });
        }),
      ),
    still: (work) =>
      serial(() =>
        guarded(() => {
          reader();
          const run: Writer['run'] = async (sql, parameters, types) => {
            await writer.run(sql, parameters, types);
          };
          return work({ run, numbers: (sql, parameters) => numbersOf(writer, sql, parameters) });
        }),
      ),
    close() {
      closed = true;
      for (const connection of [writer, warden, ...readers]) connection.closeSync();
      instance.closeSync();
    },
  };
}

/**
 * DuckDB keeps what it has read up to its limit, so the limit is low; a question that runs out of memory is put once
 * more with all that it may take.
 */
function createWarden(connection: DuckDBConnection, { kept, most }: Room) {
  let large = 0;
  let raised = true;
  const lower = async () => {
    if (!raised || large > 0) return;
    // What another piece of work holds now cannot be given back: the next write tries again.
    await connection.run(`set memory_limit = '${kept}'`).then(
      () => {
        raised = false;
      },
      () => undefined,
    );
  };
  const roomy = async <T>(work: () => Promise<T>): Promise<T> => {
    large++;
    raised = true;
    try {
      await connection.run(`set memory_limit = '${most}'`);
      return await work();
    } finally {
      large--;
      await lower();
    }
  };
  return {
    lower,
    roomy,
    again: <T>(work: () => Promise<T>): Promise<T> =>
      work().catch((error: Error) => {
        if (OUT_OF_MEMORY.test(error.message)) return roomy(work);
        throw error;
      }),
  };
}

async function transaction<T>(connection: DuckDBConnection, work: (writer: Writer) => Promise<T>): Promise<T> {
  await connection.run('begin');
  try {
    const outcome = await work({
      run: async (sql, parameters, types) => {
        await connection.run(sql, parameters, types);
      },
      numbers: (sql, parameters) => numbersOf(connection, sql, parameters),
      append: (table, columns) => append(connection, table, columns),
    });
    await connection.run('commit');
    return outcome;
  } catch (error) {
    // A failed commit has ended the transaction already.
    await connection.run('rollback').catch(() => undefined);
    throw error;
  }
}

/** Whatever DuckDB throws becomes UnavailableError: the caller keeps its data and tries again. */
async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UnavailableError) throw error;
    throw new UnavailableError(
      `The series store could not do it: ${(error as Error).message.split('\n')[0]}`,
      'Readings stay in the journal meanwhile. Look at the free space and memory of the machine.',
      { cause: error },
    );
  }
}

async function numbersOf(connection: DuckDBConnection, sql: string, parameters?: Parameters): Promise<Float64Array[]> {
  const result = await connection.run(sql, parameters);
  const chunks = await result.fetchAllChunks();
  const total = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  const columns = Array.from({ length: result.columnCount }, () => new Float64Array(total));
  let row = 0;
  for (const chunk of chunks) {
    for (const [index, column] of columns.entries()) copy(chunk.getColumnVector(index), chunk.rowCount, column, row);
    row += chunk.rowCount;
  }
  return columns;
}

/** The parts of a vector of numbers; asking for one item after another costs ten times as much. */
type RawVector = { items?: unknown; validity?: { data?: BigUint64Array | null } };

function copy(vector: DuckDBVector, count: number, column: Float64Array, row: number): void {
  const { items, validity } = vector as unknown as RawVector;
  if (!(items instanceof Float64Array || items instanceof Int32Array) || validity?.data === undefined) {
    for (let item = 0; item < count; item++) {
      const value = vector.getItem(item);
      column[row + item] = value === null ? Number.NaN : Number(value);
    }
    return;
  }
  column.set(items.subarray(0, count), row);
  if (validity.data === null) return;
  const valid = new Uint32Array(validity.data.buffer, validity.data.byteOffset, 2 * validity.data.length);
  for (let word = 0; word < valid.length; word++) {
    if (valid[word] === 0xffffffff) continue;
    for (let bit = 0; bit < 32 && 32 * word + bit < count; bit++)
      if (((valid[word]! >>> bit) & 1) === 0) column[row + 32 * word + bit] = Number.NaN;
  }
}

async function rowsOf(connection: DuckDBConnection, sql: string, parameters?: Parameters) {
  const result = await connection.run(sql, parameters);
  return result.getRowObjects();
}

async function append(connection: DuckDBConnection, table: string, columns: readonly NumberColumn[]): Promise<void> {
  const total = columns[0]?.values.length ?? 0;
  if (total === 0) return;
  const appender = await connection.createAppender(table);
  try {
    for (let start = 0; start < total; start += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, total - start);
      const chunk = DuckDBDataChunk.create(
        columns.map((column) => TYPES[column.type]),
        count,
      );
      for (const [index, { type, values }] of columns.entries())
        chunk.setColumnValues(index, valuesOf(type, values, start, count));
      appender.appendDataChunk(chunk);
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
}

function valuesOf(type: NumberColumn['type'], values: ArrayLike<number>, start: number, count: number): DuckDBValue[] {
  const out: DuckDBValue[] = new Array(count);
  for (let index = 0; index < count; index++) {
    const value = values[start + index]!;
    out[index] = Number.isNaN(value) ? null : type === 'bigint' ? BigInt(value) : value;
  }
  return out;
}
