import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../gateway/metrics.ts';
import { createAdviceService } from '../../../gateway/services/advice.ts';
import type { Actor, AdviceService } from '../../../gateway/services.ts';
import type { Action, AdviceContext } from '../../../recommender/action.ts';
import { FEATURES } from '../../../recommender/features.ts';
import { createLinUcbState, type LinUcbState } from '../../../recommender/linucb.ts';
import { decide, POLICY } from '../../../recommender/policy.ts';
import { contextOf, NOW_MS } from '../../recommender/context.ts';
import { openTestDatabase, type TestDatabase } from '../../setup/database.ts';

const duck = (hour: number) => (hour >= 4 && hour < 7 ? 0.05 : hour >= 10 && hour < 12 ? 0.5 : 0.3);
const actor = (tenant: string): Actor => ({ tenant, person: 'ada', role: 'user', language: 'en' });

describe('the advice service', () => {
  let test: TestDatabase;
  let service: AdviceService;
  let now_ms: number;
  let context: AdviceContext;
  let tenant: string;
  let audited: string[];
  let count = 0;

  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test?.close());
  beforeEach(async () => {
    tenant = `t${++count}`;
    await test.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]));
    now_ms = NOW_MS;
    context = contextOf(duck, { battery: { daily_kWh: 60 } });
    audited = [];
    service = createAdviceService({
      db: test.db,
      clock: { now: () => now_ms },
      bus: { publish: () => {}, subscribe: () => () => {}, close: async () => {} },
      metrics: createMetrics({ defaults: false }),
      audit: { record: async (_, act, object) => void audited.push(`${act} ${object}`), list: async () => [] },
      gather: async (id) => (id === tenant ? { site: 'main', context: { ...context, at_ms: now_ms } } : null),
    });
  });

  it('says nothing before set-up', async () => {
    expect((await service.recommend(actor('nobody'))).actions).toEqual([]);
  });

  it('keeps a decision while it is valid, also when asked many times at once', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => service.recommend(actor(tenant))));
    now_ms += 5 * 60_000;
    answers.push(await service.recommend(actor(tenant)));
    expect(new Set(answers.map((a) => a.decision_id)).size).toBe(1);
    expect(answers[0]?.actions.length).toBe(3);
    for (const action of answers[0]?.actions ?? []) expect(action.propensity).toBeGreaterThan(0);
    now_ms += 31 * 60_000;
    expect((await service.recommend(actor(tenant))).decision_id).not.toBe(answers[0]?.decision_id);
  });

  it('logs a decision so that it replays', async () => {
    const { decision_id } = await service.recommend(actor(tenant));
    const log = await service.explain(actor(tenant), decision_id);
    const again = decide(log.eligible as Action[], createLinUcbState(FEATURES), log.seed as number);
    expect(again.positions).toEqual(log.positions);
    expect(log.policy).toBe(POLICY);
  });

  it('logs a decision where there is nothing to advise, once while it is valid', async () => {
    context = contextOf(() => 0.3);
    const { decision_id, actions } = await service.recommend(actor(tenant));
    expect(actions).toEqual([]);
    expect(await service.explain(actor(tenant), decision_id)).toMatchObject({
      decision_id,
      eligible: [],
      positions: [],
    });
    now_ms += 5 * 60_000;
    expect((await service.recommend(actor(tenant))).decision_id).toBe(decision_id);
    now_ms += 31 * 60_000;
    const later = await service.recommend(actor(tenant));
    expect(later.decision_id).toBe(decision_id);
    const rows = await test.db.asTenant(tenant, (sql) => sql('select id from decision'));
    expect(rows).toHaveLength(1);
  });

  it('does not repeat dismissed advice for a day, and brings snoozed advice back', async () => {
    const { decision_id, actions } = await service.recommend(actor(tenant));
    await service.feedback(actor(tenant), decision_id, actions[0]!.id, 'dismissed');
    await service.feedback(actor(tenant), decision_id, actions[1]!.id, 'snoozed');
    const ids = async () => (await service.recommend(actor(tenant))).actions.map((a) => a.id);
    expect(await ids()).toEqual([actions[2]!.id]);
    now_ms += 2 * 3_600_000 + 1;
    expect(await ids()).toContain(actions[1]!.id);
    expect(await ids()).not.toContain(actions[0]!.id);
    expect(audited).toEqual([`advice dismissed ${actions[0]!.id}`, `advice snoozed ${actions[1]!.id}`]);
  });

  it('learns once from an answer, however often it is sent', async () => {
    const { decision_id, actions } = await service.recommend(actor(tenant));
    for (let i = 0; i < 3; i++) await service.feedback(actor(tenant), decision_id, actions[0]!.id, 'accepted');
    const [row] = await test.db.asTenant(tenant, (sql) =>
      sql<{ state: LinUcbState }>('select state from policy_state'),
    );
    expect(row?.state.arms[actions[0]!.kind]?.updates).toBe(1);
    const [entry] = await service.history(tenant, 10).then((all) => all.filter((e) => e.action.id === actions[0]!.id));
    expect(entry?.outcome).toBe('accepted');
    expect(entry?.outcome_ms).toBe(now_ms);
  });

  it('loses no answer when two people answer at the same moment', async () => {
    const { decision_id, actions } = await service.recommend(actor(tenant));
    await Promise.all(actions.map((action) => service.feedback(actor(tenant), decision_id, action.id, 'accepted')));
    const [row] = await test.db.asTenant(tenant, (sql) =>
      sql<{ state: LinUcbState }>('select state from policy_state'),
    );
    expect(Object.values(row!.state.arms).reduce((sum, arm) => sum + arm.updates, 0)).toBe(actions.length);
  });

  it('refuses an action that was not recommended, and a decision of another tenant', async () => {
    const { decision_id, actions } = await service.recommend(actor(tenant));
    await expect(service.feedback(actor(tenant), decision_id, 'nonsense', 'accepted')).rejects.toThrow(
      /did not recommend/,
    );
    await expect(service.feedback(actor('other'), decision_id, actions[0]!.id, 'accepted')).rejects.toThrow(
      /no such decision/,
    );
    await expect(service.explain(actor(tenant), "'; drop table decision")).rejects.toThrow(/no such decision/);
  });

  it('stores a usage event once and refuses too many', async () => {
    const event = { id: 'e1', kind: 'view' as const, object: 'page:now' };
    expect(await service.record(actor(tenant), [event, event, { ...event, id: 'e2' }])).toEqual({ stored: 2 });
    expect(await service.record(actor(tenant), [event])).toEqual({ stored: 0 });
    await expect(
      service.record(
        actor(tenant),
        Array.from({ length: 1001 }, (_, i) => ({ ...event, id: `${i}` })),
      ),
    ).rejects.toThrow(/too many/);
  });
});
