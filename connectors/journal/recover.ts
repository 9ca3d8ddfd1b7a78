/**
 * What happens to the journal's folder at open: the newest segments are checked, a torn tail of the last one is cut off,
 * a damaged one is set aside and what is intact of it is kept. Older ones were closed and synced long ago: they are taken
 * at their name and length, so that a start takes no longer however much waits, and are checked afterwards (verify.ts).
 */
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
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
  /** Name and length of the newest segment at the last closing. */
  closed: string | null;
  /** Segments that nobody has looked into yet. */
  unchecked: SegmentName[];
};
/** Newest bytes of the journal that are looked into at open: whole segments, and always the last one. */
export type OpeningBounds = { replay_bytes: number; check_bytes: number };
export type Visit = (group: JournalledGroup) => void;

const RELEASED = 'released.json';
/** A disk that fails again and again must not fill itself with what was set aside. */
const QUARANTINED_KEPT = 10;

/** Checks and mends the folder. `visit` sees the intact records of the last `replay_bytes`, in order. */
export async function recoverJournal(
  dir: string,
  files: JournalFiles,
  { replay_bytes, check_bytes }: OpeningBounds,
  visit?: Visit,
): Promise<Recovered> {
  const { segments: names, quarantined } = await listSegments(dir);
  const released = await readReleased(dir);
  const recovered: Recovered = { segments: [], quarantined, unchecked: [], ...released };
  for (const name of quarantined) raise(recovered, Number(name.slice(0, 16)));
  const sizes = await Promise.all(names.map(async ({ name }) => (await stat(join(dir, name))).size));
  let left = sizes.reduce((sum, size) => sum + size, 0);
  const read = createWholeReader(dir);
  for (const [i, name] of names.entries()) {
    left -= sizes[i]!;
    const next = names[i + 1];
    if (next && left >= Math.max(check_bytes, visit ? replay_bytes : 0)) {
      raise(recovered, next.first_seq);
      recovered.unchecked.push(name);
      recovered.segments.push({ ...name, last_seq: next.first_seq - 1, bytes: sizes[i]! });
      continue;
    }
    const bytes = await read(name.name);
    const show = visit && ((offset: number) => replay(visit, bytes, offset, replay_bytes - left));
    const scan = scanSegment(bytes, recovered.segments.at(-1)?.last_seq ?? 0, show);
    await settle(dir, files, name, bytes, scan, next === undefined, recovered);
  }
  recovered.quarantined = await dropOldest(dir, files, recovered.quarantined);
  return recovered;
}

/** Shows a record that lies within the last `newest_bytes` of its segment. */
function replay(visit: Visit, bytes: Buffer, offset: number, newest_bytes: number): void {
  if (bytes.length - offset <= newest_bytes) visit(decodeRecord(bytes, offset));
}

