/** The whole web application over the sample services: what stands before every route. */
import { describe, expect, it } from 'vitest';
import { TooManyTriesError } from '../../../engine/errors.ts';
import { createAuthenticate } from '../../../gateway/http/authenticate.ts';
import { createWeb } from '../../../gateway/http/server.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import type { Services } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';
import { ADMIN, createSampleServices } from '../../web/sample-services.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** @param change parts that a test needs otherwise; parts the sample lacks are empty. */
function createTestWeb(change: Partial<Services> = {}, remote = '127.0.0.1') {
  const parts = { ...createSampleServices(), log: silent, metrics: createMetrics({ defaults: false }), ...change };
  const services = new Proxy(parts, { get: (target, name) => (name in target ? Reflect.get(target, name) : {}) });
  const config = { trusted_proxies: [], public_url: null, upload_max_bytes: 64 * 1024 ** 2 };
  const access = { session: async () => null, bearer: async () => null, ...change.access };
  const web = createWeb(services as Services, {
    ...{ secure: false, version: '0.1.0' },
    authenticate: createAuthenticate({ access, secure: false, config }),
  });
  const socket = { incoming: { socket: { remoteAddress: remote } } };
  return { request: async (path: string, init: RequestInit = {}) => web.request(path, init, socket) };
}

describe('a refusal of a kind that has no page of its own', () => {
  it('is told as a fault of the request, never as one of ours', async () => {
    const bearer: Services['access']['bearer'] = async () => ADMIN;
    const app = createTestWeb({ access: { bearer } as Services['access'] });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const headers = { authorization: 'Bearer key', accept: 'text/html', 'content-type': type };
      const answer = await app.request('/rag/ask', { method: 'POST', headers, body: 'a=b' });
      expect([type, answer.status]).toEqual([type, 400]);
    }
  });
});

describe('limit of bodies', () => {
  it.each(['/sign-in', '/setup', '/preferences', '/api/v1/token', '/api/v1/keys', '/api/v1/ask'])(
    'refuses more than 1 MiB to %s, with and without a told length',
    async (path) => {
      const app = createTestWeb();
      const body = `login=${'x'.repeat(1_100_000)}`;
      const told = { ...FORM, 'content-length': String(body.length) };
      for (const headers of [FORM, told]) {
        const answer = await app.request(path, { method: 'POST', body, headers });
        expect([answer.status, answer.headers.get('content-type')]).toEqual([413, 'application/problem+json']);
      }
    },
  );

  it('shows browsers a page', async () => {
    const headers = { ...FORM, accept: 'text/html' };
    const answer = await createTestWeb().request('/sign-in', { method: 'POST', body: 'x'.repeat(1_100_000), headers });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([413, 'text/html; charset=UTF-8']);
    expect(await answer.text()).toContain('larger than 1 MiB');
  });

  it('lets tables and files of their own limits through', async () => {
    const app = createTestWeb();
    for (const path of ['/api/v1/prices/load?area=DE-LU', '/api/v1/data/load', '/api/v1/devices.yaml']) {
      const method = path.endsWith('yaml') ? 'PUT' : 'POST';
      expect((await app.request(path, { method, body: 'x'.repeat(1_100_000) })).status).not.toBe(413);
    }
  });
});

describe('who comes too often', () => {
  const access = {
    signIn: async () => {
      throw new TooManyTriesError('Too many tries.', 17);
    },
    needsSetup: async () => false,
  } as unknown as Services['access'];

  it.each([
    ['/api/v1/token', { 'content-type': 'application/json' }, '{"login":"a","password":"b"}'],
    ['/sign-in', FORM, 'login=a&password=b'],
  ])('hears from %s when to come back', async (path, headers, body) => {
    const answer = await createTestWeb({ access }).request(path, { method: 'POST', headers, body });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '17']);
  });
});

describe('what the box tells of itself', () => {
  const PROXIES: Record<string, string>[] = [
    { 'x-forwarded-for': '203.0.113.9' },
    { forwarded: 'for=203.0.113.9' },
    { 'x-real-ip': '203.0.113.9' },
    { 'x-forwarded-for': '127.0.0.1' },
  ];
  const key = { authorization: 'Bearer key' };
  const asks = { count: 0, now_ms: 1_800_000_000_000 };
  const change = {
    clock: { now: () => asks.now_ms },
    journal: { stats: () => ({ bytes: 1, last_seq: 1, quarantined: [] }) },
    jobs: { depth: async () => [] },
    health: {
      report: async () => {
        asks.count++;
        const part = { name: 'database', state: 'down', text: 'connect ENOENT /home/anna/.luna/pg', since_ms: 0 };
        return { ready: false, parts: [part] };
      },
    },
    access: { session: async () => null, bearer: async () => ({ tenant: 'default', person: 'k', role: 'user' }) },
  } as unknown as Partial<Services>;
  const textOf = async (remote: string, headers: Record<string, string> = {}) => {
    const answer = await createTestWeb(change, remote).request('/readyz', { headers });
    expect(answer.status).toBe(503);
    const { parts } = (await answer.json()) as { parts: { name: string; state: string; text: string | null }[] };
    expect(parts[0]).toMatchObject({ name: 'database', state: 'down' });
    return parts[0]?.text;
  };

  it('gives metrics without a key on the box itself only, not through a proxy that nobody named', async () => {
    const metrics = async (remote: string, headers: Record<string, string> = {}) =>
      (await createTestWeb(change, remote).request('/metrics', { headers })).status;
    expect([await metrics('127.0.0.1'), await metrics('::1'), await metrics('::ffff:127.0.0.1')]).toEqual([
      200, 200, 200,
    ]);
    expect(await metrics('192.168.1.7')).toBe(401);
    for (const headers of PROXIES) expect(await metrics('127.0.0.1', headers)).toBe(401);
    expect(await metrics('127.0.0.1', { ...PROXIES[0], ...key })).toBe(200);
  });

  it('gives metrics to whoever brings the token of the configuration, and nothing else', async () => {
    const token = 'a-token-of-enough-characters';
    const access = { session: async () => null, bearer: async () => null } as unknown as Services['access'];
    const config = { metrics_token: token } as Services['config'];
    const web = createTestWeb({ ...change, access, config }, '192.168.1.7');
    const status = async (path: string, given: string) =>
      (await web.request(path, { headers: { authorization: `Bearer ${given}` } })).status;
    expect(await status('/metrics', token)).toBe(200);
    expect(await status('/metrics', `${token}x`)).toBe(401);
    expect(await status('/api/v1/jobs', token)).toBe(401);
  });

  it('tells strangers which part is down, and only known people why', async () => {
    expect(await textOf('127.0.0.1')).toContain('ENOENT');
    expect(await textOf('192.168.1.7', key)).toContain('ENOENT');
    expect(await textOf('192.168.1.7')).toBeNull();
    for (const headers of PROXIES) expect(await textOf('127.0.0.1', headers)).toBeNull();
  });

  it('asks its parts at most once a second', async () => {
    const app = createTestWeb(change);
    asks.count = 0;
    await Promise.all([app.request('/readyz'), app.request('/readyz')]);
    asks.now_ms += 999;
    await app.request('/readyz');
    expect(asks.count).toBe(1);
    asks.now_ms += 1;
    await app.request('/readyz');
    expect(asks.count).toBe(2);
  });
});
