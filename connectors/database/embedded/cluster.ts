/** One Postgres server of ours: its data folder, its process, and the socket in that folder. No TCP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, lchown, mkdir, mkdtemp, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ConfigError, UnavailableError } from '../../../engine/errors.ts';
import { type Account, isReachable } from './account.ts';
import type { Binaries } from './binaries.ts';
import { endLeftover, endPostmaster } from './leftover.ts';

export const SUPERUSER = 'postgres';
export const PORT = 5432;
const START_DEADLINE_MS = 60_000;
/** sockaddr_un holds 107 bytes on Linux and 103 on macOS. */
const SOCKET_PATH_LIMIT = 100;
/** The server's own current folder is its data folder. This name reaches it even where a folder above is closed. */
const OWN_FOLDER = '/proc/self/cwd';

const SETTINGS: Record<string, string> = {
  listen_addresses: '',
  unix_socket_directories: '.',
  unix_socket_permissions: '0700',
  port: String(PORT),
  max_connections: '40',
  shared_buffers: '64MB',
  max_wal_size: '256MB',
  // What a physical backup needs; nobody may stream.
  wal_level: 'replica',
  max_wal_senders: '0',
  // The backup's slot keeps WAL that was not copied yet, but never fills the disk with it.
  max_slot_wal_keep_size: '1GB',
  max_parallel_workers_per_gather: '0',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

export type Place = { dataDir: string; account: Account; binaries: Binaries };
export type Cluster = {
  /** Resolves when the server ended, for whatever reason, with its last words. */
  ended: Promise<string>;
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop(): Promise<void>;
};

/** Makes the data folder unless it is there; a killed attempt leaves nothing that counts. */
export async function initCluster({ dataDir, account, binaries }: Place): Promise<void> {
  if (await stat(join(dataDir, 'PG_VERSION')).catch(() => null)) return;
  if ((await readdir(dataDir).catch(() => [])).length > 0)
    throw new ConfigError(
      `${dataDir} holds files but no database (PG_VERSION is missing).`,
      'Put a backup in its place, or move the folder away to start empty.',
    );
  const draft = `${dataDir}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  if (account) await chown(draft, account.uid, account.gid);
  const child = spawn(
    binaries.initdb,
    [
      ...['-D', dataDirArgument(draft, account), '-U', SUPERUSER, '--auth=trust', '--encoding=UTF8', '--locale=C'],
      ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ],
    { cwd: draft, env: environment(), ...account, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const words = lastWords(child);
  const [code] = await once(child, 'close');
  if (code !== 0)
    throw new ConfigError(
      `The database could not be created in ${dataDir}: ${words()}`,
      'Is there room on the disk, and may this user write there?',
    );
  await rename(draft, dataDir);
}

/** Starts the server on an existing data folder; ends a postmaster that a killed box left there first. */
export async function startCluster(
  place: Place,
  settings: Record<string, string> = {},
  deadline_ms = START_DEADLINE_MS,
): Promise<Cluster> {
  const { dataDir, account } = place;
  const marker = markerOf(dataDir);
  await endLeftover(dataDir, marker);
  // The mode protects the socket and the files: it is all the authentication there is.
  await chmod(dataDir, 0o700);
  if (account) await handOver(dataDir, account);
  if (account && process.platform !== 'linux' && !(await isReachable(dataDir, account)))
    throw new ConfigError(`The postgres account may not enter ${dataDir}.`, 'Start the box as a normal user.');
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(place, { ...SETTINGS, ...settings, cluster_name: marker }, deadline_ms);
    } catch (error) {
      // Processes of a killed server need a moment to notice that it is gone.
      if (attempt === 5 || !/shared memory block|lock file/.test((error as Error).message)) throw error;
      await sleep(300);
    }
  }
}

async function launch(
  { dataDir, account, binaries }: Place,
  settings: Record<string, string>,
  deadline_ms: number,
): Promise<Cluster> {
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  // Detached, so that Ctrl-C in a terminal reaches only the box, which then closes in order.
  const child = spawn(binaries.postgres, ['-D', dataDirArgument(dataDir, account), ...args], {
    cwd: dataDir,
    env: environment(),
    ...account,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const words = lastWords(child);
  const ended = once(child, 'close').then(words, words);
  await untilReady(child, words, deadline_ms);
  return {
    ended,
    async stop() {
      if (child.pid && child.exitCode === null && child.signalCode === null) await endPostmaster(child.pid);
      await ended;
    },
  };
}

/** A copy that root put in place (a backup) belongs to root. */
async function handOver(dataDir: string, { uid, gid }: NonNullable<Account>): Promise<void> {
  if ((await stat(dataDir)).uid === uid) return;
  for (const name of await readdir(dataDir, { recursive: true })) await lchown(join(dataDir, name), uid, gid);
  await chown(dataDir, uid, gid);
}

function untilReady(child: ChildProcess, words: () => string, deadline_ms: number): Promise<void> {
  return new Promise((done, fail) => {
    const refuse = (why: string) =>
      fail(new UnavailableError(`The embedded Postgres did not start (${why}): ${words()}`, 'The log says more.'));
    const timer = setTimeout(() => {
      child.kill('SIGQUIT');
      refuse(`not ready within ${deadline_ms / 1000} s`);
    }, deadline_ms);
    child.once('error', (error) => refuse(error.message));
    child.once('close', (code) => refuse(`it ended with ${code}`));
    child.once('close', () => clearTimeout(timer));
    child.stderr?.on('data', (chunk) => {
      // Read-only while a restore looks at a database that stands at a point in its past.
      if (!/ready to accept (read-only )?connections/.test(String(chunk))) return;
      clearTimeout(timer);
      done();
    });
  });
}

/** Keeps reading, so that the server never waits for us, and remembers the end. */
function lastWords(child: ChildProcess): () => string {
  let tail = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    tail = (tail + chunk).slice(-2000);
  });
  return () => tail.trim();
}

/**
 * What clients give as `host`: the data folder, in which the server puts its socket. A path that is too long for a
 * socket is reached through a short link in a private folder; it outlives restarts of the server.
 */
export async function openSocketDir(dataDir: string): Promise<{ path: string; remove(): Promise<void> }> {
  if (Buffer.byteLength(join(dataDir, `.s.PGSQL.${PORT}`)) < SOCKET_PATH_LIMIT)
    return { path: dataDir, remove: async () => {} };
  const folder = await mkdtemp(join(tmpdir(), 'luna-pg-'));
  await symlink(dataDir, join(folder, 'd'));
  return { path: join(folder, 'd'), remove: () => rm(folder, { recursive: true, force: true }) };
}

function dataDirArgument(dataDir: string, account: Account): string {
  return account && process.platform === 'linux' ? OWN_FOLDER : dataDir;
}

function markerOf(dataDir: string): string {
  return `luna-${createHash('sha256').update(dataDir).digest('hex').slice(0, 16)}`;
}

/** Messages in English, whatever the machine speaks: they are read by program. No PG… variable of the user's. */
function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' };
}
