/** The Database port over a pool of connections of the unprivileged role. */

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Database, Sql } from '../../../engine/ports.ts';
import { asUnavailable, type Connection, clientConfig } from './connection.ts';
import { BOX, tenantSeal } from './seal.ts';

const STATEMENT_TIMEOUT_MS = 30_000;
const POOL_SIZE = 12;
const CLOSE_MS = 1500;
/** To begin costs the server nothing: one that does not answer by then is frozen, and so is all that it would be asked. */
const FROZEN_MS = 8_000;
const TENANT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** A Database with the way to it, for the job queue, which keeps connections of its own. */
export type OpenedDatabase = Database & {
  readonly connection: Connection;
  /** Where the server's files are ours: for backups alone, since row-level security does not bind its role. */
  readonly cluster?: { connection: Connection; data_dir: string };
};

export type PoolOptions = {
  connection: Connection;
  /** What seals the tenant of each transaction; null for a database from before tenants were sealed. */
  key: Uint8Array | null;
  log: Logger;
  /** Runs after the pool closed. */
  onClose?: () => Promise<void>;
  statement_timeout_ms?: number;
};

/**
 * Whatever a former transaction left on the connection, so that nothing passes from one tenant to the next: settings
 * (the search path too), temporary tables, prepared statements, cursors, channels, locks. In a transaction of its own,
 * since channels are left at its end.
 */
const CLEAN =
  'begin; reset session authorization; reset role; reset all; discard temp; deallocate all; close all; unlisten *; ' +
  'select pg_advisory_unlock_all(); commit; begin';
const BIND = `select set_config('luna.tenant', $1, true), set_config('luna.seal', $2, true)`;

/** Each statement goes through the extended protocol, in which a text holds one statement and no second. */
export function createPoolDatabase({
  connection,
  key,
  log,
  onClose,
  statement_timeout_ms,
}: PoolOptions): OpenedDatabase {
  let closing: Promise<void> | null = null;
  const pool = new pg.Pool({
    ...clientConfig(connection, statement_timeout_ms ?? STATEMENT_TIMEOUT_MS),
    max: POOL_SIZE,
    idleTimeoutMillis: 60_000,
  });
  // An idle connection that breaks is replaced at the next question; without a listener it would end the process.
  pool.on('error', (error) => {
    if (!closing) log.warn({ err: error }, 'a connection to the database broke');
  });
  // The same for one that breaks between two questions of a transaction, whose next question then fails.
  pool.on('connect', (client) => client.on('error', () => {}));
  return {
    connection,
    async asTenant(tenant, work) {
      if (!TENANT.test(tenant))
        throw new InvalidDataError(`"${tenant}" is no tenant.`, 'Tenants are ids such as default.');
      return transaction(pool, key, tenant, work);
    },
    asSystem: (work) => transaction(pool, key, BOX, work),
    async ping() {
      await transaction(pool, key, BOX, (sql) => sql('select 1'));
    },
    close() {
      // Whoever still asks is given a moment; an answer that takes longer must not hold up the closing box.
      closing ??= Promise.race([pool.end(), sleep(CLOSE_MS, undefined, { ref: false })]).then(() => onClose?.());
      return closing;
    },
  };
}

async function transaction<T>(
  pool: pg.Pool,
  key: Uint8Array | null,
  tenant: string,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  let client: pg.PoolClient | undefined;
  let broken: Error | undefined;
  try {
    client = await pool.connect();
    const held = client;
    const sql: Sql = async (text, values = []) => (await held.query(oneStatement(text, values))).rows;
    await held.query(inTime(CLEAN));
    // As parameters: other connections of the role can read the text of a statement, not what it was given.
    await sql(BIND, [tenant, key ? tenantSeal(key, pidOf(held), tenant) : '']);
    const result = await work(sql);
    await held.query('commit');
    return result;
  } catch (error) {
    const asked = isFrozen(error) ? Promise.reject(error) : client?.query(inTime('rollback'));
    // A connection on which not even a rollback works is thrown away.
    await asked?.catch((failure: Error) => {
      broken = failure;
    });
    throw asUnavailable(error);
  } finally {
    client?.release(broken);
  }
}

function isFrozen(error: unknown): boolean {
  return error instanceof Error && error.message === 'Query read timeout';
}

/** Waited for no longer than it takes a server that lives; @types/pg leaves the limit out. */
function inTime(text: string): pg.QueryConfig {
  const query: pg.QueryConfig & { query_timeout: number } = { text, query_timeout: FROZEN_MS };
  return query;
}

/** `queryMode` is what @types/pg leaves out. */
function oneStatement(text: string, values: readonly unknown[]): pg.QueryConfig {
  const query: pg.QueryConfig & { queryMode: 'extended' } = { text, values: [...values], queryMode: 'extended' };
  return query;
}

/** Of the server's process behind the connection; @types/pg leaves it out. */
function pidOf(client: pg.PoolClient): number {
  return (client as unknown as { processID: number }).processID;
}
