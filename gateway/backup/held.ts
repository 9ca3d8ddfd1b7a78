/**
 * Readings that wait for a trusted clock, in the backup: what of each small journal (gateway/services/clock-quarantine.ts)
 * is not let through yet. Their files are linked aside before the journal's end is looked at: what is let through in
 * between is then in both, with the same time, and never in neither.
 */
import { copyFile, link, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { copyJournal, readPiece } from '../../connectors/journal/copy.ts';
import { listSegments } from '../../connectors/journal/segment.ts';
import type { BackupSink } from '../../engine/ports.ts';
import { HELD_FOLDER, OFFSET_FILE } from '../services/clock-quarantine.ts';
import type { CheckedBackup } from './check.ts';
import { logOf } from './folder.ts';

const [compress, unpack] = [promisify(gzip), promisify(gunzip)];
const RELEASED = 'released.json';
const PIECE = /^(?:r\d+\/)?clock-quarantine\/([^/]+\/[^/]+)\/(\d{16}\.journal)\.gz$/;
const MARK = /^(?:r\d+\/)?clock-quarantine\/([^/]+\/[^/]+)\/released\.json$/;

/** Of a home: everything but what says which time a start of the machine had, which `linkOffsets` adds afterwards. */
export async function linkHeld(home: string, to: string): Promise<void> {
  await linkAll(join(home, HELD_FOLDER), to, (name) => name !== OFFSET_FILE && !name.endsWith('.tmp'));
}

export async function linkOffsets(home: string, to: string): Promise<void> {
  await linkAll(join(home, HELD_FOLDER), to, (name) => name === OFFSET_FILE);
}

async function linkAll(root: string, to: string, wanted: (name: string) => boolean): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile() || !wanted(entry.name)) continue;
    const from = join(entry.parentPath, entry.name);
    const target = join(to, from.slice(root.length + 1));
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    // What is gone meanwhile was let through; a disk without links gets copies.
    await link(from, target).catch(() => copyFile(from, target).catch(ignoreGone));
  }
}

function ignoreGone(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

export type HeldPiece = { path: string; records: number; last_seq: number };
export type HeldCopied = {
  /** `<start>/<organisation>` of all that wait now. */
  waiting: string[];
  pieces: HeldPiece[];
};

/** @param linked what `linkHeld` made. @param known newest record that was copied before of each that waits */
export async function copyHeld(
  linked: string,
  sink: BackupSink,
  known: ReadonlyMap<string, number> = new Map(),
): Promise<HeldCopied> {
  const found: HeldCopied = { waiting: [], pieces: [] };
  for (const boot of await folders(linked)) {
    const before = found.waiting.length;
    for (const tenant of await folders(join(linked, boot))) {
      const name = `${boot}/${tenant}`;
      const pieces = await copyOne(join(linked, name), name, sink, known.get(name) ?? 0);
      if (pieces) found.waiting.push(name);
      found.pieces.push(...(pieces ?? []));
    }
    const offset = join(linked, boot, OFFSET_FILE);
    const there = await readFile(offset).catch(() => null);
    if (there && found.waiting.length > before) await sink.write(`${HELD_FOLDER}/${boot}/${OFFSET_FILE}`, there);
  }
  return found;
}

/** @returns null where nothing waits */
async function copyOne(dir: string, name: string, sink: BackupSink, known: number): Promise<HeldPiece[] | null> {
  const released = await readFile(join(dir, RELEASED), 'utf8').then(releasedIn, () => 0);
  const [first] = (await listSegments(dir)).segments;
  const gone = Math.max(released, (first?.first_seq ?? 1) - 1);
  const pieces: HeldPiece[] = [];
  let waits = known > gone;
  for await (const piece of copyJournal(dir, Math.max(gone, known), Number.MAX_SAFE_INTEGER)) {
    const path = `${HELD_FOLDER}/${name}/${piece.name}.gz`;
    await sink.write(path, await compress(piece.bytes, { level: 1 }));
    pieces.push({ path, records: piece.records, last_seq: piece.last_seq });
    waits = true;
  }
  if (!waits) return null;
  const next_seq = Math.max(known, ...pieces.map(({ last_seq }) => last_seq)) + 1;
  await sink.write(`${HELD_FOLDER}/${name}/${RELEASED}`, Buffer.from(JSON.stringify({ released_seq: gone, next_seq })));
  return pieces;
}

function releasedIn(text: string): number {
  return (JSON.parse(text) as { released_seq: number }).released_seq;
}

/** What of each that waits was copied by the rounds so far. */
export function heldBefore(entries: readonly { path: string; last_seq: number }[]): Map<string, number> {
  const known = new Map<string, number>();
  for (const { path, last_seq } of entries) {
    const name = PIECE.exec(path)?.[1];
    if (name) known.set(name, Math.max(known.get(name) ?? 0, last_seq));
  }
  return known;
}

/**
 * What waited at the last round, or at the backup where there was none: the first round holds all of it again.
 * @returns how many records wait
 */
export async function placeHeld({ dir, manifest, rounds, log_entries }: CheckedBackup, draft: string): Promise<number> {
  const last = rounds.at(-1);
  const [root, entries] = last ? [logOf(dir), log_entries] : [dir, manifest.entries];
  const waiting = last ? (last.waiting ?? []) : entries.flatMap(({ path }) => MARK.exec(path)?.[1] ?? []);
  let records = 0;
  for (const name of new Set(waiting)) {
    const to = join(draft, HELD_FOLDER, name);
    await mkdir(to, { recursive: true, mode: 0o700 });
    const mark = entries.findLast(({ path }) => MARK.exec(path)?.[1] === name);
    if (!mark) continue;
    const text = await readFile(join(root, mark.path), 'utf8');
    await writeFile(join(to, RELEASED), text, { mode: 0o600, flush: true });
    for (const { path } of entries.filter(({ path }) => PIECE.exec(path)?.[1] === name)) {
      const bytes = await unpack(await readFile(join(root, path)));
      const piece = readPiece(bytes);
      if (!piece || piece.last_seq <= releasedIn(text)) continue;
      await writeFile(join(to, PIECE.exec(path)![2]!), bytes, { mode: 0o600, flush: true });
      records += piece.records;
    }
    const boot = name.split('/')[0]!;
    const offset = entries.findLast(({ path }) => path.endsWith(`${HELD_FOLDER}/${boot}/${OFFSET_FILE}`));
    if (offset) await copyFile(join(root, offset.path), join(draft, HELD_FOLDER, boot, OFFSET_FILE));
  }
  return records;
}

async function folders(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}
