import { beforeEach, describe, expect, it } from 'vitest';
import { NotFoundError, UnavailableError } from '../../../engine/errors.ts';
import { Quality } from '../../../engine/model/quality.ts';
import { RepairFault } from '../../../engine/quality/repair.ts';
import { createApiApp } from '../../../gateway/http/api.ts';
import { createRepairPages } from '../../../gateway/http/pages/repair.ts';
import type { Actor, Services } from '../../../gateway/services.ts';

const NOON = Date.parse('2026-03-10T11:00:00Z');
const ID = '0b51a1c8-5f0f-4c52-9a6f-0d3d6f2f1a11';

describe('the repair page', () => {
  let calls: unknown[][];
  let role: Actor['role'];
  let language: 'en' | 'de';
  let fault: Error | null;
  beforeEach(() => {
    [calls, role, language, fault] = [[], 'analyst', 'en', null];
  });

  const point = { tenant: 't', id: 'main', name: '<b>Hall</b>', virtual: null };
  const act = {
    ...{ id: ID, meter: 'main', quantity: 'import_kWh', from_ms: NOON, to_ms: NOON, kind: 'value', amount: 5 },
    ...{ target: null, taken_back: false, state: 'done', by: 'ada', at_ms: NOON, reason: '<i>why</i>', count: 1 },
  };
  const sums = { span: 4, days: 60, cost: 1, days_cost: 20 };
  const effect = {
    unit: 'kWh',
    changed: [{ at_ms: NOON, before: 99999, after: 12.5 }],
    slots: { unit: 'kWh', at_ms: Float64Array.of(NOON), before: Float64Array.of(9), after: Float64Array.of(3) },
    sums: { unit: 'kWh', currency: 'EUR', before: sums, after: { ...sums, span: 3 } },
    notes: ['rest_follows'],
  };
  const note =
    <Result>(name: string, result: Result) =>
    async (...args: unknown[]) => {
      calls.push([name, ...args]);
      if (fault) throw fault;
      return result;
    };
  function app() {
    const services = {
      clock: { now: () => NOON },
      site: { get: () => ({ name: 'Werk', place: '', time_zone: 'Europe/Berlin', currency: 'EUR', demo: false }) },
      meters: {
        get: (_: string, id: string) => (id === 'main' ? point : id === 'sum' ? { ...point, virtual: [{}] } : null),
      },
      live: { of: () => new Map([['import_kWh', {}]]) },
      repairs: {
        apply: note('apply', { id: ID, count: 2 }),
        preview: note('preview', effect),
        undo: note('undo', { id: ID }),
        redo: note('redo', { id: ID }),
        list: async () => [act],
        changes: async (_: string, id: string) => {
          if (id !== ID) throw new NotFoundError('There is no such repair.');
          return { act, changes: [{ at_ms: NOON, before: 77, after: 5, lifted: false }] };
        },
      },
      series: {
        readings: {
          read: async () => ({
            at_ms: Float64Array.of(NOON - 2000, NOON - 1000),
            values: Float64Array.of(10, 99999),
            quality: Int32Array.of(Quality.REPAIRED, Quality.SPIKE),
            from_ms: null,
          }),
        },
        slots: {
          read: async () => ({ at_ms: Float64Array.of(NOON), values: Float64Array.of(3), quality: Int32Array.of(0) }),
        },
      },
    } as unknown as Services;
    const web = createApiApp();
    web.use(async (c, next) => {
      c.set('actor', { tenant: 't', person: 'ada', role, language });
      c.set('session', null);
      await next();
    });
    web.onError((error) => new Response(error.message, { status: error instanceof NotFoundError ? 404 : 500 }));
    web.route('/', createRepairPages({ services, assets: { url: (name: string) => `/static/${name}` } as never }));
    return web;
  }
  const span = { quantity: 'import_kWh', from: '2026-03-10T10:00', to: '2026-03-10T12:00' };
  const post = (fields: Record<string, string>) =>
    app().request('/meters/main/repair', { method: 'POST', body: new URLSearchParams({ ...span, ...fields }) });

  it('shows marked readings with a way to choose them, the history, and escapes what people wrote', async () => {
    const text = await (await app().request(`/meters/main/repair?${new URLSearchParams(span)}`)).text();
    expect(text.indexOf('impossible jump')).toBeGreaterThan(0);
    expect(text.indexOf('impossible jump')).toBeLessThan(text.indexOf('repaired by a person'));
    expect(text).toContain(`from=${NOON - 1000}`);
    expect(text).not.toContain('<b>Hall</b>');
    expect(text).not.toContain('<i>why</i>');
    expect(text).toContain('>Undo<');
  });

  it('shows before and after and stores nothing; then repairs the same span', async () => {
    const fields = { kind: 'value', amount: '12,5', reason: 'spike' };
    const text = await (await post({ ...fields, act: 'preview' })).text();
    expect(text).toContain('Nothing is stored yet');
    expect(text).toContain('99');
    expect(calls.map(([name]) => name)).toEqual(['preview']);
    const answer = await post({ ...fields, act: 'apply' });
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toContain('done=2');
    const asked = { meter: 'main', quantity: 'import_kWh', from_ms: NOON - 7_200_000, to_ms: NOON };
    expect(calls.at(-1)!.slice(2)).toEqual([{ ...asked, choice: { kind: 'value', value: 12.5 } }, 'spike']);
    const done = await app().request(answer.headers.get('location')!);
    expect(await done.text()).toContain('2 readings repaired');
  });

  it('says what is missing in the language of the reader, and changes nothing', async () => {
    for (const [fields, english, german] of [
      [{ act: 'apply', kind: 'value', amount: 'one', reason: 'x' }, 'as a number', 'als Zahl'],
      [{ act: 'apply', kind: 'missing' }, 'Give a reason', 'Geben Sie einen Grund an'],
      [{ act: 'apply', reason: 'x' }, 'Choose what is right', 'Wählen Sie, was stimmt'],
      [{ act: 'apply', kind: 'missing', reason: 'x', from: 'yesterday' }, 'begin and end', 'Anfang und Ende'],
    ] as [Record<string, string>, string, string][])
      for (const words of [english, german]) {
        language = words === german ? 'de' : 'en';
        const answer = await post(fields);
        expect(answer.status).toBe(400);
        expect(await answer.text()).toContain(words);
      }
    expect(calls.filter(([name]) => name !== 'preview')).toEqual([]);
  });

  it('says why a choice makes no sense, and that a store that is away changed nothing', async () => {
    fault = new RepairFault('standstill', 'A counter goes on', 'x');
    language = 'de';
    const refused = await post({ act: 'apply', kind: 'value', amount: '1', reason: 'x' });
    expect([refused.status, (await refused.text()).includes('Ein Zählerstand läuft weiter')]).toEqual([400, true]);
    fault = new UnavailableError('away');
    const away = await post({ act: 'apply', kind: 'missing', reason: 'x' });
    expect([away.status, (await away.text()).includes('Nichts wurde repariert')]).toEqual([503, true]);
  });

  it('undoes and redoes, and shows old and new values', async () => {
    expect((await post({ act: 'undo', repair: ID })).status).toBe(303);
    expect(calls[0]!.slice(0, 3)).toEqual(['undo', expect.objectContaining({ person: 'ada' }), ID]);
    expect((await post({ act: 'undo', repair: 'nobody' })).status).toBe(404);
    const text = await (await app().request(`/meters/main/repair?repair=${ID}`)).text();
    expect(text).toContain('77');
  });

  it('is for analysts, and for measured meter points', async () => {
    role = 'user';
    expect((await app().request('/meters/main/repair')).status).toBe(403);
    expect((await post({ act: 'undo', repair: ID })).status).toBe(403);
    role = 'analyst';
    expect((await app().request('/meters/sum/repair')).status).toBe(404);
    expect(calls).toEqual([]);
  });
});
