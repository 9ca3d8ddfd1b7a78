/**
 * What SQL that somebody smuggled into the transaction of tenant `a` may try to reach tenant `b`, against a real
 * server. The statement as a whole is taken to be the attacker's, which is more than an injection usually gets.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OpenedDatabase } from '../../connectors/database/postgres/pool.ts';
import { UnavailableError } from '../../engine/errors.ts';
import type { Sql } from '../../engine/ports.ts';

const MARK = 'Quaggasecret';
const MARK_OF_A = 'Okapigeheim';
const READ = `select value::text as found from setting`;

/** Each is one or more statements; whatever they do, `b` must not show and must stay as it is. */
const TAKE_OVER: readonly (readonly [name: string, ...statements: string[]])[] = [
  ['reset role', 'reset role'],
  ['set role none', 'set role none'],
  ['set session authorization default', 'set session authorization default'],
  ['reset session authorization', 'reset session authorization'],
  ['reset all', 'reset all'],
  ['discard plans', 'discard plans'],
  ['set the tenant', `set luna.tenant = 'b'`],
  ['set the tenant locally', `set local luna.tenant = 'b'`],
  ['set_config for the transaction', `select set_config('luna.tenant', 'b', true)`],
  ['set_config for the session', `select set_config('luna.tenant', 'b', false)`],
  ['the box itself', `select set_config('luna.tenant', '*', true)`],
  ['an empty seal', `select set_config('luna.tenant', 'b', true), set_config('luna.seal', '', true)`],
  ['the seal of a, told as that of b', `select set_config('luna.tenant', 'b', true)`],
  ['a guessed seal', `select set_config('luna.tenant', 'b', true), set_config('luna.seal', repeat('0', 64), true)`],
  [
    'a seal made with a key of their own',
    `select set_config('luna.tenant', 'b', true),
      set_config('luna.seal', luna.tenant_seal('\\x00', pg_backend_pid(), 'b'), true)`,
  ],
  ['row_security off', 'set row_security = off'],
  ['commit and go on', 'commit', `select set_config('luna.tenant', 'b', false)`],
  ['commit and begin as b', 'commit', 'begin', `select set_config('luna.tenant', 'b', true)`],
  ['a savepoint', 'savepoint s', `select set_config('luna.tenant', 'b', true)`, 'release savepoint s'],
  ['a search path', `set search_path = pg_temp, pgboss, pg_catalog, luna`],
];

/** Refused by the server, whatever comes after. */
const REFUSED: readonly (readonly [name: string, statement: string])[] = [
  ['two statements in one text', `select 1; ${READ}`],
  ['two statements, the first a setting', `set local luna.tenant = 'b'; ${READ}`],
  ['copy to a program', `copy setting to program 'cat'`],
  ['copy from a program', `copy setting from program 'echo'`],
  ['copy to a file', `copy setting to '/tmp/stolen'`],
  ['pg_read_file', `select pg_read_file('/etc/hostname')`],
  ['pg_ls_dir', `select pg_ls_dir('.')`],
  ['lo_import', `select lo_import('/etc/hostname')`],
  ['the key of the seal', 'select secret from tenant_key'],
  ['the key of the seal, changed', `update tenant_key set secret = sha256('x')`],
  ['another policy', `create policy mine on setting using (true)`],
  ['no policy', 'alter table setting disable row level security'],
  ['another function', `create or replace function luna.bound_tenant() returns text language sql as $$ select 'b' $$`],
  ['a table in the schema of ours', 'create table luna.mine (x int)'],
  ['a temporary table in the place of ours', 'create temporary table setting (value jsonb)'],
  ['a schema', 'create schema mine'],
  ['an extension', 'create extension dblink'],
  ['a role with more rights', 'alter role current_user bypassrls'],
  ['becoming the owner', 'set role luna_owner'],
  ['a superuser by name', 'set session authorization postgres'],
  ['replication role', `set session_replication_role = replica`],
  ['statistics of values', 'select * from pg_statistic'],
  ['passwords', 'select * from pg_authid'],
  ['a row for b', `insert into setting (tenant_id, name, value) values ('b', 'x', '1')`],
  ['a credential of b', `insert into directory (kind, key, tenant_id) values ('login', 'x', 'b')`],
  ['a tenant', `insert into tenant (id, name) values ('c', 'c')`],
];

