/** The few disk operations of the journal's writer, so that tests can make a disk full, slow or lying. */
import fs from 'node:fs';
import { copyFile, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';

export type JournalFiles = {
  /** Creates (or empties) a file for writing. @returns its descriptor */
  create(path: string): Promise<number>;
  /** Writes all of `bytes` at `position`. */
  write(fd: number, bytes: Buffer, position: number): Promise<void>;
  /** Resolves when what was written is on the disk itself. */
  sync(fd: number): Promise<void>;
  truncate(fd: number, length: number): Promise<void>;
  close(fd: number): Promise<void>;
  /** Makes created, renamed and removed names of a folder durable. */
  syncFolder(dir: string): Promise<void>;
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Gives a file a second name (or makes a copy, where the file system knows no links). */
  link(from: string, to: string): Promise<void>;
  /** Shortens a file that is not open, durably. */
  cut(path: string, length: number): Promise<void>;
};

const write = promisify(fs.write);

/** The real disk. */
export const diskFiles: JournalFiles = {
  create: (path) => promisify(fs.open)(path, 'w', 0o600),
  async write(fd, bytes, position) {
    let done = 0;
    while (done < bytes.length) {
      const { bytesWritten } = await write(fd, bytes, done, bytes.length - done, position + done);
      done += bytesWritten;
    }
  },
  // The size of the file is metadata that fdatasync writes too, since the data could not be read without it.
  sync: promisify(fs.fdatasync),
  truncate: promisify(fs.ftruncate),
  close: promisify(fs.close),
  async syncFolder(dir) {
    const folder = await open(dir, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  remove: (path) => rm(path, { force: true }),
  rename,
  link: (from, to) => link(from, to).catch(() => copyFile(from, to)),
  async cut(path, length) {
    const file = await open(path, 'r+');
    try {
      await file.truncate(length);
      await file.sync();
    } finally {
      await file.close();
    }
  },
};

/** Creates a whole small file that is on disk, under its name, when this resolves. */
export async function writeWhole(files: JournalFiles, dir: string, path: string, pieces: Buffer[]): Promise<void> {
  const fresh = `${path}.tmp`;
  const fd = await files.create(fresh);
  try {
    let position = 0;
    for (const piece of pieces) {
      await files.write(fd, piece, position);
      position += piece.length;
    }
    await files.sync(fd);
  } finally {
    await files.close(fd);
  }
  await files.rename(fresh, path);
  await files.syncFolder(dir);
}

/** Makes the folder where it is missing; its name is on disk when this resolves. */
export async function makeFolder(files: JournalFiles, dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await files.syncFolder(dirname(resolve(dir)));
}
