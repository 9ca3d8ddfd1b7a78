/**
 * `luna prepare FOLDER`: what the containers of the appliance need before they first start. Secrets, each in a file of the
 * one container that reads it; what is there stays as it is, so that every start may run it. No secret is ever printed.
 */
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../engine/errors.ts';
import { newSecret } from './auth/secrets.ts';

/** Who reads a folder: user ids of the images. */
const LUNA = 1000;
const READERS: Readonly<Record<string, number>> = {
  'secrets/luna': LUNA,
  'secrets/postgres': 999,
  // MinIO begins as root.
  'secrets/files': 0,
  'secrets/prometheus': 65_534,
  'secrets/grafana': 472,
};
/** Folders of data that must belong to who writes them, where they are mounted. */
const WRITERS: Readonly<Record<string, number>> = { backups: LUNA, wal: 999 };

export type Prepared = { made: string[]; kept: string[] };

/**
 * @param folder with the volumes mounted in it (compose/compose.yaml)
 * @throws ConfigError where it cannot be written
 */
export async function prepareAppliance(folder: string): Promise<Prepared> {
  const done: Prepared = { made: [], kept: [] };
  try {
    for (const [name, uid] of Object.entries(WRITERS)) await ownFolder(join(folder, name), uid);
    for (const [name, uid] of Object.entries(READERS)) await ownFolder(join(folder, name), uid);
    const secret = (path: string) => keep(folder, path, newSecret(), done);
    const owner = await secret('secrets/postgres/owner');
    const app = await secret('secrets/postgres/app');
    await secret('secrets/postgres/superuser');
    const files_key = await secret('secrets/files/user');
    const files_secret = await secret('secrets/files/password');
    const metrics = await secret('secrets/prometheus/metrics-token');
    await secret('secrets/grafana/admin');
    await secret('secrets/luna/backup-passphrase');
    const luna = {
      'database-url': `postgres://luna_app:${app}@postgres:5432/luna`,
      'database-owner-url': `postgres://luna_owner:${owner}@postgres:5432/luna`,
      'files-url': `s3://${files_key}:${files_secret}@minio:9000/luna`,
      'metrics-token': metrics,
    };
    for (const [name, text] of Object.entries(luna)) await keep(folder, `secrets/luna/${name}`, text, done);
    return done;
  } catch (cause) {
    throw new ConfigError(
      `${folder} cannot be prepared: ${(cause as Error).message}`,
      'Run it as root with the volumes of compose/compose.yaml in it.',
      { cause },
    );
  }
}

/** @returns what the file holds, which is `fresh` where there was none */
async function keep(folder: string, path: string, fresh: string, done: Prepared): Promise<string> {
  const file = join(folder, path);
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  if (known.trim() !== '') {
    done.kept.push(path);
    return known.trim();
  }
  await writeFile(file, `${fresh}\n`, { mode: 0o400, flush: true });
  await own(file, READERS[path.split('/').slice(0, 2).join('/')] ?? 0);
  done.made.push(path);
  return fresh;
}

async function ownFolder(path: string, uid: number): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o750 });
  await own(path, uid);
}

/** Only root can; in tests everything belongs to who runs them. */
async function own(path: string, uid: number): Promise<void> {
  if (process.getuid?.() === 0) await chown(path, uid, uid);
}
