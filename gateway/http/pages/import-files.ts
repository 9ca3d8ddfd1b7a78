/** Files that people chose to import wait on disk, one a person, until they are loaded, over a restart of the box too. */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { diskFiles } from '../../../connectors/journal/files.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import type { Actor } from '../../services.ts';
import { chosenFolderOf } from '../api/uploads.ts';

export type Kept = { path: string; sha256: string; size: number; name: string };

const SHA256 = /^[0-9a-f]{64}$/;

export function createImportFiles(config: { home: string }) {
  const folder = () => chosenFolderOf(config.home);
  const placeOf = (actor: Actor, sha256: string) => join(folder(), `${prefixOf(actor)}${sha256}`);
  /** All of the person but one. */
  const clear = async (actor: Actor, but = '') => {
    for (const name of await readdir(folder()))
      if (name.startsWith(prefixOf(actor)) && name !== `${prefixOf(actor)}${but}`) await rm(join(folder(), name));
  };
  const find = async (actor: Actor, sha256: string | undefined, name: string | undefined): Promise<Kept | null> => {
    if (sha256 === undefined || !SHA256.test(sha256)) return null;
    const path = placeOf(actor, sha256);
    const size = await sizeOf(path);
    return size === null ? null : { path, sha256, size, name: (name || 'file').slice(0, 255) };
  };
  return {
    /** Takes the file at `path` away from there; it takes the place of the person's former one. @returns its SHA-256 */
    async keep(actor: Actor, path: string): Promise<string> {
      const sha256 = await hashOf(path);
      await mkdir(folder(), { recursive: true, mode: 0o700 });
      // Its name tells what is in it: after a power cut too.
      await syncFile(path);
      await rename(path, placeOf(actor, sha256));
      await diskFiles.syncFolder(folder());
      await clear(actor, sha256);
      return sha256;
    },
    /** The file that the person chose last, if it still is the one that was looked at. */
    find,
    /** The same file under a name of its own, which the next choice does not take away. The caller removes it. */
    async hold(kept: Kept): Promise<Kept> {
      const path = join(folder(), randomUUID());
      await link(kept.path, path).catch((cause: Error) => {
        throw new UnavailableError(`The file cannot be held (${cause.message}).`, 'Choose it again.', { cause });
      });
      return { ...kept, path };
    },
    /** The next file of the same person may be there already. */
    forget: (actor: Actor, sha256: string) => rm(placeOf(actor, sha256), { force: true }),
  };
}

function prefixOf({ tenant, person }: Actor): string {
  return `${createHash('sha256').update(`${tenant}\0${person}`).digest('hex').slice(0, 32)}-`;
}

async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  await file.sync().finally(() => file.close());
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest('hex');
}
