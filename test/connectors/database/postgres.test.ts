import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMigrations } from '../../../connectors/database/postgres/migrate.ts';
import { openPostgres, type PostgresOptions } from '../../../connectors/database/postgres/postgres.ts';
import { ConfigError, UnavailableError } from '../../../engine/errors.ts';
import { databaseContract } from '../../contracts/database.ts';
import { silent } from '../../setup/database.ts';
import { type ExternalPostgres, startExternalPostgres } from '../../setup/external-postgres.ts';

describe('external Postgres', () => {
  let server: ExternalPostgres;
  beforeAll(async () => {
    server = await startExternalPostgres();
  });
  afterAll(() => server.stop());
  const open = async (more: Partial<PostgresOptions> = {}) =>
    openPostgres({ ...(await server.database()), log: silent, ...more });
  const asSuper = async (url: string, text: string) => {
    const client = new pg.Client(url);
    await client.connect();
    return client.query(text).finally(() => client.end());
  };

  describe('contract', () => {
    databaseContract(() => open());
  });

  it('refuses to work as superuser, and migrates nothing then', async () => {
    const { super_url } = await server.database();
    await expect(openPostgres({ url: super_url, owner_url: super_url, log: silent })).rejects.toThrow(/is a superuser/);
    const { rows } = await asSuper(super_url, `select to_regnamespace('luna') as schema`);
    expect(rows).toEqual([{ schema: null }]);
  });

  it.each([
    ['has BYPASSRLS', 'alter role app bypassrls', 'alter role app nobypassrls'],
    ['may become root', 'grant root to app', 'revoke root from app'],
    ['owns the tables or may become their owner', 'grant owner to app', 'revoke owner from app'],
  ])('refuses to work as a role that %s', async (why, grant, revoke) => {
    const urls = await server.database();
    await (await openPostgres({ ...urls, log: silent })).close();
    await asSuper(urls.super_url, grant);
    try {
      await expect(openPostgres({ ...urls, log: silent })).rejects.toThrow(why);
    } finally {
      await asSuper(urls.super_url, revoke);
    }
  });

  it('refuses the owner as app role', async () => {
    const { owner_url } = await server.database();
    await expect(openPostgres({ url: owner_url, owner_url, log: silent })).rejects.toThrow(/owns the tables/);
  });

  it('without an owner says which migrations are missing, and opens a current database', async () => {
    const urls = await server.database();
    const alone = { ...urls, owner_url: null, log: silent };
    await expect(openPostgres(alone)).rejects.toThrow(/lacks migration.*0001_spine.sql/);
    await (await openPostgres({ ...urls, log: silent })).close();
    for (const key of [null, 'ab'.repeat(32)])
      await expect(openPostgres({ ...alone, key })).rejects.toThrow(/does not believe which tenant/);
    const { rows } = await asSuper(urls.super_url, `select encode(secret, 'hex') as key from luna.tenant_key`);
    await (await openPostgres({ ...alone, key: rows[0].key })).close();
  });

  it('copies the tables before a migration, and leaves security as it was', async () => {
    const urls = await server.database();
    const first = await openPostgres({ ...urls, log: silent });
    await first.asSystem((sql) => sql(`insert into tenant (id, name) values ('a', 'A')`));
    await first.asTenant('a', (sql) => sql(`insert into setting (tenant_id, name, value) values ('a', 'n', '1')`));
    await first.close();
    const newest = readMigrations().at(-1)!.name.replace('.sql', '');
    const added = { name: '9999_later.sql', sql: 'alter table setting add column later text', sha256: 'x' };
    const second = await openPostgres({ ...urls, log: silent, migrations: [...readMigrations(), added] });
    const seen = await second.asSystem((sql) => sql('select 1 from setting'));
    await expect(second.asSystem((sql) => sql(`select * from luna_after_${newest}.setting`))).rejects.toThrow(/denied/);
    await second.close();
    expect(seen).toEqual([]);
    const { rows } = await asSuper(urls.super_url, `select tenant_id, name, value from luna_after_${newest}.setting`);
    expect(rows).toEqual([{ tenant_id: 'a', name: 'n', value: 1 }]);
    await expect(openPostgres({ ...urls, log: silent })).rejects.toThrow(/newer Luna \(migration 9999_later.sql/);
  });

  it('applies nothing of a migration that fails', async () => {
    const urls = await server.database();
    const bad = { name: '9999_bad.sql', sql: 'create table half (x int); select nonsense', sha256: 'x' };
    await expect(openPostgres({ ...urls, log: silent, migrations: [...readMigrations(), bad] })).rejects.toThrow(
      /nonsense/,
    );
    const { rows } = await asSuper(urls.super_url, `select to_regclass('luna.half') as half`);
    expect(rows).toEqual([{ half: null }]);
    await (await openPostgres({ ...urls, log: silent })).close();
  });

  it('refuses a migration that was changed after it had been applied', async () => {
    const urls = await server.database();
    await (await openPostgres({ ...urls, log: silent })).close();
    const changed = readMigrations().map((migration) => ({ ...migration, sha256: 'other' }));
    await expect(openPostgres({ ...urls, log: silent, migrations: changed })).rejects.toThrow(/was changed after/);
  });

  it('migrates once when two start together', async () => {
    const urls = await server.database();
    const both = await Promise.all([openPostgres({ ...urls, log: silent }), openPostgres({ ...urls, log: silent })]);
    await Promise.all(both.map((db) => db.close()));
  });

  it('ends a question that takes too long, and serves the next', async () => {
    const db = await open({ statement_timeout_ms: 200 });
    await expect(db.asSystem((sql) => sql('select pg_sleep(5)'))).rejects.toThrow(UnavailableError);
    await db.ping();
    await db.close();
  });

  it('says that the server is away, and goes on when it is back', async () => {
    const db = await open();
    await Promise.all(Array.from({ length: 5 }, () => db.ping()));
    const asking = db.asSystem((sql) => sql('select pg_sleep(5)'));
    const lost = expect(asking).rejects.toThrow(UnavailableError);
    await new Promise((done) => setTimeout(done, 100));
    await server.kill();
    await lost;
    await expect(db.ping()).rejects.toThrow(UnavailableError);
    await server.restart();
    await db.ping();
    await db.close();
  });

  it.each([
    ['mysql://x@y/z', /no address of a Postgres/],
    ['postgres://127.0.0.1/luna', /names no user/],
  ])('refuses %s', async (url, words) => {
    const failure = openPostgres({ url, owner_url: null, log: silent });
    await expect(failure).rejects.toThrow(words);
    await expect(failure).rejects.toThrow(ConfigError);
  });
});
