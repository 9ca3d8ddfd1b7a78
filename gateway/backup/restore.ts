/** Brings a backup into a clean home, counts what is there then, and only then lets the box have it. */
import { chmod, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { recoverCluster } from '../../connectors/database/embedded/recover.ts';
import { seriesFacts } from '../../connectors/series/duckdb/snapshot.ts';
import { ConfigError, InvalidDataError } from '../../engine/errors.ts';
import type { TableFacts } from '../../engine/ports.ts';
import { lockHome } from '../home-lock.ts';
import { type AuditLook, lookAtAudit } from './audit-look.ts';
import { type CheckedBackup, type CheckOptions, checkBackup } from './check.ts';
import { unavailable } from './faults.ts';
import { findBackup, logOf } from './folder.ts';
import { placeHeld } from './held.ts';
import { PLAIN, SERIES_FILE } from './make.ts';
import { pathFault } from './manifest.ts';
import { lastRepair, layRepairsAgain } from './repairs-again.ts';
import { freeBytes } from './room.ts';
import { copyFile, diskError, type Entry, settle, syncFolder } from './sink.ts';

const unpack = promisify(gunzip);
/** While this folder is in a home, no box starts there. */
export const UNFINISHED = '.restoring';
/** Files copied at the same time. */
const AT_ONCE = 8;
const KEY_PATH = /^((tls|keys)\/)?[A-Za-z0-9][A-Za-z0-9._-]*$/;

export type RestoreOptions = CheckOptions & {
  /** A backup, or a folder of backups: then the newest. */
  from: string;
  home: string;
  /** Moves what is in the home aside instead of refusing. */
  force_aside?: boolean;
  progress?: (line: string) => void;
};
export type RestoreReport = {
  backup: string;
  made_ms: number;
  /** The newest instant that is restored. */
  until_ms: number;
  /** Tables compared by rows and digest, and the rows in them. */
  tables: number;
  rows: number;
  journal_records: number;
  /** Entries of the audit chain that were followed; null where there is none. */
  audit_entries: number | null;
  files: number;
  took_ms: number;
  aside: string | null;
  /** What is not there again, in sentences. */
  notes: string[];
};

/** @throws InvalidDataError for a backup that is not whole or not what it says, ConfigError for a home that is in use. */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReport> {
  const begun = Date.now();
  const { home, progress = () => {} } = options;
  const given = await findBackup(options.from, options);
  await refuseUsed(home, options.force_aside === true);
  progress(`checking ${given}`);
  const first = await checkBackup(given, options);
  await requireRestoreRoom(first, home);
  const { dir, aside } = await clearHome(given, home);
  if (aside) progress(`what was in the home lies in ${aside}`);
  const backup = { ...first, dir };
  const unlock = lockHome(home);
  const draft = join(home, UNFINISHED);
  try {
    await mkdir(draft, { mode: 0o700 });
    const filled = await fill(backup, draft, options);
    await settle(draft);
    await moveIn(draft, home);
    return {
      ...{ backup: dir, made_ms: backup.manifest.made_ms, aside, notes: notesOf(backup, filled) },
      until_ms: backup.rounds.at(-1)?.at_ms ?? backup.manifest.made_ms,
      tables: Object.keys(filled.compared).length,
      rows: Object.values(filled.compared).reduce((sum, { rows }) => sum + rows, 0),
      journal_records: recordsOf(backup),
      audit_entries: filled.audit?.entries ?? null,
      files: backup.manifest.files,
      took_ms: Date.now() - begun,
    };
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    const told = diskError(error as Error, home, 'home_full');
    if (aside && !(await putBack(aside, home))) told.message += ` What was in the home lies in ${aside}.`;
    throw told;
  } finally {
    unlock();
  }
}

/** @throws ConfigError when a restore into the home did not end. Called before a box starts. */
export async function refuseUnfinished(home: string): Promise<void> {
  if (await stat(join(home, UNFINISHED)).catch(() => null))
    throw new ConfigError(
      `A restore into ${home} did not end.`,
      `Empty the folder (keep its backups/), and restore again; or give --force-aside.`,
    );
}

/** What may lie in a home that counts as empty. */
const HARMLESS = new Set(['backups', 'luna.lock', 'luna.sock', 'luna.lock-journal']);

/** Before the backup is read, which takes minutes. @throws ConfigError for a home that is not empty */
async function refuseUsed(home: string, force_aside: boolean): Promise<void> {
  const there = await heldIn(home);
  if (there.length === 0 || force_aside) return;
  throw new ConfigError(
    `${home} is not empty (${there.slice(0, 3).join(', ')}${there.length > 3 ? ', …' : ''}).`,
    'Give an empty LUNA_HOME, or --force-aside to move what is there aside.',
  );
}

const heldIn = async (home: string): Promise<string[]> =>
  (await readdir(home).catch(() => [])).filter((name) => !HARMLESS.has(name));

/** Compressed records of the journal take so much more room. */
const PACKED = 5;

/** @throws UnavailableError when what the backup holds does not fit */
async function requireRestoreRoom({ manifest, log_entries }: CheckedBackup, home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  const segment_bytes = manifest.database?.segment_bytes ?? 0;
  const sizes = [...manifest.entries, ...log_entries].map(({ path, bytes }) =>
    /(^|\/)wal\//.test(path) ? segment_bytes : path.endsWith('.gz') ? PACKED * bytes : bytes,
  );
  const needed = sizes.reduce((sum, bytes) => sum + bytes, 0);
  const free = await freeBytes(home);
  if (free < needed)
    throw unavailable(
      'home_full',
      `The backup does not fit into ${home}: ${Math.ceil(needed / 1e6)} MB are needed, ${Math.ceil(free / 1e6)} MB are free.`,
      'Free space on its disk, or restore to another one.',
    );
}

async function clearHome(given: string, home: string): Promise<{ dir: string; aside: string | null }> {
  const there = await heldIn(home);
  if (there.length === 0) return { dir: given, aside: null };
  const unlock = lockHome(home);
  const aside = join(
    dirname(resolve(home)),
    `${basename(resolve(home))}.aside-${new Date().toISOString().replace(/[:.]/g, '-')}`,
  );
  try {
    await mkdir(aside, { mode: 0o700 });
    // The backups stay where they are: one of them is being restored.
    for (const name of there) await rename(join(home, name), join(aside, name));
  } finally {
    unlock();
  }
  const moved = relative(resolve(home), given);
  const inside = !moved.startsWith('..') && there.includes(moved.split('/')[0] ?? '');
  return { dir: inside ? join(aside, moved) : given, aside };
}

/** Nothing was restored: the home is as it was. @returns false where that cannot be done */
async function putBack(aside: string, home: string): Promise<boolean> {
  try {
    if ((await heldIn(home)).length > 0) return false;
    for (const name of await readdir(aside)) await rename(join(aside, name), join(home, name));
    await rmdir(aside);
    return true;
  } catch {
    return false;
  }
}

type Filled = { compared: TableFacts; audit: AuditLook | null; waiting: number };

/** Everything into the draft, compared with what the backup says. @returns what was compared */
async function fill(backup: CheckedBackup, draft: string, options: RestoreOptions): Promise<Filled> {
  const { manifest, dir } = backup;
  const { progress = () => {} } = options;
  const compared: TableFacts = {};
  let audit: AuditLook | null = null;
  progress('copying');
  const left = [...manifest.entries];
  const copying = async () => {
    for (let entry = left.pop(); entry; entry = left.pop()) {
      const to = targetOf(entry.path);
      if (to) await copyEntry(dir, entry, join(draft, to));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, copying));
  await unpackAll(dir, manifest.entries, draft);
  await unpackAll(logOf(dir), backup.log_entries, draft);
  await placeFiles(backup, draft);
  await placeJournal(backup, draft);
  const waiting = await placeHeld(backup, draft);
  await placeKeys(backup, draft);
  if (manifest.series) {
    progress('counting the series store');
    const facts = await seriesFacts(join(draft, 'series.duckdb'));
    compare('series store', manifest.series.tables, facts.tables, facts.version === manifest.series.version);
    Object.assign(compared, facts.tables);
  }
  if (manifest.database) {
    progress('bringing the database back');
    let last_repair: number | null = null;
    const counted_at = manifest.database.restore_point;
    const end_at = backup.rounds.at(-1)?.restore_point ?? counted_at;
    const facts = await recoverCluster(
      { data_dir: join(draft, 'postgres'), counted_at, end_at },
      async (connection) => {
        progress('following the audit log');
        audit = await lookAtAudit(connection, draft, backup.keys !== null);
        if (manifest.series) await layRepairsAgain(connection, manifest.made_ms, last_repair);
      },
      async (sql) => {
        last_repair = await lastRepair(sql);
      },
    );
    compare('database', manifest.database.tables, facts, true);
    Object.assign(compared, facts);
  }
  return { compared, audit, waiting };
}

/** Uploaded files as of the last round: what was removed since the backup does not come back. */
async function placeFiles({ dir, rounds, log_entries }: CheckedBackup, draft: string): Promise<void> {
  let from = 0;
  for (const { entries, gone = [] } of rounds) {
    for (const entry of log_entries.slice(from, entries).filter(({ path }) => /^r\d+\/files\//.test(path))) {
      const to = join(draft, entry.path.replace(/^r\d+\//, ''));
      await rm(to, { force: true });
      await copyEntry(logOf(dir), entry, to);
    }
    for (const path of gone)
      if (pathFault(path) === null && path.startsWith('files/')) await rm(join(draft, path), { force: true });
    from = entries;
  }
}

/** Where a file of a backup goes in a home; null for what is unpacked otherwise. */
function targetOf(path: string): string | null {
  if (path.startsWith('base/')) return `postgres/${path.slice('base/'.length)}`;
  if (path === SERIES_FILE) return 'series.duckdb';
  if (path.startsWith('files/')) return path;
  const name = path.replace(/^config\//, '');
  if (name === 'luna.yaml' || PLAIN.includes(name)) return name;
  return null;
}

/** The copy is hashed on its way, should the backup change under us. */
async function copyEntry(dir: string, { path, bytes, sha256 }: Entry, to: string): Promise<void> {
  const copied = await copyFile(join(dir, path), to);
  if (copied.bytes !== bytes || copied.sha256 !== sha256)
    throw new InvalidDataError(`${path} changed while it was restored.`, 'Is somebody writing into the backup?');
}

async function unpackAll(dir: string, entries: readonly Entry[], draft: string): Promise<void> {
  for (const { path } of entries) {
    const wal = /(?:^|\/)wal\/([0-9A-F]{24})\.gz$/.exec(path)?.[1];
    const journal = /(?:^|\/)journal\/(\d{16}\.journal)\.gz$/.exec(path)?.[1];
    const to = wal ? `postgres/pg_wal/${wal}` : journal ? `journal/${journal}` : null;
    if (!to) continue;
    await mkdir(dirname(join(draft, to)), { recursive: true, mode: 0o700 });
    await writeFile(join(draft, to), await unpack(await readFile(join(dir, path))), { mode: 0o600, flush: true });
  }
}

/** Numbers that were given out are not given out again, though their segments are gone. */
async function placeJournal({ manifest, rounds }: CheckedBackup, draft: string): Promise<void> {
  await mkdir(join(draft, 'journal'), { recursive: true, mode: 0o700 });
  const last = rounds.at(-1)?.journal_seq ?? manifest.journal.last_seq;
  const numbers = { released_seq: manifest.journal.after_seq, next_seq: last + 1 };
  await writeFile(join(draft, 'journal/released.json'), JSON.stringify(numbers), { mode: 0o600 });
}

async function placeKeys({ keys }: CheckedBackup, draft: string): Promise<void> {
  for (const [name, bytes] of Object.entries(keys ?? {})) {
    if (!KEY_PATH.test(name)) throw new InvalidDataError(`The bundle of keys names ${JSON.stringify(name)}.`);
    await mkdir(dirname(join(draft, name)), { recursive: true, mode: 0o700 });
    await writeFile(join(draft, name), bytes, { mode: 0o600, flush: true });
    await chmod(join(draft, name), 0o600);
  }
}

/** @throws InvalidDataError that names the tables. Digests only where `exact`: another version may count otherwise. */
function compare(store: string, stated: TableFacts, found: TableFacts, exact: boolean): void {
  const wrong = [...new Set([...Object.keys(stated), ...Object.keys(found)])].filter((table) => {
    const [a, b] = [stated[table], found[table]];
    return !a || !b || a.rows !== b.rows || (exact && a.hash !== b.hash);
  });
  if (wrong.length === 0) return;
  const said = wrong.map(
    (table) => `${table} (${found[table]?.rows ?? 'no'} rows, ${stated[table]?.rows ?? 'no'} stated)`,
  );
  throw new InvalidDataError(
    `The restored ${store} does not hold what the backup says: ${said.join(', ')}.`,
    'Nothing was put into the home. Take another backup.',
  );
}

/** The marker folder goes last: a kill in between leaves a home in which no box starts. */
async function moveIn(draft: string, home: string): Promise<void> {
  for (const name of await readdir(draft)) await rename(join(draft, name), join(home, name));
  await syncFolder(home);
  await rm(draft, { recursive: true });
  await syncFolder(home);
}

function recordsOf({ manifest, log_entries }: CheckedBackup): number {
  const own = log_entries.filter(({ path }) => /^r\d+\/journal\//.test(path));
  return own.reduce((sum, { records }) => sum + records, manifest.journal.records);
}

function notesOf({ manifest, keys, rounds }: CheckedBackup, { audit, waiting }: Filled): string[] {
  const notes: string[] = [];
  if (!keys)
    notes.push(
      (manifest.keys === null
        ? 'The backup was made without a passphrase, so it holds no keys'
        : 'No passphrase was given, so the keys stayed sealed') +
        ': stored passwords (mail, devices, time codes) must be entered again, everybody signs in anew (with a recovery code where there is a second factor, or after ./luna user reset-second-factor), tokens of luna.yaml are missing, and the signatures of the audit log cannot be checked: ./luna audit accept-key, once the box runs.',
    );
  if (audit && audit.other_keys.length > 0)
    notes.push(
      `The audit log of ${audit.other_keys.join(', ')} is complete and unchanged, but in part signed with another key, which nobody has accepted: ./luna audit accept-key.`,
    );
  if (!manifest.database)
    notes.push('The database is not in the backup: it is a Postgres of your own, restore it as its operator does.');
  if (!manifest.series)
    notes.push('The series store is not in the backup: it is a QuestDB of your own, restore it as its operator does.');
  if (manifest.left_out.length > 0)
    notes.push(
      `Too large to be keys, these files of the home were not in the backup: ${manifest.left_out.join(', ')}.`,
    );
  if (waiting > 0)
    notes.push(
      `${waiting} messages with readings wait for their time, for the clock was not trusted when they came: ./luna clock.`,
    );
  const until = new Date(rounds.at(-1)?.at_ms ?? manifest.made_ms).toISOString();
  notes.push(
    `Readings, documents and people that were erased after ${until} are there again, if there were any: erase them once more. What was erased before is erased at the first start.`,
  );
  if (rounds.length === 0) notes.push('Nothing that was copied after the backup was restored.');
  return notes;
}
