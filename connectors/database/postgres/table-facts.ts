/** Row counts and digests of our tables, at one instant that the write-ahead log can be played to. */
import pg from 'pg';
import { UnavailableError } from '../../../engine/errors.ts';
import type { TableFacts } from '../../../engine/ports.ts';
import { type Connection, clientConfig, SCHEMA } from './connection.ts';

const TIMEOUT_MS = 15 * 60_000;
const LOCK_TIMEOUT_MS = 5000;
const ATTEMPTS = 5;

export type Frozen = {
  /** Asks the tables as they were at the instant, and ends. */
  read<T>(work: (client: pg.Client) => Promise<T>): Promise<T>;
};

/**
 * Holds off writers of our tables for the moment that `mark` takes, with a snapshot of exactly that moment: every
 * commit before it is in the snapshot, none after. The share locks wait for writers under way, so they are tried with
 * a deadline and again, lest everybody waits behind them.
 */
export async function quietTables<T>(
  connection: Connection,
  client: pg.Client,
  mark: (frozen: Frozen) => Promise<T>,
): Promise<T> {
  const reader = new pg.Client(clientConfig(connection, TIMEOUT_MS));
  reader.on('error', () => {});
  await reader.connect();
  const frozen: Frozen = {
    async read(work) {
      try {
        return await work(reader);
      } finally {
        await reader.end().catch(() => {});
      }
    },
  };
  try {
    await lockAll(client);
    try {
      await reader.query('begin isolation level repeatable read read only');
      await reader.query('select 1');
      return await mark(frozen);
    } finally {
      await client.query('commit');
    }
  } catch (error) {
    await reader.end().catch(() => {});
    throw error;
  }
}

async function lockAll(client: pg.Client): Promise<void> {
  const tables = await ourTables(client);
  for (let attempt = 1; ; attempt++) {
    await client.query('begin');
    try {
      await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await client.query(`lock table ${tables.map(quoted).join(', ')} in share mode`);
      return;
    } catch (cause) {
      await client.query('rollback');
      if (attempt === ATTEMPTS)
        throw new UnavailableError('The tables are too busy for a backup.', 'The next try is made soon.', { cause });
    }
  }
}

/** Every table of ours with its rows and the sum of their MD5 sums, which no order of rows changes. */
export async function tableFacts(client: pg.Client): Promise<TableFacts> {
  const facts: TableFacts = {};
  await client.query(`set timezone = 'UTC'`);
  await client.query('set extra_float_digits = 1');
  for (const table of await ourTables(client)) {
    const { rows } = await client.query<{ rows: number; hash: string }>(
      `select count(*) as rows,
         coalesce(sum(('x' || substr(md5(t::text), 1, 15))::bit(60)::bigint), 0)::text as hash from ${quoted(table)} t`,
    );
    facts[`${SCHEMA}.${table}`] = { rows: Number(rows[0]!.rows), hash: rows[0]!.hash };
  }
  return facts;
}

async function ourTables(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `select relname as name from pg_class where relnamespace = $1::regnamespace and relkind = 'r' order by 1`,
    [SCHEMA],
  );
  return rows.map(({ name }) => name);
}

const quoted = (table: string) => `${SCHEMA}.${pg.escapeIdentifier(table)}`;