export function tenantAttacks(open: () => Promise<OpenedDatabase>): void {
  let db: OpenedDatabase;
  const b = (text: string) => db.asTenant('b', (sql) => sql<{ found: string }>(text));
  const told: string[] = [];
  /** Everything an attacker hears: rows and error texts. */
  const asA = async (...statements: string[]) => {
    const heard: string[] = [];
    await db
      .asTenant('a', async (sql) => {
        for (const statement of statements) heard.push(JSON.stringify(await sql(statement)));
      })
      .catch((error: Error & { detail?: string; hint?: string; where?: string }) =>
        heard.push(JSON.stringify([error.message, error.detail, error.hint, error.where])),
      );
    told.push(...heard);
    return heard.join('\n');
  };
  beforeAll(async () => {
    db = await open();
    await db.asSystem((sql) => sql(`insert into tenant (id, name) values ('a', 'a'), ('b', '${MARK}')`));
    for (const [tenant, mark] of [
      ['a', MARK_OF_A],
      ['b', MARK],
    ])
      await db.asTenant(tenant!, (sql) => fill(sql, tenant!, mark!));
  });
  beforeEach(() => void told.splice(0));
  afterAll(() => db?.close());

  const untouched = async () => {
    expect(told.join('\n')).not.toContain(MARK);
    expect(await b('select value::text as found from setting')).toEqual([{ found: `"${MARK}"` }]);
    expect(await b('select login as found from person')).toEqual([{ found: MARK }]);
  };

  it('shows each tenant its own mark, before anybody attacks', async () => {
    await untouched();
    expect(await asA(READ)).toContain(MARK_OF_A);
  });

  it.each(TAKE_OVER)('does not cross by %s', async (_name, ...statements) => {
    await asA(...statements, READ);
    await asA(...statements, 'select login from person');
    await asA(...statements, 'select * from directory');
    await asA(...statements, 'select * from tenant');
    await asA(...statements, `update setting set value = '0' where tenant_id = 'b'`, 'commit');
    await asA(...statements, `delete from setting where tenant_id = 'b'`, 'commit');
    await asA(...statements, `delete from tenant where id = 'b'`, 'commit');
    // Whoever comes next on the connection, the box itself too, gets what is theirs.
    for (let i = 0; i < 3; i++) {
      expect(await db.asTenant('a', (sql) => sql(READ))).toEqual([{ found: `"${MARK_OF_A}"` }]);
      expect(await db.asSystem((sql) => sql(READ))).toEqual([]);
    }
    await untouched();
  });

  it.each(REFUSED)('is refused %s', async (_name, statement) => {
    await expect(db.asTenant('a', (sql) => sql(statement))).rejects.toThrow(
      /denied|must be|multiple commands|owner|permission|row-level security|does not exist|cannot/i,
    );
    await untouched();
  });

  it('believes only a seal made for this tenant on this connection', async () => {
    const seal = `select current_setting('luna.seal') as seal, pg_backend_pid() as pid`;
    const seen = await db.asTenant('b', (sql) => sql<{ seal: string; pid: number }>(seal));
    // As if it had leaked: of no use elsewhere.
    const found = await Promise.all(
      Array.from({ length: 8 }, () =>
        db.asTenant('a', async (sql) => {
          const [{ pid } = { pid: 0 }] = await sql<{ pid: number }>('select pg_backend_pid() as pid, pg_sleep(0.02)');
          if (pid === seen[0]?.pid) return [];
          await sql(`select set_config('luna.tenant', 'b', true), set_config('luna.seal', $1, true)`, [seen[0]?.seal]);
          return sql(READ);
        }),
      ),
    );
    expect(found.flat()).toEqual([]);
  });

  it('shows no seal to other connections', async () => {
    const [holds, looks] = await Promise.all([
      db.asTenant('b', async (sql) => {
        // Idle: what is seen is the statement that named the tenant.
        await sleep(300);
        return (await sql<{ seal: string }>(`select current_setting('luna.seal') as seal`))[0]?.seal ?? '';
      }),
      db.asTenant('a', async (sql) => {
        const said = [];
        for (let i = 0; i < 20; i++) {
          said.push(await sql(`select query from pg_stat_activity where pid <> pg_backend_pid()`));
          await sql('select pg_stat_clear_snapshot(), pg_sleep(0.01)');
        }
        return JSON.stringify(said);
      }),
    ]);
    expect(holds).toMatch(/^[0-9a-f]{64}$/);
    expect(looks).toContain('luna.seal');
    expect(looks).not.toContain(holds);
  });

  it('asks the policy before functions that tell what they see', async () => {
    const made = [
      `create function pgboss.leak(value text) returns boolean language plpgsql cost 0.0000001 as
        $$ begin raise exception 'seen %', value; end $$`,
      'create operator pgboss.=== (leftarg = text, rightarg = text, function = texteq)',
    ];
    for (const statement of made) await db.asSystem((sql) => sql(statement));
    try {
      expect(await asA(`select 1 from setting where pgboss.leak(value::text)`)).toContain(MARK_OF_A);
      await asA(`select 1 from setting where tenant_id = 'b' and pgboss.leak(value::text)`);
      await asA(`select 1 from person where login ~ 'Quagga' and 1 / (length(login) - ${MARK.length}) = 0`);
      await untouched();
    } finally {
      await db.asSystem((sql) => sql('drop operator pgboss.=== (text, text)'));
      await db.asSystem((sql) => sql('drop function pgboss.leak(text)'));
    }
  });

  it('explains no foreign value', async () => {
    for (const statement of [READ, `select * from person where login > 'A'`])
      await asA(`explain (analyze, verbose, buffers, settings) ${statement}`);
    await asA(`select * from pg_stats where schemaname = 'luna'`);
    await untouched();
  });

  it('names no foreign row in the text of an error', async () => {
    for (const statement of [
      `insert into person (tenant_id, login, name, role, password_hash) values ('b', '${MARK.toUpperCase()}', 'x', 'user', 'x')`,
      `insert into session (tenant_id, token_sha256, person_id, expires_at)
        values ('a', 'x', '00000000-0000-4000-8000-00000000000b', now())`,
      `insert into api_key (tenant_id, name, role, secret_sha256) values ('a', '${MARK.toLowerCase()}', 'user', 'x')`,
      `select value::int from setting`,
    ])
      await asA(statement);
    await untouched();
  });

  it('leads no reference and no uniqueness over the border of a tenant', async () => {
    const [{ keys } = { keys: '?' }] = await db.asSystem((sql) => sql<{ keys: string | null }>(WITHOUT_TENANT));
    expect(keys).toBeNull();
  });

  it('has one function that runs as its owner, with a search path of its own', async () => {
    const found = await db.asSystem((sql) =>
      sql(`select proname, proconfig from pg_proc where prosecdef and pronamespace = 'luna'::regnamespace`),
    );
    expect(found).toEqual([{ proname: 'bound_tenant', proconfig: ['search_path=pg_catalog, pg_temp'] }]);
    const views = await db.asSystem((sql) =>
      sql(`select relname from pg_class where relnamespace = 'luna'::regnamespace and relkind in ('v', 'm')`),
    );
    expect(views).toEqual([]);
  });

  describe('what a connection keeps', () => {
    const LEFT: readonly (readonly [name: string, leave: string, look: string])[] = [
      ['settings', `set statement_timeout = 1`, `select 1 where current_setting('statement_timeout') = '1ms'`],
      [
        'the search path',
        `set search_path = pg_catalog`,
        `select 1 where current_setting('search_path') = 'pg_catalog'`,
      ],
      ['a tenant', `set luna.tenant = 'a'`, `select 1 where current_setting('luna.tenant', true) = 'a'`],
      ['statements', `prepare mine as select 1`, `select 1 from pg_prepared_statements where name = 'mine'`],
      ['cursors', `declare mine cursor with hold for ${READ}`, `select 1 from pg_cursors where name = 'mine'`],
      ['channels', `listen mine`, `select 1 from pg_listening_channels() as channel where channel = 'mine'`],
      [
        'locks',
        `select pg_advisory_lock(4711)`,
        `select 1 from pg_locks where locktype = 'advisory' and objid = 4711 and pid = pg_backend_pid()`,
      ],
    ];
    it.each(LEFT)('passes no %s on to the next tenant', async (_name, leave, look) => {
      const pids = new Set<number>();
      const left = db.asTenant('a', async (sql) => {
        const [row] = await sql<{ pid: number }>('select pg_backend_pid() as pid');
        pids.add(row?.pid ?? 0);
        await sql(leave);
        await sql('commit');
        expect(await sql(look)).toHaveLength(1);
      });
      await left;
      let same = 0;
      // Whichever connections of the pool are free, until the same one came.
      for (let i = 0; i < 50 && same < 2; i++)
        await db.asTenant('b', async (sql) => {
          const [row] = await sql<{ pid: number }>('select pg_backend_pid() as pid');
          if (pids.has(row?.pid ?? 0)) same++;
          expect(await sql(look)).toEqual([]);
          expect(await sql(READ)).toEqual([{ found: `"${MARK}"` }]);
        });
      expect(same).toBe(2);
    });

    it.each([
      ['failed', (sql: Sql) => sql('select 1 / 0'), /division/],
      [
        'took too long',
        (sql: Sql) => sql(`set local statement_timeout = 20`).then(() => sql('select pg_sleep(5)')),
        UnavailableError,
      ],
      ['was cancelled', (sql: Sql) => sql('select pg_cancel_backend(pg_backend_pid()), pg_sleep(5)'), UnavailableError],
      ['lost its connection', (sql: Sql) => sql('select pg_terminate_backend(pg_backend_pid())'), UnavailableError],
      ['gave up in between', () => Promise.reject(new Error('gave up')), /gave up/],
    ] as const)('passes no tenant on when a transaction %s', async (_name, fail, how) => {
      for (let i = 0; i < 5; i++) {
        await expect(db.asTenant('b', fail)).rejects.toThrow(how as RegExp);
        expect(await db.asTenant('a', (sql) => sql(READ))).toEqual([{ found: `"${MARK_OF_A}"` }]);
        expect(await db.asSystem((sql) => sql(READ))).toEqual([]);
      }
      await untouched();
    });
  });
}

/** Foreign keys to, and unique indexes on, tables of tenants that leave the tenant out. */
const WITHOUT_TENANT = `
  with ours as (
    select attrelid as id, attnum from pg_attribute join pg_class on pg_class.oid = attrelid
    where relnamespace = 'luna'::regnamespace and attname = 'tenant_id' and relname <> 'directory')
  select string_agg(name, ', ') as keys from (
    select conname as name from pg_constraint join ours on ours.id = confrelid
      where contype = 'f' and not ours.attnum = any(confkey)
    union all
    select indexrelid::regclass::text from pg_index join ours on ours.id = indrelid
      where indisunique and not ours.attnum = any(indkey::int2[])) as bad`;

async function fill(sql: Sql, tenant: string, mark: string): Promise<void> {
  await sql(`insert into setting (tenant_id, name, value) values ($1, 'note', $2)`, [tenant, JSON.stringify(mark)]);
  await sql(
    `insert into person (tenant_id, id, login, name, role, password_hash) values ($1, $2, $3, $3, 'admin', 'x')`,
    [tenant, `00000000-0000-4000-8000-00000000000${tenant}`, mark],
  );
  await sql(`insert into directory (kind, key, tenant_id) values ('login', $1, $2)`, [mark, tenant]);
}
