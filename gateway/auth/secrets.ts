/** Random secrets, their hashes, and those that the box keeps in files of mode 600. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ConfigError } from '../../engine/errors.ts';

/** 256 random bits, base64url: 43 characters. Too many to guess, so a plain hash keeps them safe. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Takes the same time wherever the texts differ. */
export function sameText(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/** The secret in `path`; made on first use. Two that make it at once end up with the same. @throws as storedSecret */
export async function keptSecret(path: string): Promise<string> {
  return (await storedSecret(path)) ?? makeSecret(path);
}

/** The same for one that nothing hangs on: where it is damaged, another takes its place. */
export async function replaceableSecret(path: string): Promise<string> {
  try {
    return await keptSecret(path);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    await rm(path, { force: true });
    return makeSecret(path);
  }
}

/**
 * @returns null where there is none
 * @throws ConfigError for one that is damaged or cannot be read: making another would lose what the old one opens.
 */
export async function storedSecret(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new ConfigError(`The key file ${path} cannot be read (${error.code}).`, 'Mend its rights or its disk.');
  });
  if (text === null) return null;
  if (!/^[\w-]{43}$/.test(text.trim()))
    throw new ConfigError(
      `The key file ${path} is damaged: it does not hold 43 letters and digits.`,
      'Put it back from a backup. Without one move it away: the box makes a new one, and what the old one opened is lost.',
    );
  await chmod(path, 0o600);
  return text.trim();
}

async function makeSecret(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    const file = await open(draft, 'wx', 0o600);
    try {
      await file.writeFile(`${newSecret()}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await linked(draft, path);
  } finally {
    // Nothing is left of one that the disk did not take.
    await rm(draft, { force: true });
  }
  const secret = await storedSecret(path);
  if (secret === null) throw new Error(`${path} cannot be read back`);
  return secret;
}

/** Unlike a rename, a link never replaces what another made meanwhile: false then. */
function linked(draft: string, path: string): Promise<boolean> {
  return link(draft, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false;
      throw error;
    },
  );
}
