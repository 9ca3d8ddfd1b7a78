/** Where a file of a tenant lies, in a folder as in a bucket: names are hashed, so that none reaches outside. */
import { createHash } from 'node:crypto';
import { InvalidDataError } from '../../engine/errors.ts';
import type { FileStore } from '../../engine/ports.ts';

const TENANT = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const NAME_LIMIT = 1024;
const PATH = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\/[0-9a-f]{64}$/;

/** A file store whose files can be carried to another as they lie, by `luna move` and by backups. */
export type MovableFiles = FileStore & {
  /** `<tenant>/<hash>` of every file. */
  paths(): Promise<string[]>;
  /** Rejects NotFoundError. */
  readPath(path: string): Promise<Uint8Array>;
  writePath(path: string, bytes: Uint8Array): Promise<void>;
};

/** @returns `<tenant>/<hash>`. @throws InvalidDataError for what is no tenant or no name */
export function pathOf(tenant: string, name: string): string {
  if (!TENANT.test(tenant)) throw new InvalidDataError(`"${tenant}" is no tenant.`, 'Tenants are ids such as default.');
  if (name === '' || name.length > NAME_LIMIT)
    throw new InvalidDataError('A file name has 1 to 1,024 characters.', 'Choose another name.');
  // The tenant is part of the hash too: folders `A` and `a` are one on systems that ignore case.
  return `${tenant}/${createHash('sha256').update(`${tenant}\0${name}`).digest('hex')}`;
}

export function isPath(path: string): boolean {
  return PATH.test(path);
}

/** @throws InvalidDataError */
export function checkedPath(path: string): string {
  if (!isPath(path)) throw new InvalidDataError(`"${path}" is no file of a file store.`, 'Paths are <tenant>/<hash>.');
  return path;
}
