/** Plain SQL files, applied in order by the owner role, each in one transaction with its entry in `migration`. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import type { Logger } from 'pino';
import { ConfigError } from '../../../engine/errors.ts';
import type { Sql } from '../../../engine/ports.ts';
import { asUnavailable, type Connection, clientConfig, SCHEMA } from './connection.ts';
import { grantToApp } from './grants.ts';

export type Migration = { name: string; sql: string; sha256: string };

export const MIGRATIONS = join(import.meta.dirname, '../migrations');
/** Any number, the same in every Luna: one migrates, the others wait. */
const LOCK = 730_912_551;
const MIGRATION_TIMEOUT_MS = 15 * 60_000;

export function readMigrations(folder = MIGRATIONS): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name), 'utf8');
      return { name, sql, sha256: createHash('sha256').update(sql).digest('hex') };
    });
}

export type MigrateOptions = {
  owner: Connection;
  appRole: string;
  migrations: readonly Migration[];
  log: Logger;
  /** Called with the open owner connection before migrations of a database that holds data. */
  backup?: (client: pg.Client, current: string) => Promise<void>;
};

/** What is applied and what is still to do. `current` is null for a database without our tables. */
export type MigrationState = { current: string | null; pending: readonly Migration[] };

/**
 * Applies what is pending, then gives the app role its rights.
 * @throws ConfigError when the database is newer than the program or an applied file was changed.
 */
export async function migrate(options: MigrateOptions): Promise<MigrationState> {
  const { owner, appRole, migrations, log, backup } = options;
  return asOwner(owner, async (client) => {
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    const state = await migrationState(client, migrations);
    if (state.pending.length > 0 && state.current !== null) await backup?.(client, state.current);
    for (const migration of state.pending) {
      await inTransaction(client, () => apply(client, migration));
      log.info({ migration: migration.name }, 'database migrated');
    }
    await inTransaction(client, () => grantToApp(client, appRole));
    return state;
  });
}

/** Runs `work` on one connection of the owner role, which it closes. */
export async function asOwner<T>(owner: Connection, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(clientConfig(owner, MIGRATION_TIMEOUT_MS));
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw asUnavailable(error);
  } finally {
    await client.end().catch(() => {});
  }
}

export function sqlOf(client: pg.Client): Sql {
  return async (text, parameters) => (await client.query(text, parameters ? [...parameters] : [])).rows;
}

/** @throws ConfigError, see migrate. */
export async function migrationState(client: pg.Client, migrations: readonly Migration[]): Promise<MigrationState> {
  const { rows: known } = await client.query(`select to_regclass('${SCHEMA}.migration') is not null as there`);
  if (!known[0]?.there) return { current: null, pending: migrations };
  const { rows } = await client.query<{ name: string; sha256: string }>(
    `select name, sha256 from ${SCHEMA}.migration order by name`,
  );
  for (const [i, { name, sha256 }] of rows.entries()) {
    const ours = migrations[i];
    if (!ours || ours.name !== name)
      throw new ConfigError(
        `The database was written by a newer Luna (migration ${name} is unknown to this one).`,
        'Install that version again, or restore the backup that was made before its migration.',
      );
    if (ours.sha256 !== sha256)
      throw new ConfigError(
        `Migration ${name} was changed after it had been applied.`,
        'Restore the file; write a new migration for a change.',
      );
  }
  return { current: rows.at(-1)?.name ?? null, pending: migrations.slice(rows.length) };
}

async function apply(client: pg.Client, { name, sql, sha256 }: Migration): Promise<void> {
  await client.query(`create schema if not exists ${SCHEMA}`);
  await client.query(
    `create table if not exists ${SCHEMA}.migration
      (name text primary key, sha256 text not null, applied_at timestamptz not null default now())`,
  );
  await client.query(sql);
  await client.query(`insert into ${SCHEMA}.migration (name, sha256) values ($1, $2)`, [name, sha256]);
}

export async function inTransaction<T>(client: pg.Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}
