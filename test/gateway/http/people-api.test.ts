/** Site, meters, people, keys, token, audit and jobs over HTTP, with real services behind and the real sign-in in front. */
import { randomBytes } from 'node:crypto';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMemoryBus } from '../../../connectors/bus/memory.ts';
import { createVault } from '../../../gateway/auth/vault.ts';
import { createAuditApi } from '../../../gateway/http/api/audit.ts';
import { createJobsApi } from '../../../gateway/http/api/jobs.ts';
import { createKeysApi } from '../../../gateway/http/api/keys.ts';
import { createMetersApi } from '../../../gateway/http/api/meters.ts';
import { createPeopleApi } from '../../../gateway/http/api/people.ts';
import { createSiteApi } from '../../../gateway/http/api/site.ts';
import { createTokenApi } from '../../../gateway/http/api/token.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import { createAuthenticate } from '../../../gateway/http/authenticate.ts';
import { createAccessService } from '../../../gateway/services/access.ts';
import { createAuditService } from '../../../gateway/services/audit.ts';
import { createAuditChainService } from '../../../gateway/services/audit-chain-service.ts';
import { createMeterService } from '../../../gateway/services/meters.ts';
import { createSiteService } from '../../../gateway/services/site.ts';
import { createTariffService } from '../../../gateway/services/tariffs.ts';
import type { AccessService, Actor, Session } from '../../../gateway/services.ts';
import { openTestDatabase, silent, type TestDatabase } from '../../setup/database.ts';

const boss: Actor = { tenant: 'default', person: 'command line', role: 'admin', language: 'en' };
const PASSWORD = 'correct horse battery';
const vault = createVault(randomBytes(32));
const SITE = {
  ...{ id: 'works', name: 'Works', place: 'Hamburg', latitude: null, longitude: null, time_zone: 'Europe/Berlin' },
  ...{ country: 'DE', currency: 'EUR', energy_price: { kind: 'fixed', per_kWh: 0.3, vat_percent: 19 } },
};

