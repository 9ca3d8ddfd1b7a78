import { describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import type { Repair } from '../../../engine/ports.ts';
import { createCorrectionsApi } from '../../../gateway/http/api/corrections.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import type { Actor, Services } from '../../../gateway/services.ts';

const AT = '2026-03-10T10:00:00Z';

function rig(role: Actor['role'] = 'analyst', audit = async () => {}) {
  const repairs: { tenant: string; repairs: readonly Repair[] }[] = [];
  const audited: [string, string, unknown][] = [];
  const services = {
    series: {
      readings: {
        repair: async (tenant: string, list: readonly Repair[]) => void repairs.push({ tenant, repairs: list }),
        changes: async () => [{ at_ms: Date.parse(AT), value: 1, replaced_by: 2, changed_ms: Date.parse(AT) + 1000 }],
      },
    },
    meters: {
      get: (_: string, id: string) => (id === 'main' ? { virtual: null } : id === 'sum' ? { virtual: [{}] } : null),
    },
    audit: {
      record: async (_: Actor, act: string, object: string, detail: unknown) => {
        await audit();
        audited.push([act, object, detail]);
      },
    },
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
  const post = (body: unknown) =>
    app.request('/api/v1/data/repair', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  return { app, post, repairs, audited };
}

describe('repairs', () => {
  it('sets, blanks and lifts values in the name of who asks, and keeps it in the audit log', async () => {
    const { post, repairs, audited } = rig();
    const list = [
      { meter: 'main', quantity: 'import_kWh', at: AT, value: 5 },
      { meter: 'main', quantity: 'import_kWh', at: '2026-03-10T11:00:00Z', value: null },
      { meter: 'main', quantity: 'import_kWh', at: '2026-03-10T12:00:00Z' },
    ];
    const answer = await post({ reason: 'meter was replaced', repairs: list });
    expect(answer.status).toBe(200);
    expect(repairs[0]?.tenant).toBe('t');
    expect(repairs[0]?.repairs.map(({ at_ms, value, by }) => [at_ms, value, by])).toEqual([
      [Date.parse(AT), 5, 'ada'],
      [Date.parse(AT) + 3_600_000, null, 'ada'],
      [Date.parse(AT) + 7_200_000, undefined, 'ada'],
    ]);
    expect(audited).toHaveLength(1);
    expect(audited[0]?.[2]).toMatchObject({ reason: 'meter was replaced' });
  });

  it('repairs nothing that the audit log could not take', async () => {
    const { post, repairs } = rig('analyst', () => Promise.reject(new UnavailableError('The database is down.')));
    const answer = await post({ reason: 'x', repairs: [{ meter: 'main', quantity: 'power_W', at: AT, value: 5 }] });
    expect(answer.status).toBe(503);
    expect(repairs).toEqual([]);
  });

  it('changes nothing when one of them is wrong', async () => {
    for (const bad of [
      { meter: 'nobody' },
      { meter: 'sum' },
      { quantity: 'nonsense' },
      { at: 'yesterday' },
      { value: 'five' },
    ]) {
      const { post, repairs } = rig();
      const good = { meter: 'main', quantity: 'power_W', at: AT, value: 5 };
      const answer = await post({ reason: 'x', repairs: [good, { ...good, ...bad }] });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(repairs).toEqual([]);
    }
  });

  it('needs the role analyst and a reason', async () => {
    const one = { meter: 'main', quantity: 'power_W', at: AT, value: 5 };
    expect((await rig('user').post({ reason: 'x', repairs: [one] })).status).toBe(403);
    expect((await rig().post({ repairs: [one] })).status).toBe(400);
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
