import { describe, expect, it } from 'vitest';
import type { SearchWish } from '../../gateway/services/discovery-search.ts';
import type { Services } from '../../gateway/services.ts';
import type { Language } from '../../web/i18n/text.ts';
import { searchPart } from '../../web/pages/add-meter/search.ts';
import { createUi } from '../../web/ui.ts';
import { CSRF, createSampleApp } from './sample-app.ts';
import { SAMPLE_FOUND, sampleSearch } from './sample-search.ts';
import { createSampleServices } from './sample-services.ts';

function pages(options: Parameters<typeof createSampleApp>[1] = {}) {
  const wishes: SearchWish[] = [];
  const search: Services['search'] = {
    ...sampleSearch({ now: () => 0 }, { publish: () => undefined }),
    start: async (_, wish) => {
      wishes.push(wish);
      return { ...({} as Awaited<ReturnType<Services['search']['start']>>) };
    },
    state: () => null,
  };
  const app = createSampleApp(createSampleServices({ replace: { search } }), options);
  const send = async (path: string, fields?: Record<string, string>, csrf = CSRF) => {
    const body = fields && new URLSearchParams({ ...fields, _csrf: csrf });
    const response = await app.request(path, body ? { method: 'POST', body } : {});
    return { status: response.status, to: response.headers.get('location'), text: await response.text() };
  };
  return { wishes, send };
}

const uiIn = (language: Language) =>
  createUi({
    ...{ language, theme: 'system', path: '/', site: null, actor: null },
    ...{ csrf: '', now_ms: 0, clock: null, asset: (name) => name },
  });
const NETWORK = { what: 'network', ranges: '192.168.1.0/24\n10.0.0.0/28', confirmed: 'yes' };

describe('searching for devices on the page', () => {
  it('begins with the ranges that were confirmed, and with nothing that was not', async () => {
    const { send, wishes } = pages();
    const { confirmed: _, ...unconfirmed } = NETWORK;
    expect(await send('/meters/new/search', unconfirmed)).toMatchObject({
      status: 400,
      text: expect.stringContaining('Confirm that you may search these networks.'),
    });
    expect((await send('/meters/new/search', { ...NETWORK, ranges: ' ' })).status).toBe(400);
    expect((await send('/meters/new/search', NETWORK, 'forged')).status).toBe(403);
    expect(wishes).toEqual([]);
    expect(await send('/meters/new/search', NETWORK)).toMatchObject({ status: 303, to: '/meters/new/search' });
    expect(wishes).toEqual([{ kind: 'network', ranges: ['192.168.1.0/24', '10.0.0.0/28'] }]);
  });

  it('takes one bus with its units', async () => {
    const { send, wishes } = pages();
    const bus = { what: 'bus', kind: 'modbus-tcp', host: '192.168.1.20', port: '502', from_unit: '1', to_unit: '247' };
    expect((await send('/meters/new/search', { ...bus, to_unit: '300' })).status).toBe(400);
    expect((await send('/meters/new/search', { ...bus, host: '' })).status).toBe(400);
    expect((await send('/meters/new/search', bus)).status).toBe(303);
    expect(wishes).toEqual([
      {
        kind: 'bus',
        connection: { kind: 'modbus-tcp', host: '192.168.1.20', port: 502, unit: 1, poll_s: 10 },
        ...{ from_unit: 1, to_unit: 247 },
      },
    ]);
  });

  it.each(['user', 'analyst'] as const)('is for admins, not for the role %s', async (role) => {
    const { send, wishes } = pages({ role });
    expect((await send('/meters/new/search')).status).toBe(403);
    expect((await send('/meters/new/search', NETWORK)).status).toBe(403);
    expect((await send('/meters/new/search/stop', {})).status).toBe(403);
    expect(wishes).toEqual([]);
  });

  it('fills the form of what was found, and of nothing else', async () => {
    const { send } = pages();
    const { text } = await send(`/meters/new?profile=eastron-sdm630&found=${SAMPLE_FOUND[0]!.id}`);
    expect(text).toMatch(/name="host"[^>]*value="192\.168\.1\.20"/);
    expect(text).toMatch(/name="unit"[^>]*value="3"/);
    expect(text).toContain('hx-trigger="load, click"');
    const unknown = await send('/meters/new?profile=eastron-sdm630&found=somebody-elses');
    expect(unknown.text).not.toContain('192.168.1.20"');
    expect(unknown.text).not.toContain('hx-trigger="load, click"');
    const other = await send(`/meters/new?profile=homewizard-p1&found=${SAMPLE_FOUND[0]!.id}`);
    expect(other.text).not.toContain('hx-trigger="load, click"');
  });

  it.each([
    ['en', 'The search ended early: 192.168.1.20:502, units 1 to 247 could not be connected.'],
    ['de', 'Die Suche endete vorzeitig: Keine Verbindung zu 192.168.1.20:502, units 1 to 247.'],
  ] as const)('says why it failed (%s)', async (language, text) => {
    const search = { where: '192.168.1.20:502, units 1 to 247', done: 0, total: 247, found: [] } as const;
    const failed = { ...search, state: 'failed', reason: 'unreachable', problem: '192.168.1.20 refuses.' } as const;
    const shown = String(await searchPart(failed, uiIn(language)));
    expect(shown).toContain(text);
    expect(shown).toContain('192.168.1.20 refuses.');
    const late = String(await searchPart({ ...failed, done: 90, reason: 'time_limit' }, uiIn(language)));
    expect(late).toContain(language === 'en' ? 'after 90 of 247: a search takes ten' : 'nach 90 von 247: Eine Suche');
  });
});
