import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRandom } from '../../../engine/random.ts';
import { createPolicyContest, readContest } from '../../../gateway/services/advice/contest.ts';
import { createPolicyStore } from '../../../gateway/services/advice/policies.ts';
import judgeAdvice from '../../../gateway/workers/judge-advice.ts';
import type { ContestInput } from '../../../recommender/evaluation/contest.ts';
import { ACTION_NAMES, MOMENT_NAMES } from '../../../recommender/moment.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const KINDS = ['shift_load', 'check_meter', 'run_battery'] as const;
const START_MS = Date.UTC(2026, 4, 1);
const HOUR_MS = 3_600_000;
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

let test: TestDatabase;
let now_ms = START_MS;
beforeAll(async () => {
  test = await openTestDatabase();
  await test.db.asSystem((sql) =>
    sql(`insert into tenant (id, name) values ('default', 'Works') on conflict do nothing`),
  );
});
afterAll(() => test?.close());

const inside = <Row>(text: string, values: unknown[] = []) =>
  test.db.asTenant('default', (sql) => sql<Row>(text, values));
const contest = () =>
  createPolicyContest({
    ...{ db: test.db, clock: { now: () => now_ms }, log: silent },
    workers: { run: async <Output>(_: string, input: unknown) => judgeAdvice(input as ContestInput) as Output },
  });

/** One answered decision an hour, drawn evenly; people want `liked` alone. */
async function fill(from: number, count: number, liked: string): Promise<void> {
  const random = createRandom(from + 1);
  await test.db.asTenant('default', async (sql) => {
    for (let n = from; n < from + count; n++) {
      const moment = MOMENT_NAMES.map((_, i) => (i === 0 ? 1 : 0.3));
      const eligible = KINDS.map((kind, k) => ({
        ...{ id: `${kind}:${n}`, kind, saving: { amount: 10 - k, low: 1, high: 20, currency: 'EUR' } },
        features: ACTION_NAMES.map(() => 0.5),
      }));
      const { id: chosen, kind } = eligible[Math.floor(random() * 3)]!;
      const propensities = Object.fromEntries(eligible.map(({ id }) => [id, 1 / 3]));
      const reward = kind === liked ? 0.8 : 0;
      const at_ms = START_MS + n * HOUR_MS;
      const outcome = {
        site: 'main',
        context: moment,
        arm: kind,
        features: ACTION_NAMES.map(() => 0.5),
        rule_score: 1,
        reward,
      };
      await sql(
        `insert into decision (tenant_id, id, site_id, at, policy, seed, context, eligible, chosen, state_hash, learnt, moment, slate)
         values ('default', $1, 'main', to_timestamp($2 / 1000.0), 'p/1', 1, '{}', $3, $4, 'h', 0, $5, 3)`,
        [uuid(n), at_ms, JSON.stringify(eligible), JSON.stringify([{ chosen, propensities }]), JSON.stringify(moment)],
      );
      await sql(
        `insert into reward (tenant_id, seq, decision_id, action_id, position, source, value, delay_ms, at, outcome)
         values ('default', $1, $2, $3, 0, 'answer', $4, 1000, to_timestamp($5 / 1000.0), $6)`,
        [n + 1, uuid(n), chosen, reward, at_ms + 1000, JSON.stringify(outcome)],
      );
    }
  });
  now_ms = START_MS + (from + count) * HOUR_MS;
}

const acts = async () =>
  (await inside<{ act: string; object: string }>('select act, object from audit order by id')).map(
    ({ act, object }) => `${act} ${object}`,
  );

it('leaves things as they are while little was answered', async () => {
  await fill(0, 60, 'run_battery');
  await contest().judge('default');
  expect(await test.db.asTenant('default', readContest)).toMatchObject({ live: 'default', judged: null });
});

it('falls back to the plain rule when a policy fails, with an entry in the audit log', async () => {
  await contest().giveUp('default', 'default', new Error('no balance'));
  expect(await test.db.asTenant('default', readContest)).toMatchObject({ live: 'rule', barred: ['default'] });
  expect(await acts()).toEqual(['advice.policy.rollback rule']);
});

it('lets a challenger go live that the log proves better, and rolls it back when people change', async () => {
  await fill(60, 160, 'run_battery');
  await contest().judge('default');
  const promoted = await test.db.asTenant('default', readContest);
  expect(promoted).toMatchObject({ former: 'rule', since_ms: now_ms });
  expect(promoted.live).not.toBe('rule');
  expect(promoted.live).not.toBe('default');
  expect(promoted.judged?.rows).toBe(220);
  // From now on only what the rule shows first is wanted, which the learner has learnt to avoid.
  await fill(220, 80, 'shift_load');
  await contest().judge('default');
  const after = await test.db.asTenant('default', readContest);
  expect(after).toMatchObject({ live: 'rule', former: null, barred: ['default', promoted.live] });
  expect(await acts()).toEqual([
    'advice.policy.rollback rule',
    `advice.policy.promoted ${promoted.live}`,
    'advice.policy.rollback rule',
  ]);
});

it('learns from the log in order, past a reward that cannot be read, and goes on from its snapshot', async () => {
  await inside(
    `insert into reward (tenant_id, seq, decision_id, action_id, position, source, value, delay_ms, at, outcome)
     values ('default', 301, $1, 'x', 0, 'answer', 1, 0, now(), '{}')`,
    [uuid(1)],
  );
  await fill(301, 120, 'run_battery');
  const hashes: string[] = [];
  for (let start = 0; start < 2; start++) {
    const live = await createPolicyStore({ db: test.db, log: silent }).use('default', 'default', async (one) => one);
    hashes.push(`${live.seq} ${live.policy.stateHash()}`);
  }
  expect(hashes[1]).toBe(hashes[0]);
  expect(hashes[0]).toMatch(/^421 /);
  expect(await inside('select policy from policy_state')).toHaveLength(1);
  await inside(`update policy_state set state = jsonb_set(state, '{state}', '"broken"')`);
  const again = await createPolicyStore({ db: test.db, log: silent }).use('default', 'default', async (one) => one);
  expect(`${again.seq} ${again.policy.stateHash()}`).toBe(hashes[0]);
});
