/**
 * Segment files of the journal. A file is named after the first sequence number it may hold, so that the order of
 * names is the order of records; a header tells our files from others and holds the version of the format.
 */
import { type FileHandle, readdir } from 'node:fs/promises';
import { FRAME_BYTES, nextMarker, recordAt } from './record.ts';

export const HEADER_BYTES = 16;
const MAGIC = 'LUNAJRNL';
const FORMAT = 1;
const NAME = /^(\d{16})\.journal$/;
const QUARANTINED = /^(\d{16})\.journal(\.\d+)?\.quarantined$/;

export type SegmentName = { name: string; first_seq: number };

/** @returns the file name of the segment whose first record is `first_seq`. */
export function segmentName(first_seq: number): string {
  return `${String(first_seq).padStart(16, '0')}.journal`;
}

/** The 16 bytes every segment begins with. */
export function segmentHeader(): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.write(MAGIC, 0, 'latin1');
  header.writeUInt32LE(FORMAT, 8);
  return header;
}

/** Whether `bytes` begin with a header of a format that we read. */
export function hasHeader(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && bytes.compare(segmentHeader(), 0, HEADER_BYTES, 0, HEADER_BYTES) === 0;
}

/** Segments in `dir` in order, and the names of those that were set aside. */
export async function listSegments(dir: string): Promise<{ segments: SegmentName[]; quarantined: string[] }> {
  const names = (await readdir(dir)).sort();
  const segments = names
    .filter((name) => NAME.test(name))
    .map((name) => ({ name, first_seq: Number(name.slice(0, 16)) }));
  return { segments, quarantined: names.filter((name) => QUARANTINED.test(name)) };
}

/** Reads `bytes` from `offset` on, fewer at the end of the file. */
export async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** What a segment holds. `intact` lists runs of bytes with whole records, in order. */
export type SegmentScan = {
  intact: { start: number; end: number }[];
  /** Sequence number of the last intact record, or null. */
  last_seq: number | null;
  records: number;
  /** Bytes after the last intact record, and those of them that are more than zeros which the file grew by ahead of
   * its records: a torn tail when nothing else is wrong. */
  tail_bytes: number;
  torn_bytes: number;
  /** Damage before the last intact record, or in the header. */
  damaged: boolean;
  /** All that is not intact looks like a write that was under way when the power went (`looksTorn`). */
  torn: boolean;
};

/**
 * Checks every record of a segment from its header on. A record whose sequence number does not grow counts as
 * damage: it is a leftover of a write that was refused.
 * @param after_seq the last sequence number of the segment before
 * @param visit called with the offset of each intact record
 */
export function scanSegment(
  bytes: Buffer,
  after_seq: number,
  visit?: (offset: number, seq: number) => void,
): SegmentScan {
  const scan: SegmentScan = {
    intact: [],
    last_seq: null,
    records: 0,
    tail_bytes: 0,
    torn_bytes: 0,
    damaged: false,
    torn: hasHeader(bytes),
  };
  let last = after_seq;
  let run = { start: hasHeader(bytes) ? HEADER_BYTES : 0, end: hasHeader(bytes) ? HEADER_BYTES : 0 };
  let at = run.start;
  let broken = run.start === 0;
  while (at < bytes.length) {
    const found = recordAt(bytes, at);
    if (found.kind === 'record' && found.seq > last) {
      if (broken) {
        scan.damaged = true;
        scan.torn &&= looksTorn(bytes, run.end, at);
        if (run.end > run.start) scan.intact.push(run);
        run = { start: at, end: at };
        broken = false;
      }
      visit?.(at, found.seq);
      last = found.seq;
      scan.last_seq = last;
      scan.records++;
      run.end = found.end;
      at = found.end;
      continue;
    }
    broken = true;
    const next = nextMarker(bytes, at + 1);
    if (next < 0) break;
    at = next;
  }
  if (run.end > run.start) scan.intact.push(run);
  scan.tail_bytes = bytes.length - (scan.records > 0 ? run.end : Math.min(HEADER_BYTES, bytes.length));
  scan.torn_bytes = withoutZeros(bytes.subarray(bytes.length - scan.tail_bytes));
  if (scan.torn_bytes > 0) scan.torn &&= looksTorn(bytes, bytes.length - scan.tail_bytes, bytes.length);
  if (!hasHeader(bytes) && scan.records > 0) scan.damaged = true;
  return scan;
}

/** The least that a disk writes or does not write. */
const SECTOR_BYTES = 512;
/** A record may end with so many zeros by itself. */
const OWN_ZEROS = 16;

/**
 * Whether bytes that should be records look like a write that a power cut or a kill left half done, rather than like
 * bytes that a disk spoiled: a sector that was never written holds zeros still, or the file ends before the record.
 * @param from where the first record that is not intact begins
 * @param to where the next intact one begins, or the end of the file
 */
function looksTorn(bytes: Buffer, from: number, to: number): boolean {
  const end = from + withoutZeros(bytes.subarray(from, to));
  for (let at = from; at < end; ) {
    const next = Math.min(at - (at % SECTOR_BYTES) + SECTOR_BYTES, to);
    if (next <= end && withoutZeros(bytes.subarray(at, next)) === 0) return true;
    at = next;
  }
  if (to < bytes.length) return false;
  const claimed = from + FRAME_BYTES + (bytes.length - from < FRAME_BYTES ? 0 : bytes.readUInt32LE(from + 4));
  if (bytes.length - end < OWN_ZEROS) return bytes.length - from < FRAME_BYTES || claimed > bytes.length;
  const left = (SECTOR_BYTES - (end % SECTOR_BYTES)) % SECTOR_BYTES;
  return claimed > end + left && left < OWN_ZEROS;
}

/** @returns the length of `bytes` without the zeros at their end. */
function withoutZeros(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
