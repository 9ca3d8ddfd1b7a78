/** What holds for every route there is: nothing that changes something without proof of origin, no answer without its headers. */
import { describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../../gateway/http/authenticate.ts';
import { createWeb } from '../../../gateway/http/server.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import type { Services, Session } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';
import { createSampleServices } from '../../web/sample-services.ts';

const TOKEN = 't'.repeat(43);
const CSRF = 'the-right-csrf-token-of-this-session';
const OTHER_CSRF = 'the-csrf-token-of-another-session';
const session: Session = {
  actor: { tenant: 'default', person: 'anna', role: 'admin', language: 'en' },
  ...{ person_id: 'p1', name: 'Anna', csrf: CSRF, token_sha256: 'a'.repeat(64), lacks_code: false },
};
/** What a refusal's page asks for. */
const HARMLESS = new Set(['site.get', 'site.tenants', 'watch.report', 'access.session', 'access.bearer']);
const REFUSED = /lacks the CSRF token|came from another site/;
const OPEN = new Set(['/sign-in', '/sign-in/code']);
/** Here the key in the address counts, and no session: there is none to be misused. */
const KEYED = '/evcc/';

type Ask = { method?: string; headers?: Record<string, string>; body?: string | null };

function lengthOf(body: string | null | undefined): Record<string, string> {
  return typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
}

/** Every call of a service is noted; the sample answers. */
function createWatchedWeb() {
  const calls: string[] = [];
  const sample: Record<string, unknown> = {
    ...createSampleServices(),
    ...{ log: silent, metrics: createMetrics({ defaults: false }) },
  };
  const access = { session: async (token: string) => (token === TOKEN ? session : null), bearer: async () => null };
  const watched = (part: string, object: object) =>
    new Proxy(object, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          calls.push(`${part}.${String(name)}`);
          return value.apply(target, given);
        };
      },
    });
  const parts = Object.fromEntries(
    Object.entries(sample).map(([name, part]) => [
      name,
      ['log', 'metrics', 'clock', 'config'].includes(name) ? part : watched(name, part as object),
    ]),
  );
  const services = new Proxy(parts, { get: (target, name) => Reflect.get(target, name) ?? watched(String(name), {}) });
  const config = { trusted_proxies: [], public_url: null, upload_max_bytes: 64 * 1024 ** 2 };
  const web = createWeb(services as unknown as Services, {
    ...{ secure: false, version: '0.1.0' },
    authenticate: createAuthenticate({ access, secure: false, config }),
  });
  const paths = new Map<string, { method: string; path: string }>();
  for (const { method, path } of web.routes)
    if (method !== 'ALL' && !path.includes('*'))
      paths.set(`${method} ${path}`, { method, path: path.replaceAll(/:\w+(\{[^}]*\})?/g, 'x') });
  return {
    calls,
    routes: [...paths.values()],
    /** As clients do, with the length of what they send. */
    request: async (path: string, { headers, ...init }: Ask) =>
      web.request(
        path,
        { ...init, headers: { ...lengthOf(init.body), ...headers } },
        { incoming: { socket: { remoteAddress: '10.0.0.1' } } },
      ),
  };
}

type Trick = { name: string; headers?: Record<string, string>; body?: string; query?: string };
const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_TYPE = { 'content-type': 'application/json' };
const RIGHT = { 'x-csrf-token': CSRF };

function multipart(token: string | null, more = ''): { headers: Record<string, string>; body: string } {
  const field = token === null ? '' : `--b\r\ncontent-disposition: form-data; name="_csrf"\r\n\r\n${token}\r\n`;
  return { headers: { 'content-type': `multipart/form-data; boundary=b${more}` }, body: `${field}--b--\r\n` };
}

