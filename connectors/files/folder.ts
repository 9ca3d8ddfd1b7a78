/** Files in a folder: one folder per tenant, names hashed, so that no name reaches outside and all systems agree on them. */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidDataError, NotFoundError, UnavailableError } from '../../engine/errors.ts';
import type { FileStore } from '../../engine/ports.ts';

const TENANT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const NAME_LIMIT = 1024;
const DRAFT = '.draft-';

/** Makes `dir` where it is missing and removes what a kill left half written. */
export async function openFolderFiles({ dir }: { dir: string }): Promise<FileStore> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && entry.name.startsWith(DRAFT)) await rm(join(entry.parentPath, entry.name), { force: true });
  return {
    async write(tenant, name, bytes) {
      const { folder, path } = placeOf(dir, tenant, name);
      await translated(name, async () => {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeWhole(folder, path, bytes);
      });
    },
    read: (tenant, name) => translated(name, () => readFile(placeOf(dir, tenant, name).path)),
    async remove(tenant, name) {
      await translated(name, () => rm(placeOf(dir, tenant, name).path, { force: true }));
    },
    async close() {},
  };
}

function placeOf(dir: string, tenant: string, name: string): { folder: string; path: string } {
  if (!TENANT.test(tenant)) throw new InvalidDataError(`"${tenant}" is no tenant.`, 'Tenants are ids such as default.');
  if (name === '' || name.length > NAME_LIMIT)
    throw new InvalidDataError('A file name has 1 to 1,024 characters.', 'Choose another name.');
  // The tenant is part of the hash too: folders `A` and `a` are one on systems that ignore case.
  const file = createHash('sha256').update(`${tenant}\0${name}`).digest('hex');
  return { folder: join(dir, tenant), path: join(dir, tenant, file) };
}

/** Readers see the old or the new file, never a part, also after a kill or a power cut. */
async function writeWhole(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  const draft = join(folder, `${DRAFT}${randomUUID()}`);
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
    const directory = await open(folder, 'r');
    await directory.sync().finally(() => directory.close());
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

const STORAGE = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EROFS', 'EMFILE', 'ENFILE', 'EACCES', 'EPERM']);

async function translated<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new NotFoundError(`There is no file ${name}.`, 'It may have been removed.');
    if (STORAGE.has(code))
      throw new UnavailableError(`The file ${name} could not be stored or read (${message}).`, 'Is the disk full?', {
        cause: error,
      });
    throw error;
  }
}
