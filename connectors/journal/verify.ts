/** Checks segments that were taken at their word at open: every record of them, in small pieces, behind everything else. */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { neededBytes, recordAt } from './record.ts';
import { HEADER_BYTES, hasHeader, readAt } from './segment.ts';

export type VerifyOptions = {
  onCorrupt: (name: string) => void;
  /** Waits between two pieces; false ends the checking. */
  pause: () => Promise<boolean>;
};

/** Some milliseconds of work. */
const PIECE_BYTES = 256 * 1024;

/** Checks the segments in their order. Those that are released meanwhile are passed over. */
export async function verifySegments(
  dir: string,
  names: readonly string[],
  { onCorrupt, pause }: VerifyOptions,
): Promise<void> {
  for (const name of names) {
    const intact = await isIntact(join(dir, name), pause).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return true;
      throw error;
    });
    if (intact === 'ended') return;
    if (!intact) onCorrupt(name);
  }
}

async function isIntact(path: string, pause: VerifyOptions['pause']): Promise<boolean | 'ended'> {
  const file = await open(path, 'r');
  try {
    if (!hasHeader(await readAt(file, 0, HEADER_BYTES))) return false;
    let offset = HEADER_BYTES;
    for (let size = PIECE_BYTES; ; ) {
      if (!(await pause())) return 'ended';
      const bytes = await readAt(file, offset, size);
      const end = endOfRecords(bytes);
      if (end === null) return false;
      offset += end;
      const more = bytes.length === size;
      if (end > 0) size = PIECE_BYTES;
      else if (isZero(bytes)) return !more || onlyZeros(file, offset);
      else if (more && neededBytes(bytes) > size) size = neededBytes(bytes);
      else return false;
    }
  } finally {
    await file.close();
  }
}

/** @returns where the whole records at the start of `bytes` end; null where something else than a record stands */
function endOfRecords(bytes: Buffer): number | null {
  for (let at = 0; ; ) {
    const found = recordAt(bytes, at);
    if (found.kind === 'corrupt') return null;
    if (found.kind === 'short') return at;
    at = found.end;
  }
}

const isZero = (bytes: Buffer) => bytes.every((byte) => byte === 0);

/** What a file grew by ahead of its records. */
async function onlyZeros(file: FileHandle, from: number): Promise<boolean> {
  for (let offset = from; ; ) {
    const bytes = await readAt(file, offset, PIECE_BYTES);
    if (!isZero(bytes)) return false;
    if (bytes.length < PIECE_BYTES) return true;
    offset += bytes.length;
  }
}
