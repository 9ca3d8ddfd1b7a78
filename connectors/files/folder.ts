/** Files in a folder: one folder per tenant, names hashed, so that no name reaches outside and all systems agree on them. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NotFoundError, UnavailableError } from '../../engine/errors.ts';
import { checkedPath, isPath, type MovableFiles, pathOf } from './place.ts';

const DRAFT = '.draft-';

/** Makes `dir` where it is missing and removes what a kill left half written. */
export async function openFolderFiles({ dir }: { dir: string }): Promise<MovableFiles> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && entry.name.startsWith(DRAFT)) await rm(join(entry.parentPath, entry.name), { force: true });
  const put = (name: string, path: string, bytes: Uint8Array) =>
    translated(name, async () => {
      const folder = join(dir, dirname(path));
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeWhole(folder, join(dir, path), bytes);
    });
  return {
    write: async (tenant, name, bytes) => put(name, pathOf(tenant, name), bytes),
    read: (tenant, name) => translated(name, () => readFile(join(dir, pathOf(tenant, name)))),
    async remove(tenant, name) {
      await translated(name, () => rm(join(dir, pathOf(tenant, name)), { force: true }));
    },
    async paths() {
      const entries = await readdir(dir, { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
      return files.map((path) => path.slice(dir.length + 1).replaceAll('\\', '/')).filter(isPath);
    },
    readPath: (path) => translated(path, () => readFile(join(dir, checkedPath(path)))),
    writePath: async (path, bytes) => put(path, checkedPath(path), bytes),
    async close() {},
  };
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
