/** Whether a backup is whole, unchanged and one that this Luna can restore. Nothing is written. */
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { isUnbroken, segmentsBetween } from '../../connectors/database/embedded/base-backup.ts';
import { readPiece } from '../../connectors/journal/copy.ts';
import { type Fault, InvalidDataError } from '../../engine/errors.ts';
import { believedTimes, isId, logOf, MANIFEST, readManifest, STATE } from './folder.ts';
import { type KeyFiles, keysOf, openKeys } from './keys.ts';
import { contextOf, SERIES_FILE } from './make.ts';
import { type Log, LogSchema, type Manifest, pathFault, type Round, readSealed } from './manifest.ts';
import { type Entry, hashFile } from './sink.ts';

const unpack = promisify(gunzip);
const FAULTS_NAMED = 20;
/** Files read at the same time. */
const AT_ONCE = 8;
const LOG_PATH =
  /^r[1-9]\d*\/(wal\/[0-9A-F]{24}\.gz|journal\/\d{16}\.journal\.gz|(files|clock-quarantine)(\/[A-Za-z0-9][A-Za-z0-9_.-]*)+)$/;

export type CheckOptions = {
  passphrase: string | null;
  /** Names of the migrations that this program knows. */
  migrations: readonly string[];
  /** Leaves out what was copied after the backup. */
  without_log?: boolean;
  /** Leaves out rounds after this instant. */
  until_ms?: number | null;
};
export type CheckedBackup = {
  dir: string;
  manifest: Manifest;
  /** The rounds that are restored too, and their files. */
  rounds: readonly Round[];
  log_entries: Log['entries'];
  keys: KeyFiles | null;
};

/** @throws InvalidDataError that names what is wrong, each file with its fault. */
export async function checkBackup(dir: string, options: CheckOptions): Promise<CheckedBackup> {
  const unkeyed = await readManifest(dir);
  refuseNewer(unkeyed, options.migrations);
  const entries = await checkFolder(dir, unkeyed.entries, { own: [MANIFEST], fault: pathFault });
  checkCompleteness(unkeyed, entries);
  refuseRenamed(dir, unkeyed.id);
  const opened = await openBundle(dir, unkeyed, options.passphrase);
  const manifest = opened ? await readManifest(dir, opened.mac) : unkeyed;
  await checkPieces(dir, manifest.entries, manifest.journal.after_seq);
  const log = options.without_log ? null : await checkLog(dir, manifest, opened?.mac ?? null);
  const rounds = untilOf(log?.rounds ?? [], options.until_ms ?? Number.POSITIVE_INFINITY);
  const log_entries = log?.entries.slice(0, rounds.at(-1)?.entries ?? 0) ?? [];
  return { dir, manifest, rounds, log_entries, keys: opened?.files ?? null };
}

/** Those up to an instant: always the first ones, for each needs those before it. */
function untilOf(rounds: readonly Round[], until_ms: number): readonly Round[] {
  const times = believedTimes(
    rounds.map(({ at_ms }) => at_ms),
    Date.now(),
  );
  return rounds.filter((_, n) => (times[n] ?? 0) <= until_ms);
}

function refuseNewer({ database, luna }: Manifest, known: readonly string[]): void {
  const foreign = (database?.migrations ?? []).filter((name) => !known.includes(name));
  if (foreign.length > 0)
    throw new InvalidDataError(
      `The backup was made by a newer Luna (${luna}; migration ${foreign[0]} is unknown to this one).`,
      'Install that version, or a later one, and restore with it.',
    );
}

/** The name says the order: an older backup must not pass for the newest. */
function refuseRenamed(dir: string, id: string): void {
  if (isId(basename(dir)) && basename(dir) !== id)
    throw new InvalidDataError(`The folder ${dir} holds the backup ${id}.`, 'Give it its name back.');
}

/** What stands in the manifest must be there, and nothing else; then every byte. */
async function checkFolder(
  dir: string,
  entries: readonly Entry[],
  rules: { own: readonly string[]; fault: (path: string) => string | null; ignored?: RegExp },
): Promise<ReadonlySet<string>> {
  const faults: Fault[] = [];
  const say = (where: string, problem: string) => faults.push({ where, problem });
  const listed = new Set<string>();
  for (const { path } of entries) {
    const fault = rules.fault(path);
    if (fault) say(path, fault);
    if (listed.has(path)) say(path, 'is listed twice');
    listed.add(path);
  }
  const found = await walk(dir, say, rules.ignored);
  for (const path of found)
    if (!listed.has(path) && !rules.own.includes(path)) say(path, 'does not belong to this backup');
  for (const path of listed) if (!found.has(path)) say(path, 'is missing');
  refuse(dir, faults);
  const left = [...entries];
  const hashing = async () => {
    for (let next = left.pop(); next && faults.length < FAULTS_NAMED; next = left.pop()) {
      const { path, bytes, sha256 } = next;
      const now = await hashFile(join(dir, path));
      if (now.bytes !== bytes) say(path, `has ${now.bytes} bytes instead of ${bytes}`);
      else if (now.sha256 !== sha256) say(path, 'was changed or is damaged (its checksum does not fit)');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, hashing));
  refuse(dir, faults);
  return listed;
}

