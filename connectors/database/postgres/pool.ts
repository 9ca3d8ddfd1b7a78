/** The Database port over a pool of connections of the unprivileged role. */

import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Database, Sql } from '../../../engine/ports.ts';
import { asUnavailable, type Connection, clientConfig } from './connection.ts';

const STATEMENT_TIMEOUT_MS = 30_000;
const POOL_SIZE = 12;
const CLOSE_MS = 1500;
const TENANT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** A Database with the way to it, for the job queue, which keeps connections of its own. */
export type OpenedDatabase = Database & {
  readonly connection: Connection;
  /** Where the server's files are ours: for backups alone, since row-level security does not bind its role. */
  readonly cluster?: { connection: Connection; data_dir: string };
};

export type PoolOptions = {
  connection: Connection;
  log: Logger;
  /** Runs after the pool closed. */
  onClose?: () => Promise<void>;
  statement_timeout_ms?: number;
};

export function createPoolDatabase({ connection, log, onClose, statement_timeout_ms }: PoolOptions): OpenedDatabase {
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
      return transaction(pool, `begin; select set_config('luna.tenant', '${tenant}', true)`, work);
    },
    asSystem: (work) => transaction(pool, 'begin', work),
    async ping() {
      await transaction(pool, 'begin', (sql) => sql('select 1'));
    },
    close() {
      // Whoever still asks is given a moment; an answer that takes longer must not hold up the closing box.
      closing ??= Promise.race([pool.end(), sleep(CLOSE_MS, undefined, { ref: false })]).then(() => onClose?.());
      return closing;
    },
  };
}

async function transaction<T>(pool: pg.Pool, begin: string, work: (sql: Sql) => Promise<T>): Promise<T> {
  let client: pg.PoolClient | undefined;
  let broken: Error | undefined;
  try {
    client = await pool.connect();
    const held = client;
    await held.query(begin);
    const sql: Sql = async (text, parameters) => (await held.query(text, parameters ? [...parameters] : [])).rows;
    const result = await work(sql);
    await held.query('commit');
    return result;
  } catch (error) {
    // A connection on which not even a rollback works is thrown away.
    await client?.query('rollback').catch((failure: Error) => {
      broken = failure;
    });
    throw asUnavailable(error);
  } finally {
    client?.release(broken);
  }
}
