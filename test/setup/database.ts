/** A migrated database of one's own for a test file: `const { db, home, close } = await openTestDatabase()`. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { openEmbeddedPostgres } from '../../connectors/database/embedded/embedded.ts';
import type { Connection } from '../../connectors/database/postgres/connection.ts';
import { asOwner, readMigrations } from '../../connectors/database/postgres/migrate.ts';
import type { OpenedDatabase } from '../../connectors/database/postgres/pool.ts';

const run = promisify(execFile);

export type TestDatabase = {
  db: OpenedDatabase;
  /** A LUNA_HOME of its own, in which Postgres lies; tests may put other things there. */
  home: string;
  /** Stops Postgres and removes the home. */
  close(): Promise<void>;
};

const DAY_MS = 24 * 3_600_000;
/** Of the template's folder. */
const LAYOUT = 2;
export const silent = pino({ level: 'silent' });
/** Nothing in a test outlives it, so nothing has to reach the disk. */
export const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' };

/** Copies a template that the first test of this schema made: about 0.3 s. */
export async function openTestDatabase(): Promise<TestDatabase> {
  const home = await mkdtemp(join(tmpdir(), 'luna-db-'));
  try {
    await copyTemplate(home);
    const db = await openEmbeddedPostgres({ home, log: silent, settings: FAST });
    return {
      db,
      home,
      async close() {
        await db.close();
        await rm(home, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(home, { recursive: true, force: true });
    throw error;
  }
}

/**
 * Puts a migrated database into an empty home.
 * @param state `first`: as it was after the first of all migrations
 */
export async function copyTemplate(home: string, state: 'migrated' | 'first' = 'migrated'): Promise<void> {
  // The system's cp keeps the owner and is three times faster than Node's on 700 small files.
  await run('cp', ['-Rp', join(await template(), state), join(home, 'postgres')]);
}

/** One per schema and user; another schema makes another. Whoever comes second finds it or loses the race. */
async function template(): Promise<string> {
  const migrations = readMigrations();
  const schema = createHash('sha256')
    .update(JSON.stringify([LAYOUT, migrations]))
    .digest('hex')
    .slice(0, 16);
  const folder = join(tmpdir(), `luna-template-${userInfo().uid}-${schema}`);
  if (await stat(folder).catch(() => null)) return folder;
  await dropOldTemplates();
  const draft = await mkdtemp(join(tmpdir(), 'luna-template-draft-'));
  const first = await openEmbeddedPostgres({
    home: draft,
    log: silent,
    settings: FAST,
    migrations: migrations.slice(0, 1),
  });
  await dropUnused(first.cluster.connection);
  await first.close();
  await run('cp', ['-Rp', join(draft, 'postgres'), join(draft, 'first')]);
  await (await openEmbeddedPostgres({ home: draft, log: silent, settings: FAST })).close();
  await rename(join(draft, 'postgres'), join(draft, 'migrated'));
  await rm(join(draft, 'backups'), { recursive: true, force: true });
  // Who lost the race takes what is there.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true, force: true }));
  return folder;
}

/** What new databases are made from: half of the files, which every test would copy. */
async function dropUnused(connection: Connection): Promise<void> {
  await asOwner(connection, async (client) => {
    for (const name of ['template0', 'template1']) {
      await client.query('update pg_database set datistemplate = false where datname = $1', [name]);
      await client.query(`drop database ${name}`);
    }
  });
}

/** Those of former schemas; a day old, so that no test still copies from them. */
async function dropOldTemplates(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(`luna-template-${userInfo().uid}-`) && !name.startsWith('luna-template-draft-')) continue;
    const { mtimeMs } = await stat(join(tmpdir(), name));
    if (Date.now() - mtimeMs > DAY_MS) await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}