/** Plain files below `dir`. Links and the like are faults: a backup has none. */
async function walk(
  dir: string,
  say: (where: string, problem: string) => void,
  ignored?: RegExp,
): Promise<Set<string>> {
  const found = new Set<string>();
  const entries = await readdir(dir, { recursive: true, withFileTypes: true }).catch((cause: Error) => {
    throw new InvalidDataError(`${dir} cannot be read: ${cause.message}`, 'Take another backup.');
  });
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name)
      .slice(dir.length + 1)
      .replaceAll('\\', '/');
    if (ignored?.test(path) || entry.isDirectory()) continue;
    if (entry.isFile()) found.add(path);
    else say(path, 'is a link or a special file, which no backup holds');
  }
  return found;
}

function refuse(dir: string, faults: readonly Fault[]): void {
  const [first] = faults;
  if (!first) return;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  throw new InvalidDataError(
    `The backup ${dir} is not whole: ${first.where} ${first.problem}${more}.`,
    'Nothing was restored. Take another backup.',
    faults.slice(0, FAULTS_NAMED),
  );
}

/** A manifest that fits its files but lacks some that a restore needs. */
function checkCompleteness({ database, series, keys, journal }: Manifest, paths: ReadonlySet<string>): void {
  const wal = database ? segmentsBetween(database.wal.first, database.wal.last, database.segment_bytes) : [];
  const needed = [
    'config/environment.json',
    ...(database ? ['base/PG_VERSION', 'base/global/pg_control', 'base/backup_label'] : []),
    ...wal.map((name) => `wal/${name}.gz`),
    ...(series ? [SERIES_FILE] : []),
    ...(keys ? ['keys/keys.sealed'] : []),
  ];
  const missing = needed.filter((path) => !paths.has(path)).map((where) => ({ where, problem: 'is missing' }));
  if (series && series.cursor !== journal.after_seq)
    missing.push({ where: SERIES_FILE, problem: 'does not join the copied journal' });
  refuse('', missing);
}

async function openBundle(dir: string, { keys, box, id }: Manifest, passphrase: string | null) {
  if (passphrase === null) return null;
  // Whoever can write into the folder can leave the keys out, and the seal of everything else with them.
  if (!keys)
    throw new InvalidDataError(
      'A passphrase was given, but the backup holds no keys: it was made without one, or its seal was removed.',
      'If it was made without one, restore it with --no-keys.',
    );
  const bundle = await readFile(join(dir, 'keys/keys.sealed'));
  const derived = await keysOf(bundle, passphrase);
  return { files: openKeys(bundle, derived, contextOf(box, id)), mac: derived.mac };
}

async function checkLog(dir: string, manifest: Manifest, key: Buffer | null): Promise<Log> {
  const folder = logOf(dir);
  const log = await readSealed(join(folder, STATE), STATE, LogSchema, key).catch((error: InvalidDataError) => {
    throw new InvalidDataError(
      `What was copied after the backup is not whole: ${error.message}`,
      'Take another backup, or restore with --no-log what the backup itself holds.',
    );
  });
  if (log.backup !== manifest.id || log.box !== manifest.box)
    throw new InvalidDataError(
      `${folder} continues another backup (${log.backup} of box ${log.box}).`,
      'Put the folders back as they were, or restore with --no-log.',
    );
  const next = log.rounds.length + 1;
  // A round that a kill ended is no part of the backup.
  const ignored = new RegExp(`^(r${next}(/.*)?|${STATE}\\.tmp)$`);
  const fault = (path: string) => (LOG_PATH.test(path) ? null : 'is no path of a log');
  await checkFolder(folder, log.entries, { own: [STATE], fault, ignored });
  const names = log.entries.flatMap(({ path }) => /\/wal\/([0-9A-F]{24})\.gz$/.exec(path)?.[1] ?? []);
  const { database } = manifest;
  if (database && !isUnbroken(names, database.wal.last, database.segment_bytes))
    throw new InvalidDataError(`The log of the database in ${folder} has a gap.`, 'Restore with --no-log.');
  await checkPieces(folder, log.entries, manifest.journal.last_seq);
  return log;
}

/** The records of the journal must be readable, and go on where the former left off. */
async function checkPieces(dir: string, entries: readonly Entry[], after_seq: number): Promise<void> {
  let last = after_seq;
  for (const { path } of entries.filter(({ path }) => /(^|\/)journal\//.test(path))) {
    const piece = readPiece(await unpack(await readFile(join(dir, path))));
    if (!piece || piece.first_seq <= last)
      refuse(dir, [{ where: path, problem: 'holds no whole records of this journal' }]);
    last = piece?.last_seq ?? last;
  }
}
