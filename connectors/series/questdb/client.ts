/** One QuestDB: rows go in over ILP/HTTP (one request is one transaction of one table), questions over Postgres wire. */
import { Sender } from '@questdb/nodejs-client';
import pg from 'pg';
import { ConfigError, UnavailableError } from '../../../engine/errors.ts';

export type Row = Record<string, number | boolean | string | null>;
export type QuestDb = {
  /** Writes rows of one table as one transaction; durable in the server's log when it resolves. NaN and null stay out. */
  write(table: string, rows: readonly Row[]): Promise<void>;
  /** Rows as arrays, after waiting until what was written to `tables` shows. */
  ask(tables: readonly string[], sql: string, parameters?: readonly (string | number)[]): Promise<unknown[][]>;
  /** Columns of numbers; null is NaN. */
  numbers(tables: readonly string[], sql: string, parameters?: readonly (string | number)[]): Promise<Float64Array[]>;
  /** Definitions and updates. */
  run(sql: string, parameters?: readonly (string | number)[]): Promise<void>;
  /** Waits until everything that the server accepted for `table` shows, whoever wrote it. */
  settle(table: string): Promise<void>;
  /** Marks a table as written to by other means than `write`. */
  unsettled(table: string): void;
  close(): Promise<void>;
};

const CONNECT_MS = 3_000;
const ASK_MS = 30_000;
const WRITE_MS = 15_000;
const READERS = 4;
/** Rows of one request; larger writes of tables whose rows need not go together are cut. */
export const FLUSH_ROWS = 20_000;

/** Columns whose values are whole numbers; all other numbers are doubles. */
const WHOLE = new Set([
  'series',
  'quality',
  'from_ms',
  'to_ms',
  'seq',
  'shown_seq',
  'n',
  'changed_ms',
  'id',
  'state',
  'inputs_known_ms',
  'fetched_ms',
]);

/** @param url `questdb://[user:password@]host:9000?pg=8812` */
export function connectQuestDb(url: string): QuestDb {
  const { host, http_port, pg_port, user, password } = parseQuestDbUrl(url);
  const types = new pg.TypeOverrides();
  // int8, int2, int4, float4, float8: all of ours are within 2^53.
  for (const oid of [20, 21, 23, 700, 701]) types.setTypeParser(oid, Number);
  const pool = new pg.Pool({
    host,
    port: pg_port,
    user: user || 'admin',
    password: password || 'quest',
    database: 'qdb',
    max: READERS,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: ASK_MS,
    types,
  });
  // A connection that breaks while idle is replaced at the next question.
  pool.on('error', () => undefined);
  const waiting = new Set<string>();
  const query = async (sql: string, parameters: readonly (string | number)[] = []) => {
    try {
      return await pool.query<unknown[]>({ text: sql, values: [...parameters], rowMode: 'array' });
    } catch (error) {
      throw unavailable(error);
    }
  };
  const settle = async (table: string) => {
    waiting.delete(table);
    await query(`select wait_wal_table('${table}')`);
  };
  const settled = async (tables: readonly string[]) => {
    for (const table of tables) if (waiting.has(table)) await settle(table);
  };
  let sender: Promise<Sender> | null = null;
  const login = user ? `username=${user};password=${password};` : '';
  const openSender = () =>
    Sender.fromConfig(
      `http::addr=${host}:${http_port};${login}auto_flush=off;stdlib_http=on;retry_timeout=0;request_timeout=${WRITE_MS};protocol_version=1`,
      { log: () => undefined },
    );
  const ask = async (tables: readonly string[], sql: string, parameters?: readonly (string | number)[]) => {
    await settled(tables);
    return (await query(sql, parameters)).rows;
  };
  return {
    ask,
    settle,
    async write(table, rows) {
      if (rows.length === 0) return;
      sender ??= openSender();
      const current = await sender;
      try {
        for (const row of rows) await addRow(current, table, row);
        await current.flush();
      } catch (error) {
        current.reset();
        throw unavailable(error);
      } finally {
        waiting.add(table);
      }
    },
    async numbers(tables, sql, parameters) {
      await settled(tables);
      const { rows, fields } = await query(sql, parameters);
      return fields.map((_, column) => {
        const numbers = new Float64Array(rows.length);
        for (let row = 0; row < numbers.length; row++) numbers[row] = (rows[row]![column] ?? Number.NaN) as number;
        return numbers;
      });
    },
    async run(sql, parameters) {
      await query(sql, parameters);
    },
    unsettled(table) {
      waiting.add(table);
    },
    async close() {
      await (await sender?.catch(() => null))?.close().catch(() => undefined);
      await pool.end();
    },
  };
}

async function addRow(sender: Sender, table: string, { at_ms, ...row }: Row): Promise<void> {
  sender.table(table);
  // ILP wants symbols before all other columns.
  for (const name of SYMBOLS) if (row[name] !== undefined) sender.symbol(name, row[name]);
  let columns = 0;
  for (const [name, value] of Object.entries(row)) {
    if (value === null || SYMBOLS.includes(name)) continue;
    if (typeof value === 'string') sender.stringColumn(name, value);
    else if (typeof value === 'boolean') sender.booleanColumn(name, value);
    else if (!Number.isFinite(value)) continue;
    else if (WHOLE.has(name)) sender.intColumn(name, value);
    else sender.floatColumn(name, value);
    columns++;
  }
  if (columns > 0) await sender.at(at_ms as number, 'ms');
}

export const SYMBOLS: readonly string[] = ['area', 'market'];

function unavailable(cause: unknown): UnavailableError {
  const { message, code } = cause as { message?: string; code?: string };
  return new UnavailableError(
    `QuestDB does not answer or refused: ${message || code || 'no reason given'}`,
    'Look whether it runs and has space; readings stay in the journal meanwhile.',
    { cause },
  );
}

/** @throws ConfigError for a URL of another form. */
export function parseQuestDbUrl(url: string) {
  const text = url.replace(/^questdb:/, 'http:');
  if (!URL.canParse(text) || !url.startsWith('questdb://'))
    throw new ConfigError(`"${url}" is no address of QuestDB.`, 'Give questdb://host:9000?pg=8812.');
  const { hostname, port, searchParams, username, password } = new URL(text);
  const user = decodeURIComponent(username);
  const secret = decodeURIComponent(password);
  if (/[;\s]/.test(user + secret))
    throw new ConfigError('User or password of QuestDB contain a semicolon or space.', 'Choose others.');
  return {
    host: hostname,
    http_port: Number(port || 9000),
    pg_port: Number(searchParams.get('pg') ?? 8812),
    user,
    password: secret,
  };
}
