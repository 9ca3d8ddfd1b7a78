/** Continues the newest backup: the database's log and the journal's records that are new since the last time. */
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type ClusterSource, copyLog, releaseLog } from '../../connectors/database/embedded/base-backup.ts';
import { copyJournal } from '../../connectors/journal/copy.ts';
import { LogGapError } from '../../engine/errors.ts';
import { type Claim, claimFolder } from './claim.ts';
import { logOf, readManifest, STATE } from './folder.ts';
import { copyHeld, heldBefore } from './held.ts';
import { keysOf, readPassphrase } from './keys.ts';
import { copyTree, replaceFile } from './make.ts';
import { type Log, LogSchema, type Manifest, type Round, readSealed, sealText } from './manifest.ts';
import { createSink, type SinkOptions, settle } from './sink.ts';

const compress = promisify(gzip);
/** The file system's clock may not be ours. */
const CLOCK_SLACK_MS = 60_000;

export type RoundOrder = Claim & {
  /** The backup that is continued. */
  id: string;
  home: string;
  at_ms: number;
  passphrase_file: string | null;
  cluster: ClusterSource | null;
  journal_dir: string;
  /** Readings that wait for a trusted clock, linked aside (held.ts). */
  held: string | null;
  /** The journal's newest record that is on disk. */
  durable_seq: number;
  /** False while a new backup is being made, which needs the database's log from its own beginning. */
  release: boolean;
};
export type RoundMade = { journal_seq: number; bytes: number };

/** @throws LogGapError when only a new backup helps, UnavailableError or InvalidDataError when the folder is in the way; what was copied before stays whole. */
export async function copyRound(order: RoundOrder, options: SinkOptions = {}): Promise<RoundMade> {
  const { folder, id, cluster, at_ms } = order;
  await claimFolder(order);
  const dir = join(folder, id);
  const { manifest, log, key } = await open(dir, order);
  const name = `r${log.rounds.length + 1}`;
  // What a kill left of this very round.
  await rm(join(logOf(dir), name), { recursive: true, force: true });
  const sink = createSink(logOf(dir), { ...options, together: true });
  const known = new Map<string, { records: number; last_seq: number }>();
  // The journal's end is read first: what the database says of later readings is of no use without them.
  let journal_seq = log.rounds.at(-1)?.journal_seq ?? manifest.journal.last_seq;
  for await (const piece of copyJournal(order.journal_dir, journal_seq, order.durable_seq)) {
    const path = `${name}/journal/${piece.name}.gz`;
    await sink.write(path, await compress(piece.bytes, { level: 1 }));
    known.set(path, { records: piece.records, last_seq: piece.last_seq });
    journal_seq = piece.last_seq;
  }
  // Of its own name, for an attempt that failed may have left one in the log.
  const point = `${id}-${name}-${at_ms.toString(36)}`;
  const wal = cluster ? await copyLog(cluster, sink.under(name), lastWal(manifest, log), point) : null;
  const held = order.held
    ? await copyHeld(order.held, sink.under(name), heldBefore(log.entries))
    : { waiting: [], pieces: [] };
  for (const { path, ...piece } of held.pieces) known.set(`${name}/${path}`, piece);
  const files = await lookAtFiles(order.home, manifest, log);
  await copyTree(
    join(order.home, 'files'),
    sink.under(`${name}/files`),
    newFiles(files.known, lastCopied(manifest, log), at_ms),
  );
  await settle(logOf(dir));
  const none = { records: 0, last_seq: 0 };
  const entries = [...log.entries, ...sink.entries.map((entry) => ({ ...entry, ...(known.get(entry.path) ?? none) }))];
  const round: Round = {
    ...{ at_ms, restore_point: wal?.restore_point ?? null, journal_seq, entries: entries.length },
    ...{ waiting: held.waiting, gone: files.gone },
  };
  await replaceFile(
    logOf(dir),
    STATE,
    sealText({ ...log, rounds: [...log.rounds, round], entries } satisfies Log, key),
  );
  if (cluster && wal && order.release) await releaseLog(cluster, wal.last);
  return { journal_seq, bytes: sink.entries.reduce((sum, { bytes }) => sum + bytes, 0) };
}

async function open(
  dir: string,
  { passphrase_file }: Pick<RoundOrder, 'passphrase_file'>,
): Promise<{ manifest: Manifest; log: Log; key: Buffer | null }> {
  const manifest = await readManifest(dir);
  const sealed = manifest.keys && passphrase_file ? await readFile(join(dir, 'keys/keys.sealed')) : null;
  if ((manifest.keys !== null) !== (passphrase_file !== null))
    throw new LogGapError('A passphrase was set or taken away since the last backup.', 'A new backup is made.');
  const key = sealed && passphrase_file ? (await keysOf(sealed, await readPassphrase(passphrase_file))).mac : null;
  const log = await readSealed(join(logOf(dir), STATE), STATE, LogSchema, key).catch((cause: Error) => {
    throw new LogGapError(`The last backup cannot be continued: ${cause.message}`, 'A new backup is made.', { cause });
  });
  return { manifest, log, key };
}

/** Which uploaded files the backup has, and which of them are there no longer. */
async function lookAtFiles(
  home: string,
  manifest: Manifest,
  log: Log,
): Promise<{ known: Set<string>; gone: string[] }> {
  const known = new Set(filesOf(manifest.entries));
  let from = 0;
  for (const { entries, gone = [] } of log.rounds) {
    for (const path of filesOf(log.entries.slice(from, entries))) known.add(path);
    for (const path of gone) known.delete(path);
    from = entries;
  }
  const gone: string[] = [];
  for (const path of known) if (!(await stat(join(home, path)).catch(() => null))) gone.push(path);
  return { known, gone };
}

const filesOf = (entries: readonly { path: string }[]): string[] =>
  entries.flatMap(({ path }) => /^(?:r\d+\/)?(files\/.+)$/.exec(path)?.[1] ?? []);

const lastCopied = (manifest: Manifest, log: Log): number => log.rounds.at(-1)?.at_ms ?? manifest.made_ms;

/** Uploaded or replaced since the last time. */
function newFiles(
  known: ReadonlySet<string>,
  last_ms: number,
  now_ms: number,
): (path: string, from: string) => Promise<boolean> {
  // A clock that was ahead then says nothing about what is new.
  const since_ms = last_ms > now_ms ? 0 : last_ms - CLOCK_SLACK_MS;
  return async (path, from) => {
    if (!known.has(`files/${path}`)) return true;
    return ((await stat(from).catch(() => null))?.mtimeMs ?? 0) >= since_ms;
  };
}

/** The newest segment that was copied. */
export function lastWal(manifest: Manifest, log: Log | null): string {
  const names = (log?.entries ?? []).map(({ path }) => /\/wal\/([0-9A-F]{24})\.gz$/.exec(path)?.[1]).filter(Boolean);
  return names.at(-1) ?? manifest.database?.wal.last ?? '';
}
