import { describe, expect, it } from 'vitest';
import { createCorrectionsApi } from '../../../gateway/http/api/corrections.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import type { Actor, Services } from '../../../gateway/services.ts';

const AT = '2026-03-10T10:00:00Z';

const ID = '0b51a1c8-5f0f-4c52-9a6f-0d3d6f2f1a11';
function rig(role: Actor['role'] = 'analyst') {
  const calls: unknown[][] = [];
  const note =
    <Result>(name: string, result: Result) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args]);
      return result;
    };
  const act = {
    ...{ id: ID, meter: 'main', quantity: 'power_W', from_ms: Date.parse(AT), to_ms: Date.parse(AT), kind: 'value' },
    ...{ amount: 5, target: null, taken_back: false, state: 'done', by: 'ada', at_ms: 0, reason: 'why', count: 1 },
  };
  const services = {
    repairs: {
      set: note('set', { ids: [ID] }),
      apply: note('apply', { id: ID, count: 3 }),
      preview: note('preview', {
        unit: 'W',
        changed: [{ at_ms: Date.parse(AT), before: 1, after: null }],
        slots: { unit: 'W', at_ms: [Date.parse(AT)], before: [Number.NaN], after: [2] },
        sums: null,
        notes: [],
      }),
      list: note('list', [act]),
      changes: note('changes', { act, changes: [{ at_ms: Date.parse(AT), before: 1, after: 5, lifted: false }] }),
      undo: note('undo', { id: ID }),
      redo: note('redo', { id: ID }),
    },
    series: {
      readings: {
        changes: async () => [{ at_ms: Date.parse(AT), value: 1, replaced_by: 2, changed_ms: Date.parse(AT) + 1000 }],
      },
    },
    meters: { get: (_: string, id: string) => (id === 'main' ? { virtual: null } : null) },
  } as unknown as Services;
  const app = createApiApp();
  app.use(async (c, next) => {
    c.set('actor', { tenant: 't', person: 'ada', role, language: 'en' });
    await next();
  });
  app.route('/', createCorrectionsApi(services));
  app.onError((error, c) => {
    const { status, detail } = describeError(error);
    return problem(c, status, detail);
  });
  const post = (body: unknown, path = '/api/v1/data/repair') =>
    app.request(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  return { app, post, calls };
}

describe('repairs', () => {
  it('sets, blanks and lifts single values in the name of who asks', async () => {
    const { post, calls } = rig();
    const list = [
      { meter: 'main', quantity: 'import_kWh', at: AT, value: 5 },
      { meter: 'main', quantity: 'import_kWh', at: '2026-03-10T11:00:00Z', value: null },
      { meter: 'main', quantity: 'import_kWh', at: '2026-03-10T12:00:00Z' },
    ];
    const answer = await post({ reason: 'meter was replaced', repairs: list });
    expect(await answer.json()).toEqual({ repaired: 3, repairs: [ID] });
    const [, actor, reason, values] = calls[0]!;
    expect([(actor as Actor).person, reason]).toEqual(['ada', 'meter was replaced']);
    expect((values as { value: unknown }[]).map(({ value }) => value)).toEqual([5, null, undefined]);
  });

  it('previews, repairs, lists, undoes and redoes a span', async () => {
    const { app, post, calls } = rig();
    const span = {
      meter: 'main',
      quantity: 'power_W',
      from: AT,
      to: '2026-03-10T11:00:00Z',
      choice: { kind: 'energy', energy: 4 },
    };
    const effect = await (await post(span, '/api/v1/data/repairs/preview')).json();
    expect(effect).toMatchObject({
      changed: [{ before: 1, after: null }],
      slots: { rows: [{ before: null, after: 2 }] },
    });
    expect(await (await post({ ...span, reason: 'why' }, '/api/v1/data/repairs')).json()).toEqual({
      id: ID,
      repaired: 3,
    });
    expect(calls[1]!.slice(2)).toEqual([
      {
        meter: 'main',
        quantity: 'power_W',
        from_ms: Date.parse(AT),
        to_ms: Date.parse(AT) + 3_600_000,
        choice: span.choice,
      },
      'why',
    ]);
    expect(await (await app.request('/api/v1/data/repairs?meter=main')).json()).toMatchObject({
      repairs: [{ id: ID, by: 'ada' }],
    });
    expect(await (await app.request(`/api/v1/data/repairs/${ID}`)).json()).toMatchObject({
      changes: [{ before: 1, after: 5 }],
    });
    for (const act of ['undo', 'redo']) {
      expect((await post({ reason: 'x' }, `/api/v1/data/repairs/${ID}/${act}`)).status).toBe(200);
      expect(calls.at(-1)!.slice(2)).toEqual([ID, 'x']);
    }
    expect((await post({ ...span, choice: { kind: 'guess' }, reason: 'x' }, '/api/v1/data/repairs')).status).toBe(400);
    expect((await post({ reason: 'x' }, '/api/v1/data/repairs/nonsense/undo')).status).toBe(400);
  });

  it('needs the role analyst and a reason, whatever the way', async () => {
    const one = { meter: 'main', quantity: 'power_W', at: AT, value: 5 };
    const span = { meter: 'main', quantity: 'power_W', from: AT, to: AT, choice: { kind: 'missing' } };
    for (const [path, body] of [
      ['/api/v1/data/repair', { reason: 'x', repairs: [one] }],
      ['/api/v1/data/repairs', { ...span, reason: 'x' }],
      ['/api/v1/data/repairs/preview', span],
      [`/api/v1/data/repairs/${ID}/undo`, { reason: 'x' }],
      [`/api/v1/data/repairs/${ID}/redo`, { reason: 'x' }],
    ] as const) {
      const { post, calls } = rig('user');
      expect((await post(body, path)).status, path).toBe(403);
      expect(calls).toEqual([]);
    }
    expect((await rig('user').app.request('/api/v1/data/repairs')).status).toBe(403);
    expect((await rig().post({ repairs: [one] })).status).toBe(400);
    expect((await rig().post(span, '/api/v1/data/repairs')).status).toBe(400);
  });

  it('tells what later values replaced', async () => {
    const { app } = rig();
    const answer = await app.request(
      `/api/v1/data/changes?meter=main&quantity=power_W&from=${AT}&to=2026-03-11T00:00:00Z`,
    );
    expect(await answer.json()).toEqual({
      changes: [{ at: '2026-03-10T10:00:00.000Z', value: 1, replaced_by: 2, changed: '2026-03-10T10:00:01.000Z' }],
    });
  });
});
