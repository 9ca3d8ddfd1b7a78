import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createAdviceApi } from '../../../gateway/http/api/advice.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import { decisionLog } from '../../../gateway/services/advice/log-rows.ts';
import type { Actor, AdviceService } from '../../../gateway/services.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';
import { sampleAdvice } from '../../web/sample-advice.ts';

const NOW = Date.parse('2026-06-10T06:20Z');
const MOMENT = [1, 0, 0.4, 0.1, 0.5, -0.5];
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

let test: TestDatabase;
beforeAll(async () => {
  test = await openTestDatabase();
  await test.db.asSystem((sql) =>
    sql(`insert into tenant (id, name) values ('default', 'Works') on conflict do nothing`),
  );
});
afterAll(() => test?.close());
beforeEach(() => test.db.asTenant('default', (sql) => sql('delete from decision')));

function ask(role: Actor['role'], replace: Partial<AdviceService> = {}) {
  const clock = { now: () => NOW };
  const advice = { ...sampleAdvice(clock), log: decisionLog.bind(null, test), ...replace };
  const app = createApiApp();
  app.use(async (c, next) => {
    c.set('actor', { tenant: 'default', person: 'anna', role, language: 'en' });
    await next();
  });
  app.route('/', createAdviceApi({ advice, clock }));
  app.onError((error, c) => {
    const { status, detail, faults } = describeError(error);
    return problem(c, status, detail, faults);
  });
  return app;
}

/** One decision a minute, of three kinds and four actions; each first place but every third is answered. */
async function fill(count: number): Promise<void> {
  const eligible = [
    { id: 'check_meter:a', kind: 'check_meter' },
    { id: 'check_meter:b', kind: 'check_meter' },
    { id: 'shift_load:x', kind: 'shift_load' },
    { id: 'run_battery:x', kind: 'run_battery' },
  ];
  const propensities = { 'check_meter:a': 0.5, 'check_meter:b': 0.125, 'shift_load:x': 0.25, 'run_battery:x': 0.125 };
  await test.db.asTenant('default', async (sql) => {
    for (let n = 0; n < count; n++) {
      const at_ms = NOW - (count - n) * 60_000;
      const chosen = n % 2 ? 'check_meter:b' : 'shift_load:x';
      await sql(
        `insert into decision (tenant_id, id, site_id, at, policy, seed, context, eligible, chosen, state_hash, learnt, moment, slate)
         values ('default', $1, 'main', to_timestamp($2 / 1000.0), 'p/1', $3, '{}', $4, $5, 'h', 0, $6, 3)`,
        [
          uuid(n),
          at_ms,
          2 ** 31 - n,
          JSON.stringify(eligible),
          JSON.stringify([{ chosen, propensities }]),
          JSON.stringify(MOMENT),
        ],
      );
      if (n % 3 === 0) continue;
      await sql(
        `insert into reward (tenant_id, seq, decision_id, action_id, position, source, value, delay_ms, at, outcome)
         values ('default', $1, $2, $3, 0, 'answer', $4, 90000, now(), '{}')`,
        [n + 1, uuid(n), chosen, n % 4 === 1 ? 0 : 0.8],
      );
    }
  });
}

it('exports the log in the columns of the Open Bandit Pipeline, as JSON lines and as Parquet alike', async () => {
  await fill(230);
  const answer = await ask('analyst').request('/api/v1/recommend/log?silent=true');
  expect(answer.headers.get('content-disposition')).toContain('advice-log.jsonl');
  const lines = (await answer.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toHaveLength(230);
  expect(lines[1]).toEqual({
    ...{ timestamp: '2026-06-10T02:31:00.000Z', item_id: 5, position: 1, click: 0, propensity_score: 0.625 },
    ...Object.fromEntries(MOMENT.map((value, i) => [`user_feature_${i}`, value])),
    ...{ kind: 'check_meter', action_id: 'check_meter:b', action_propensity: 0.125, decision_id: uuid(1) },
    ...{ policy: 'p/1', seed: 2 ** 31 - 1, delay_s: 90 },
  });
  expect(lines[0]).toMatchObject({ click: null, delay_s: null, item_id: 0, propensity_score: 0.25 });

  const parquet = await ask('analyst').request('/api/v1/recommend/log?silent=true&format=parquet');
  const folder = await mkdtemp(join(tmpdir(), 'luna-log-'));
  try {
    await writeFile(join(folder, 'log.parquet'), new Uint8Array(await parquet.arrayBuffer()));
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const rows = await connection.runAndReadAll(`select * from '${folder}/log.parquet' order by timestamp`);
    expect(rows.getRowObjects().map((row) => ({ ...row, seed: Number(row.seed) }))).toEqual(lines);
    connection.closeSync();
    instance.closeSync();
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('leaves out what nobody answered unless it is asked for, and gives an empty log as an empty file', async () => {
  await fill(30);
  const answered = await (await ask('analyst').request('/api/v1/recommend/log')).text();
  expect(answered.trim().split('\n')).toHaveLength(20);
  const none = await ask('analyst').request('/api/v1/recommend/log?from=2030-01-01T00:00:00Z&to=2031-01-01T00:00:00Z');
  expect([none.status, await none.text()]).toEqual([200, '']);
  expect((await ask('analyst').request('/api/v1/recommend/log?from=2030-01-01T00:00:00Z')).status).toBe(400);
  expect((await ask('user').request('/api/v1/recommend/log')).status).toBe(403);
});

it('takes quiet hours as local times, and refuses what is none', async () => {
  const saved: unknown[] = [];
  const app = ask('admin', { saveSettings: async (_, settings) => void saved.push(settings) });
  const put = (body: unknown) =>
    app.request('/api/v1/recommend/settings', {
      ...{ method: 'PUT', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    });
  const quiet = { from: '22:30', to: '06:00' };
  expect((await put({ per_day: 3, quiet, demand_charge_per_kW: null })).status).toBe(204);
  expect(saved).toEqual([{ per_day: 3, quiet: { from_min: 1350, to_min: 360 }, demand_charge_per_kW: null }]);
  expect((await put({ per_day: 3, quiet: { from: '25:00', to: '06:00' }, demand_charge_per_kW: null })).status).toBe(
    400,
  );
  expect((await put({ per_day: -3, quiet, demand_charge_per_kW: null })).status).toBe(400);
  expect(await (await app.request('/api/v1/recommend/settings')).json()).toMatchObject({
    quiet: { from: '22:00', to: '06:00' },
  });
  expect((await ask('user').request('/api/v1/recommend/settings', { method: 'PUT' })).status).toBe(403);
});
