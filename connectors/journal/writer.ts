/** The segment that is written and those that wait to be drained: rotation, cutting back after a failure, removal. */
import { join } from 'node:path';
import type { JournalFiles } from './files.ts';
import { closedAs, type Recovered, type Segment, writeReleased } from './recover.ts';
import { HEADER_BYTES, segmentHeader, segmentName } from './segment.ts';

export type SegmentWriter = {
  /** Writes records [first_seq, last_seq] and resolves when they are on disk. After a rejection the disk holds
   * nothing of them, as far as it obeys, and the next write goes to a new segment. */
  write(bytes: Buffer, first_seq: number, last_seq: number): Promise<void>;
  /** Removes segments that hold nothing above `released_seq`, nor, while there is room, above `held_seq`. */
  drop(released_seq: number, next_seq: number, held_seq?: number | null): Promise<void>;
  /** Closes the file that is written. */
  retire(): Promise<void>;
  /** How the newest segment is noted while no file is written; null otherwise. */
  closed(): string | null;
  bytes(): number;
  segments(): number;
};

/** `allocated` bytes of the file are on disk, as zeros behind `bytes`. */
type Active = Segment & { fd: number; allocated: number };

/**
 * The file grows in steps of zeros ahead of the records: fdatasync of bytes that only overwrite needs no change of
 * metadata, so it is twice as fast and does not wait for what the stores beside it write.
 */
const GROW_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(GROW_BYTES);

/** @returns the writer of the folder that `recovered` describes; it always begins a new segment. */
export function createSegmentWriter(
  dir: string,
  files: JournalFiles,
  recovered: Recovered,
  bounds: { max_bytes: number; segment_bytes: number },
): SegmentWriter {
  const segment_bytes = Math.min(bounds.segment_bytes, Math.floor(bounds.max_bytes / 4));
  let closed = recovered.segments;
  let closed_bytes = closed.reduce((sum, segment) => sum + segment.bytes, 0);
  let active: Active | null = null;

  const bytes = () => closed_bytes + (active?.bytes ?? 0);
  async function retire(): Promise<void> {
    if (!active) return;
    const { fd, allocated, ...segment } = active;
    active = null;
    closed.push(segment);
    closed_bytes += segment.bytes;
    // Where this fails, the next open cuts the zeros off.
    if (allocated > segment.bytes) await files.truncate(fd, segment.bytes).catch(() => {});
    await files.close(fd);
  }
  /** After a failed write or fsync nobody knows what the kernel still holds: cut back, and never write there again. */
  async function abandon(segment: Active): Promise<void> {
    // Synced, so that a power cut does not bring back what was refused.
    await files
      .truncate(segment.fd, segment.bytes)
      .then(() => files.sync(segment.fd))
      .catch(() => {});
    if (segment.last_seq >= segment.first_seq) return retire();
    active = null;
    await files.close(segment.fd);
    await files.remove(join(dir, segment.name)).catch(() => {});
  }
  async function write(records: Buffer, first_seq: number, last_seq: number): Promise<void> {
    if (!active || active.bytes + records.length > segment_bytes) {
      await retire();
      active = await begin(dir, files, first_seq);
    }
    const segment = active;
    try {
      await growFor(files, segment, records.length);
      await files.write(segment.fd, records, segment.bytes);
      await files.sync(segment.fd);
    } catch (error) {
      await abandon(segment);
      throw error;
    }
    segment.bytes += records.length;
    segment.last_seq = last_seq;
  }
  async function drop(released_seq: number, next_seq: number, held_seq: number | null = null): Promise<void> {
    // The newest closed segment stays although drained: redelivered messages find the time of their first arrival there.
    const scarce = bytes() > bounds.max_bytes / 2;
    const candidates = scarce ? closed : closed.slice(0, -1);
    const upTo = scarce || held_seq === null ? released_seq : Math.min(released_seq, held_seq);
    const gone = candidates.filter((segment) => segment.last_seq <= upTo);
    if (gone.length === 0) return;
    const alone = active === null && gone.length === closed.length;
    // On a full disk this write fails, but removal is what makes room; a segment that stays keeps the numbers too.
    const kept = closed.filter((segment) => !gone.includes(segment));
    await writeReleased(dir, files, { released_seq, next_seq, closed: noted(kept) }).catch((error: unknown) => {
      if (alone) throw error;
    });
    for (const segment of gone) {
      await files.remove(join(dir, segment.name));
      closed = closed.filter((other) => other !== segment);
      closed_bytes -= segment.bytes;
    }
  }
  function noted(segments: readonly Segment[]): string | null {
    const newest = segments.at(-1);
    return active || !newest ? null : closedAs(newest.name, newest.bytes);
  }
  const segments = () => closed.length + (active ? 1 : 0);
  return { write, drop, retire, closed: () => noted(closed), bytes, segments };
}

/** The zeros reach the disk with the sync of the records. A disk too full for them may still take the records. */
async function growFor(files: JournalFiles, segment: Active, bytes: number): Promise<void> {
  if (segment.bytes + bytes <= segment.allocated) return;
  const from = Math.max(segment.allocated, segment.bytes + bytes);
  segment.allocated = from;
  await files.write(segment.fd, ZEROS, from).then(
    () => {
      segment.allocated = from + GROW_BYTES;
    },
    () => files.truncate(segment.fd, segment.bytes),
  );
}

async function begin(dir: string, files: JournalFiles, first_seq: number): Promise<Active> {
  const name = segmentName(first_seq);
  const fd = await files.create(join(dir, name));
  try {
    await files.write(fd, segmentHeader(), 0);
    await files.sync(fd);
    await files.syncFolder(dir);
  } catch (error) {
    await files.close(fd);
    await files.remove(join(dir, name)).catch(() => {});
    throw error;
  }
  return { name, first_seq, last_seq: first_seq - 1, bytes: HEADER_BYTES, fd, allocated: HEADER_BYTES };
}