const TRICKS: readonly Trick[] = [
  { name: 'nothing' },
  { name: 'JSON without token', headers: JSON_TYPE, body: '{}' },
  { name: 'a form without token', headers: FORM, body: form({ name: 'x' }) },
  { name: 'a form with a wrong token', headers: FORM, body: form({ _csrf: 'wrong' }) },
  { name: 'a form with an empty token', headers: FORM, body: form({ _csrf: '' }) },
  { name: "a form with another session's token", headers: FORM, body: form({ _csrf: OTHER_CSRF }) },
  { name: 'a form with several tokens', headers: FORM, body: `_csrf[]=${CSRF}&_csrf[]=x` },
  { name: 'a multipart form without token', ...multipart(null) },
  { name: 'a multipart form with a wrong token', ...multipart('wrong') },
  {
    name: 'a multipart form whose file comes before the token',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: `--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n${multipart(CSRF).body}`,
  },
  { name: 'a wrong header', headers: { ...JSON_TYPE, 'x-csrf-token': 'wrong' }, body: '{}' },
  { name: 'an empty header', headers: { ...FORM, 'x-csrf-token': '' }, body: form({ _csrf: CSRF }) },
  { name: "another session's header", headers: { ...JSON_TYPE, 'x-csrf-token': OTHER_CSRF }, body: '{}' },
  {
    name: 'a wrong header beside the right field',
    headers: { ...FORM, 'x-csrf-token': 'x' },
    body: form({ _csrf: CSRF }),
  },
  { name: 'the token in JSON', headers: JSON_TYPE, body: JSON.stringify({ _csrf: CSRF }) },
  { name: 'the token in the address', headers: FORM, body: form({}), query: `?_csrf=${CSRF}` },
  { name: 'the token as plain text', headers: { 'content-type': 'text/plain' }, body: form({ _csrf: CSRF }) },
  {
    name: 'a form that calls itself text',
    headers: { 'content-type': 'text/plain; application/x-www-form-urlencoded' },
    body: form({ _csrf: CSRF }),
  },
  { name: 'a body without type', headers: { 'content-type': '' }, body: form({ _csrf: CSRF }) },
  {
    name: 'the right token from another site',
    headers: { ...RIGHT, ...FORM, origin: 'https://evil.example' },
    body: form({ _csrf: CSRF }),
  },
  { name: 'the right token from a sandbox', headers: { ...RIGHT, origin: 'null' } },
  { name: 'the right token, cross-site', headers: { ...RIGHT, 'sec-fetch-site': 'cross-site' } },
  { name: 'the right token from a sister site', headers: { ...RIGHT, 'sec-fetch-site': 'same-site' } },
  {
    name: 'the right token under a name that begins with ours',
    headers: { ...RIGHT, origin: 'http://localhost.evil.example' },
  },
];

const web = createWatchedWeb();
const unsafe = web.routes.filter(({ method }) => !['GET', 'HEAD', 'OPTIONS'].includes(method));
const cookie = { cookie: `luna_session=${TOKEN}`, host: 'localhost' };

describe('proof of origin', () => {
  it('is asked for by every route that changes something', () => {
    expect(unsafe.length).toBeGreaterThan(70);
    expect(new Set(unsafe.map(({ method }) => method))).toEqual(new Set(['POST', 'PUT', 'PATCH', 'DELETE']));
  });

  it.each(TRICKS)('is missed in 100 % of them: $name', async ({ headers, body, query = '' }) => {
    const wrong: string[] = [];
    for (const { method, path } of unsafe)
      for (const accept of ['text/html', '*/*']) {
        if (OPEN.has(path) || path.startsWith(KEYED)) continue;
        web.calls.length = 0;
        const init = { method, headers: { ...cookie, accept, ...headers }, body: body ?? null };
        const answer = await web.request(`${path}${query}`, init);
        const text = await answer.text();
        const said = REFUSED.test(text);
        const done = web.calls.filter((call) => !HARMLESS.has(call));
        if (answer.status !== 403 || !said || done.length > 0)
          wrong.push(`${method} ${path}: ${answer.status} ${done}`);
      }
    expect(wrong).toEqual([]);
  });

  it('is missed at the sign-in too where it comes from another site', async () => {
    for (const path of OPEN)
      for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }] as Record<
        string,
        string
      >[]) {
        web.calls.length = 0;
        const answer = await web.request(path, {
          method: 'POST',
          headers: { ...FORM, ...headers },
          body: form({ login: 'anna' }),
        });
        expect([answer.status, web.calls.filter((call) => !HARMLESS.has(call))]).toEqual([403, []]);
      }
  });

  it('is taken from header and form, so that the refusals above mean something', async () => {
    for (const { method, path } of unsafe) {
      const answer = await web.request(path, {
        method,
        headers: { ...cookie, ...RIGHT, 'sec-fetch-site': 'same-origin' },
      });
      expect(`${method} ${path} ${await answer.text()}`).not.toMatch(REFUSED);
    }
    const init = { method: 'POST', headers: { ...cookie, ...FORM }, body: form({ _csrf: CSRF }) };
    expect((await web.request('/preferences', init)).status).toBe(303);
    const parts = multipart(CSRF, '; charset=utf-8');
    expect(
      (await web.request('/preferences', { method: 'POST', ...parts, headers: { ...cookie, ...parts.headers } }))
        .status,
    ).toBe(303);
  });
});

