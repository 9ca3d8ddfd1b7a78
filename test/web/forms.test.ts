/** Forms of set-up, sign-in, admin, devices and import over the sample services: what is typed, kept, refused, shown. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../engine/errors.ts';
import type { NewDevice, Services } from '../../gateway/services.ts';
import { PASSWORD, SETUP_TOKEN } from './sample-admin.ts';
import { CSRF, createSampleApp } from './sample-app.ts';
import { createSampleServices } from './sample-services.ts';
import { DEVICES, SITE } from './sample-site.ts';

const HOSTILE = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`;
type App = ReturnType<typeof createSampleApp>;

async function send(app: App, path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams({ _csrf: CSRF, ...fields });
  const answer = await app.request(path, { method: 'POST', body, headers });
  return { status: answer.status, to: answer.headers.get('location'), text: await answer.text() };
}
async function see(app: App, path: string) {
  const answer = await app.request(path);
  return { status: answer.status, text: (await answer.text()).replaceAll('\u00a0', ' ') };
}
const appOf = (replace: Partial<Services> = {}, options: Parameters<typeof createSampleApp>[1] = {}) =>
  createSampleApp(createSampleServices({ replace }), options);

describe('set-up', () => {
  const full = createSampleServices();
  const fresh = () => appOf({ site: { ...full.site, get: () => null } }, { signed_in: false });
  const typed = { token: SETUP_TOKEN, login: 'maria', name: 'Werk "Nord"', place: 'Kiel', start: 'empty' };

  it('keeps what was typed when something is wrong, but no password', async () => {
    const fields = { ...typed, password: 'short', password_again: 'short', vat_percent: 'much', per_kWh: '0,24' };
    const { status, text } = await send(fresh(), '/setup', fields);
    expect(status).toBe(400);
    expect(text).toContain('value="Werk &quot;Nord&quot;"');
    expect(text).toContain('value="0,24"');
    expect(text).toContain('At least 10 characters, please.');
    expect(text).toMatch(/id="vat_percent-error"/);
    expect(text).not.toContain('value="short"');
  });
  it('refuses a wrong or used token', async () => {
    expect((await see(fresh(), '/setup?token=wrong')).status).toBe(403);
    expect((await send(fresh(), '/setup', { ...typed, token: 'wrong' })).status).toBe(403);
  });
});

describe('sign-in', () => {
  it('says what is wrong without telling whether the name exists, and when to come back', async () => {
    const app = appOf({}, { signed_in: false });
    const unknown = await send(app, '/sign-in', { login: 'nobody', password: 'x' });
    const wrong = await send(app, '/sign-in', { login: 'anna', password: 'x' });
    expect([unknown.status, wrong.status]).toEqual([401, 401]);
    const notice = (text: string) => /role="alert">([\s\S]*?)<\/div><\/div>/.exec(text)?.[1];
    expect(notice(wrong.text)).toContain('do not match');
    expect(notice(unknown.text)).toBe(notice(wrong.text));
    for (let i = 0; i < 3; i++) await send(app, '/sign-in', { login: 'anna', password: 'x' });
    const late = await send(app, '/sign-in', { login: 'anna', password: 'x' });
    expect(late.status).toBe(429);
    expect(late.text).toContain('Try again in 30 seconds');
  });
  it('leads back to a page of ours and nowhere else', async () => {
    const app = appOf({}, { signed_in: false });
    const good = { login: 'anna', password: PASSWORD };
    expect((await send(app, '/sign-in', { ...good, next: '/prices' })).to).toBe('/prices');
    expect((await send(app, '/sign-in', { ...good, next: '//evil.example' })).to).toBe('/');
  });
});

describe('who may not', () => {
  const ADMIN_ONLY = [
    '/admin/site',
    '/admin/people',
    '/admin/keys',
    '/admin/health',
    '/admin/backups',
    '/meters/new',
    '/devices/solar-device',
  ];
  it.each(ADMIN_ONLY)('%s shows a user the page that says so', async (path) => {
    const { status, text } = await see(appOf({}, { role: 'user' }), path);
    expect(status).toBe(403);
    expect(text).toContain('This page is for the role Admin');
  });
  it('an analyst may import but not administrate', async () => {
    const app = appOf({}, { role: 'analyst' });
    expect((await see(app, '/import')).status).toBe(200);
    expect((await see(app, '/admin/people')).status).toBe(403);
    expect((await see(appOf({}, { role: 'user' }), '/import')).status).toBe(403);
  });
  it.each([
    '/admin/people',
    '/admin/keys',
    '/admin/site',
    '/demo/stop',
    '/devices/solar-device/remove',
    '/import/load',
  ])('POST %s is refused without the token of the form', async (path) => {
    expect((await send(appOf(), path, { _csrf: 'guessed' })).status).toBe(403);
  });
});

describe('people and keys', () => {
  it('adds a person; a taken name stands beside its field, the password never comes back', async () => {
    const app = appOf();
    const fields = { login: 'eva', name: HOSTILE, role: 'analyst', language: 'de', password: 'a long enough one' };
    expect(await send(app, '/admin/people', fields)).toMatchObject({ status: 303, to: '/admin/people?saved' });
    const list = await see(app, '/admin/people');
    expect(list.text).toContain('&lt;script&gt;alert(1)');
    expect(list.text).not.toContain('<script>alert');
    const again = await send(app, '/admin/people', fields);
    expect(again.status).toBe(400);
    expect(again.text).toMatch(/id="login-error">.*is taken/);
    expect(again.text).not.toContain('a long enough one');
  });
  it('changes roles, and says why the last admin stays', async () => {
    const app = appOf();
    const change = { name: 'Jonas', role: 'admin', language: 'de' };
    expect((await send(app, '/admin/people/p2', change)).status).toBe(303);
    const refused = await send(app, '/admin/people/p1', { ...change, role: 'user' });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('is the last admin. Make somebody else admin first.');
  });
  it('shows a key once, to nobody but who made it', async () => {
    const app = appOf();
    const { to } = await send(app, '/admin/keys', { name: 'reports', role: 'analyst' });
    const first = await see(app, to!);
    expect(first.text).toContain(`luna_${'k'.repeat(43)}`);
    const second = await see(app, to!);
    expect(second.text).not.toContain('luna_k');
    expect(second.text).toContain('It was shown already');
    expect((await send(app, '/admin/keys', { name: ' ', role: 'user' })).status).toBe(400);
  });
});

describe('site', () => {
  const fields = { name: 'Hafenhaus', place: 'Hamburg', time_zone: 'Europe/Berlin', country: 'DE', currency: 'EUR' };
  const price = { price_kind: 'fixed', per_kWh: '0,245', vat_percent: '19' };
  it('saves what was typed and keeps the coordinates of the same place', async () => {
    const saved: unknown[] = [];
    const full = createSampleServices();
    const app = appOf({ site: { ...full.site, save: async (_, settings) => void saved.push(settings) } });
    expect((await send(app, '/admin/site', { ...fields, ...price })).status).toBe(303);
    expect(saved[0]).toMatchObject({
      latitude: SITE.latitude,
      energy_price: { kind: 'fixed', per_kWh: 0.245, vat_percent: 19 },
    });
    await send(app, '/admin/site', { ...fields, ...price, place: 'Kiel 54.32, 10.14' });
    expect(saved[1]).toMatchObject({ latitude: 54.32, longitude: 10.14 });
    expect((await send(app, '/admin/site', { ...fields, ...price, per_kWh: 'cheap' })).status).toBe(400);
    expect(saved).toHaveLength(2);
  });
  it('tells the audit log in words, page by page, escaped', async () => {
    const app = appOf();
    const { text } = await see(app, '/admin/audit');
    expect(text).toContain('API key building control</b> accepted a recommendation');
    expect(text).toContain('repair &lt;b&gt;values&lt;/b&gt;');
    expect(/<main[\s\S]*<\/main>/.exec(text)?.[0]).not.toContain('{&quot;');
    const next = /href="(\/admin\/audit\?before=\d+)"/.exec(text)?.[1];
    const times = (page: string) => [...page.matchAll(/<time class="soft" datetime="([^"]+)"/g)].map(([, at]) => at!);
    const second = times((await see(app, next!)).text);
    expect([times(text).length, second.length]).toEqual([50, 50]);
    expect(second[0]! < times(text).at(-1)!).toBe(true);
    expect((await see(app, '/admin/audit?before=1')).text).toContain('Nothing yet');
  });
});

describe('adding a meter', () => {
  const fields = {
    kind: 'modbus-tcp',
    host: '10.0.0.7',
    port: '502',
    unit: '1',
    poll_s: '10',
    id: 'hall-3',
    name: 'Hall 3',
  };
  const path = '/meters/new?profile=eastron-sdm630';
  const recording = () => {
    const made: NewDevice[] = [];
    const full = createSampleServices();
    const create: Services['devices']['create'] = async (_, wish) => {
      made.push(wish);
      if (wish.id === 'taken') throw new InvalidDataError('Taken.', '', [{ where: 'id', problem: 'exists already' }]);
      return { id: wish.id, username: null, password: null, topic: null, meters: [wish.id] };
    };
    return { made, app: appOf({ devices: { ...full.devices, create } }) };
  };

  it('makes the device with role and parent, and leads to its page', async () => {
    const { made, app } = recording();
    const answer = await send(app, path, { ...fields, role_0: 'sub-meter', parent_0: 'grid' });
    expect(answer).toMatchObject({ status: 303, to: '/meters/hall-3' });
    expect(made[0]).toEqual({
      id: 'hall-3',
      name: 'Hall 3',
      profile: 'eastron-sdm630',
      connection: { kind: 'modbus-tcp', host: '10.0.0.7', port: 502, unit: 1, poll_s: 10 },
      points: [{ channel: 'main', role: 'sub-meter', parent: 'grid' }],
    });
  });
  it('keeps what was typed when a number is none or the id is taken', async () => {
    const { made, app } = recording();
    const wrong = await send(app, path, { ...fields, port: 'five', host: HOSTILE });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toMatch(/id="port-error"/);
    expect(wrong.text).toContain('value="Hall 3"');
    expect(wrong.text).not.toContain('<script>alert');
    expect(made).toEqual([]);
    const taken = await send(app, path, { ...fields, id: 'taken' });
    expect(taken.text).toMatch(/id="id-error">.*exists already/);
  });
  it('tests without saving: the values, or the failure in words, escaped', async () => {
    const { made, app } = recording();
    const good = await send(app, '/meters/new/test?profile=eastron-sdm630', fields, { 'hx-request': 'true' });
    expect(good.text).toMatch(/^<div class="notice ok"/);
    expect(good.text).toContain('0x4583 0x9400');
    const full = createSampleServices();
    const testRead = async () => ({ ok: false, problem: HOSTILE, firmware: null, took_ms: 0, values: [] });
    const bad = await send(
      appOf({ devices: { ...full.devices, testRead } }),
      '/meters/new/test?profile=eastron-sdm630',
      fields,
    );
    expect(bad.text).toContain('&lt;script&gt;');
    expect(bad.text).toContain('value="10.0.0.7"');
    expect(made).toEqual([]);
  });
  it('saves sums and differences, and refuses an empty formula', async () => {
    const saved: unknown[] = [];
    const full = createSampleServices();
    const app = appOf({ meters: { ...full.meters, save: async (_, point) => void saved.push(point) } });
    const typed = {
      id: 'rest-2',
      name: 'Rest',
      role: 'load',
      factor_grid: '1',
      'factor_hall-1': '-1',
      factor_solar: '0',
    };
    expect(await send(app, '/meters/new/virtual', typed)).toMatchObject({ status: 303, to: '/meters/rest-2' });
    const terms = [
      { meter: 'grid', factor: 1 },
      { meter: 'hall-1', factor: -1 },
    ];
    expect(saved).toMatchObject([{ id: 'rest-2', device: null, virtual: terms }]);
    expect((await send(app, '/meters/new/virtual', { id: 'x', name: 'x' })).status).toBe(400);
    expect((await send(app, '/meters/new/virtual', { ...typed, id: 'grid' })).text).toContain(
      'There is a meter point grid already.',
    );
    expect(saved).toHaveLength(1);
  });
});

describe('a device', () => {
  it('keeps a stored token where none is typed, and never shows it', async () => {
    const changes: unknown[] = [];
    const full = createSampleServices();
    const connection = { kind: 'http', url: 'http://10.0.0.9', token: 'top-secret', poll_s: 5 } as const;
    const device = { ...DEVICES[0]!, id: 'p1', profile: 'web', connection };
    const profile = { ...full.profiles.list()[0]!, name: 'web', transport: 'http' as const };
    const app = appOf({
      profiles: { list: () => [profile], get: () => profile },
      devices: { ...full.devices, get: () => device, update: async (_, __, change) => void changes.push(change) },
    });
    expect((await see(app, '/devices/p1')).text).not.toContain('top-secret');
    await send(app, '/devices/p1', { name: 'P1', url: 'http://10.0.0.9', poll_s: '5', token: '' });
    expect(changes).toEqual([{ name: 'P1', enabled: false, connection }]);
  });
  it('is removed with its readings only where that was ticked', async () => {
    const removed: unknown[] = [];
    const full = createSampleServices();
    const app = appOf({
      devices: { ...full.devices, remove: async (_, id, options) => void removed.push([id, options]) },
    });
    await send(app, '/devices/solar-device/remove', {});
    await send(app, '/devices/solar-device/remove', { erase_readings: 'yes' });
    expect(removed).toEqual([
      ['solar-device', { erase_readings: false }],
      ['solar-device', { erase_readings: true }],
    ]);
    expect((await see(app, '/devices/none')).status).toBe(404);
  });
});

describe('files', () => {
  const home = mkdtempSync(join(tmpdir(), 'luna-forms-'));
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  const sample = createSampleServices().config;
  const filesApp = (replace: Partial<Services> = {}) => appOf({ config: { ...sample, home }, ...replace });
  const upload = (app: App, path: string, content: string | null) => {
    const form = new FormData();
    form.set('_csrf', CSRF);
    if (content !== null) form.set('file', new File([content], 'a.csv'));
    return app.request(path, { method: 'POST', body: form });
  };
  it('an import says what is wrong with a file, or what is missing', async () => {
    const app = filesApp();
    expect((await upload(app, '/import', null)).status).toBe(400);
    expect(await (await upload(app, '/import', '\0\0binary')).text()).toContain('The file is no text.');
    const kept = await upload(app, '/import', 'Zeit;Leistung [kW]\n01.06.2026 00:15;12,4\n');
    expect(kept.status).toBe(303);
    const address = kept.headers.get('location')!;
    expect((await see(app, address)).text).toContain('Choose the meter point that the file is for');
    expect((await see(app, '/import/preview?file=other&name=x')).text).toContain('not here any more');
    const file = new URLSearchParams(address.split('?')[1]).get('file')!;
    const mapped = { file, file_name: 'a.csv', column_0: 'at', column_1: 'q:power_W', decimal_comma: 'yes' };
    expect((await send(app, '/import/load', mapped)).text).toContain('This is still missing');
    const begun = await send(app, '/import/load', { ...mapped, meter_id: 'grid' });
    expect(begun.to).toMatch(/^\/import\/loads\/[0-9a-f-]{36}$/);
    expect((await see(app, begun.to!)).text).toContain('Loading a.csv');
    const failing = await upload(app, '/import', 'Zeit;Leistung [kW]\n01.06.2026 00:15;12,4\n');
    expect(failing.status).toBe(303);
  });
  it('a load that fails says what was kept', async () => {
    const full = createSampleServices();
    const load = async () => {
      throw new InvalidDataError('The columns cannot be used.', 'Give a mapping.');
    };
    const app = filesApp({ loads: { ...full.loads, load } });
    const kept = await upload(app, '/import', 'at,meter,power_W\n2026-06-01T00:00:00Z,grid,5\n');
    const file = new URLSearchParams(kept.headers.get('location')!.split('?')[1]).get('file')!;
    const typed = { file, file_name: 'a.csv', column_0: 'at', column_1: 'meter', column_2: 'q:power_W' };
    const { to } = await send(app, '/import/load', typed);
    await expect
      .poll(async () => (await see(app, to!)).text)
      .toContain('The load ended early: The columns cannot be used.');
  });
  it('a document that is refused leaves the list as it was', async () => {
    const answer = await upload(filesApp(), '/documents', 'X no pdf');
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('The file is no PDF. Upload a PDF, Markdown or text.');
  });
  it('a file that is too large is refused before it is read', async () => {
    const config = { ...sample, home, upload_max_bytes: 1000 };
    const app = appOf({ config });
    for (const path of ['/import', '/documents']) {
      const answer = await upload(app, path, 'x'.repeat(200_000));
      expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('The file is larger than')]);
    }
  });
});
