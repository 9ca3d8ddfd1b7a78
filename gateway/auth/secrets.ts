/** Random secrets, their hashes, and those that the box keeps in files of mode 600. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

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

/** The secret in `path`; made on first use. Two that make it at once end up with the same. */
export async function keptSecret(path: string): Promise<string> {
  return (await storedSecret(path)) ?? makeSecret(path);
}

/** @returns null where there is none, or a broken one (a kill while it was written on an old file system). */
export async function storedSecret(path: string): Promise<string | null> {
  const text = (await readFile(path, 'utf8').catch(() => '')).trim();
  if (!/^[\w-]{43}$/.test(text)) return null;
  await chmod(path, 0o600);
  return text;
}

async function makeSecret(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(`${newSecret()}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    while (!(await linked(draft, path)) && (await storedSecret(path)) === null) await rm(path, { force: true });
  } finally {
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
