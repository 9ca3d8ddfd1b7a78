/**
 * The folder that holds backups: `<id>/` with its `manifest.json`, `<id>.log/` with what was copied since, and
 * `box.json`, which says whose they are (claim.ts). A draft begins with a dot until it is whole.
 */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { LogSchema, type Manifest, ManifestSchema, type Round, readSealed } from './manifest.ts';
import { syncFolder } from './sink.ts';

/** A counter, by which backups are ordered, and when it was begun by the clock of that time, which may have been wrong. */
const ID = /^(\d{6})_(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)-(\d{3})Z$/;
const DAY_MS = 86_400_000;
/** Backups that are kept whatever their age: the newest, and the one before it should that be found damaged. */
const ALWAYS_KEPT = 2;

export const isId = (name: string): boolean => ID.test(name);

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
  /** Files of the home that are not in it. */
  left_out: readonly string[];
};

/** @param number counts the backups of a folder; a clock that is set back does not turn their order around */
export const idOf = (number: number, at_ms: number): string =>
  `${String(number).padStart(6, '0')}_${new Date(at_ms).toISOString().replace(/[:.]/g, '-')}`;
/** The number of the next backup in a folder with these. */
export const nextNumber = (ids: readonly string[]): number =>
  Math.max(0, ...ids.map((id) => Number(ID.exec(id)?.[1] ?? 0))) + 1;
export const draftOf = (folder: string, id: string): string => join(folder, `.draft-${id}`);
export const logOf = (dir: string): string => join(dirname(resolve(dir)), `${basename(resolve(dir))}.log`);
export const MANIFEST = 'manifest.json';
export const STATE = 'state.json';

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

export function summaryOf({
  id,
  made_ms,
  took_ms,
  entries,
  keys,
  database,
  series,
  left_out,
}: Manifest): BackupSummary {
  const tables = [...Object.values(database?.tables ?? {}), ...Object.values(series?.tables ?? {})];
  return {
    ...{ id, made_ms, took_ms, left_out, keys: keys !== null, database: database !== null, series: series !== null },
    bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
  };
}

/** When the log of a backup was last continued, or null. */
export async function lastRound(dir: string): Promise<Round | null> {
  const log = await readSealed(join(logOf(dir), STATE), STATE, LogSchema, null).catch(() => null);
  return log?.rounds.at(-1) ?? null;
}

/** The newest instant that is wanted, and the present one: a later time was written by a wrong clock. */
export type Wanted = { until_ms?: number | null | undefined; now_ms?: number };

/**
 * The backup that somebody names: its folder, or of a folder of backups the newest that is not later than `until_ms`.
 * @throws NotFoundError when there is none, InvalidDataError when the one that is named is later
 */
export async function findBackup(path: string, { until_ms = null, now_ms = Date.now() }: Wanted = {}): Promise<string> {
  const dir = resolve(path);
  const manifest = await stat(join(dir, MANIFEST)).catch(() => null);
  if (manifest || (ID.test(basename(dir)) && (await stat(dir).catch(() => null)))) {
    if (until_ms !== null) await refuseLater(dir, until_ms, now_ms);
    return dir;
  }
  const ids = await listIds(dir);
  const times = believedTimes(ids.map(timeOf).reverse(), now_ms).reverse();
  const at = until_ms === null ? 0 : times.findIndex((at_ms) => at_ms <= until_ms);
  if (ids[at]) return join(dir, ids[at]);
  if (ids.length > 0)
    throw new NotFoundError(
      `No backup in ${dir} reaches back to ${iso(until_ms)}: the oldest is of ${iso(times.at(-1))}.`,
      'Ask for a later time.',
    );
  throw new NotFoundError(`There is no whole backup in ${dir}.`, 'Name the folder of backups, or one of them.');
}

async function refuseLater(dir: string, until_ms: number, now_ms: number): Promise<void> {
  const ids = (await listIds(dirname(dir))).reverse();
  const known = believedTimes(ids.map(timeOf), now_ms)[ids.indexOf(basename(dir))];
  const made_ms = known ?? (await readManifest(dir)).made_ms;
  if (made_ms > until_ms)
    throw new InvalidDataError(
      `The backup ${dir} is of ${iso(made_ms)}, later than ${iso(until_ms)}, which was asked for.`,
      'Name an older backup, or the folder that holds them all.',
    );
}

/**
 * The later of two clocks is believed: who wrote 2036 and then 2026 had a wrong clock before.
 * @param times_ms in the order in which they were written; none of the result is after a later one, or after `now_ms`
 */
export function believedTimes(times_ms: readonly number[], now_ms: number): number[] {
  let least = now_ms;
  return [...times_ms]
    .reverse()
    .map((at_ms) => {
      least = Math.min(least, at_ms);
      return least;
    })
    .reverse();
}

const iso = (at_ms: number | null | undefined): string => new Date(at_ms ?? 0).toISOString();

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
export function keptIds(ids: readonly string[], { daily, weekly }: Keep, now_ms: number): Set<string> {
  const sorted = [...ids].sort().reverse();
  const times = believedTimes(sorted.map(timeOf).reverse(), now_ms).reverse();
  const kept = new Set(sorted.slice(0, ALWAYS_KEPT));
  for (const [length_ms, most] of [
    [DAY_MS, daily],
    [7 * DAY_MS, weekly],
  ] as const) {
    const periods = new Map<number, string>();
    for (const [n, id] of sorted.entries()) {
      const period = Math.floor((times[n] ?? 0) / length_ms);
      if (!periods.has(period)) periods.set(period, id);
    }
    for (const id of [...periods.values()].slice(0, most)) kept.add(id);
  }
  return kept;
}

/** Removes what is no longer kept. A backup is renamed first, so that a half removed one is none. */
export async function dropOld(folder: string, keep: Keep, now_ms: number): Promise<string[]> {
  const ids = await listIds(folder);
  const kept = keptIds(ids, keep, now_ms);
  const gone = ids.filter((id) => !kept.has(id));
  for (const id of gone) {
    await rename(join(folder, id), join(folder, `.old-${id}`));
    await syncFolder(folder);
    await rm(join(folder, `.old-${id}`), { recursive: true, force: true });
    await rm(join(folder, `${id}.log`), { recursive: true, force: true });
  }
  return gone;
}

/** By the clock of that time. */
export function timeOf(id: string): number {
  return Date.parse(id.replace(ID, '$2T$3:$4:$5.$6Z'));
}
