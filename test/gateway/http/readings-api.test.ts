import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import type { ReadingGroup } from '../../../engine/model/reading.ts';
import type { Role } from '../../../engine/model/site.ts';
import type { Config } from '../../../gateway/config.ts';
import { createReadingsApi } from '../../../gateway/http/api/readings.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import type { LoadReport, Services } from '../../../gateway/services.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
let home: string;
let groups: ReadingGroup[];
let fail: Error | null;
let loaded: { name: string; text: string; mapping: unknown }[];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'luna-readings-'));
  [groups, fail, loaded] = [[], null, []];
});
afterEach(() => rm(home, { recursive: true, force: true }));

const REPORT: LoadReport = { id: '1', lines: 1, accepted: 1, flagged: 0, rejected: 0, faults: [], unchanged: false };

function ask(role: Role | null) {
  const app = createApiApp();
  app.use(async (c, next) => {
    c.set('actor', role && { tenant: 'default', person: 'key:x', role, language: 'en' });
    await next();
  });
  const intake: Services['intake'] = async (group) => {
    if (fail) throw fail;
    const bad = group.readings.flatMap((one, index) => (one.quantity === 'bad' ? [{ index, problem: 'bad' }] : []));
    groups.push(group);
    return { accepted: group.readings.length - bad.length, flagged: 0, rejected: bad };
  };
  const devices = {
    authenticate: async (name: string, password: string) =>
      name === 'hall' && password === 'pass:word' ? { tenant: 'default', device: 'hall' } : null,
  } as Services['devices'];
  const loads = {
    load: async (_actor, file, mapping) => {
      const { readFile } = await import('node:fs/promises');
      const text = 'bytes' in file ? new TextDecoder().decode(file.bytes) : await readFile(file.path, 'utf8');
      loaded.push({ name: file.name, text, mapping });
      return REPORT;
    },
  } as Services['loads'];
  const config = { home, upload_max_bytes: 1000 } as Config;
  app.route('/', createReadingsApi({ intake, devices, loads, config, clock: { now: () => NOW } }));
  app.onError((error, c) => {
    const { status, detail, faults } = describeError(error);
    return problem(c, status, detail, faults);
  });
  return (path: string, body: RequestInit['body'], headers: Record<string, string> = {}) =>
    app.request(path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });
}
const push = (body: unknown, role: Role | null = 'analyst', headers = {}) =>
  ask(role)('/api/v1/readings', typeof body === 'string' ? body : JSON.stringify(body), headers);

describe('POST /api/v1/readings', () => {
  it('answers what was kept and what not, by index of the object', async () => {
    const answer = await push([{ meter: 'a', at: NOW, power_W: 1, bad: 2 }, 5, { meter: 'b', power_W: 3 }]);
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({
      accepted: 2,
      flagged: 0,
      rejected: [
        { index: 0, problem: 'bad' },
        { index: 1, problem: 'It is no object with quantities by name.' },
      ],
    });
    expect(groups[0]).toMatchObject({ tenant: 'default', source: 'http', device: null, received_ms: NOW });
    expect(groups[0]!.readings.map((one) => [one.meter, one.at_ms])).toEqual([
      ['a', NOW],
      ['a', NOW],
      ['b', NOW],
    ]);
  });

  it('answers 400 when nothing was kept, with each fault', async () => {
    const answer = await push({ readings: [{ power_W: 1 }, { meter: 'a', at: '2026-06-01', power_W: 1 }] });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      detail: expect.stringMatching(/"meter" is missing/),
      faults: [{ where: 'readings[0]' }, { where: 'readings[1]', problem: expect.stringMatching(/no time zone/) }],
    });
  });

  it.each(['', '{', 'power_W=1'])('answers 400 to %j', async (body) => {
    expect((await push(body)).status).toBe(400);
  });

  it('answers 503 while nothing can be stored', async () => {
    fail = new UnavailableError('The disk is full.');
    const answer = await push({ meter: 'a', power_W: 1 });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  });

  it('answers 413 to too much', async () => {
    expect((await push(`"${'x'.repeat(5e6)}"`)).status).toBe(413);
  });

  it('lets in analysts, admins and devices, each device for itself', async () => {
    expect((await push({ meter: 'a', power_W: 1 }, 'admin')).status).toBe(200);
    expect((await push({ meter: 'a', power_W: 1 }, 'user')).status).toBe(403);
    expect((await push({ meter: 'a', power_W: 1 }, null)).status).toBe(401);
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });
    expect((await push({ power_W: 1 }, null, basic('hall:wrong'))).status).toBe(401);
    expect((await push({ power_W: 1 }, null, basic('hall:pass:word'))).status).toBe(200);
    expect(groups.at(-1)).toMatchObject({ device: 'hall', readings: [{ meter: 'hall' }] });
  });
});

describe('POST /api/v1/data/load', () => {
  const file = 'at,meter,power_W\n1,a,2';
  const mapping = { at: 'at', meter: 'meter', columns: { power_W: 'power_W' } };

  it('takes the file as the body and leaves nothing behind', async () => {
    const query = new URLSearchParams({ name: 'x.csv', mapping: JSON.stringify(mapping) });
    const answer = await ask('analyst')(`/api/v1/data/load?${query}`, file, { 'content-type': 'text/csv' });
    expect([answer.status, await answer.json()]).toEqual([200, REPORT]);
    expect(loaded).toEqual([{ name: 'x.csv', text: file, mapping }]);
    expect(await readdir(join(home, 'uploads'))).toEqual([]);
  });

  it('takes it as a form', async () => {
    const form = new FormData();
    form.set('file', new File([file], 'y.csv'));
    const app = ask('admin');
    const request = new Request('http://x/', { method: 'POST', body: form });
    const type = request.headers.get('content-type')!;
    const answer = await app('/api/v1/data/load', await request.arrayBuffer(), { 'content-type': type });
    expect(answer.status).toBe(200);
    expect(loaded).toEqual([{ name: 'y.csv', text: file, mapping: undefined }]);
  });

  it.each([
    ['user', file, '', 403],
    ['analyst', 'x'.repeat(2000), '', 413],
    ['analyst', file, '?mapping={', 400],
    ['analyst', file, '?mapping={"at":"at","columns":{},"wrong":1}', 400],
  ] as const)('answers %s with %#', async (role, body, query, status) => {
    const answer = await ask(role)(`/api/v1/data/load${query}`, body, {
      'content-type': 'text/csv',
    });
    expect(answer.status).toBe(status);
  });
});
