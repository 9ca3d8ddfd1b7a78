/** Copies of journal records for the backup: segments of their own that hold exactly the records not copied yet. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LogGapError } from '../../engine/errors.ts';
import { HEADER_BYTES, listSegments, scanSegment, segmentHeader, segmentName } from './segment.ts';

/** `bytes` are a whole segment file. */
export type JournalPiece = { name: string; bytes: Buffer; first_seq: number; last_seq: number; records: number };

/**
 * The records with after_seq < seq ≤ durable_seq in the folder of a journal that is being written, one piece a segment.
 * @throws LogGapError when records after `after_seq` are gone: a new base backup is needed.
 */
export async function* copyJournal(dir: string, after_seq: number, durable_seq: number): AsyncGenerator<JournalPiece> {
  const { segments } = await listSegments(dir);
  if (durable_seq > after_seq && (segments[0]?.first_seq ?? 1) > after_seq + 1)
    throw new LogGapError(
      `The journal no longer holds the records after ${after_seq} that were to be copied.`,
      'A new backup is made now; nothing needs to be done.',
    );
  for (const [index, { name }] of segments.entries()) {
    const next = segments[index + 1];
    if (next && next.first_seq <= after_seq + 1) continue;
    const bytes = await readFile(join(dir, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    const piece = bytes && pieceOf(bytes, after_seq, durable_seq);
    if (piece) yield piece;
  }
}

/** A segment from a backup. @returns null where it holds no whole record, or anything else than whole records. */
export function readPiece(bytes: Buffer): Omit<JournalPiece, 'name' | 'bytes'> | null {
  let first_seq = 0;
  const scan = scanSegment(bytes, 0, (_, seq) => {
    first_seq ||= seq;
  });
  if (scan.damaged || scan.tail_bytes > 0 || scan.last_seq === null) return null;
  return { first_seq, last_seq: scan.last_seq, records: scan.records };
}

function pieceOf(bytes: Buffer, after_seq: number, durable_seq: number): JournalPiece | null {
  const offsets: { offset: number; seq: number }[] = [];
  const scan = scanSegment(bytes, 0, (offset, seq) => {
    offsets.push({ offset, seq });
  });
  const wanted = offsets.filter(({ seq }) => seq > after_seq && seq <= durable_seq);
  const first = wanted[0];
  const last = wanted.at(-1);
  if (!first || !last) return null;
  const end = offsets[offsets.indexOf(last) + 1]?.offset ?? Number.POSITIVE_INFINITY;
  const runs = scan.intact
    .map((run) => bytes.subarray(Math.max(run.start, first.offset), Math.min(run.end, end)))
    .filter((run) => run.length > 0 && run.length <= bytes.length - HEADER_BYTES);
  return {
    ...{ name: segmentName(first.seq), first_seq: first.seq, last_seq: last.seq, records: wanted.length },
    bytes: Buffer.concat([segmentHeader(), ...runs]),
  };
}
