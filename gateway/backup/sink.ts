/** Writes the files of a backup: each hashed on its way, fsynced, and listed. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { BackupSink } from '../../engine/ports.ts';
import { unavailable } from './faults.ts';

const run = promisify(execFile);

export type Entry = { path: string; bytes: number; sha256: string };
export type FolderSink = BackupSink & {
  entries: Entry[];
  /** A sink for what belongs under `prefix/`. */
  under(prefix: string): BackupSink;
};
export type SinkOptions = {
  /** Ends the work between two pieces. */
  signal?: AbortSignal;
  /** Called before each piece is written; tests make the disk full. */
  onPiece?: (path: string) => void;
  /** Whose disk is full when it is. */
  disk?: 'folder_full' | 'home_full';
  /** Many small files: `settle` makes them durable together. */
  together?: boolean;
};

const CHUNK_BYTES = 1024 * 1024;
/** Small syncs: the journal's own fsync, perhaps on the same disk, must not wait for a large one. */
const SYNC_BYTES = 4 * CHUNK_BYTES;

export function createSink(root: string, options: SinkOptions = {}): FolderSink {
  const entries: Entry[] = [];
  const put = async (path: string, pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) => {
    const { bytes, sha256 } = await writeDurably(join(root, path), path, pieces, options);
    entries.push({ path, bytes, sha256 });
  };
  const sink: BackupSink = {
    copy: async (path, from) => {
      const source = await open(from, 'r');
      try {
        await put(path, chunksOf(source));
      } finally {
        await source.close();
      }
    },
    write: (path, bytes) => put(path, [bytes]),
  };
  return {
    ...sink,
    entries,
    under: (prefix) => ({
      copy: (path, from) => sink.copy(`${prefix}/${path}`, from),
      write: (path, bytes) => sink.write(`${prefix}/${path}`, bytes),
    }),
  };
}

/** Copies one file into the home, durable after `settle`, and tells what was copied. @throws UnavailableError when the disk is full. */
export async function copyFile(from: string, to: string): Promise<Omit<Entry, 'path'>> {
  const source = await open(from, 'r');
  try {
    return await writeDurably(to, to, chunksOf(source), { together: true, disk: 'home_full' });
  } finally {
    await source.close();
  }
}

export async function hashFile(path: string): Promise<Omit<Entry, 'path'>> {
  if ((await stat(path)).size <= CHUNK_BYTES) {
    const whole = await readFile(path);
    return { bytes: whole.length, sha256: createHash('sha256').update(whole).digest('hex') };
  }
  const hash = createHash('sha256');
  let bytes = 0;
  const file = await open(path, 'r');
  try {
    for await (const chunk of chunksOf(file)) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  } finally {
    await file.close();
  }
  return { bytes, sha256: hash.digest('hex') };
}

/**
 * Makes everything below `root` durable, names too. One `syncfs` of its file system where there is one: 1,400 fsyncs of
 * small files take a hundred times as long.
 */
export async function settle(root: string): Promise<void> {
  const whole = await run('sync', ['-f', root]).then(
    () => true,
    () => false,
  );
  if (whole) return;
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }))
    if (entry.isDirectory() || entry.isFile()) await syncFolder(join(entry.parentPath, entry.name));
  await syncFolder(root);
}

export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await folder.sync().finally(() => folder.close());
}

async function* chunksOf(file: Awaited<ReturnType<typeof open>>): AsyncGenerator<Uint8Array> {
  // Most files are small.
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(8192, (await file.stat()).size)));
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function writeDurably(
  target: string,
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  { signal, onPiece, disk = 'folder_full', together = false }: SinkOptions,
): Promise<Omit<Entry, 'path'>> {
  const hash = createHash('sha256');
  let bytes = 0;
  let unsynced = 0;
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    const file = await open(target, 'wx', 0o600);
    try {
      for await (const piece of pieces) {
        signal?.throwIfAborted();
        onPiece?.(path);
        hash.update(piece);
        await file.writeFile(piece);
        bytes += piece.length;
        unsynced += piece.length;
        if (unsynced >= SYNC_BYTES) {
          await file.datasync();
          unsynced = 0;
        }
      }
      if (!together) await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw diskError(error as NodeJS.ErrnoException, path, disk);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** In words what a disk says; anything else as it is. */
export function diskError(error: NodeJS.ErrnoException, path: string, disk: 'folder_full' | 'home_full'): Error {
  const whose = disk === 'home_full' ? 'box' : 'backups';
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
    return unavailable(disk, `The disk of the ${whose} is full (while writing ${path}).`, 'Free space on it.', error);
  if (error.code === 'EIO' || error.code === 'EROFS' || error.code === 'EACCES')
    return unavailable(
      'folder_readonly',
      `${path} cannot be written (${error.message}).`,
      `Look at the disk of the ${whose}.`,
      error,
    );
  return error;
}
