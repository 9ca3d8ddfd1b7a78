/**
 * Brings a copied server back: to the point at which its tables were counted, to compare them, and from there to the
 * last point that was copied (Postgres manual, "Recovering Using a Continuous Archive Backup").
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { InvalidDataError } from '../../../engine/errors.ts';
import type { Sql, TableFacts } from '../../../engine/ports.ts';
import type { Connection } from '../postgres/connection.ts';
import { asOwner, sqlOf } from '../postgres/migrate.ts';
import { tableFacts } from '../postgres/table-facts.ts';
import { postgresAccount } from './account.ts';
import { findBinaries } from './binaries.ts';
import { openSocketDir, PORT, SUPERUSER, startCluster } from './cluster.ts';

/** Folders whose contents no backup holds; the server needs them to be there. */
const FOLDERS = [
  ...['pg_wal', 'pg_wal/archive_status', 'pg_replslot', 'pg_dynshmem', 'pg_notify', 'pg_serial', 'pg_snapshots'],
  ...['pg_stat', 'pg_stat_tmp', 'pg_subtrans', 'pg_tblspc', 'pg_twophase', 'pg_commit_ts', 'pg_logical'],
  ...['pg_logical/snapshots', 'pg_logical/mappings', 'pg_xact', 'pg_multixact/members', 'pg_multixact/offsets'],
];
/** Playing back a day's log takes seconds to minutes. */
const DEADLINE_MS = 30 * 60_000;
const ASK_MS = 50;
/** The log lies in pg_wal already: there is no archive to ask. */
const RECOVERY = {
  restore_command: 'false',
  recovery_target_timeline: 'current',
  // The copied files reach the disk before the log is played: in one go, not 1,400.
  ...(process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}),
};

export type Recovery = {
  /** Holds the files of `base/` and, in pg_wal, the unpacked segments. */
  data_dir: string;
  /** Where the tables were counted. */
  counted_at: string;
  /** Where to end. */
  end_at: string;
};

/**
 * @param look called with the finished database's superuser connection
 * @param counted called at the point where the tables are counted, as long as only reading is possible
 * @returns what the tables held at `counted_at`. @throws InvalidDataError when the log does not reach a point.
 */
export async function recoverCluster(
  { data_dir, counted_at, end_at }: Recovery,
  look: (connection: Connection) => Promise<void> = async () => {},
  counted: (sql: Sql) => Promise<void> = async () => {},
): Promise<TableFacts> {
  const account = await postgresAccount(data_dir);
  const place = { dataDir: data_dir, account, binaries: await findBinaries(account) };
  for (const folder of FOLDERS) await mkdir(join(data_dir, folder), { recursive: true, mode: 0o700 });
  await writeFile(join(data_dir, 'recovery.signal'), '');
  const socket = await openSocketDir(data_dir);
  const connection: Connection = { host: socket.path, port: PORT, user: SUPERUSER, database: 'luna' };
  try {
    const facts = await standingAt(counted_at, () => asOwner(connection, (client) => paused(client, counted)));
    await running({ ...target(end_at), recovery_target_action: 'promote' }, () => look(connection));
    return facts;
  } finally {
    await socket.remove();
    await rm(join(data_dir, 'recovery.signal'), { force: true });
  }

  async function standingAt<T>(point: string, work: () => Promise<T>): Promise<T> {
    return running({ ...target(point), recovery_target_action: 'pause', hot_standby: 'on' }, work);
  }
  async function running<T>(settings: Record<string, string>, work: () => Promise<T>): Promise<T> {
    const cluster = await startCluster(place, { ...RECOVERY, hot_standby: 'off', ...settings }, DEADLINE_MS).catch(
      (cause: Error) => {
        throw new InvalidDataError(
          `The database could not be brought back: ${cause.message}`,
          'Restore an older backup, or this one with --no-log.',
        );
      },
    );
    try {
      return await work();
    } finally {
      await cluster.stop();
    }
  }
}

const target = (point: string) => ({ recovery_target_name: point });

/** Readers are let in before the point is reached. */
async function paused(client: pg.Client, counted: (sql: Sql) => Promise<void>): Promise<TableFacts> {
  const until_ms = Date.now() + DEADLINE_MS;
  while (Date.now() < until_ms) {
    const { rows } = await client.query<{ state: string }>('select pg_get_wal_replay_pause_state() as state');
    if (rows[0]?.state === 'paused') {
      await counted(sqlOf(client));
      return tableFacts(client);
    }
    await sleep(ASK_MS);
  }
  throw new InvalidDataError('The database did not reach the point of its backup in time.', 'Restore an older backup.');
}
