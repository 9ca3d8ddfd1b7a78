/** What every answer of the running box has in common: problems, limits, headers, metrics, TLS, proxies, wrong passwords. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Box, startBox } from '../../setup/box.ts';
import { browser } from './asking.ts';

const PASSWORD = 'correct horse battery';
let box: Box;
let key: string;
beforeAll(async () => {
  box = await startBox({ LUNA_PRICE_SOURCES: '', LUNA_TRUSTED_PROXIES: '127.0.0.1' });
  ({ key } = await box.lunaJson<{ key: string }>('key', 'create', '--role', 'admin'));
}, 90_000);
afterAll(() => box?.remove());

const api = (path: string, init: RequestInit = {}) =>
  fetch(`${box.url}${path}`, { ...init, headers: { authorization: `Bearer ${key}`, ...init.headers } });
const post = (path: string, body: string | Uint8Array<ArrayBuffer>, type = 'application/json') =>
  api(path, { method: 'POST', body, headers: { 'content-type': type } });

describe('answers', () => {
  it('are problems with a sentence where there is nothing, or something malformed', async () => {
    const wrong: [Promise<Response>, number, RegExp][] = [
      [api('/api/v1/nothing'), 404, /nothing at \/api\/v1\/nothing/],
      [api('/api/v1/meters/nobody'), 404, /no meter point nobody/],
      [post('/api/v1/readings', '{"meter": '), 400, /no JSON/],
      [post('/api/v1/ask', '{"question": '), 400, /JSON/i],
      [post('/api/v1/ask', '{"question": 7}'), 400, /question/],
      [post('/api/v1/people', '{}'), 400, /login/],
      [api('/api/v1/data/query?meter=x&quantity=power_W&from=yesterday&to=now'), 400, /"yesterday" is no time/],
      [post('/api/v1/readings', ' '.repeat(5e6)), 413, /larger than 4 MB/],
      [post('/api/v1/ask', `{"question": "${'x'.repeat(8e6)}"}`), 413, /larger/],
      [post('/api/v1/people', `{"login": "${'x'.repeat(8e6)}"}`), 413, /larger/],
      [post('/api/v1/devices.yaml', 'x'.repeat(9e6), 'application/yaml'), 413, /larger/],
      [post('/sign-in', `login=${'x'.repeat(8e6)}`, 'application/x-www-form-urlencoded'), 413, /larger/],
      [post('/api/v1/data/load', new Uint8Array(70e6), 'text/csv'), 413, /larger than 67 MB/],
    ];
    for (const [asked, status, words] of wrong) {
      const answer = await asked;
      const problem = (await answer.json()) as { status: number; title: string; detail: string; request_id: string };
      expect(problem, `${answer.url} ${words}`).toMatchObject({ status, title: expect.any(String) });
      expect(answer.status).toBe(status);
      expect(problem.detail).toMatch(words);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.headers.get('x-request-id')).toBe(problem.request_id);
    }
  });

  it('carry the security headers, on pages, API and refusals', async () => {
    for (const path of ['/sign-in', '/api', '/api/v1/site', '/api/v1/openapi.json', '/readyz', '/nothing']) {
      const { headers } = await api(path, { headers: { accept: 'text/html' } });
      const csp = headers.get('content-security-policy') ?? '';
      expect(csp, path).toMatch(/^default-src 'none'; /);
      expect(csp).toContain("frame-ancestors 'none'");
      expect(csp).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('same-origin');
    }
    const page = await (await fetch(`${box.url}/sign-in`)).text();
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle="|\son\w+="|(src|href)="https?:/);
  });

  it('describe themselves as OpenAPI 3.1, and on a page', async () => {
    const document = (await (await api('/api/v1/openapi.json')).json()) as { openapi: string; paths: object };
    expect(document.openapi).toBe('3.1.0');
    const page = await (await api('/api')).text();
    for (const path of Object.keys(document.paths)) expect(page).toContain(path);
  });

  it('give a missing page in words', async () => {
    const answer = await fetch(`${box.url}/nothing`, { headers: { accept: 'text/html' } });
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('<html');
  });
});

describe('metrics', () => {
  it('measure ingest, journal, lag, queries, routes, jobs and forecasts', async () => {
    await box.lunaJson('device', 'create', 'hall');
    expect((await post('/api/v1/readings', '{"meter": "hall", "power_W": 5}')).status).toBe(200);
    const path =
      '/api/v1/data/query?meter=hall&quantity=power_W&resolution=raw&from=2026-01-01T00:00:00Z&to=2027-01-01T00:00:00Z';
    expect((await api(path)).status).toBe(200);
    await expect.poll(async () => (await (await api('/metrics')).text()).includes('luna_readings_total{')).toBe(true);
    const said = await (await api('/metrics')).text();
    for (const name of [
      'luna_readings_total{tenant="default",source="http",outcome="accepted"} 1',
      'luna_ingest_seconds_count{source="http"} 1',
      'luna_journal_fsync_seconds_count',
      'luna_journal_bytes',
      'luna_drain_lag_records',
      'luna_drained_records_total',
      'luna_query_seconds_count{table="readings",operation="read"}',
      'luna_http_seconds_count{method="POST",route="/api/v1/readings",status="200"} 1',
      'luna_jobs{queue=',
      '# TYPE luna_job_seconds histogram',
      '# TYPE luna_forecasts_total counter',
    ])
      expect(said).toContain(name);
  });

  it('are for programs with a key, and for the box itself', async () => {
    const from = (address: string, headers = {}) =>
      fetch(`${box.url}/metrics`, { headers: { 'x-forwarded-for': address, ...headers } });
    expect((await fetch(`${box.url}/metrics`)).status).toBe(200);
    // What a proxy passed on comes from anybody.
    for (const address of ['127.0.0.1', '192.0.2.7']) expect((await from(address)).status).toBe(401);
    expect((await from('192.0.2.7', { authorization: `Bearer ${key}` })).status).toBe(200);
  });
});

describe('sign-in', () => {
  const signIn = (password: string, from: string, cookie = '') =>
    fetch(`${box.url}/sign-in`, {
      ...{ method: 'POST', redirect: 'manual' as const },
      headers: { 'x-forwarded-for': from, ...(cookie ? { cookie } : {}) },
      body: new URLSearchParams({ login: 'owner', password }),
    });

  it('slows strangers that guess, and lets the owner in', async () => {
    for (const login of ['owner', 'clerk'])
      await box.luna('user', 'add', login, '--role', 'admin', '--password', PASSWORD);
    const first = await signIn(PASSWORD, '192.0.2.1');
    expect(first.status).toBe(303);
    const known = first.headers.getSetCookie().find((line) => line.startsWith('luna_device='));
    const statuses = [];
    for (let i = 0; i < 12; i++) statuses.push((await signIn(`wrong ${i}`, '192.0.2.66')).status);
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    const waiting = await signIn(PASSWORD, '192.0.2.66');
    expect(waiting.status).toBe(429);
    // From behind the same address and from elsewhere, with the browser's mark, the owner does not wait.
    expect((await signIn(PASSWORD, '192.0.2.2', known!.split(';')[0])).status).toBe(303);
    expect((await signIn(PASSWORD, '192.0.2.66', known!.split(';')[0])).status).toBe(303);
  });

  it('slows guesses at the token route too', async () => {
    const statuses = [];
    for (let i = 0; i < 12; i++)
      statuses.push(
        (
          await fetch(`${box.url}/api/v1/token`, {
            ...{ method: 'POST', headers: { 'content-type': 'application/json', 'x-forwarded-for': '192.0.2.77' } },
            body: JSON.stringify({ login: 'somebody', password: `wrong ${i}` }),
          })
        ).status,
      );
    expect(statuses).toContain(429);
    expect(statuses).not.toContain(200);
  });

  it('makes cookies that scripts cannot read, and refuses changes without the CSRF token', async () => {
    const owner = await browser(box, 'clerk', PASSWORD);
    for (const line of owner.cookies) expect(line).toMatch(/HttpOnly;.*SameSite=Lax/);
    const change = (headers: Record<string, string>) =>
      fetch(`${box.url}/api/v1/me`, {
        ...{ method: 'PATCH', body: '{"language": "de"}' },
        headers: { cookie: owner.cookie, 'content-type': 'application/json', ...headers },
      });
    expect((await change({})).status).toBe(403);
    expect((await change({ 'x-csrf-token': 'wrong' })).status).toBe(403);
    expect((await change({ 'x-csrf-token': owner.csrf, origin: 'https://evil.example' })).status).toBe(403);
    expect((await change({ 'x-csrf-token': owner.csrf })).status).toBe(204);
  });
});

describe('a box with TLS and no proxy', () => {
  type Answer = { status: number; headers: Record<string, string | string[] | undefined>; body: string };
  const ask = (url: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}) =>
    new Promise<Answer>((done, fail) => {
      const { body, ...rest } = options;
      httpsRequest(url, { ...rest, rejectUnauthorized: false }, async (answer) =>
        done({ status: answer.statusCode ?? 0, headers: answer.headers, body: await text(answer) }),
      )
        .once('error', fail)
        .end(body);
    });

  it('speaks https with its own certificate, secure cookies and HSTS, and believes no forwarded address', async () => {
    await box.stop();
    // What an upload left that a kill interrupted.
    await mkdir(join(box.home, 'uploads'), { recursive: true });
    await writeFile(join(box.home, 'uploads/half'), 'at,meter');
    const secure = await box.restart({ LUNA_TLS: 'self-made', LUNA_TRUSTED_PROXIES: '' });
    try {
      expect(secure.url).toMatch(/^https:/);
      expect(existsSync(join(box.home, 'uploads/half'))).toBe(false);
      expect((await ask(`${secure.url}/readyz`)).status).toBe(200);
      const signedIn = await ask(`${secure.url}/sign-in`, {
        ...{ method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
        body: new URLSearchParams({ login: 'owner', password: PASSWORD }).toString(),
      });
      expect(signedIn.status).toBe(303);
      for (const line of signedIn.headers['set-cookie'] ?? []) expect(line).toContain('Secure');
      expect(signedIn.headers['set-cookie']).toHaveLength(2);
      expect(signedIn.headers['strict-transport-security']).toMatch(/max-age=\d{7,}/);
      const mqtts_port = /with TLS port (\d+)/.exec(secure.said())?.[1];
      const stranger = mqtt.connectAsync(`mqtts://127.0.0.1:${mqtts_port}`, {
        ...{ rejectUnauthorized: false, username: 'nobody', password: 'x', reconnectPeriod: 0, protocolVersion: 4 },
      });
      await expect(stranger).rejects.toThrow(/Bad username or password/);
      expect((await ask(`${secure.url}/metrics`)).status).toBe(200);
      // A proxy that nobody named stands on the box, but not whoever asks through it.
      expect((await ask(`${secure.url}/metrics`, { headers: { 'x-forwarded-for': '127.0.0.1' } })).status).toBe(401);
    } finally {
      await secure.stop();
    }
  }, 40_000);
});
