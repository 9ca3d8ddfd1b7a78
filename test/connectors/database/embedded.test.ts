import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedPostgres } from '../../../connectors/database/embedded/embedded.ts';
import { readMigrations } from '../../../connectors/database/postgres/migrate.ts';
import { UnavailableError } from '../../../engine/errors.ts';
import type { Database } from '../../../engine/ports.ts';
import { copyTemplate, FAST, silent } from '../../setup/database.ts';

describe('embedded Postgres', () => {
  let home: string;
  const opened: Database[] = [];
  beforeEach(async () => {
    home = mkdtempSync(join(tmpdir(), 'luna-pg-test-'));
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((db) => db.close()));
    rmSync(home, { recursive: true, force: true });
  });
  const open = async (where = home, more: Partial<Parameters<typeof openEmbeddedPostgres>[0]> = {}) => {
    const db = await openEmbeddedPostgres({ home: where, log: silent, settings: FAST, ...more });
    opened.push(db);
    return db;
  };
  const close = (db: Database) => {
    opened.splice(opened.indexOf(db), 1);
    return db.close();
  };
  const remember = (db: Database) => db.asSystem((sql) => sql(`insert into tenant (id, name) values ('kept', 'Kept')`));
  const remembers = async (db: Database) => (await db.asSystem((sql) => sql('select 1 from tenant'))).length === 1;
  const postmaster = (where = home) =>
    Number(readFileSync(join(where, 'postgres/postmaster.pid'), 'utf8').split('\n')[0]);
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  it('makes itself in an empty home, listens on no network, and is for nobody else', async () => {
    const db = await open();
    const settings = await db.asSystem((sql) =>
      sql(
        `select name, setting from pg_settings where name in ('listen_addresses', 'server_encoding', 'fsync') order by name`,
      ),
    );
    expect(settings.map((row) => row.setting)).toEqual(['off', '', 'UTF8']);
    expect(statSync(join(home, 'postgres')).mode & 0o777).toBe(0o700);
    expect(existsSync(join(home, 'postgres/.s.PGSQL.5432'))).toBe(true);
    await remember(db);
    const pid = postmaster();
    await close(db);
    expect(isAlive(pid)).toBe(false);
    expect(await remembers(await open())).toBe(true);
  });

  it('syncs to disk unless a test says otherwise', async () => {
    await copyTemplate(home);
    const [row] = await (await open(home, { settings: {} })).asSystem((sql) => sql('show fsync'));
    expect(row).toEqual({ fsync: 'on' });
  });

  it('runs side by side with another box', async () => {
    const other = join(home, 'other');
    mkdirSync(other);
    await Promise.all([copyTemplate(home), copyTemplate(other)]);
    const [one, two] = await Promise.all([open(), open(other)]);
    await remember(one);
    expect(await remembers(two)).toBe(false);
  });

  it('takes a home whose path is too long for a socket, also after the server died', async () => {
    const deep = join(home, 'd'.repeat(90), 'e'.repeat(40));
    mkdirSync(deep, { recursive: true });
    await copyTemplate(deep);
    const db = await open(deep, { settings: {} });
    await remember(db);
    await killServer(deep, db);
    expect(await remembers(db)).toBe(true);
  });

  it('starts again after the box was killed, while its server still runs, and keeps what was committed', async () => {
    await copyTemplate(home);
    const box = spawn(process.execPath, [join(import.meta.dirname, '../../setup/database-to-kill.ts'), home], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(box.stdout, 'data');
    const left = postmaster();
    box.kill('SIGKILL');
    await once(box, 'exit');
    expect(isAlive(left)).toBe(true);
    const begun = performance.now();
    const db = await open();
    expect(performance.now() - begun).toBeLessThan(15_000);
    expect(postmaster()).not.toBe(left);
    expect(await remembers(db)).toBe(true);
  });

  it('starts again after both were killed', async () => {
    await copyTemplate(home);
    const box = spawn(process.execPath, [join(import.meta.dirname, '../../setup/database-to-kill.ts'), home], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(box.stdout, 'data');
    process.kill(postmaster(), 'SIGKILL');
    box.kill('SIGKILL');
    await once(box, 'exit');
    expect(await remembers(await open())).toBe(true);
  });

  it('ends nobody else: neither whoever got the process id, nor the server of the home it was copied from', async () => {
    await copyTemplate(home);
    const bystander = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000) /* postgres */']);
    for (const name of ['postmaster.pid', '.s.PGSQL.5432.lock'])
      writeFileSync(join(home, 'postgres', name), `${bystander.pid}\n${join(home, 'postgres')}\n`);
    const first = await open();
    expect(isAlive(bystander.pid!)).toBe(true);
    bystander.kill('SIGKILL');
    const copy = join(home, 'copy');
    mkdirSync(copy);
    await copyTemplate(copy);
    cpSync(join(home, 'postgres/postmaster.pid'), join(copy, 'postgres/postmaster.pid'));
    await open(copy);
    await first.ping();
  });

  it('starts its server again when it dies', async () => {
    await copyTemplate(home);
    const db = await open(home, { settings: {} });
    await remember(db);
    await killServer(home, db);
    expect(await remembers(db)).toBe(true);
  });

  it('closes soon, whoever still asks', async () => {
    await copyTemplate(home);
    const db = await open();
    const asking = expect(db.asSystem((sql) => sql('select pg_sleep(20)'))).rejects.toThrow(UnavailableError);
    await db.ping();
    const begun = performance.now();
    await close(db);
    expect(performance.now() - begun).toBeLessThan(15_000);
    await asking;
    await expect(db.ping()).rejects.toThrow(UnavailableError);
  });

  it('is made anew when a kill ended its making, and never over files that it does not know', async () => {
    mkdirSync(join(home, 'postgres.new'));
    writeFileSync(join(home, 'postgres.new/half'), 'half');
    await close(await open());
    rmSync(join(home, 'postgres/PG_VERSION'));
    await expect(open()).rejects.toThrow(/holds files but no database/);
    expect(readdirSync(join(home, 'postgres')).length).toBeGreaterThan(10);
  });

  it('copies its data before a migration; the copy opens with the former program, the data with the newer only', async () => {
    await copyTemplate(home);
    const first = await open();
    await remember(first);
    await close(first);
    const migrations = [
      ...readMigrations(),
      { name: '9999_later.sql', sql: 'create table later (x int)', sha256: 'x' },
    ];
    await close(await open(home, { migrations }));
    await expect(open()).rejects.toThrow(/newer Luna \(migration 9999_later.sql/);
    const [copy] = readdirSync(join(home, 'backups'));
    expect(copy?.endsWith(readMigrations().at(-1)!.name.replace('.sql', ''))).toBe(true);
    rmSync(join(home, 'postgres'), { recursive: true });
    renameSync(join(home, 'backups', copy!), join(home, 'postgres'));
    expect(await remembers(await open())).toBe(true);
  });

  it('changes nothing and leaves no server behind when a migration fails', async () => {
    await copyTemplate(home);
    const migrations = [...readMigrations(), { name: '9999_bad.sql', sql: 'select nonsense', sha256: 'x' }];
    await expect(open(home, { migrations })).rejects.toThrow(/nonsense/);
    expect(existsSync(join(home, 'postgres/postmaster.pid'))).toBe(false);
    await open();
  });

  /** Resolves when another server answers in its place. */
  async function killServer(where: string, db: Database): Promise<void> {
    const pid = postmaster(where);
    process.kill(pid, 'SIGKILL');
    const deadline_ms = Date.now() + 15_000;
    for (;;) {
      await new Promise((done) => setTimeout(done, 50));
      try {
        if (postmaster(where) === pid) throw new Error('the dead one is still named');
        return await db.ping();
      } catch (error) {
        if (Date.now() > deadline_ms) throw error;
      }
    }
  }
});