/** What is wrong with the headers of an answer. */
function headerFaults({ headers }: Response): string[] {
  const csp = new Map(
    (headers.get('content-security-policy') ?? '').split('; ').map((part) => {
      const [name = '', ...values] = part.split(' ');
      return [name, values.join(' ')] as const;
    }),
  );
  const faults = [
    csp.get('default-src') === "'none'" || 'default-src',
    csp.get('frame-ancestors') === "'none'" || 'frame-ancestors',
    csp.get('base-uri') === "'none'" || 'base-uri',
    csp.get('form-action') === "'self'" || 'form-action',
    csp.get('script-src') === "'self'" || 'script-src',
    csp.get('style-src') === "'self'" || 'style-src',
    ![...csp.values()].some((value) => /unsafe|\*|https?:|ws:/.test(value)) || 'something unsafe',
    headers.get('x-content-type-options') === 'nosniff' || 'nosniff',
    headers.get('referrer-policy') === 'same-origin' || 'referrer-policy',
    headers.get('cross-origin-opener-policy') === 'same-origin' || 'opener',
    headers.get('cross-origin-resource-policy') === 'same-origin' || 'resource',
    headers.get('cache-control') !== null || 'cache-control',
    headers.get('access-control-allow-origin') === null || 'foreign pages may read',
  ];
  return faults.filter((fault): fault is string => typeof fault === 'string');
}

describe('headers', () => {
  it('are right on every route, for people and strangers, whether it answers, refuses or fails', async () => {
    const wrong: string[] = [];
    const statuses = new Set<number>();
    for (const { method, path } of web.routes)
      for (const headers of [{}, cookie, { ...cookie, ...RIGHT }, { accept: 'text/html' }] as Record<
        string,
        string
      >[]) {
        const answer = await web.request(path === '/stream' ? '/stream?page=now' : path, { method, headers });
        statuses.add(answer.status);
        for (const fault of headerFaults(answer)) wrong.push(`${method} ${path} ${answer.status}: ${fault}`);
        await answer.body?.cancel();
      }
    expect(wrong).toEqual([]);
    for (const status of [200, 303, 400, 401, 403, 404, 500]) expect(statuses).toContain(status);
  }, 30_000);

  it('are right on the live stream, files, and what is nowhere, malformed, or too large', async () => {
    const page = await (await web.request('/', { headers: cookie })).text();
    const files = [...new Set(page.match(/\/static\/[^"]+/g))];
    expect(files.length).toBeGreaterThan(4);
    const asked: [string, Ask][] = [
      ['/stream?page=now', { headers: cookie }],
      ['/stream?page=nothing', { headers: cookie }],
      ['/stream', {}],
      ['/nothing', {}],
      ['/api/v1/nothing', {}],
      ['/static/x/nothing.js', {}],
      ['/api/v1/ask', { method: 'POST', headers: { ...cookie, ...RIGHT, ...JSON_TYPE }, body: '{"question": ' }],
      ['/sign-in', { method: 'POST', headers: FORM, body: 'x'.repeat(1_200_000) }],
      ['/', { method: 'OPTIONS' }],
      ['/', { method: 'HEAD', headers: cookie }],
      ['/%E0%A4%A', {}],
      ...files.map((file): [string, Ask] => [file, {}]),
    ];
    for (const [path, init] of asked) {
      const answer = await web.request(path, init);
      expect([path, headerFaults(answer)]).toEqual([path, []]);
      if (path === '/stream?page=now') expect(answer.headers.get('content-type')).toContain('event-stream');
      await answer.body?.cancel();
    }
  });

  it('keep answers about people out of caches', async () => {
    for (const { method, path } of web.routes.filter(({ path }) => !path.startsWith('/static'))) {
      const answer = await web.request(path, { method, headers: { ...cookie, ...RIGHT } });
      expect(`${method} ${path} ${answer.headers.get('cache-control')}`).toMatch(/no-store|no-cache|private/);
      await answer.body?.cancel();
    }
  }, 30_000);
});
