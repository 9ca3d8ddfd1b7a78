/** What every Database does: transactions that see one tenant's rows, whatever is asked. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TABLES_WITHOUT_TENANT } from '../../connectors/database/tables-without-tenant.ts';
import { InvalidDataError } from '../../engine/errors.ts';
import type { Database, Sql } from '../../engine/ports.ts';

/** Tenants `a` and `b` with one row of `a` in every table, so that no table is left out. */
export function databaseContract(open: () => Promise<Database>): void {
  let db: Database;
  let tables: string[] = [];
  beforeAll(async () => {
    db = await open();
    await db.asSystem((sql) => sql(`insert into tenant (id, name) values ('a', 'A'), ('b', 'B')`));
    await db.asTenant('a', fillEveryTable);
    tables = await db.asSystem(tenantTables);
  });
  afterAll(() => db.close());

  it('has row-level security, forced, on every table but the declared ones', async () => {
    const rows = await db.asSystem((sql) => sql<{ name: string; safe: boolean; checked: boolean }>(SECURITY_OF_TABLES));
    const unsafe = rows.filter(({ safe, checked }) => !safe || !checked).map(({ name }) => name);
    // Whose a credential is the box asks of a table that is bound to tenants besides.
    const declared = Object.keys(TABLES_WITHOUT_TENANT).filter((n) => !n.endsWith('*') && n !== 'luna.directory');
    expect(unsafe.sort()).toEqual(declared.sort());
    expect(tables.length).toBeGreaterThan(15);
  });

  it('works under a role that row-level security binds', async () => {
    const [role] = await db.asSystem((sql) =>
      sql('select rolsuper, rolbypassrls from pg_roles where rolname = current_user'),
    );
    expect(role).toEqual({ rolsuper: false, rolbypassrls: false });
    await expect(db.asSystem((sql) => sql('alter table site no force row level security'))).rejects.toThrow(/owner/);
    const [site] = await db.asSystem((sql) =>
      sql<{ owner: string }>(
        `select tableowner as owner from pg_tables where schemaname = 'luna' and tablename = 'site'`,
      ),
    );
    await expect(db.asSystem((sql) => sql(`set role ${site!.owner}`))).rejects.toThrow(/permission denied/);
  });

  it('shows a tenant its own rows, and no other tenant and nobody a single one', async () => {
    for (const table of tables) {
      const count = async (sql: Sql) => (await sql(`select 1 from ${table}`)).length;
      expect([table, await db.asTenant('a', count)]).toEqual([table, 1]);
      expect([table, await db.asTenant('b', count)]).toEqual([table, 0]);
      expect([table, await db.asSystem(count)]).toEqual([table, 0]);
    }
  });

  it('lets no other tenant change or remove a row', async () => {
    for (const table of tables.filter((name) => !KEPT.includes(name)))
      for (const other of ['b', null]) {
        const tried = (work: (sql: Sql) => Promise<unknown[]>) =>
          other === null ? db.asSystem(work) : db.asTenant(other, work);
        expect(await tried((sql) => sql(`update ${table} set tenant_id = 'b' returning 1`))).toEqual([]);
        expect(await tried((sql) => sql(`delete from ${table} returning 1`))).toEqual([]);
      }
  });

  it("lets no other tenant write a row in somebody else's name", async () => {
    for (const table of tables) {
      const copy = await db.asTenant('a', (sql) => sql<Record<string, unknown>>(`select * from ${table}`));
      const insert = (sql: Sql) =>
        sql(`insert into ${table} overriding system value select * from jsonb_populate_record(null::${table}, $1)`, [
          JSON.stringify(copy[0]),
        ]);
      for (const attempt of [() => db.asTenant('b', insert), () => db.asSystem(insert)])
        await expect(attempt(), table).rejects.toThrow(/row-level security|permission denied/);
    }
  });

  it('lets a tenant hand no row over to another', async () => {
    for (const table of tables.filter((name) => !KEPT.includes(name)))
      await expect(
        db.asTenant('a', (sql) => sql(`update ${table} set tenant_id = 'b'`)),
        table,
      ).rejects.toThrow(/row-level security/);
  });

  it('lets nobody change or remove what the audit log says', async () => {
    const heads = ['delete from audit_head', `update audit_head set hash = 'x'`, 'truncate audit_head'];
    for (const statement of ['delete from audit', `update audit set act = 'nothing'`, 'truncate audit', ...heads])
      await expect(db.asTenant('a', (sql) => sql(statement))).rejects.toThrow(/permission denied/);
  });

  it('forgets the tenant with the transaction, also on the same connection', async () => {
    for (let i = 0; i < 30; i++) {
      await db.asTenant('a', (sql) => sql('select 1 from site'));
      expect(await db.asSystem((sql) => sql('select 1 from site'))).toEqual([]);
    }
  });

  it('keeps tenants apart in many transactions at once', async () => {
    const counts = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        db.asTenant(i % 2 ? 'a' : 'b', async (sql) => {
          await sql('select pg_sleep(0.002)');
          return (await sql('select 1 from site')).length;
        }),
      ),
    );
    expect(counts).toEqual(counts.map((_, i) => i % 2));
  });

  it('does all of a transaction or nothing', async () => {
    const setting = (sql: Sql) => sql(`select value from setting where name = 'half'`);
    await expect(
      db.asTenant('a', async (sql) => {
        await sql(`insert into setting (tenant_id, name, value) values ('a', 'half', '1')`);
        throw new Error('in the middle');
      }),
    ).rejects.toThrow('in the middle');
    await expect(
      db.asTenant('a', async (sql) => {
        await sql(`insert into setting (tenant_id, name, value) values ('a', 'half', '1')`);
        await sql('select nonsense');
      }),
    ).rejects.toThrow(/nonsense/);
    expect(await db.asTenant('a', setting)).toEqual([]);
  });

  it('takes text as text, whatever is in it', async () => {
    const value = `'; drop table site; -- "ü" ${'x'.repeat(100_000)}`;
    const read = await db.asTenant('a', (sql) =>
      sql('select $1::text as value, $2::jsonb as json', [value, '[1,{"a":null}]']),
    );
    expect(read).toEqual([{ value, json: [1, { a: null }] }]);
  });

  it('gives bigint as number, date as text, timestamptz as Date', async () => {
    const [row] = await db.asSystem((sql) =>
      sql(`select 9007199254740991::bigint as n, '2026-03-29'::date as day, '2026-03-29T01:00:00Z'::timestamptz as at`),
    );
    expect(row).toEqual({ n: 9007199254740991, day: '2026-03-29', at: new Date('2026-03-29T01:00:00Z') });
  });

  it.each(['', "a' or '1'='1", 'a;b', 'ä', ' a'])('takes %j for no tenant', async (tenant) => {
    await expect(db.asTenant(tenant, (sql) => sql('select 1'))).rejects.toThrow(InvalidDataError);
    await expect(db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]))).rejects.toThrow(
      /check constraint/,
    );
  });

  describe('under load', () => {
    it('serves more askers than it has connections', async () => {
      const all = await Promise.all(Array.from({ length: 200 }, () => db.asTenant('a', (sql) => sql('select 1 as x'))));
      expect(all).toHaveLength(200);
      await db.ping();
    });
  });
}

