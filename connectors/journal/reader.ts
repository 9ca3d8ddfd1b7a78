/**
 * Reads the journal while another thread writes it. The reader sees only the folder; the writer announces up to
 * which sequence number records are fsynced (`Journal.durable` is a SharedArrayBuffer for it), and nothing above is given out.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { UnavailableError } from '../../engine/errors.ts';
import type { JournalledGroup } from '../../engine/model/reading.ts';
import type { JournalReader } from '../../engine/ports.ts';
import { decodeRecord, FRAME_BYTES, nextMarker, RECORD_MAX_BYTES, recordAt } from './record.ts';
import { HEADER_BYTES, listSegments, type SegmentName } from './segment.ts';

export type JournalReaderOptions = {
  /** The last sequence number that is on disk, asked at each read: `durableSeq(journal.durable)`, or what the
   * writer's thread last posted. Left out: whatever is intact on disk, for a journal that nobody writes. */
  durable_seq?: () => number;
  /** Called for bytes that should be records and are not; reading goes on behind them. */
  onCorrupt?: (file: string, offset: number) => void;
};

/** @returns a function that reads the durable end which the writer publishes in `shared`. */
export function durableSeq(shared: SharedArrayBuffer): () => number {
  const cell = new BigInt64Array(shared);
  return () => Number(Atomics.load(cell, 0));
}

/** Looked at of what stands behind the last record of a segment. */
const REST_BYTES = 64 * 1024;

type Place = { segment: SegmentName; file: FileHandle; offset: number; seq: number };

/**
 * Opens the journal in `dir` for reading; the folder need not exist yet. Reads from one reader must not overlap.
 * `read` goes on from its last place when `after_seq` is what it gave last, and seeks otherwise.
 * Gaps in sequence numbers are normal (refused writes, quarantined records).
 */
export async function openJournalReader(dir: string, options: JournalReaderOptions = {}): Promise<JournalReader> {
  const durable = options.durable_seq ?? (() => Number.MAX_SAFE_INTEGER);
  let place: Place | null = null;

  async function leave(): Promise<void> {
    const left = place;
    place = null;
    await left?.file.close();
  }
  async function enter(segment: SegmentName, seq: number): Promise<void> {
    await leave();
    place = { segment, file: await open(join(dir, segment.name), 'r'), offset: HEADER_BYTES, seq };
  }
  /** The segment that holds what follows `seq`: the last that begins at or before it, or the first of all. */
  async function seek(after_seq: number): Promise<void> {
    const { segments } = await listSegments(dir);
    const segment = segments.findLast((s) => s.first_seq <= after_seq + 1) ?? segments[0];
    if (segment) await enter(segment, after_seq);
  }
  async function nextSegment(current: Place, limit_seq: number): Promise<boolean> {
    const { segments } = await listSegments(dir);
    const next = segments.find((s) => s.first_seq > current.segment.first_seq);
    if (!next || next.first_seq > limit_seq) return false;
    // The last record of a segment that is done with may be damaged so that it looks unfinished.
    const rest = await readAt(current.file, current.offset, REST_BYTES);
    if (rest.some((byte) => byte !== 0)) options.onCorrupt?.(current.segment.name, current.offset);
    await enter(next, current.seq);
    return true;
  }
  async function readAll(after_seq: number, max_bytes: number): Promise<JournalledGroup[]> {
    const limit_seq = durable();
    if (limit_seq <= after_seq) return [];
    if (place?.seq !== after_seq) await seek(after_seq);
    const groups: JournalledGroup[] = [];
    let left = max_bytes;
    // What is passed over on the way to the first group does not count: an empty answer means that there is no more.
    while (place && place.seq < limit_seq && (groups.length === 0 || left > 0)) {
      const chunk_bytes = Math.max(left, FRAME_BYTES);
      const used = await readSome(place, chunk_bytes, limit_seq, groups, options.onCorrupt);
      if (groups.length > 0) left -= used;
      if (used === 0 && !(await nextSegment(place, limit_seq))) break;
    }
    return groups;
  }
  return {
    async read(after_seq, max_bytes) {
      try {
        return await readAll(after_seq, max_bytes);
      } catch (error) {
        await leave();
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
        throw new UnavailableError(`The journal in ${dir} cannot be read.`, 'Look at the disk.', { cause: error });
      }
    },
    close: leave,
  };
}

/** Reads up to about `max_bytes` from the place on and moves it. @returns the bytes passed, 0 at the end of the file. */
async function readSome(
  place: Place,
  max_bytes: number,
  limit_seq: number,
  groups: JournalledGroup[],
  onCorrupt: JournalReaderOptions['onCorrupt'],
): Promise<number> {
  const bytes = await readAt(place.file, place.offset, max_bytes);
  let at = 0;
  while (at < bytes.length && place.seq < limit_seq) {
    const found = recordAt(bytes, at);
    if (found.kind === 'short') break;
    if (found.kind === 'record') {
      if (found.seq > limit_seq) break;
      if (found.seq > place.seq) {
        groups.push(decodeRecord(bytes, at));
        place.seq = found.seq;
      }
      at = found.end;
    } else {
      onCorrupt?.(place.segment.name, place.offset + at);
      const next = nextMarker(bytes, at + 1);
      at = next < 0 ? Math.max(at + 1, bytes.length - 3) : next;
    }
  }
  place.offset += at;
  if (at > 0) return at;
  const need = neededBytes(bytes);
  if (bytes.length === max_bytes && need > bytes.length) return readSome(place, need, limit_seq, groups, onCorrupt);
  return stepOver(place, bytes, limit_seq, onCorrupt);
}

/** Bytes that the record at the start of `bytes` says it has. */
function neededBytes(bytes: Buffer): number {
  const length = bytes.length < FRAME_BYTES ? 0 : bytes.readUInt32LE(4);
  return FRAME_BYTES + Math.min(length, RECORD_MAX_BYTES);
}

/** At the end of the file although more is durable: a damaged length hides what follows, or the next segment has it. */
function stepOver(
  place: Place,
  bytes: Buffer,
  limit_seq: number,
  onCorrupt: JournalReaderOptions['onCorrupt'],
): number {
  for (let at = nextMarker(bytes, 1); at > 0; at = nextMarker(bytes, at + 1)) {
    const found = recordAt(bytes, at);
    if (found.kind !== 'record' || found.seq <= place.seq || found.seq > limit_seq) continue;
    onCorrupt?.(place.segment.name, place.offset);
    place.offset += at;
    return at;
  }
  return 0;
}

async function readAt(file: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes);
  let filled = 0;
  while (filled < bytes) {
    const { bytesRead } = await file.read(buffer, filled, bytes - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}
