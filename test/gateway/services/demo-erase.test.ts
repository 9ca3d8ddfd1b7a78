import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eraseDemo } from '../../../gateway/services/demo/erase.ts';
import type { Actor, SiteSettings } from '../../../gateway/services.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const admin: Actor = { tenant: 'default', person: 'anna', role: 'admin', language: 'en' };
const STARTED = Date.parse('2026-06-10T08:00:00Z');
let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase();
  await database.db.asSystem((sql) =>
    sql(`insert into tenant (id, name) values ('default', 'Default') on conflict do nothing`),
  );
});
afterAll(() => database.close());

const inside = (text: string, values: unknown[] = []) => database.db.asTenant('default', (sql) => sql(text, values));
const ids = async (table: string) =>
  (await database.db.asTenant('default', (sql) => sql<{ id: string }>(`select id from ${table} order by id`))).map(
    ({ id }) => id.slice(-1),
  );
beforeEach(async () => {
  removed = [];
  for (const table of ['decision', 'usage_event', 'policy_state', 'setting']) await inside(`delete from ${table}`);
  await inside(`insert into setting (tenant_id, name, value) values ('default', 'demo', $1)`, [
    JSON.stringify({ started_ms: STARTED }),
  ]);
  for (const [n, at_ms] of [STARTED - 1000, STARTED + 1000].entries())
    await inside(
      `insert into decision (tenant_id, id, site_id, at, policy, seed, context, eligible, chosen)
       values ('default', $1, 'main', to_timestamp($2 / 1000.0), 'p', 1, '{}', '[]', '[]')`,
      [`00000000-0000-0000-0000-00000000000${n}`, at_ms],
    );
  for (const [n, object] of ['page:now', 'meter:demo-grid', 'meter:press'].entries())
    await inside(
      `insert into usage_event (tenant_id, id, at, person, kind, object, detail)
       values ('default', $1, to_timestamp($2 / 1000.0), 'anna', 'view', $3, '{}')`,
      [`u${n}`, STARTED + 5000, object],
    );
  await inside(`insert into policy_state (tenant_id, site_id, policy, state) values ('default', 'main', 'p', '{}')`);
});

let removed: string[] = [];
async function erase(own: readonly string[]): Promise<void> {
  const deps = {
    ...{ db: { ...database.db, asTenant: withDemoPoint }, log: silent },
    devices: { list: () => own, remove: async () => {} },
    meters: { list: () => [], remove: async () => {}, refresh: async () => {} },
    regulation: { documents: async () => [], remove: async () => {} },
    clock: Date,
    journal: { append: async () => 0 },
    quarantine: { erase: async () => {} },
    series: { readings: { cursor: async () => 0 } },
    site: { get: () => null, save: async () => {}, remove: async () => {} },
    files: { remove: async (_: string, name: string) => void removed.push(name) },
  } as unknown as Parameters<typeof eraseDemo>[0];
  await eraseDemo(deps, admin, {} as SiteSettings);
}
/** The database, in which the demo has one meter point. */
const withDemoPoint: TestDatabase['db']['asTenant'] = (tenant, work) =>
  database.db.asTenant(tenant, (sql) =>
    work((async (text: string, values?: unknown[]) =>
      text.includes('from meter_point where demo') ? [{ id: 'demo-grid' }] : sql(text, values)) as typeof sql),
  );

it('keeps what was there before the demo, and steps that are not about it, where own devices stay', async () => {
  await erase(['press']);
  expect(await ids('decision')).toEqual(['0']);
  expect(await ids('usage_event')).toEqual(['0', '2']);
  expect(await inside('select * from policy_state')).toHaveLength(1);
  expect(await inside('select * from setting')).toEqual([]);
});

it('leaves nothing where nothing of its own stays', async () => {
  await erase([]);
  expect([await ids('decision'), await ids('usage_event')]).toEqual([[], []]);
  expect(await inside('select * from policy_state')).toEqual([]);
});

it('takes the trained models with it, in the database and in the file store', async () => {
  await inside(
    `insert into model_run (tenant_id, series, horizon, recipe, state, started_at, code_version, parameters, seed, device, artefact)
     values ('default', 'load', 'day-ahead', 'load-mix/1', 'done', now(), 'test', '{}', 1, 'cpu', 'models/a.json'),
            ('default', 'load', 'day-ahead', 'load-mix/1', 'failed', now(), 'test', '{}', 1, 'cpu', null)`,
  );
  await erase(['press']);
  expect(removed).toEqual(['models/a.json']);
  expect(await inside('select * from model_run')).toEqual([]);
});
