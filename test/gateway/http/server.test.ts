/** The whole web application over the sample services: what stands before every route. */
import { describe, expect, it } from 'vitest';
import { TooManyTriesError } from '../../../engine/errors.ts';
import { createAuthenticate } from '../../../gateway/http/authenticate.ts';
import { createWeb } from '../../../gateway/http/server.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import type { Services } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';
import { createSampleServices } from '../../web/sample-services.ts';

const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

/** @param change parts that a test needs otherwise; parts the sample lacks are empty. */
function createTestWeb(change: Partial<Services> = {}) {
  const parts = { ...createSampleServices(), log: silent, metrics: createMetrics({ defaults: false }), ...change };
  const services = new Proxy(parts, { get: (target, name) => (name in target ? Reflect.get(target, name) : {}) });
  const config = { trusted_proxies: [], public_url: null, upload_max_bytes: 64 * 1024 ** 2 };
  const access = { session: async () => null, bearer: async () => null, ...change.access };
  return createWeb(services as Services, {
    ...{ secure: false, version: '0.1.0' },
    authenticate: createAuthenticate({ access, config }),
  });
}

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
