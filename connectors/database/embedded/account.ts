/** Postgres refuses to run as root: a box that root started gives it an account of its own. */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { ConfigError } from '../../../engine/errors.ts';

const run = promisify(execFile);
const NAME = 'postgres';

/** Whom the Postgres processes run as; null is whoever runs the box. */
export type Account = { uid: number; gid: number } | null;

/**
 * For root: the owner of an existing data folder (somebody who ran the box as themselves before), else `postgres`.
 * @throws ConfigError when root has no `postgres` account and cannot make one.
 */
export async function postgresAccount(dataDir: string): Promise<Account> {
  if (process.getuid?.() !== 0) return null;
  const owner = await stat(dataDir).catch(() => null);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  return (await lookUp()) ?? (await createAccount());
}

/** Whether `account` may enter every folder on the way to `path`. Access lists are not looked at. */
export async function isReachable(path: string, account: Account): Promise<boolean> {
  if (!account) return true;
  for (let folder = path; ; folder = dirname(folder)) {
    const { mode, uid, gid } = await stat(folder);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}

async function lookUp(): Promise<Account> {
  try {
    const [uid, gid] = await Promise.all(['-u', '-g'].map(async (flag) => (await run('id', [flag, NAME])).stdout));
    return { uid: Number(uid), gid: Number(gid) };
  } catch {
    return null;
  }
}

async function createAccount(): Promise<Account> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME]);
    const account = await lookUp();
    if (account) return account;
  } catch (error) {
    throw new ConfigError(
      `Postgres cannot run as root, and no account "${NAME}" could be made: ${(error as Error).message}`,
      `Start the box as a normal user, or make an account named ${NAME}.`,
      { cause: error },
    );
  }
  throw new ConfigError(`The account "${NAME}" was made but cannot be found.`, 'Start the box as a normal user.');
}
