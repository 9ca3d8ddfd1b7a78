import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetrics } from '../../../gateway/metrics.ts';
import { type AdviceDeps, createAdviceService, type RunningAdvice } from '../../../gateway/services/advice.ts';
import type { Actor } from '../../../gateway/services.ts';
import type { AdviceContext } from '../../../recommender/action.ts';
import { PROPENSITY_FLOOR } from '../../../recommender/bandit/floor.ts';
import type { SlatePosition } from '../../../recommender/bandit/port.ts';
import { contextOf, NOW_MS } from '../../recommender/context.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const HOUR_MS = 3_600_000;
const duck = (hour: number) => (hour >= 4 && hour < 7 ? 0.05 : hour >= 10 && hour < 12 ? 0.5 : 0.3);
/** Between the two windows of the test below. */
const noonOf = (at_ms: number) => Math.floor(at_ms / 86_400_000) * 86_400_000 + 15 * HOUR_MS;
const actor = (tenant: string): Actor => ({ tenant, person: 'ada', role: 'user', language: 'en' });
const silentMeters = (count: number, since_ms: number) =>
  Array.from({ length: count }, (_, i) => ({
    ...{ id: `m${i}`, name: `Meter ${i}`, role: 'load' as const, silent_since_ms: since_ms, stuck_since_ms: null },
  }));

