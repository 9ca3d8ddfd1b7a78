/**
 * What happens to the journal's folder at open: every segment is checked, a torn tail of the last one is cut off,
 * a damaged one is set aside and what is intact of it is kept.
 */
import { copyFile, link, open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { JournalledGroup } from '../../engine/model/reading.ts';
import { type JournalFiles, writeWhole } from './files.ts';
import { decodeRecord } from './record.ts';
import { listSegments, type SegmentName, type SegmentScan, scanSegment, segmentHeader } from './segment.ts';

export type Segment = { name: string; first_seq: number; last_seq: number; bytes: number };
export type Recovered = {
  segments: Segment[];
  /** Above every number that was ever given out. */
  next_seq: number;
  released_seq: number;
  quarantined: string[];
};
export type Visit = (group: JournalledGroup) => void;

const RELEASED = 'released.json';
/** A disk that fails again and again must not fill itself with what was set aside. */
const QUARANTINED_KEPT = 10;

/** Checks and mends the folder. `visit` sees the intact records of the last `replay_bytes`, in order. */
export async function recoverJournal(
  dir: string,
  files: JournalFiles,
  replay_bytes: number,
  visit?: Visit,
): Promise<Recovered> {
  const { segments: names, quarantined } = await listSegments(dir);
  const released = await readReleased(dir);
  const recovered: Recovered = { segments: [], quarantined, ...released };
  for (const name of quarantined) raise(recovered, Number(name.slice(0, 16)));
  let left = await totalBytes(dir, names);
  for (const [i, name] of names.entries()) {
    const bytes = await readFile(join(dir, name.name));
    left -= bytes.length;
    const show = visit && left < replay_bytes ? (offset: number) => visit(decodeRecord(bytes, offset)) : undefined;
    const scan = scanSegment(bytes, recovered.segments.at(-1)?.last_seq ?? 0, show);
    await settle(dir, files, name, bytes, scan, i === names.length - 1, recovered);
  }
  recovered.quarantined = await dropOldest(dir, files, recovered.quarantined);
  return recovered;
}

/** Keeps the newest of what was set aside; what was intact in the others is in the segments. @returns their names */
async function dropOldest(dir: string, files: JournalFiles, names: readonly string[]): Promise<string[]> {
  const sorted = [...names].sort();
  for (const name of sorted.slice(0, -QUARANTINED_KEPT)) await files.remove(join(dir, name));
  return sorted.slice(-QUARANTINED_KEPT);
}

async function settle(
  dir: string,
  files: JournalFiles,
  name: SegmentName,
  bytes: Buffer,
  scan: SegmentScan,
  last: boolean,
  recovered: Recovered,
): Promise<void> {
  raise(recovered, name.first_seq);
  // What was lost held at most one record a byte: their numbers are not given out again, since the store may know them.
  const lost = scan.torn_bytes + (scan.damaged ? bytes.length : 0);
  raise(recovered, Math.max(scan.last_seq ?? 0, name.first_seq - 1) + lost + 1);
  if (scan.damaged || (!last && scan.torn_bytes > 0)) await quarantine(dir, files, name, bytes, scan, recovered);
  else if (scan.tail_bytes > 0 && scan.last_seq !== null)
    await cutTail(join(dir, name.name), bytes.length - scan.tail_bytes);
  else if (scan.last_seq === null) await files.remove(join(dir, name.name));
  if (scan.last_seq === null) return;
  const kept = scan.intact.reduce((sum, run) => sum + run.end - run.start, segmentHeader().length);
  recovered.segments.push({ ...name, last_seq: scan.last_seq, bytes: kept });
}

async function cutTail(path: string, length: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.truncate(length);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The damaged file stays beside under another name; its intact records are written anew under the old one. */
async function quarantine(
  dir: string,
  files: JournalFiles,
  { name }: SegmentName,
  bytes: Buffer,
  scan: SegmentScan,
  recovered: Recovered,
): Promise<void> {
  const path = join(dir, name);
  let aside = `${name}.quarantined`;
  for (let n = 1; recovered.quarantined.includes(aside); n++) aside = `${name}.${n}.quarantined`;
  if (scan.last_seq === null) {
    await files.rename(path, join(dir, aside));
  } else {
    // Linked, not moved: a kill between the two steps must not leave the folder without the intact records.
    await link(path, join(dir, aside)).catch(() => copyFile(path, join(dir, aside)));
    const runs = scan.intact.map((run) => bytes.subarray(run.start, run.end));
    await writeWhole(files, dir, path, [segmentHeader(), ...runs]);
  }
  await files.syncFolder(dir);
  recovered.quarantined.push(aside);
}

function raise(recovered: Recovered, seq: number): void {
  recovered.next_seq = Math.max(recovered.next_seq, seq);
}

async function totalBytes(dir: string, names: readonly SegmentName[]): Promise<number> {
  const sizes = await Promise.all(names.map(async ({ name }) => (await stat(join(dir, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Numbers that must outlive the segments they were in. A file that cannot be read counts as missing. */
async function readReleased(dir: string): Promise<{ released_seq: number; next_seq: number }> {
  try {
    const { released_seq, next_seq } = JSON.parse(await readFile(join(dir, RELEASED), 'utf8'));
    if (Number.isSafeInteger(released_seq) && Number.isSafeInteger(next_seq)) return { released_seq, next_seq };
  } catch {
    // A fresh folder, or a file that a failing disk spoiled: the segments' names still bound the numbers.
  }
  return { released_seq: 0, next_seq: 1 };
}

/** Writes down what `readReleased` reads, before segments go. */
export async function writeReleased(
  dir: string,
  files: JournalFiles,
  numbers: { released_seq: number; next_seq: number },
): Promise<void> {
  await writeWhole(files, dir, join(dir, RELEASED), [Buffer.from(JSON.stringify(numbers))]);
}
