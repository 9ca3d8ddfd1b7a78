/** The sign-in of a box on a real database, and browsers with their cookies. */
import { randomBytes } from 'node:crypto';
import { generate } from 'otplib';
import { expect } from 'vitest';
import { createVault } from '../../../gateway/auth/vault.ts';
import { createAuthenticate } from '../../../gateway/http/authenticate.ts';
import { createWeb } from '../../../gateway/http/server.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { type AccessService, createAccessService } from '../../../gateway/services/access.ts';
import { createAuditService } from '../../../gateway/services/audit.ts';
import type { Services } from '../../../gateway/services.ts';
import { silent, type TestDatabase } from '../../setup/database.ts';
import { createSampleServices } from '../../web/sample-services.ts';

export const PASSWORD = 'correct horse battery';
export const STEP_MS = 30_000;

type Browser = {
  get(path: string): Promise<Answer>;
  post(path: string, fields?: Record<string, string>): Promise<Answer>;
};
type Answer = { status: number; location: string | null; text: string };

/** @param test asked for when it is needed: it may not be open yet */
export function openSignIn(test: () => TestDatabase) {
  const clock = { now_ms: 1_800_000_000_000, now: () => clock.now_ms };
  let vault = createVault(randomBytes(32));
  let access: AccessService;

  const open = () => {
    access = createAccessService({
      ...{ db: test().db, clock, log: silent, vault },
      config: { home: test().home, session_hours: 24 },
    });
    return access;
  };
  const loseKey = () => {
    vault = createVault(randomBytes(32));
    return open();
  };

  function openWeb(secure = false) {
    const config = { trusted_proxies: [], public_url: null, upload_max_bytes: 1e6 };
    const services = {
      ...createSampleServices(),
      ...{ access, clock, log: silent, metrics: createMetrics({ defaults: false }), audit: createAuditService(test()) },
      ...{ config: { home: test().home, session_hours: 24 } },
    };
    const all = new Proxy(services, { get: (target, name) => Reflect.get(target, name) ?? {} });
    return createWeb(all as unknown as Services, {
      ...{ secure, version: '0' },
      authenticate: createAuthenticate({ access, secure, config }),
    });
  }

  /** A browser with its cookies. */
  function openBrowser({ secure = false, from = '10.0.0.1' } = {}) {
    const web = openWeb(secure);
    const jar = new Map<string, string>();
    const lines: string[] = [];
    const send = async (method: string, path: string, body?: string, more: Record<string, string> = {}) => {
      const headers: Record<string, string> = {
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...more,
      };
      if (body !== undefined) headers['content-length'] = String(Buffer.byteLength(body));
      const answer = await web.request(
        path,
        { method, headers, body: body ?? null },
        { incoming: { socket: { remoteAddress: from } } },
      );
      for (const line of answer.headers.getSetCookie()) {
        lines.push(line);
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '' || /max-age=0/i.test(line)) jar.delete(name);
        else jar.set(name, value);
      }
      return { status: answer.status, location: answer.headers.get('location'), text: await answer.text() };
    };
    const csrf = async () => /name="_csrf" value="([^"]+)"/.exec((await send('GET', '/account')).text)?.[1] ?? '';
    const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
    const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
    return {
      ...{ jar, lines, send },
      get: (path: string) => send('GET', path),
      post: async (path: string, fields: Record<string, string> = {}) =>
        send('POST', path, form({ _csrf: await csrf(), ...fields }), FORM),
      signIn: (login: string, password = PASSWORD) => send('POST', '/sign-in', form({ login, password }), FORM),
      code: (page: string, code: string) =>
        send(
          'POST',
          '/sign-in/code',
          form({ ticket: /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? '', code, next: '/' }),
          FORM,
        ),
    };
  }
  const isSignedIn = async (browser: Browser) => (await browser.get('/account')).status === 200;
  const codeOf = (seed: string) => generate({ secret: seed, epoch: clock.now_ms / 1000 });

  /** @returns the seed and the recovery codes. */
  async function setUpCode(browser: Browser): Promise<{ seed: string; codes: string[] }> {
    expect((await browser.post('/account/second-factor/begin', { present: PASSWORD })).status).toBe(303);
    const seed = /data-copy="([A-Z2-7]{32})"/.exec((await browser.get('/account')).text)?.[1] ?? '';
    const done = await browser.post('/account/second-factor/confirm', { code: await codeOf(seed) });
    const page = await browser.get(done.location!);
    return { seed, codes: [...new Set(page.text.match(/\b[0-9a-z]{4}(-[0-9a-z]{4}){3}\b/g) ?? [])] };
  }

  return { clock, open, loseKey, openBrowser, isSignedIn, codeOf, setUpCode };
}
