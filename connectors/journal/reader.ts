/**
 * Reads the journal while another thread writes it. The reader sees only the folder; the writer announces up to
 * which sequence number records are fsynced (`Journal.durable` is a SharedArrayBuffer for it), and nothing above is given out.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { UnavailableError } from '../../engine/errors.ts';
import type { JournalReader } from '../../engine/ports.ts';
import { decodeHead, decodeRecord, FRAME_BYTES, neededBytes, nextMarker, recordAt } from './record.ts';
import { HEADER_BYTES, hasHeader, listSegments, readAt, type SegmentName } from './segment.ts';

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
  return createReader(dir, options, decodeRecord);
}

export type RecordHead = ReturnType<typeof decodeHead>;

/** As `openJournalReader`, for whoever wants to know only how many readings of which source there are: ten times as fast. */
export async function openHeadReader(dir: string, options: JournalReaderOptions = {}): Promise<Reader<RecordHead>> {
  return createReader(dir, options, decodeHead);
}

type Reader<Group> = { read(after_seq: number, max_bytes: number): Promise<Group[]>; close(): Promise<void> };
type Decode<Group> = (bytes: Buffer, offset: number) => Group;

function createReader<Group>(dir: string, options: JournalReaderOptions, decode: Decode<Group>): Reader<Group> {
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
    const header = await readAt(place.file, 0, HEADER_BYTES);
    if (header.length > 0 && !hasHeader(header)) options.onCorrupt?.(segment.name, 0);
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
  async function readAll(after_seq: number, max_bytes: number): Promise<Group[]> {
    const limit_seq = durable();
    if (limit_seq <= after_seq) return [];
    if (place?.seq !== after_seq) await seek(after_seq);
    const groups: Group[] = [];
    const take = (bytes: Buffer, at: number) => void groups.push(decode(bytes, at));
    let left = max_bytes;
    // What is passed over on the way to the first group does not count: an empty answer means that there is no more.
    while (place && place.seq < limit_seq && (groups.length === 0 || left > 0)) {
      const chunk_bytes = Math.max(left, FRAME_BYTES);
      const used = await readSome(place, chunk_bytes, limit_seq, take, options.onCorrupt);
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
  take: (bytes: Buffer, at: number) => void,
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
        take(bytes, at);
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
  if (bytes.length === max_bytes && need > bytes.length) return readSome(place, need, limit_seq, take, onCorrupt);
  return stepOver(place, bytes, limit_seq, onCorrupt);
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