describe('the advice service', () => {
  let test: TestDatabase;
  let service: RunningAdvice;
  let deps: AdviceDeps;
  let now_ms: number;
  let context: AdviceContext;
  let tenant: string;
  let count = 0;
  /** Mean W of the load, by slot, as the meters show it afterwards. */
  let load_W: (at_ms: number) => number;

  beforeAll(async () => {
    test = await openTestDatabase();
  });
  afterAll(() => test?.close());
  beforeEach(async () => {
    tenant = `t${++count}`;
    await test.db.asSystem((sql) => sql('insert into tenant (id, name) values ($1, $1)', [tenant]));
    now_ms = NOW_MS;
    context = contextOf(duck, { battery: { daily_kWh: 60 } });
    load_W = () => 80_000;
    deps = {
      ...{ db: test.db, clock: { now: () => now_ms }, log: silent },
      bus: { publish: () => {}, subscribe: () => () => {}, close: async () => {} },
      metrics: createMetrics({ defaults: false }),
      jobs: { define: () => {}, schedule: () => {} },
      workers: { run: async () => Promise.reject(new Error('not here')) },
      site: { get: () => null, tenants: () => [tenant] },
      data: { balance: async (_, _kind, from_ms, to_ms) => columnsOf(from_ms, to_ms, load_W) },
      forecasts: { past: async () => columnsOf(0, 0, load_W) },
      similar: async () => [],
      gather: async (id) => (id === tenant ? { site: 'main', context: { ...context, at_ms: now_ms } } : null),
    };
    service = createAdviceService(deps);
  });

  const ids = async () => (await service.recommend(actor(tenant))).actions.map((a) => a.id);
  const inside = <Row>(text: string) => test.db.asTenant(tenant, (sql) => sql<Row>(text));
  type Explained = { positions: SlatePosition[]; eligible: { id: string }[]; replay_faults: string[]; learnt: number };
  const explain = async (decision: string) =>
    (await service.explain(actor(tenant), decision, { replay: true })) as unknown as Explained;

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

  it('logs every eligible action with a propensity of at least the floor, and the decision replays bit for bit', async () => {
    context = contextOf(duck, { battery: { daily_kWh: 60 }, meters: silentMeters(6, NOW_MS - HOUR_MS) });
    await service.saveSettings(actor(tenant), { per_day: 50, quiet: null, demand_charge_per_kW: null });
    const decisions: string[] = [];
    for (let round = 0; round < 12; round++) {
      const { decision_id, actions } = await service.recommend(actor(tenant));
      decisions.push(decision_id);
      const outcome = round % 3 === 0 ? 'dismissed' : 'accepted';
      for (const { id } of actions.slice(0, 2)) await service.feedback(actor(tenant), decision_id, id, outcome);
      now_ms += HOUR_MS;
      context = { ...context, meters: silentMeters(6, now_ms) };
      if (round === 6) service = createAdviceService(deps);
    }
    let learnt = 0;
    for (const decision of decisions) {
      const { positions, eligible, replay_faults, learnt: known } = await explain(decision);
      expect(replay_faults).toEqual([]);
      for (const [place, { propensities }] of positions.entries()) {
        expect(Object.keys(propensities)).toHaveLength(eligible.length - place);
        for (const p of Object.values(propensities)) expect(p).toBeGreaterThanOrEqual(PROPENSITY_FLOOR);
      }
      expect(known).toBeGreaterThanOrEqual(learnt);
      learnt = known;
    }
    expect(learnt).toBeGreaterThan(5);
  });

  it('notices a log that was changed afterwards', async () => {
    const { decision_id } = await service.recommend(actor(tenant));
    const spoil = `update decision set seed = seed + 1 where id = '${decision_id}'`;
    await expect(inside(spoil)).rejects.toThrow(/written once/);
    expect((await explain(decision_id)).replay_faults).toEqual([]);
    const { db } = test;
    const lying = {
      ...deps,
      db: {
        ...db,
        asTenant: (id: string, work: Parameters<typeof db.asTenant>[1]) =>
          db.asTenant(id, (sql) =>
            work((async (text: string, values?: unknown[]) => {
              const rows = await sql<{ state_hash?: string }>(text, values);
              return rows.map((row) => (row.state_hash ? { ...row, state_hash: 'x' } : row));
            }) as typeof sql),
          ),
      },
    } as AdviceDeps;
    const told = await createAdviceService(lying).explain(actor(tenant), decision_id, { replay: true });
    expect(told.replay_faults).toHaveLength(1);
  });

  it('logs a decision where there is nothing to advise, once while it is valid', async () => {
    context = contextOf(() => 0.3);
    const { decision_id, actions } = await service.recommend(actor(tenant));
    expect(actions).toEqual([]);
    now_ms += 36 * 60_000;
    expect((await service.recommend(actor(tenant))).decision_id).toBe(decision_id);
    expect(await inside('select id from decision')).toHaveLength(1);
  });

  it('does not repeat dismissed advice until something changed, and brings snoozed advice back', async () => {
    const night = (last_W: number) => ({ last_W, usual_W: 4000 });
    context = { ...contextOf(() => 0.3, { night: night(9000), meters: silentMeters(1, NOW_MS) }) };
    const { decision_id } = await service.recommend(actor(tenant));
    await service.feedback(actor(tenant), decision_id, 'check_base_load', 'dismissed');
    await service.feedback(actor(tenant), decision_id, `check_meter:m0:silent:${NOW_MS}`, 'snoozed');
    expect(await ids()).toEqual([]);
    now_ms += 2 * HOUR_MS + 1;
    expect(await ids()).toEqual([`check_meter:m0:silent:${NOW_MS}`]);
    now_ms += 40 * 24 * HOUR_MS;
    expect(await ids()).not.toContain('check_base_load');
    context = { ...context, night: night(11_600) };
    expect(await ids()).toContain('check_base_load');
    const audited = await inside<{ act: string }>('select act from audit order by id');
    expect(audited.map(({ act }) => act)).toEqual(['advice dismissed', 'advice snoozed']);
  });

  it('keeps to the budget of a day and to quiet hours', async () => {
    const settings = { per_day: 4, quiet: null, demand_charge_per_kW: null };
    await service.saveSettings(actor(tenant), settings);
    const seen = new Set<string>();
    for (let round = 0; round < 8; round++) {
      context = contextOf(() => 0.3, { meters: silentMeters(4, NOW_MS + round) });
      for (const id of await ids()) seen.add(id);
      now_ms += 31 * 60_000;
    }
    expect(seen.size).toBe(4);
    now_ms += 24 * HOUR_MS;
    context = contextOf(duck, { meters: silentMeters(4, NOW_MS + 99) });
    await service.saveSettings(actor(tenant), { ...settings, quiet: { from_min: 22 * 60, to_min: 23 * 60 } });
    expect((await ids()).length).toBeGreaterThan(0);
    await service.saveSettings(actor(tenant), { ...settings, quiet: { from_min: 6 * 60, to_min: 22 * 60 } });
    context = contextOf(duck, { meters: silentMeters(4, NOW_MS + 100) });
    const quiet = await service.recommend(actor(tenant));
    expect(quiet.quiet).toBe(true);
    expect(quiet.actions.some(({ kind }) => kind === 'check_meter')).toBe(false);
    await expect(service.saveSettings(actor(tenant), { ...settings, per_day: -1 })).rejects.toThrow(/not possible/);
  });

  it('learns once from an answer, however often it is sent, and takes silence and snooze as missing', async () => {
    const { decision_id, actions } = await service.recommend(actor(tenant));
    for (let i = 0; i < 3; i++) await service.feedback(actor(tenant), decision_id, actions[0]!.id, 'accepted');
    await service.feedback(actor(tenant), decision_id, actions[1]!.id, 'snoozed');
    const rewards = await inside<{ seq: number; action_id: string; value: number }>('select * from reward');
    expect(rewards).toMatchObject([{ seq: 1, action_id: actions[0]!.id, position: 0, value: 0.5, source: 'answer' }]);
    const [entry] = await service.history(tenant, 10).then((all) => all.filter((e) => e.action.id === actions[0]!.id));
    expect([entry?.outcome, entry?.outcome_ms, entry?.realised]).toEqual(['accepted', now_ms, null]);
    expect(entry?.action.like_this).toEqual({ accepted: 1, answered: 1 });
  });

  it('loses no answer when two people answer at the same moment', async () => {
    const { decision_id, actions } = await service.recommend(actor(tenant));
    await Promise.all(actions.map((action) => service.feedback(actor(tenant), decision_id, action.id, 'accepted')));
    const rewards = await inside<{ seq: number }>('select seq from reward order by seq');
    expect(rewards.map(({ seq }) => seq)).toEqual(actions.map((_, i) => i + 1));
  });

  it('measures afterwards what accepted advice saved against the forecast of its time', async () => {
    context = contextOf((hour) => (hour >= 4 && hour < 6 ? 0.1 : hour >= 10 && hour < 12 ? 0.5 : 0.3));
    const { decision_id, actions } = await service.recommend(actor(tenant));
    const shift = actions.find(({ kind }) => kind === 'shift_load')!;
    await service.feedback(actor(tenant), decision_id, shift.id, 'accepted');
    const [dear, cheap] = shift.evidence.slots!;
    // 8 kW less for two hours, and the same energy two hours long in the cheap window.
    load_W = (at_ms) =>
      80_000 +
      (at_ms >= dear!.from_ms && at_ms < dear!.to_ms ? -8000 : 0) +
      (at_ms >= cheap!.from_ms && at_ms < cheap!.to_ms ? 8000 : 0);
    expect(await service.round(tenant).then(({ effects }) => effects)).toBe(0);
    // Day by day another error, its sign by the half of the day.
    const off = (at_ms: number) => 1000 * Math.sin(Math.floor(at_ms / 86_400_000)) * (at_ms >= noonOf(at_ms) ? 1 : -1);
    deps.forecasts = {
      past: async (_, _series, from_ms, to_ms) => columnsOf(from_ms, to_ms, (at) => 80_000 + off(at)),
    };
    now_ms = dear!.to_ms + HOUR_MS + 1;
    expect(await service.round(tenant).then(({ effects }) => effects)).toBe(1);
    expect(await service.round(tenant).then(({ effects }) => effects)).toBe(0);
    const [effect] = await inside<{ amount: number }>('select amount from effect');
    expect(effect?.amount).toBeCloseTo(16 * 0.4, 6);
    const rewards = await inside<{ value: number; outcome: { before?: number } }>('select * from reward order by seq');
    expect(rewards.map(({ value }) => value > 0.7)).toEqual([false, true]);
    expect(rewards[1]?.outcome.before).toBe(0.5);
    const { realised, weeks } = await service.performance(tenant);
    expect(realised?.amount).toBeCloseTo(6.4, 6);
    // The forecast was up to 1 kW off on days before: 2 h · 1 kW · (0.5 − 0.1) at most, either way.
    expect(realised!.low!).toBeGreaterThan(6.4 - 0.81);
    expect(realised!.low!).toBeLessThan(6.4 - 0.5);
    expect(realised!.high!).toBeLessThan(6.4 + 0.81);
    expect(realised!.high!).toBeGreaterThan(6.4 + 0.5);
    expect(weeks.at(-1)).toMatchObject({ accepted: 1, dismissed: 0 });
    expect(weeks.at(-1)?.regret).not.toBeNull();
    now_ms += HOUR_MS;
    expect((await explain((await service.recommend(actor(tenant))).decision_id)).replay_faults).toEqual([]);
  });

  it('holds what a battery gave against the same time of the days before', async () => {
    const { decision_id, actions } = await service.recommend(actor(tenant));
    const battery = actions.find(({ kind }) => kind === 'run_battery')!;
    await service.feedback(actor(tenant), decision_id, battery.id, 'accepted');
    // Every day alike, and nothing at midnight: the advice has changed nothing.
    load_W = (at_ms) => (new Date(at_ms).getUTCHours() < 22 ? 10_000 : 0);
    now_ms = battery.evidence.slots!.at(-1)!.to_ms + HOUR_MS + 1;
    expect(await service.round(tenant).then(({ effects }) => effects)).toBe(1);
    const [effect] = await inside<{ amount: number; low: number; high: number }>(
      'select amount, low, high from effect',
    );
    expect(effect).toEqual({ amount: expect.closeTo(0, 9), low: expect.closeTo(0, 9), high: expect.closeTo(0, 9) });
  });

  it('calls an effect unknown where the meters were silent, and teaches nothing', async () => {
    const { decision_id, actions } = await service.recommend(actor(tenant));
    const shift = actions.find(({ kind }) => kind === 'shift_load') ?? actions[0]!;
    await service.feedback(actor(tenant), decision_id, shift.id, 'accepted');
    load_W = () => Number.NaN;
    now_ms += 6 * 24 * HOUR_MS;
    await service.round(tenant);
    expect(await inside('select state, amount from effect')).toEqual([{ state: 'unknown', amount: null }]);
    expect(await inside('select 1 from reward')).toHaveLength(1);
  });

  it('forgets what it learnt from rewards that are gone', async () => {
    const first = await service.recommend(actor(tenant));
    await service.feedback(actor(tenant), first.decision_id, first.actions[0]!.id, 'accepted');
    now_ms += HOUR_MS;
    const second = await service.recommend(actor(tenant));
    expect((await explain(second.decision_id)).learnt).toBe(1);
    await inside('delete from decision');
    const third = await service.recommend(actor(tenant));
    expect((await explain(third.decision_id)).learnt).toBe(0);
    expect((await explain(third.decision_id)).replay_faults).toEqual([]);
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

function columnsOf(from_ms: number, to_ms: number, value: (at_ms: number) => number) {
  const count = Math.max(0, Math.ceil((to_ms - from_ms) / 900_000));
  const at_ms = Float64Array.from({ length: count }, (_, i) => from_ms + i * 900_000);
  return { at_ms, values: at_ms.map(value), quality: new Int32Array(count) };
}
