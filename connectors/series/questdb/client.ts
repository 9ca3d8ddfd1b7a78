/** One QuestDB: rows go in over ILP/HTTP (one request is one transaction of one table), questions over Postgres wire. */
import { Agent } from 'node:http';
import { Sender } from '@questdb/nodejs-client';
import pg from 'pg';
import { ConfigError, UnavailableError } from '../../../engine/errors.ts';
import { PREFIX } from './schema.ts';
import { createWal, type Wal } from './wal.ts';

export type Row = Record<string, number | boolean | string | null>;
export type QuestDb = {
  /** Writes rows of one table as one transaction; resolves when they are in the table and show. NaN and null stay out. */
  write(table: string, rows: readonly Row[]): Promise<void>;
  /** Rows as arrays, after waiting until what may have been written to `tables` shows. */
  ask(tables: readonly string[], sql: string, parameters?: readonly (string | number)[]): Promise<unknown[][]>;
  /** Columns of numbers; null is NaN. */
  numbers(tables: readonly string[], sql: string, parameters?: readonly (string | number)[]): Promise<Float64Array[]>;
  /** Definitions and updates. */
  run(sql: string, parameters?: readonly (string | number)[]): Promise<void>;
  readonly wal: Wal;
  /** Marks a table as written to by other means than `write`. */
  unsettled(table: string): void;
  close(): Promise<void>;
};

/** How long the server may take: to accept rows, to apply what it accepted, to answer a question. */
export type QuestDbLimits = { write_ms: number; apply_ms: number; ask_ms: number };
const LIMITS: QuestDbLimits = { write_ms: 60_000, apply_ms: 30_000, ask_ms: 30_000 };
const CONNECT_MS = 3_000;
/** Without a byte from the server; `write_ms` bounds one that sends a byte now and then. */
const SILENT_MS = 15_000;
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
export function connectQuestDb(url: string, given: Partial<QuestDbLimits> = {}): QuestDb {
  const limits = { ...LIMITS, ...given };
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
    query_timeout: limits.ask_ms,
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
  const wal = createWal(async (sql) => (await query(sql)).rows, PREFIX, limits.apply_ms);
  /** The newest transaction of a table that we know of. */
  const newest = new Map<string, number>();
  const settle = async (table: string) => {
    newest.set(table, await wal.settle(table));
    waiting.delete(table);
  };
  const settled = async (tables: readonly string[]) => {
    for (const table of tables) if (waiting.has(table)) await settle(table);
  };
  const login = user ? `username=${user};password=${password};` : '';
  const silent_ms = Math.min(SILENT_MS, limits.write_ms);
  const config = `http::addr=${host}:${http_port};${login}auto_flush=off;stdlib_http=on;retry_timeout=0;request_timeout=${silent_ms};protocol_version=1`;
  const send = createSend(config, limits.write_ms);
  const ask = async (tables: readonly string[], sql: string, parameters?: readonly (string | number)[]) => {
    await settled(tables);
    return (await query(sql, parameters)).rows;
  };
  return {
    ask,
    wal,
    async write(table, rows) {
      if (rows.length === 0) return;
      const before = newest.get(table) ?? (await wal.accepted(table));
      // Whatever comes back, the server may have taken the rows.
      waiting.add(table);
      await send.rows(table, rows);
      await settle(table);
      if (newest.get(table)! <= before)
        throw new UnavailableError(
          `QuestDB does not answer: rows for ${table} were acknowledged that it does not have.`,
          'Look what answers in its place (a proxy?); readings stay in the journal meanwhile.',
        );
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
      await send.close();
      await pool.end();
    },
  };
}

/** Sends the rows of one request after another; none takes longer than `limit_ms`, whatever the server does. */
function createSend(config: string, limit_ms: number) {
  let current: { sender: Promise<Sender>; agent: Agent } | null = null;
  const open = () => {
    const agent = new Agent({ keepAlive: true });
    return { sender: Sender.fromConfig(config, { log: () => undefined, agent }), agent };
  };
  const drop = async () => {
    const dropped = current;
    current = null;
    // Ends a request that still runs too.
    dropped?.agent.destroy();
    await (await dropped?.sender.catch(() => null))?.close().catch(() => undefined);
  };
  return {
    async rows(table: string, rows: readonly Row[]): Promise<void> {
      current ??= open();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, fail) => {
        timer = setTimeout(() => fail(new Error(`no answer within ${limit_ms / 1000} s`)), limit_ms);
      });
      late.catch(() => undefined);
      try {
        const sender = await current.sender;
        await addRows(sender, table, rows);
        await Promise.race([sender.flush(), late]);
      } catch (error) {
        await drop();
        throw unavailable(error);
      } finally {
        clearTimeout(timer);
      }
    },
    close: drop,
  };
}

/** @throws RangeError for what no table can hold. */
async function addRows(sender: Sender, table: string, rows: readonly Row[]): Promise<void> {
  try {
    for (const row of rows) await addRow(sender, table, row);
  } catch (error) {
    throw new RangeError((error as Error).message, { cause: error });
  }
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

/**
 * Says whether the server looked at what was asked and refused it, or whether it, the network or what stands between
 * is at fault: whoever searches for rows that can never be stored must not take one for the other.
 */
function unavailable(cause: unknown): UnavailableError {
  const { message, code, severity } = cause as { message?: string; code?: string; severity?: string };
  const status = /statusCode=(\d+)/.exec(message ?? '')?.[1];
  const refused = severity !== undefined || status === '400' || cause instanceof RangeError;
  return new UnavailableError(
    `QuestDB ${refused ? 'refused' : 'does not answer'}: ${message || code || 'no reason given'}`,
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
