/** The Postgres that the box brings along: data in LUNA_HOME/postgres, reachable through a socket there and by no network. */
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { ConfigError } from '../../../engine/errors.ts';
import type { Connection } from '../postgres/connection.ts';
import { asOwner, type Migration, migrate, migrationState, readMigrations, sqlOf } from '../postgres/migrate.ts';
import { createPoolDatabase, type OpenedDatabase } from '../postgres/pool.ts';
import { refuseMightyRole } from '../postgres/roles.ts';
import { readTenantKey } from '../postgres/seal.ts';
import { postgresAccount } from './account.ts';
import type { ClusterSource } from './base-backup.ts';
import { findBinaries } from './binaries.ts';
import { initCluster, openSocketDir, PORT, SUPERUSER, startCluster } from './cluster.ts';

const DATABASE = 'luna';
const OWNER = 'luna_owner';
const APP = 'luna_app';
const BACKUPS_KEPT = 3;

/** `cluster` is for backups alone: row-level security does not bind its role. */
export type EmbeddedDatabase = OpenedDatabase & { readonly cluster: ClusterSource };
type ConnectionAs = (user: string, database?: string) => Connection;

export type EmbeddedOptions = {
  /** LUNA_HOME; whoever opens it holds its control socket. */
  home: string;
  log: Logger;
  migrations?: readonly Migration[];
  /** Server settings on top of ours (tests switch fsync off). */
  settings?: Record<string, string>;
  statement_timeout_ms?: number;
};

/**
 * Makes the database on the first start, ends what a killed box left running, migrates (with a copy of the data
 * before), and restarts the server should it die.
 * @throws ConfigError or UnavailableError with what to do.
 */
export async function openEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedDatabase> {
  const { home, log, migrations = readMigrations(), settings = {}, statement_timeout_ms } = options;
  const dataDir = join(home, 'postgres');
  const account = await postgresAccount(dataDir);
  const place = { dataDir, account, binaries: await findBinaries(account) };
  await initCluster(place);
  const socket = await openSocketDir(dataDir);
  const connectionAs: ConnectionAs = (user, database = DATABASE) => ({ host: socket.path, port: PORT, user, database });
  let cluster = await startCluster(place, settings);
  let closing = false;
  let key: Uint8Array | null = null;
  try {
    await ensureRoles(connectionAs(SUPERUSER, 'postgres'));
    const owner = connectionAs(OWNER);
    const { current, pending } = await asOwner(owner, (client) => migrationState(client, migrations));
    if (current !== null && pending.length > 0) {
      await cluster.stop();
      const copy = await backUp(home, dataDir, current);
      log.info({ copy }, 'database copied before its migration; to go back, put the copy in the place of postgres/');
      cluster = await startCluster(place, settings);
    }
    await migrate({ owner, appRole: APP, migrations, log });
    await asOwner(connectionAs(APP), (client) => refuseMightyRole(sqlOf(client)));
    key = await asOwner(owner, readTenantKey);
  } catch (error) {
    await cluster.stop();
    await socket.remove();
    throw error;
  }
  keepAlive();
  const database = createPoolDatabase({
    connection: connectionAs(APP),
    key,
    log,
    statement_timeout_ms,
    onClose: async () => {
      closing = true;
      await cluster.stop();
      await socket.remove();
    },
  });
  return { ...database, cluster: { connection: connectionAs(SUPERUSER), data_dir: dataDir } };

  /** The socket stays where it is, so that the pool finds the new server by itself. */
  function keepAlive(): void {
    cluster.ended.then(async (words) => {
      for (let wait_ms = 200; !closing; wait_ms = Math.min(2 * wait_ms, 30_000)) {
        log.error({ words }, 'the embedded Postgres ended; starting it again');
        await sleep(wait_ms);
        if (closing) return;
        try {
          const fresh = await startCluster(place, settings);
          if (closing) return await fresh.stop();
          cluster = fresh;
          return keepAlive();
        } catch (error) {
          log.error({ err: error }, 'the embedded Postgres does not start');
        }
      }
    });
  }
}

/** The superuser is used for this and nothing else. Safe to repeat after a kill in the middle. */
async function ensureRoles(superuser: Connection): Promise<void> {
  await asOwner(superuser, async (client) => {
    for (const role of [OWNER, APP]) {
      const { rowCount } = await client.query('select from pg_roles where rolname = $1', [role]);
      if (!rowCount) await client.query(`create role ${role} login nosuperuser nobypassrls nocreaterole nocreatedb`);
    }
    const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
    if (!rowCount) await client.query(`create database ${DATABASE} owner ${OWNER}`);
  });
}

/** A copy of the stopped server's files, whole or not at all; the oldest copies go. */
async function backUp(home: string, dataDir: string, current: string): Promise<string> {
  const backups = join(home, 'backups');
  const name = `postgres-${new Date().toISOString().replace(/[:.]/g, '-')}-${current.replace(/\.sql$/, '')}`;
  const draft = join(backups, `.${name}`);
  try {
    await mkdir(backups, { recursive: true, mode: 0o700 });
    await cp(dataDir, draft, { recursive: true, preserveTimestamps: true });
    await rename(draft, join(backups, name));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw new ConfigError(
      `The database could not be copied before its migration: ${(error as Error).message}`,
      `Make room on the disk of ${backups}; nothing was changed.`,
      { cause: error },
    );
  }
  const old = (await readdir(backups)).filter((entry) => entry.startsWith('postgres-')).sort();
  for (const entry of old.slice(0, -BACKUPS_KEPT)) await rm(join(backups, entry), { recursive: true, force: true });
  return join(backups, name);
}
