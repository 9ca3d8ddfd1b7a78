/**
 * One process at a time holds a home. The lock is the kernel's (SQLite takes it on a file without content): it ends with
 * its process however that ends, and stays with a process that is only stopped or busy.
 */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from '../engine/errors.ts';

/** SQLITE_BUSY: another connection holds the lock. */
const BUSY = 5;

/** @returns what lets go of it again. @throws ConfigError when another process holds the home, or the file cannot be locked. */
export function lockHome(home: string): () => void {
  const path = join(home, 'luna.lock');
  let file: DatabaseSync | null = null;
  try {
    file = new DatabaseSync(path, { timeout: 0 });
    chmodSync(path, 0o600);
    file.exec('begin exclusive');
  } catch (cause) {
    file?.close();
    if ((cause as { errcode?: number }).errcode === BUSY)
      throw new ConfigError(`Another Luna runs in ${home}.`, 'Stop it first, or give another LUNA_HOME.');
    const text = `The file ${path} cannot be locked: ${(cause as Error).message}.`;
    throw new ConfigError(text, 'The folder must be writable, on a file system with locks.', { cause });
  }
  const held = file;
  return () => {
    if (held.isOpen) held.close();
  };
}
