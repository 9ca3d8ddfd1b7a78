import { beforeEach, describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../engine/errors.ts';
import { Quality } from '../../../engine/model/quality.ts';
import type { Repair } from '../../../engine/ports.ts';
import { createApiApp } from '../../../gateway/http/api.ts';
import { createRepairPages } from '../../../gateway/http/pages/repair.ts';
import type { Actor, Services } from '../../../gateway/services.ts';

const NOON = Date.parse('2026-03-10T11:00:00Z');

describe('the repair page', () => {
  let repairs: (readonly Repair[])[];
  let audited: unknown[];
  let role: Actor['role'];
  beforeEach(() => {
    repairs = [];
    audited = [];
    role = 'analyst';
  });

  const point = { tenant: 't', id: 'main', name: '<b>Hall</b>', virtual: null };
  function app() {
    const services = {
      clock: { now: () => NOON },
      site: { get: () => ({ name: 'Werk', place: '', time_zone: 'Europe/Berlin', currency: 'EUR', demo: false }) },
      meters: {
        get: (_: string, id: string) => (id === 'main' ? point : id === 'sum' ? { ...point, virtual: [{}] } : null),
      },
      live: { of: () => new Map([['import_kWh', {}]]) },
      audit: { record: async (...entry: unknown[]) => void audited.push(entry) },
      series: {
        readings: {
          read: async () => ({
            at_ms: Float64Array.of(NOON - 2000, NOON - 1000),
            values: Float64Array.of(10, 99999),
            quality: Int32Array.of(0, Quality.SPIKE),
            from_ms: null,
          }),
          repair: async (_: string, list: readonly Repair[]) => void repairs.push(list),
        },
      },
    } as unknown as Services;
    const web = createApiApp();
    web.use(async (c, next) => {
      c.set('actor', { tenant: 't', person: 'ada', role, language: 'en' });
      c.set('session', null);
      await next();
    });
    web.onError((error) => new Response(error.message, { status: error instanceof NotFoundError ? 404 : 500 }));
    web.route('/', createRepairPages({ services, assets: { url: (name: string) => `/static/${name}` } as never }));
    return web;
  }
  const post = (fields: [string, string][]) =>
    app().request('/meters/main/repair', {
      method: 'POST',
      body: new URLSearchParams([['quantity', 'import_kWh'], ['day', '2026-03-10'], ...fields]),
    });

  it('shows the marked readings first, with their reason, and escapes names', async () => {
    const text = await (await app().request('/meters/main/repair?quantity=import_kWh&day=2026-03-10')).text();
    expect(text.indexOf('impossible jump')).toBeGreaterThan(0);
    expect(text.indexOf(`value="${NOON - 1000}"`)).toBeLessThan(text.indexOf(`value="${NOON - 2000}"`));
    expect(text).not.toContain('<b>Hall</b>');
  });

  it('sets, marks as missing and lifts, with the reason in the audit log', async () => {
    const at: [string, string] = ['at', String(NOON - 1000)];
    for (const [act, value] of [
      ['set', 12.5],
      ['missing', null],
      ['lift', undefined],
    ] as const) {
      expect((await post([at, ['act', act], ['value', '12,5'], ['reason', 'spike']])).status).toBe(200);
      expect(repairs.at(-1)).toEqual([{ meter: 'main', quantity: 'import_kWh', at_ms: NOON - 1000, value, by: 'ada' }]);
    }
    expect(audited).toHaveLength(3);
  });

  it('says what is missing and changes nothing', async () => {
    const at: [string, string] = ['at', String(NOON - 1000)];
    for (const [fields, words] of [
      [
        [
          ['act', 'set'],
          ['value', '1'],
          ['reason', 'x'],
        ],
        'Choose at least one reading',
      ],
      [[at, ['act', 'set'], ['value', 'one'], ['reason', 'x']], 'as a number'],
      [[at, ['act', 'set'], ['value', '1']], 'Give a reason'],
    ] as [[string, string][], string][]) {
      const answer = await post(fields);
      expect(answer.status).toBe(400);
      expect(await answer.text()).toContain(words);
    }
    expect(repairs).toEqual([]);
  });

  it('is for analysts, and for measured meter points', async () => {
    role = 'user';
    expect((await app().request('/meters/main/repair')).status).toBe(403);
    role = 'analyst';
    expect((await app().request('/meters/sum/repair')).status).toBe(404);
  });
});