describe('API of people, keys, site and meters', () => {
  let test: TestDatabase;
  let access: AccessService;
  let app: ReturnType<typeof createApiApp>;
  const keys: Record<'admin' | 'analyst' | 'user' | 'other', string> = { admin: '', analyst: '', user: '', other: '' };
  let signedIn: { token: string; session: Session };

  beforeAll(async () => {
    test = await openTestDatabase();
    const { db, home } = test;
    await db.asSystem((sql) => sql(`insert into tenant (id, name) values ('other', 'Other')`));
    const site = createSiteService(test);
    await site.start();
    const tariffs = createTariffService({
      ...test,
      clock: Date,
      log: silent,
      site,
      bus: createMemoryBus({ log: silent }),
    });
    await tariffs.start();
    const meters = createMeterService({ db, log: silent, site });
    await meters.start();
    access = createAccessService({ db, log: silent, clock: Date, vault, config: { home, session_hours: 24 } });
    for (const role of ['admin', 'analyst', 'user'] as const)
      keys[role] = (await access.createKey(boss, role, role)).key;
    keys.other = (await access.createKey({ ...boss, tenant: 'other' }, 'other', 'admin')).key;
    await access.addPerson(boss, { login: 'anna', name: 'Anna', role: 'admin', password: PASSWORD });
    signedIn = await access.signIn('anna', PASSWORD, '10.0.0.1');
    app = createApiApp();
    app.onError((error, c) => {
      const { status, detail, faults } = describeError(error);
      return problem(c, status, detail, faults);
    });
    const config = { trusted_proxies: [], public_url: 'https://energy.example', upload_max_bytes: 1000 };
    app.use(createAuthenticate({ access, secure: false, config }));
    const live = { of: () => new Map(), last_ms: () => 1_700_000_000_000, recent: () => [] };
    const jobs = { depth: async () => [{ name: 'forecast', waiting: 1, active: 0, failed: 0 }] };
    const audit_chain = createAuditChainService({
      ...{ db, log: silent, clock: Date, config: { home }, tenants: site.tenants },
      alerts: { raise: async () => {}, clear: async () => {} },
    });
    const services = { access, audit_chain, audit: createAuditService(test), site, tariffs, meters, live };
    for (const api of [
      createSiteApi(services),
      createMetersApi(services),
      createPeopleApi(services),
      createKeysApi(services),
      createTokenApi(services),
      createAuditApi(services),
      createJobsApi({ site, jobs: jobs as never }),
    ])
      app.route('/', api as OpenAPIHono);
    app.post('/form', async (c) => c.json({ person: c.get('actor')?.person ?? null, form: await c.req.parseBody() }));
    app.post('/sign-in', (c) => c.json({ person: c.get('actor')?.person ?? null }));
  });
  afterAll(() => test.close());

  const ask = async (
    method: string,
    path: string,
    options: { key?: string; json?: unknown; headers?: Record<string, string>; body?: string } = {},
  ) => {
    const headers = new Headers(options.headers);
    if (options.key) headers.set('authorization', `Bearer ${options.key}`);
    if (options.json !== undefined) headers.set('content-type', 'application/json');
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    const answer = await app.request(path, { method, headers, body });
    const text = await answer.text();
    return { status: answer.status, json: text === '' ? null : JSON.parse(text), headers: answer.headers };
  };

  it.each([
    ['GET', '/api/v1/people', 'admin'],
    ['POST', '/api/v1/people', 'admin'],
    ['PATCH', '/api/v1/people/x', 'admin'],
    ['DELETE', '/api/v1/people/x', 'admin'],
    ['GET', '/api/v1/keys', 'admin'],
    ['POST', '/api/v1/keys', 'admin'],
    ['DELETE', '/api/v1/keys/x', 'admin'],
    ['GET', '/api/v1/audit', 'admin'],
    ['GET', '/api/v1/jobs', 'admin'],
    ['PUT', '/api/v1/site', 'admin'],
    ['PUT', '/api/v1/meters/x', 'admin'],
    ['DELETE', '/api/v1/meters/x', 'admin'],
    ['GET', '/api/v1/meters', 'user'],
    ['GET', '/api/v1/site', 'user'],
    ['GET', '/api/v1/me', 'user'],
  ])('%s %s needs the role %s', async (method, path, role) => {
    const json = method === 'GET' || method === 'DELETE' ? undefined : {};
    expect((await ask(method, path, { json })).status).toBe(401);
    expect((await ask(method, path, { key: `luna_${'A'.repeat(43)}`, json })).status).toBe(401);
    const lower = await ask(method, path, { key: keys.analyst, json });
    if (role === 'admin')
      expect(lower).toMatchObject({ status: 403, json: { detail: expect.stringMatching(/role admin/) } });
    else expect(lower.status).not.toBe(403);
  });

  it('sets the site up and shows it to its own people only', async () => {
    expect((await ask('GET', '/api/v1/site', { key: keys.user })).status).toBe(404);
    const wrong = await ask('PUT', '/api/v1/site', {
      key: keys.admin,
      json: { ...SITE, country: 'XX', colour: 'red' },
    });
    expect(wrong).toMatchObject({ status: 400, json: { detail: expect.stringMatching(/colour/) } });
    expect((await ask('PUT', '/api/v1/site', { key: keys.admin, json: SITE })).json).toEqual({ ...SITE, demo: false });
    expect((await ask('GET', '/api/v1/site', { key: keys.user })).json.name).toBe('Works');
    expect((await ask('GET', '/api/v1/site', { key: keys.other })).status).toBe(404);
  });

  it('makes, lists and removes virtual meter points', async () => {
    await test.db.asTenant('default', (sql) =>
      sql(`insert into device (tenant_id, id, name, connection) values ('default', 'box', 'Box', '{}')`),
    );
    const made = await ask('PUT', '/api/v1/meters/m', {
      key: keys.admin,
      json: { name: 'Main', role: 'grid', device: 'box' },
    });
    expect(made.json).toMatchObject({
      id: 'm',
      site: 'works',
      device: 'box',
      channel: 'main',
      last: '2023-11-14T22:13:20.000Z',
    });
    const virtual = [{ meter: 'm', factor: -1 }];
    await ask('PUT', '/api/v1/meters/v', { key: keys.admin, json: { name: 'Less', role: 'load', virtual } });
    const { json } = await ask('GET', '/api/v1/meters', { key: keys.user });
    expect(json.meters.map((meter: { id: string }) => meter.id)).toEqual(['v', 'm']);
    expect((await ask('GET', '/api/v1/meters/v', { key: keys.user })).json.virtual).toEqual(virtual);
    expect((await ask('GET', '/api/v1/meters/v', { key: keys.other })).status).toBe(404);
    expect(await ask('DELETE', '/api/v1/meters/m', { key: keys.admin })).toMatchObject({
      status: 400,
      json: { detail: expect.stringMatching(/formula of v/) },
    });
    expect((await ask('DELETE', '/api/v1/meters/v', { key: keys.admin })).status).toBe(204);
    expect((await ask('GET', '/api/v1/meters/v', { key: keys.user })).status).toBe(404);
  });

  it('adds, changes and removes people', async () => {
    const person = { login: 'bert', name: 'Bert', role: 'user', password: PASSWORD };
    const added = await ask('POST', '/api/v1/people', { key: keys.admin, json: person });
    expect(added).toMatchObject({ status: 201, json: { login: 'bert', role: 'user', last_sign_in: null } });
    expect(JSON.stringify(added.json)).not.toContain('password');
    expect((await ask('POST', '/api/v1/people', { key: keys.admin, json: person })).json.faults).toEqual([
      { where: 'login', problem: 'is taken' },
    ]);
    const path = `/api/v1/people/${added.json.id}`;
    expect((await ask('PATCH', path, { key: keys.other, json: { role: 'admin' } })).status).toBe(404);
    expect((await ask('PATCH', path, { key: keys.admin, json: { role: 'analyst' } })).status).toBe(204);
    expect((await ask('GET', '/api/v1/people', { key: keys.admin })).json.people).toHaveLength(2);
    expect((await ask('DELETE', path, { key: keys.admin })).status).toBe(204);
    expect((await ask('DELETE', path, { key: keys.admin })).status).toBe(404);
  });

  it('lets people change their own password with the present one, and nothing else', async () => {
    await access.addPerson(boss, { login: 'cleo', name: 'Cleo', role: 'user', password: PASSWORD });
    const { json } = await ask('POST', '/api/v1/token', { json: { login: 'cleo', password: PASSWORD } });
    const me = (body: unknown) => ask('PATCH', '/api/v1/me', { key: json.token, json: body });
    expect((await me({ role: 'admin' })).status).toBe(400);
    expect((await me({ password: 'another good one' })).status).toBe(403);
    expect((await me({ password: 'another good one', present_password: 'wrong password' })).status).toBe(403);
    expect((await me({ language: 'de' })).status).toBe(204);
    expect((await ask('GET', '/api/v1/me', { key: json.token })).json).toMatchObject({
      person: 'cleo',
      language: 'de',
    });
    expect((await me({ password: 'another good one', present_password: PASSWORD })).status).toBe(204);
    expect((await ask('GET', '/api/v1/me', { key: json.token })).status).toBe(401);
    expect((await ask('PATCH', '/api/v1/me', { key: keys.user, json: { language: 'de' } })).status).toBe(404);
  });

  it('gives tokens for passwords and keys, and tells guessers when to come back', async () => {
    const token = (options: Parameters<typeof ask>[2]) => ask('POST', '/api/v1/token', options);
    expect((await token({})).status).toBe(401);
    expect((await token({ json: { login: 'anna' } })).status).toBe(400);
    const byKey = await token({ key: keys.analyst });
    expect(byKey).toMatchObject({ status: 200, json: { expires_at: expect.stringMatching(/Z$/) } });
    expect((await ask('GET', '/api/v1/me', { key: byKey.json.token })).json).toMatchObject({ role: 'analyst' });
    const guess = (i: number) => token({ json: { login: 'dora', password: `guess number ${i}` } });
    const statuses = [];
    for (let i = 0; i < 11; i++) statuses.push((await guess(i)).status);
    expect(new Set(statuses)).toEqual(new Set([403, 429]));
    const refused = await guess(11);
    expect(refused).toMatchObject({
      status: 429,
      json: { detail: expect.stringMatching(/Try again in \d{3} s/) },
    });
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
  });

  it('shows a key once, and revokes it', async () => {
    const { json } = await ask('POST', '/api/v1/keys', { key: keys.admin, json: { name: 'export', role: 'user' } });
    expect((await ask('GET', '/api/v1/me', { key: json.key })).json.person).toBe('key:export');
    const list = await ask('GET', '/api/v1/keys', { key: keys.admin });
    expect(JSON.stringify(list.json)).not.toContain(json.key);
    expect(list.json.keys.map((key: { name: string }) => key.name)).toEqual(['admin', 'analyst', 'export', 'user']);
    expect((await ask('DELETE', `/api/v1/keys/${json.id}`, { key: keys.other })).status).toBe(404);
    expect((await ask('DELETE', `/api/v1/keys/${json.id}`, { key: keys.admin })).status).toBe(204);
    expect((await ask('GET', '/api/v1/me', { key: json.key })).status).toBe(401);
  });

  it('pages through the audit log of the own tenant', async () => {
    const all = (await ask('GET', '/api/v1/audit?limit=500', { key: keys.admin })).json.entries;
    const first = (await ask('GET', '/api/v1/audit?limit=2', { key: keys.admin })).json.entries;
    const next = (await ask('GET', `/api/v1/audit?limit=2&before=${first[1].id}`, { key: keys.admin })).json.entries;
    expect([...first, ...next]).toEqual(all.slice(0, 4));
    expect((await ask('GET', '/api/v1/audit', { key: keys.other })).json.entries).toHaveLength(1);
    expect((await ask('GET', '/api/v1/audit?limit=0', { key: keys.admin })).status).toBe(400);
    expect((await ask('GET', '/api/v1/jobs', { key: keys.admin })).json.queues).toHaveLength(1);
  });

  describe('with a session cookie', () => {
    const cookie = () => ({ cookie: `luna_session=${signedIn.token}` });
    const form = (fields: Record<string, string>) => {
      const body = new URLSearchParams(fields).toString();
      return {
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(body.length) },
      };
    };

    it('reads without more', async () => {
      expect((await ask('GET', '/api/v1/me', { headers: cookie() })).json).toMatchObject({
        person: 'anna',
        name: 'Anna',
      });
      expect((await ask('GET', '/api/v1/me', { headers: { cookie: `luna_session=${'x'.repeat(43)}` } })).status).toBe(
        401,
      );
    });

    it('changes only with the CSRF token, in header or form field, which the route still can read', async () => {
      const { csrf } = signedIn.session;
      const key = { json: { name: 'cookie', role: 'user' } };
      expect((await ask('POST', '/api/v1/keys', { ...key, headers: cookie() })).status).toBe(403);
      expect(
        (await ask('POST', '/api/v1/keys', { ...key, headers: { ...cookie(), 'x-csrf-token': 'x' } })).status,
      ).toBe(403);
      expect(
        (await ask('POST', '/api/v1/keys', { ...key, headers: { ...cookie(), 'x-csrf-token': csrf } })).status,
      ).toBe(201);
      const right = form({ _csrf: csrf, a: '1' });
      const sent = await ask('POST', '/form', { ...right, headers: { ...cookie(), ...right.headers } });
      expect(sent.json).toEqual({ person: 'anna', form: { _csrf: csrf, a: '1' } });
      const wrong = form({ _csrf: `${csrf}x` });
      expect((await ask('POST', '/form', { ...wrong, headers: { ...cookie(), ...wrong.headers } })).status).toBe(403);
    });

    it('reads no form of any length for the sake of its token', async () => {
      const { csrf } = signedIn.session;
      const large = form({ _csrf: csrf, a: 'x'.repeat(2_000_000) });
      expect((await ask('POST', '/form', { ...large, headers: { ...cookie(), ...large.headers } })).status).toBe(413);
      const { 'content-length': _, ...unknown } = form({ _csrf: csrf }).headers;
      expect((await ask('POST', '/form', { body: `_csrf=${csrf}`, headers: { ...cookie(), ...unknown } })).status).toBe(
        413,
      );
    });

    it.each<[string, Record<string, string>, number]>([
      ['from another site', { 'sec-fetch-site': 'cross-site' }, 403],
      ['from another host of the domain', { 'sec-fetch-site': 'same-site' }, 403],
      ['from the box itself', { 'sec-fetch-site': 'same-origin' }, 200],
      ['by hand', { 'sec-fetch-site': 'none' }, 200],
      ['of an old browser from another origin', { origin: 'https://evil.example', host: 'box.lan' }, 403],
      ['of an old browser from nowhere', { origin: 'null', host: 'box.lan' }, 403],
      ['of an old browser from the box', { origin: 'http://box.lan', host: 'box.lan' }, 200],
      ['of an old browser through the public address', { origin: 'https://energy.example', host: 'box.lan' }, 200],
      [
        'of another origin that claims to be forwarded',
        { origin: 'https://evil.example', host: 'box.lan', 'x-forwarded-host': 'evil.example' },
        403,
      ],
    ])('a request %s is answered as it should', async (_, headers, status) => {
      const sent = await ask('POST', '/form', {
        headers: { ...headers, ...cookie(), 'x-csrf-token': signedIn.session.csrf },
      });
      expect(sent.status).toBe(status);
    });

    it('a stale session neither hinders a new sign-in nor counts for it; a foreign page signs nobody in', async () => {
      expect((await ask('POST', '/sign-in', { headers: cookie() })).json).toEqual({ person: null });
      expect((await ask('POST', '/sign-in', { headers: { 'sec-fetch-site': 'cross-site' } })).status).toBe(403);
    });

    it('a bearer wins over the cookie, also a wrong one', async () => {
      expect((await ask('GET', '/api/v1/me', { key: keys.user, headers: cookie() })).json.person).toBe('key:user');
      expect((await ask('GET', '/api/v1/me', { key: 'nonsense', headers: cookie() })).status).toBe(401);
    });
  });
});