/** Reads one segment after another into the same memory: what it gave is valid until the next. */
function createWholeReader(dir: string): (name: string) => Promise<Buffer> {
  let memory = Buffer.alloc(0);
  return async (name) => {
    const file = await open(join(dir, name), 'r');
    try {
      const { size } = await file.stat();
      if (size > memory.length) memory = Buffer.allocUnsafeSlow(size);
      let filled = 0;
      while (filled < size) {
        const { bytesRead } = await file.read(memory, filled, size - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return memory.subarray(0, filled);
    } finally {
      await file.close();
    }
  };
}

/** Keeps the newest of what was set aside; what was intact in the others is in the segments. @returns their names */
async function dropOldest(dir: string, files: JournalFiles, names: readonly string[]): Promise<string[]> {
  const sorted = [...names].sort();
  for (const name of sorted.slice(0, -QUARANTINED_KEPT)) await files.remove(join(dir, name));
  return sorted.slice(-QUARANTINED_KEPT);
}

/** How a segment is noted that was closed with nothing under way. */
export function closedAs(name: string, bytes: number): string {
  return `${name} ${bytes}`;
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
  const whole = !scan.damaged && scan.torn_bytes === 0;
  // Only what was written last can be torn; a box that was closed had nothing under way.
  const torn = last && scan.torn && recovered.closed !== closedAs(name.name, bytes.length);
  if (!whole && !torn) await quarantine(dir, files, name, bytes, scan, recovered);
  else if (scan.last_seq === null) await files.remove(join(dir, name.name));
  else if (scan.damaged) await rewrite(dir, files, name, bytes, scan);
  else if (scan.tail_bytes > 0) await files.cut(join(dir, name.name), bytes.length - scan.tail_bytes);
  if (scan.last_seq === null) return;
  const kept = scan.intact.reduce((sum, run) => sum + run.end - run.start, segmentHeader().length);
  recovered.segments.push({ ...name, last_seq: scan.last_seq, bytes: kept });
}

/** Writes the intact records of a segment anew, in place of what it was. */
async function rewrite(
  dir: string,
  files: JournalFiles,
  { name }: SegmentName,
  bytes: Buffer,
  scan: SegmentScan,
): Promise<void> {
  const runs = scan.intact.map((run) => bytes.subarray(run.start, run.end));
  await writeWhole(files, dir, join(dir, name), [segmentHeader(), ...runs]);
}

/** The damaged file stays beside under another name; its intact records are written anew under the old one. */
async function quarantine(
  dir: string,
  files: JournalFiles,
  segment: SegmentName,
  bytes: Buffer,
  scan: SegmentScan,
  recovered: Recovered,
): Promise<void> {
  const path = join(dir, segment.name);
  const known = recovered.quarantined.findLast((aside) => aside.startsWith(`${segment.name}.`));
  // Set aside while it was drained, before the last end of the box.
  const again = known !== undefined && (await readFile(join(dir, known))).equals(bytes);
  // Linked, not moved: a kill between the two steps must not leave the folder without the intact records.
  if (!again) recovered.quarantined.push(await linkAside(dir, files, segment.name, recovered.quarantined));
  if (scan.last_seq === null) await files.remove(path);
  else await rewrite(dir, files, segment, bytes, scan);
  await files.syncFolder(dir);
}

/** Gives a damaged segment a second name, which outlives its release. @returns it, once it is on disk */
async function linkAside(dir: string, files: JournalFiles, name: string, taken: readonly string[]): Promise<string> {
  let aside = `${name}.quarantined`;
  for (let n = 1; taken.includes(aside); n++) aside = `${name}.${n}.quarantined`;
  await files.link(join(dir, name), join(dir, aside));
  await files.syncFolder(dir);
  return aside;
}

/**
 * For damage that is found while the journal is in use: the segment stays as it is, and as evidence when it is released.
 * @returns what is set aside now, the newest of it kept
 */
export async function setAside(
  dir: string,
  files: JournalFiles,
  name: string,
  quarantined: readonly string[],
): Promise<string[]> {
  const known = quarantined.findLast((aside) => aside.startsWith(`${name}.`));
  if (known !== undefined && (await sameFile(join(dir, known), join(dir, name)))) return [...quarantined];
  return dropOldest(dir, files, [...quarantined, await linkAside(dir, files, name, quarantined)]);
}

/** Whether both are the same bytes: set aside before the box was started again, while it still was to be drained. */
async function sameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([stat(one), stat(other)]);
  if (a.ino === b.ino && a.dev === b.dev) return true;
  return a.size === b.size && (await readFile(one)).equals(await readFile(other));
}

function raise(recovered: Recovered, seq: number): void {
  recovered.next_seq = Math.max(recovered.next_seq, seq);
}

type Numbers = Pick<Recovered, 'released_seq' | 'next_seq' | 'closed'>;

/** Numbers that must outlive the segments they were in. A file that is damaged counts as missing. */
async function readReleased(dir: string): Promise<Numbers> {
  try {
    const { crc, ...numbers } = JSON.parse(await readFile(join(dir, RELEASED), 'utf8')) as Numbers & { crc?: number };
    const { released_seq, next_seq, closed = null } = numbers;
    const intact = crc === undefined || crc === crc32(JSON.stringify({ released_seq, next_seq, closed }));
    if (intact && Number.isSafeInteger(released_seq) && Number.isSafeInteger(next_seq))
      return { released_seq, next_seq, closed };
  } catch {
    // A fresh folder, or a file that a failing disk spoiled: the segments' names still bound the numbers.
  }
  return { released_seq: 0, next_seq: 1, closed: null };
}

/** Writes down what `readReleased` reads: before segments go, at closing, and at opening that it is open. */
export async function writeReleased(
  dir: string,
  files: JournalFiles,
  { released_seq, next_seq, closed }: Numbers,
): Promise<void> {
  const numbers = { released_seq, next_seq, closed };
  const text = JSON.stringify({ ...numbers, crc: crc32(JSON.stringify(numbers)) });
  await writeWhole(files, dir, join(dir, RELEASED), [Buffer.from(text)]);
}
