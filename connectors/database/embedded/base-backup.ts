/**
 * A physical copy of the running server and of its write-ahead log, as the Postgres manual describes under "Making a
 * Base Backup Using the Low Level API" (25.3.4) and "Continuous Archiving". A replication slot keeps the log that was
 * not copied yet; no archive command, so that only the box itself must reach the backup folder.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type pg from 'pg';
import { LogGapError, UnavailableError } from '../../../engine/errors.ts';
import type { BackupSink, TableFacts } from '../../../engine/ports.ts';
import type { Connection } from '../postgres/connection.ts';
import { asOwner } from '../postgres/migrate.ts';
import { quietTables, tableFacts } from '../postgres/table-facts.ts';

/** The superuser's connection and the folder of the server. */
export type ClusterSource = { connection: Connection; data_dir: string };
export type ClusterCopy = {
  system_id: string;
  server: string;
  timeline: number;
  segment_bytes: number;
  /** Names of the migrations in it. */
  migrations: string[];
  /** Name of the point in the log at which the tables held what `tables` says. */
  restore_point: string;
  wal: { first: string; last: string };
  tables: TableFacts;
};
export type WalCopy = { restore_point: string; last: string };

export const SLOT = 'luna_backup';
const compress = promisify(gzip);
/** Contents that the manual says to leave out; the folders themselves are made again at the restore. */
const EMPTY = /^(pg_wal|pg_replslot|pg_dynshmem|pg_notify|pg_serial|pg_snapshots|pg_stat_tmp|pg_subtrans)\//;
const LEFT_OUT =
  /(^|\/)(postmaster\.(pid|opts)|\.s\.PGSQL[^/]*|pg_internal\.init|pgsql_tmp[^/]*|backup_label(\.old)?)(\/|$)/;

/** Copies the server's files to `base/…` and the log that makes them consistent to `wal/…` of `sink`. */
export function copyCluster(source: ClusterSource, sink: BackupSink, id: string): Promise<ClusterCopy> {
  return asOwner(source.connection, async (client) => {
    await keepSlot(client);
    const { rows: started } = await client.query<{ lsn: string }>('select pg_backup_start($1, true) as lsn', [id]);
    await copyFiles(source.data_dir, sink);
    const { rows: stopped } = await client.query<{ labelfile: string }>(
      'select labelfile from pg_backup_stop(wait_for_archive => false)',
    );
    await sink.write('base/backup_label', Buffer.from(stopped[0]!.labelfile));
    const restore_point = `luna-${id}`;
    const tables = await quietTables(source.connection, client, async (frozen) => {
      await client.query('select pg_create_restore_point($1)', [restore_point]);
      return frozen;
    }).then((frozen) => frozen.read(tableFacts));
    const server = await describe(client);
    const first = segmentOf(started[0]!.lsn, server);
    const last = await copyWal(client, source.data_dir, sink, server, first);
    if (last === null) throw new UnavailableError('Postgres gave no log of the backup.', 'Try again.');
    return { ...server, restore_point, wal: { first: nameOf(first, server), last }, tables };
  });
}

/**
 * Copies the log that was written since the segment `after`, ending with a restore point of its own.
 * @throws UnavailableError when the server no longer has that log: a new base backup is needed.
 */
export function copyLog(source: ClusterSource, sink: BackupSink, after: string, id: string): Promise<WalCopy> {
  return asOwner(source.connection, async (client) => {
    const server = await describe(client);
    if (timelineOf(after) !== server.timeline) throw brokenLog('the database was restored since');
    const restore_point = `luna-${id}`;
    await client.query('select pg_create_restore_point($1)', [restore_point]);
    const last = await copyWal(client, source.data_dir, sink, server, numberOf(after, server) + 1n);
    return { restore_point, last: last ?? after };
  });
}

/** Lets the server remove the log up to and including the segment `name`. */
export function releaseLog({ connection }: ClusterSource, name: string): Promise<void> {
  return asOwner(connection, async (client) => {
    const server = await describe(client);
    const end = (numberOf(name, server) + 1n) * BigInt(server.segment_bytes);
    const lsn = `${(end >> 32n).toString(16)}/${(end & 0xffffffffn).toString(16)}`;
    await client.query('select pg_replication_slot_advance($1, least($2::pg_lsn, pg_current_wal_flush_lsn()))', [
      SLOT,
      lsn,
    ]);
  });
}

/** No backups are made: the server need not keep anything for them. */
export function dropSlot({ connection }: ClusterSource): Promise<void> {
  return asOwner(connection, async (client) => {
    await client.query('select pg_drop_replication_slot(slot_name) from pg_replication_slots where slot_name = $1', [
      SLOT,
    ]);
  });
}

