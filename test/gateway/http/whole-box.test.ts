/** Numbers of the whole box, where several organisations share it: who sees them. */
import { describe, expect, it } from 'vitest';
import { createAuthenticate } from '../../../gateway/http/authenticate.ts';
import { createWeb } from '../../../gateway/http/server.ts';
import { createMetrics } from '../../../gateway/metrics.ts';
import { mayWatchBox } from '../../../gateway/owner.ts';
import type { Actor, Services } from '../../../gateway/services.ts';
import { silent } from '../../setup/database.ts';
import { createSampleServices } from '../../web/sample-services.ts';

const BOTH = ['default', 'acme'];
/** In every number of the box that this test plants. */
const MARK = 7391;

function boxOf(actor: Partial<Actor>, tenants = BOTH) {
  const sample = createSampleServices();
  const metrics = createMetrics({ defaults: false });
  metrics.readings.inc({ tenant: 'default', source: 'mqtt', outcome: 'accepted' }, MARK);
  const book = { received: MARK, stored: MARK, duplicate: 0, rejected: 0, dead: 0, waiting: 0 };
  const parts = {
    ...sample,
    ...{ log: silent, metrics },
    site: { ...sample.site, get: () => sample.site.get('default'), tenants: () => tenants },
    health: {
      report: async () => ({
        ready: true,
        parts: [{ name: 'readings', state: 'ok' as const, text: `${MARK} received`, since_ms: null }],
      }),
      store: () => ({
        ...{ up: false, since_ms: sample.clock.now() - 3_600_000, reason: 'gone', waiting_records: MARK },
        ...{ waiting_readings: MARK * 10, full_in_h: null },
      }),
      look: async () => {},
      readings: () => ({ total: book, sources: { mqtt: book }, missing: 0, complete: true }),
    },
    jobs: { ...sample.jobs, depth: async () => [{ name: 'forecast', waiting: MARK, active: 0, failed: 0 }] },
    model_fetch: { models: async () => [] },
    journal: {
      ...sample.journal,
      stats: () => ({ last_seq: MARK, released_seq: 0, bytes: 1, segments: 1, quarantined: [] }),
    },
    access: {
      ...sample.access,
      session: async () => null,
      bearer: async () => ({ tenant: 'default', person: 'key:k', role: 'admin', language: 'en', ...actor }),
    },
  };
  const services = new Proxy(parts, { get: (all, name) => (name in all ? Reflect.get(all, name) : {}) });
  const config = { trusted_proxies: [], public_url: null, upload_max_bytes: 1e6 };
  const web = createWeb(services as unknown as Services, {
    ...{ secure: false, version: '0' },
    authenticate: createAuthenticate({ access: parts.access, secure: false, config } as never),
  });
  const socket = { incoming: { socket: { remoteAddress: '192.168.1.7' } } };
  return async (path: string) => {
    const headers = { authorization: 'Bearer luna_x', accept: path.startsWith('/api') ? '*/*' : 'text/html' };
    const answer = await web.request(path, { headers }, socket);
    const text = (await answer.text()).replace(/<[^>]*>/g, ' ');
    return { status: answer.status, text, tells: /7[.,]?391|73[.,]?910/.test(text) };
  };
}

describe('numbers of the whole box', () => {
  const PATHS = ['/readyz', '/metrics', '/api/v1/jobs', '/admin/health', '/', '/meters'];

  it.each(PATHS)('%s tells them to an admin of the organisation that the box belongs to', async (path) => {
    const { status, tells } = await boxOf({})(path);
    expect([path, status, tells]).toEqual([path, 200, true]);
  });

  it.each(PATHS)('%s tells none of them to an admin of another organisation', async (path) => {
    const { status, tells } = await boxOf({ tenant: 'acme' })(path);
    expect([path, tells]).toEqual([path, false]);
    expect(status).toBe(['/metrics', '/api/v1/jobs'].includes(path) ? 403 : 200);
  });

  it.each(['/readyz', '/metrics', '/', '/meters'])(
    '%s tells them to everybody of the one organisation of a box, but of several to admins only',
    async (path) => {
      expect([path, (await boxOf({ role: 'user' }, ['default'])(path)).tells]).toEqual([path, true]);
      expect([path, (await boxOf({ role: 'user' })(path)).tells]).toEqual([path, false]);
    },
  );

  it('are in the support bundle of that admin alone', async () => {
    expect((await boxOf({ tenant: 'acme' })('/admin/health/support.json')).status).toBe(403);
    expect((await boxOf({ role: 'user' })('/admin/health/support.json')).status).toBe(403);
  });

  it('says to the others that something is wrong, and who knows more', async () => {
    const { text } = await boxOf({ tenant: 'acme' })('/admin/health');
    expect(text).toContain('Several organisations share this box');
    expect((await boxOf({ tenant: 'acme' })('/')).text).toContain('what comes in waits and will be added');
  });

  it('are those of nobody else', () => {
    expect(mayWatchBox({ tenant: 'acme', role: 'admin' }, ['acme'])).toBe(false);
    expect(mayWatchBox({ tenant: 'default', role: 'analyst' }, BOTH)).toBe(false);
  });
});
