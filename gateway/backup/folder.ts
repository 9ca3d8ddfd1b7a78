/**
 * The folder that holds backups: `<id>/` with its `manifest.json`, `<id>.log/` with what was copied since, and
 * `box.json`, which says whose they are. A draft begins with a dot until it is whole.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ConfigError, NotFoundError } from '../../engine/errors.ts';
import { LogSchema, type Manifest, ManifestSchema, type Round, readSealed } from './manifest.ts';
import { syncFolder } from './sink.ts';

const ID = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z$/;
const DAY_MS = 86_400_000;
/** Logs that are kept: the newest backup's, and the one before it should that be found damaged. */
const LOGS_KEPT = 2;

/** What is worth knowing of a backup without reading its files. */
export type BackupSummary = {
  id: string;
  made_ms: number;
  took_ms: number;
  bytes: number;
  keys: boolean;
  database: boolean;
  series: boolean;
  rows: number;
};

export const idOf = (at_ms: number): string => new Date(at_ms).toISOString().replace(/[:.]/g, '-');
export const draftOf = (folder: string, id: string): string => join(folder, `.draft-${id}`);
export const logOf = (dir: string): string => join(dirname(resolve(dir)), `${basename(resolve(dir))}.log`);
export const MANIFEST = 'manifest.json';
export const STATE = 'state.json';

/** Makes the folder and takes it for this box. @throws ConfigError when it belongs to another one. */
export async function claimFolder(folder: string, box: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: Error) => {
    throw new ConfigError(
      `The backup folder ${folder} cannot be made or reached: ${cause.message}`,
      'Is its disk there?',
    );
  });
  const file = join(folder, 'box.json');
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return writeFile(file, `${JSON.stringify({ box })}\n`, { mode: 0o600 });
  const owner = /"box":"([^"]*)"/.exec(text)?.[1];
  if (owner !== box)
    throw new ConfigError(
      `${folder} holds the backups of another box (${owner}).`,
      'Give this box a folder of its own.',
    );
}

/** Ids of whole backups, the newest first. */
export async function listIds(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const ids = entries.filter((entry) => entry.isDirectory() && ID.test(entry.name)).map(({ name }) => name);
  return ids.sort().reverse();
}

/** @throws InvalidDataError for a manifest that is damaged. */
export async function readManifest(dir: string, key: Buffer | null = null): Promise<Manifest> {
  return readSealed(join(dir, MANIFEST), MANIFEST, ManifestSchema, key);
}

export function summaryOf({ id, made_ms, took_ms, entries, keys, database, series }: Manifest): BackupSummary {
  const tables = [...Object.values(database?.tables ?? {}), ...Object.values(series?.tables ?? {})];
  return {
    ...{ id, made_ms, took_ms, keys: keys !== null, database: database !== null, series: series !== null },
    bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** When the log of a backup was last continued, or null. */
export async function lastRound(dir: string): Promise<Round | null> {
  const log = await readSealed(join(logOf(dir), STATE), STATE, LogSchema, null).catch(() => null);
  return log?.rounds.at(-1) ?? null;
}

/** The backup that somebody names: its folder, or the newest of a folder of backups. */
export async function findBackup(path: string): Promise<string> {
  const dir = resolve(path);
  if (await stat(join(dir, MANIFEST)).catch(() => null)) return dir;
  if (ID.test(basename(dir)) && (await stat(dir).catch(() => null))) return dir;
  const [newest] = await listIds(dir);
  if (newest) return join(dir, newest);
  throw new NotFoundError(`There is no whole backup in ${dir}.`, 'Name the folder of backups, or one of them.');
}

/** Removes drafts that a kill left, and logs without a backup. Only while no backup is being made. */
export async function clearLeftovers(folder: string): Promise<void> {
  const ids = new Set(await listIds(folder));
  for (const name of await readdir(folder)) {
    const orphan = name.endsWith('.log') && ID.test(name.slice(0, -4)) && !ids.has(name.slice(0, -4));
    if (orphan || name.startsWith('.draft-') || name.startsWith('.old-'))
      await rm(join(folder, name), { recursive: true, force: true });
  }
}

export type Keep = { daily: number; weekly: number };

/** Which ids stay: the newest of each of the last `daily` days and `weekly` weeks that have one, and the newest two. */
export function keptIds(ids: readonly string[], { daily, weekly }: Keep): Set<string> {
  const sorted = [...ids].sort().reverse();
  const kept = new Set(sorted.slice(0, LOGS_KEPT));
  for (const [length_ms, most] of [
    [DAY_MS, daily],
    [7 * DAY_MS, weekly],
  ] as const) {
    const periods = new Map<number, string>();
    for (const id of sorted) {
      const period = Math.floor(timeOf(id) / length_ms);
      if (!periods.has(period)) periods.set(period, id);
    }
    for (const id of [...periods.values()].slice(0, most)) kept.add(id);
  }
  return kept;
}

/** Removes what is no longer kept. A backup is renamed first, so that a half removed one is none. */
export async function dropOld(folder: string, keep: Keep): Promise<string[]> {
  const ids = await listIds(folder);
  const kept = keptIds(ids, keep);
  const gone = ids.filter((id) => !kept.has(id));
  for (const id of gone) {
    await rename(join(folder, id), join(folder, `.old-${id}`));
    await syncFolder(folder);
    await rm(join(folder, `.old-${id}`), { recursive: true, force: true });
    await rm(join(folder, `${id}.log`), { recursive: true, force: true });
  }
  return gone;
}

/** Ids whose logs are no longer kept. */
export const withoutLog = (ids: readonly string[]): string[] => [...ids].sort().reverse().slice(LOGS_KEPT);

function timeOf(id: string): number {
  return Date.parse(id.replace(/T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z/, 'T$1:$2:$3.$4Z'));
}