const SECURITY_OF_TABLES = `
  select 'luna.' || relname as name, relrowsecurity and relforcerowsecurity as safe,
    exists (select from pg_policies where schemaname = 'luna' and tablename = relname
      and cmd = 'ALL' and qual like '(tenant_id = %bound_tenant()%' and with_check like '(tenant_id = %bound_tenant()%')
    and exists (select from information_schema.columns where table_schema = 'luna' and table_name = relname
      and column_name = 'tenant_id' and is_nullable = 'NO') as checked
  from pg_class where relnamespace = 'luna'::regnamespace and relkind in ('r', 'p')`;

async function tenantTables(sql: Sql): Promise<string[]> {
  const rows = await sql<{ name: string }>(
    `select relname as name from pg_class
      where relnamespace = 'luna'::regnamespace and relkind in ('r', 'p') order by relname`,
  );
  return rows.map(({ name }) => name).filter((name) => !(`luna.${name}` in TABLES_WITHOUT_TENANT));
}

const ID = '00000000-0000-4000-8000-000000000001';
/** Tables whose rows stay for ever. */
const KEPT: readonly string[] = ['audit', 'audit_head'];
const ROWS: readonly string[] = [
  `site (tenant_id, id, name, time_zone, country, currency) values ('a', 's', 'S', 'UTC', 'DE', 'EUR')`,
  `tariff_version (tenant_id, site_id, valid_from, yaml, by, at) values ('a', 's', '2026-01-01', 'name: T', 'x', now())`,
  `device (tenant_id, id, name, connection) values ('a', 'd', 'D', '{}')`,
  `device_credential (tenant_id, username, device_id, secret_sha256) values ('a', 'd', 'd', '\\x00')`,
  `meter_point (tenant_id, id, site_id, name, role, device_id) values ('a', 'm', 's', 'M', 'load', 'd')`,
  `person (tenant_id, id, login, name, role, password_hash) values ('a', '${ID}', 'x', 'X', 'admin', 'h')`,
  `session (tenant_id, token_sha256, person_id, expires_at) values ('a', 't', '${ID}', now())`,
  `api_key (tenant_id, name, role, secret_sha256) values ('a', 'k', 'user', 'h')`,
  `audit (tenant_id, actor, act, object) values ('a', 'x', 'did', 'that')`,
  `audit_head (tenant_id, id, hash, at, key_id, signature) values ('a', 1, 'h', now(), 'k', 's')`,
  `recovery_code (tenant_id, person_id, code_sha256) values ('a', '${ID}', 'h')`,
  `setting (tenant_id, name, value) values ('a', 'n', '1')`,
  `quality_report (tenant_id, meter_id, day, report) values ('a', 'm', '2026-01-01', '{}')`,
  `data_load (tenant_id, file_name, sha256) values ('a', 'f', 'h')`,
  `document (tenant_id, id, title) values ('a', '${ID}', 'T')`,
  `document_version (tenant_id, document_id, version, file_name, sha256, language, state, uploaded_by)
    values ('a', '${ID}', '1', 'f', 'h', 'en', 'ready', 'x')`,
  `passage (tenant_id, id, document_id, version, section, text, start_at, end_at)
    values ('a', 'p', '${ID}', '1', '§ 1', 'text', 0, 4)`,
  `decision (tenant_id, id, site_id, at, policy, seed, context, eligible, chosen)
    values ('a', '${ID}', 's', now(), 'p', 1, '{}', '[]', '[]')`,
  `feedback (tenant_id, decision_id, action_id, outcome, by) values ('a', '${ID}', 'x', 'accepted', 'x')`,
  `reward (tenant_id, seq, decision_id, action_id, position, source, value, delay_ms, at, outcome)
    values ('a', 1, '${ID}', 'x', 0, 'answer', 1, 0, now(), '{}')`,
  `effect (tenant_id, decision_id, action_id, accepted_at, due_at) values ('a', '${ID}', 'x', now(), now())`,
  `policy_state (tenant_id, site_id, policy, state) values ('a', 's', 'p', '{}')`,
  `usage_event (tenant_id, id, at, person, kind, object) values ('a', 'u', now(), 'x', 'view', 'now')`,
  `alert (tenant_id, id, kind, object, severity, opened_at) values ('a', '${ID}', 'meter_silent', 'm', 'info', now())`,
  `notify_channel (tenant_id, id, name, kind, settings, min_severity) values ('a', '${ID}', 'c', 'mqtt', '{}', 'info')`,
  `notify_recipient (tenant_id, id, channel_id, name, language, step) values ('a', '${ID}', '${ID}', 'r', 'en', 1)`,
  `notify_message (tenant_id, id, recipient_id, recipient_name, channel_id, channel_name, severity, made_at, next_try_at)
    values ('a', '${ID}', '${ID}', 'r', '${ID}', 'c', 'info', now(), now())`,
  `notify_item (tenant_id, alert_id, recipient_id, round, what, n, message_id)
    values ('a', '${ID}', '${ID}', 1, 'opened', 1, '${ID}')`,
  `notify_attempt (tenant_id, message_id, n, at, ok, text) values ('a', '${ID}', 1, now(), true, 't')`,
  `repair_act (tenant_id, id, meter_id, quantity, from_ms, to_ms, kind, state, by, at, reason)
    values ('a', '${ID}', 'm', 'power_W', 0, 1, 'value', 'done', 'x', now(), 'why')`,
  `repair_value (tenant_id, act_id, at_ms, before_set, after_set) values ('a', '${ID}', 0, 0, 1)`,
  `anomaly (tenant_id, meter_id, quantity, kind, since_at, opened_at, score, causes)
    values ('a', 'm', 'power_W', 'point', now(), now(), 9, '[]')`,
  `conversation (tenant_id, id, person, title, created_at, updated_at) values ('a', '${ID}', 'p', 't', now(), now())`,
  `answer_run (tenant_id, id, conversation_id, person, role, language, question, state, created_at, updated_at)
    values ('a', '${ID}', '${ID}', 'p', 'user', 'en', 'q', 'done', now(), now())`,
  `answer_step (tenant_id, run_id, seq, name, result, begun_at, ms) values ('a', '${ID}', 1, 'plan', '{}', now(), 1)`,
  `answer_feedback (tenant_id, run_id, person, verdict, at) values ('a', '${ID}', 'p', 'useful', now())`,
  `answer_task (tenant_id, run_id, title, confirmed_by, confirmed_at) values ('a', '${ID}', 't', 'p', now())`,
  `model_audit (tenant_id, run_id, at, person, question, prompt, passages, model, answer, latency_ms, prompt_tokens,
    answer_tokens, cost_eur) values ('a', '${ID}', now(), 'p', 'q', 'q', '[]', 'm', 'a', 1, 1, 1, 0)`,
  `model_eval_results (tenant_id, at, model_version, question_set, questions, answered, p95_ms)
    values ('a', now(), 'extractive', 'golden', 1, 1, 1)`,
  `plan_device (tenant_id, site_id, id, settings, by, at) values ('a', 's', 'd', '{}', 'x', now())`,
  `plan (tenant_id, site_id, made_at, cause, body) values ('a', 's', now(), 'schedule', '{}')`,
  `plan_override (tenant_id, site_id, device_id, from_at, to_at, power_w, by, at)
    values ('a', 's', 'd', now(), now(), 0, 'x', now())`,
  `grid_signal (tenant_id, id, site_id, source, received_at, from_at, asked_w, minimum_w, limit_w, devices)
    values ('a', '${ID}', 's', 'http', now(), now(), 0, 4200, 4200, '[]')`,
  `grid_signal_draw (tenant_id, signal_id, at, detail) values ('a', '${ID}', now(), '{}')`,
  `simulation (tenant_id, site_id, asked, by, at, state) values ('a', 's', '{}', 'x', now(), 'done')`,
  `savings_month (tenant_id, site_id, month, computed_at, body) values ('a', 's', '2026-01', now(), '{}')`,
  `model_run (tenant_id, id, series, horizon, recipe, started_at, code_version, parameters, seed, device)
    values ('a', '${ID}', 'load', 'planning', 'r/1', now(), '1', '{}', 1, 'cpu')`,
  `model_day (tenant_id, run_id, day, kind, hours, mae, bias) values ('a', '${ID}', now(), 'live', 24, 1, 0)`,
  `model_live (tenant_id, series, horizon, champion, since) values ('a', 'load', 'planning', '${ID}', now())`,
  `prediction (tenant_id, id, series, at, made_at, model, unit, mean, quantiles)
    values ('a', '${ID}', 'load', now(), now(), 'm', 'kW', 1, '{}')`,
  `features_hourly (tenant_id, series, at, names, values, source_version, created_at)
    values ('a', 'load', now(), '{}', '{}', '1', now())`,
  `embedding (tenant_id, model, digest, vector) values ('a', 'm', decode(repeat('00', 32), 'hex'), '')`,
  `glossary_entry (tenant_id, language, lay, legal, changed_by, changed_at) values ('a', 'en', 'l', '{}', 'x', now())`,
  `golden_set (tenant_id, name, questions, changed_by, changed_at) values ('a', 'g', '[]', 'x', now())`,
  `retrieval_evaluation (tenant_id, golden_set, at, questions, recall5, recall1, mrr10, p95_ms, weight)
    values ('a', 'g', now(), 1, 1, 1, 1, 1, 0)`,
];

async function fillEveryTable(sql: Sql): Promise<void> {
  for (const row of ROWS) await sql(`insert into ${row}`);
}
