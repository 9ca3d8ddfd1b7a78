/**
 * A small value on disk that is written often: two places of fixed size in one file, written in turn, each with its
 * checksum. Writing needs no new room on the disk, and a kill at any moment leaves one of the two whole.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';

const PLACE_BYTES = 64 * 1024;
const HEAD_BYTES = 16;

export type CountFile = {
  /** What was saved last and is whole; null where there is nothing. */
  read(): Promise<unknown>;
  /** On disk when it resolves. */
  save(value: unknown): Promise<void>;
  close(): Promise<void>;
};

/** Opens or makes the file. */
export async function openCountFile(path: string): Promise<CountFile> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, 'r+').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return open(path, 'wx+', 0o600);
    throw error;
  });
  await reserve(file);
  let turn = 0;
  return {
    async read() {
      const places = [await readPlace(file, 0), await readPlace(file, 1)];
      const newest = places.reduce((best, place) => ((place?.turn ?? 0) > (best?.turn ?? 0) ? place : best), null);
      turn = newest?.turn ?? 0;
      return newest?.value ?? null;
    },
    async save(value) {
      const text = Buffer.from(JSON.stringify(value));
      if (text.length > PLACE_BYTES - HEAD_BYTES)
        throw new RangeError(`${text.length} bytes are too many for ${path}.`);
      const bytes = Buffer.alloc(HEAD_BYTES + text.length);
      bytes.writeDoubleLE(turn + 1, 0);
      bytes.writeUInt32LE(text.length, 8);
      text.copy(bytes, HEAD_BYTES);
      bytes.writeUInt32LE(checksum(bytes), 12);
      await file.write(bytes, 0, bytes.length, ((turn + 1) % 2) * PLACE_BYTES);
      await file.datasync();
      turn++;
    },
    close: () => file.close(),
  };
}

async function reserve(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  if (size >= 2 * PLACE_BYTES) return;
  await file.write(Buffer.alloc(2 * PLACE_BYTES - size), 0, 2 * PLACE_BYTES - size, size);
  await file.sync();
}

async function readPlace(file: FileHandle, place: number): Promise<{ turn: number; value: unknown } | null> {
  const bytes = Buffer.alloc(PLACE_BYTES);
  const { bytesRead } = await file.read(bytes, 0, PLACE_BYTES, place * PLACE_BYTES);
  const length = bytes.readUInt32LE(8);
  if (bytesRead < HEAD_BYTES || length === 0 || length > PLACE_BYTES - HEAD_BYTES) return null;
  const used = bytes.subarray(0, HEAD_BYTES + length);
  if (bytes.readUInt32LE(12) !== checksum(used)) return null;
  return { turn: bytes.readDoubleLE(0), value: JSON.parse(used.subarray(HEAD_BYTES).toString()) as unknown };
}

function checksum(bytes: Buffer): number {
  return crc32(bytes.subarray(HEAD_BYTES), crc32(bytes.subarray(0, 12)));
}
