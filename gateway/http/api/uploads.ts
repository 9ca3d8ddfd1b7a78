/** Request bodies that wait on disk, in LUNA_HOME, until they are read. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { InvalidDataError } from '../../../engine/errors.ts';

const folderOf = (home: string): string => join(home, 'uploads');

/** Removes what uploads left that a kill of the box interrupted: nobody was told that they were taken. */
export async function clearUploads(home: string): Promise<void> {
  await rm(folderOf(home), { recursive: true, force: true });
}

/**
 * A large body goes to disk first, so that a slow sender holds no transaction and no memory.
 * @returns the file's path; the caller removes it
 */
export async function spool(body: ReadableStream | null, home: string): Promise<string> {
  if (!body) throw new InvalidDataError('The body is empty.', 'Send the file as the body.');
  const folder = folderOf(home);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, randomUUID());
  try {
    await pipeline(
      Readable.fromWeb(body as import('node:stream/web').ReadableStream),
      createWriteStream(path, { mode: 0o600 }),
    );
    return path;
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}