async function keepSlot(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ wal_status: string | null }>(
    'select wal_status from pg_replication_slots where slot_name = $1',
    [SLOT],
  );
  if (rows[0] && rows[0].wal_status !== 'lost') return;
  if (rows[0]) await client.query('select pg_drop_replication_slot($1)', [SLOT]);
  await client.query('select pg_create_physical_replication_slot($1, true)', [SLOT]);
}

/** A file that goes meanwhile is no longer needed; one that changes is mended by the log. */
async function copyFiles(data_dir: string, sink: BackupSink): Promise<void> {
  for (const entry of await readdir(data_dir, { recursive: true, withFileTypes: true })) {
    const from = join(entry.parentPath, entry.name);
    const path = from.slice(data_dir.length + 1);
    if (!entry.isFile() || EMPTY.test(path) || LEFT_OUT.test(path)) continue;
    await sink.copy(`base/${path}`, from).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

/** Ends the running segment and copies every whole one from number `from` on. @returns the last one's name */
async function copyWal(
  client: pg.Client,
  data_dir: string,
  sink: BackupSink,
  server: Server,
  from: bigint,
): Promise<string | null> {
  await client.query('select pg_switch_wal()');
  const { rows } = await client.query<{ lsn: string }>('select pg_current_wal_flush_lsn() as lsn');
  const end = segmentOf(rows[0]!.lsn, server);
  let last: string | null = null;
  for (let segment = from; segment < end; segment++) {
    last = nameOf(segment, server);
    const bytes = await readFile(join(data_dir, 'pg_wal', last)).catch((cause: NodeJS.ErrnoException) => {
      throw cause.code === 'ENOENT' ? brokenLog('the server removed a part that was not copied') : cause;
    });
    await sink.write(`wal/${last}.gz`, await compress(bytes, { level: 1 }));
  }
  return last;
}

type Server = Pick<ClusterCopy, 'system_id' | 'server' | 'timeline' | 'segment_bytes' | 'migrations'>;

async function describe(client: pg.Client): Promise<Server> {
  const { rows } = await client.query<Omit<Server, 'migrations'>>(
    `select (select system_identifier::text from pg_control_system()) as system_id,
       current_setting('server_version') as server,
       (select timeline_id from pg_control_checkpoint()) as timeline,
       (select setting::int from pg_settings where name = 'wal_segment_size') as segment_bytes`,
  );
  const { rows: migrations } = await client.query<{ name: string }>('select name from luna.migration order by name');
  return { ...rows[0]!, migrations: migrations.map(({ name }) => name) };
}

function brokenLog(why: string): LogGapError {
  return new LogGapError(
    `The copy of the database's log cannot be continued: ${why}.`,
    'A new backup is made now; nothing needs to be done.',
  );
}

/** `16/B374D848` names a byte; its segment's number. */
function segmentOf(lsn: string, { segment_bytes }: Server): bigint {
  const [high = '0', low = '0'] = lsn.split('/');
  return ((BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)) / BigInt(segment_bytes);
}

/** File names hold timeline, number / segments per 4 GiB, and the rest, in 8 hex digits each. */
function nameOf(segment: bigint, { timeline, segment_bytes }: Server): string {
  const per = 0x1_0000_0000n / BigInt(segment_bytes);
  const hex = (value: bigint) => value.toString(16).toUpperCase().padStart(8, '0');
  return hex(BigInt(timeline)) + hex(segment / per) + hex(segment % per);
}

function numberOf(name: string, { segment_bytes }: Pick<Server, 'segment_bytes'>): bigint {
  const per = 0x1_0000_0000n / BigInt(segment_bytes);
  return BigInt(`0x${name.slice(8, 16)}`) * per + BigInt(`0x${name.slice(16)}`);
}

function timelineOf(name: string): number {
  return Number.parseInt(name.slice(0, 8), 16);
}

/** Whether the names are one unbroken run that begins right after `after`. */
export function isUnbroken(names: readonly string[], after: string, segment_bytes: number): boolean {
  let last = numberOf(after, { segment_bytes });
  for (const name of names) {
    const number = numberOf(name, { segment_bytes });
    if (number !== last + 1n || timelineOf(name) !== timelineOf(after)) return false;
    last = number;
  }
  return true;
}

/** Names from `first` to `last`, both included. */
export function segmentsBetween(first: string, last: string, segment_bytes: number): string[] {
  const server = { timeline: timelineOf(first), segment_bytes } as Server;
  const names = [];
  for (let n = numberOf(first, server); n <= numberOf(last, server); n++) names.push(nameOf(n, server));
  return names;
}
