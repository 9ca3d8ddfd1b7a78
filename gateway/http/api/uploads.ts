/** Request bodies that wait on disk, in LUNA_HOME, until they are read. */
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import type { Context } from 'hono';
import { InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import type { Env } from '../api.ts';

export const folderOf = (home: string): string => join(home, 'uploads');

/** Where files wait that people chose to import; their names begin with whose they are. */
export const chosenFolderOf = (home: string): string => join(folderOf(home), 'chosen');
const CHOSEN = /^[0-9a-f]{32}-[0-9a-f]{64}$/;
/** Who has not loaded a file by then chooses it again. */
const CHOSEN_FOR_MS = 7 * 86_400_000;

/**
 * Removes what uploads left that a kill of the box interrupted: nobody was told that they were taken. Files that people
 * chose to import wait on, for a week.
 */
export async function clearUploads(home: string): Promise<void> {
  const folder = folderOf(home);
  const chosen = chosenFolderOf(home);
  for (const name of await namesIn(folder))
    if (join(folder, name) !== chosen) await rm(join(folder, name), { recursive: true, force: true });
  for (const name of await namesIn(chosen)) {
    const path = join(chosen, name);
    const isOld = Math.abs(Date.now() - (await stat(path)).mtimeMs) > CHOSEN_FOR_MS;
    if (isOld || !CHOSEN.test(name)) await rm(path, { recursive: true, force: true });
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
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

export type SentForm = {
  fields: Readonly<Record<string, string>>;
  /** The one field `file`; its name as sent, its bytes at `path`. */
  file: { name: string; path: string; size: number };
  /** Removes what waits on disk. */
  discard(): Promise<void>;
};

/** A form with a file is a few short fields and the file. */
const FORM_LIMITS = { files: 1, fields: 20, parts: 30, fieldSize: 64 * 1024, fieldNameSize: 100, headerPairs: 50 };
const FORM_REMEDY = 'Send multipart/form-data with the field `file`.';

/** Takes a multipart form apart while it arrives; the file goes to disk. @throws InvalidDataError */
export async function receiveForm(c: Context<Env>, home: string): Promise<SentForm> {
  const type = c.req.header('content-type') ?? '';
  const { body } = c.req.raw;
  if (!/^multipart\/form-data\b/i.test(type) || !body) throw new InvalidDataError('That is no form.', FORM_REMEDY);
  const fields: Record<string, string> = {};
  let file: Promise<SentForm['file']> | null = null;
  const parser = openParser(type);
  parser.on('field', (name, value) => {
    fields[name] = value;
  });
  parser.on('file', (name, stream, filename) => {
    if (name !== 'file') return void stream.resume();
    file = spool(Readable.toWeb(stream) as ReadableStream, home).then(async (path) => ({
      ...{ name: filename ?? 'file', path, size: (await stat(path)).size },
    }));
    // The rest of the form must not wait for a file that nobody takes any more.
    file.catch((error: Error) => parser.destroy(error));
  });
  const received = () => file as Promise<SentForm['file']> | null;
  const discard = async () => {
    const kept = await received()?.catch(() => null);
    if (kept) await rm(kept.path, { force: true });
  };
  try {
    await pipeline(Readable.fromWeb(body as import('node:stream/web').ReadableStream), parser);
    const sent = await received();
    if (!sent) throw new InvalidDataError('The form has no field `file`.', FORM_REMEDY);
    return { fields, file: sent, discard };
  } catch (error) {
    await discard();
    if (error instanceof InvalidDataError) throw error;
    if (isDiskFault(error)) throw noRoom(error);
    throw new InvalidDataError(`The form cannot be read: ${(error as Error).message}.`, FORM_REMEDY);
  }
}

/** What the file system said, whatever it was: the form is not to blame. */
function isDiskFault(error: unknown): boolean {
  return typeof (error as NodeJS.ErrnoException).syscall === 'string';
}

function noRoom(cause: unknown): UnavailableError {
  return new UnavailableError('The disk has no room for the file.', 'Free disk space, then send it again.', { cause });
}

function openParser(type: string): InstanceType<typeof Busboy> {
  try {
    return new Busboy({ headers: { 'content-type': type } as BusboyHeaders, limits: FORM_LIMITS });
  } catch (error) {
    throw new InvalidDataError(`The form cannot be read: ${(error as Error).message}.`, FORM_REMEDY);
  }
}
