/** Devices and profiles over HTTP, with the real services behind. */
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../../engine/model/site.ts';
import { createDevicesApi } from '../../../gateway/http/api/devices.ts';
import { createProfilesApi } from '../../../gateway/http/api/profiles.ts';
import { createApiApp, describeError, problem } from '../../../gateway/http/api.ts';
import type { Services } from '../../../gateway/services.ts';
import { createUploadReader } from '../../../gateway/workers/upload-reader.ts';
import { admin, type DeviceRig, openDeviceRig, profiles } from '../services/device-rig.ts';

const uploads = createUploadReader({ folder: tmpdir() });

describe('API of devices', () => {
  let rig: DeviceRig;
  let services: Services;
  let app: ReturnType<typeof createApiApp>;
  let role: Role | null = 'admin';
  beforeAll(async () => {
    rig = await openDeviceRig();
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    role = 'admin';
    await rig.clear();
    await openApp();
  });
  async function openApp() {
    services = { ...rig.base, ...(await rig.open()), profiles, uploads } as unknown as Services;
    app = createApiApp();
    app.onError((error, c) => {
      const { status, detail, faults } = describeError(error);
      return problem(c, status, detail, faults);
    });
    app.use(async (c, next) => {
      c.set('actor', role && { ...admin, role });
      await next();
    });
    app.route('/', createDevicesApi(services));
    app.route('/', createProfilesApi(services));
  }
  async function ask(method: string, path: string, body?: unknown) {
    const yaml = typeof body === 'string';
    const response = await app.request(path, {
      method,
      ...(body === undefined ? {} : { body: yaml ? body : JSON.stringify(body) }),
      headers: { 'content-type': yaml ? 'application/yaml' : 'application/json' },
    });
    const text = await response.text();
    const json = response.headers.get('content-type')?.includes('json') ? (JSON.parse(text) as never) : null;
    return { status: response.status, text, json: json as unknown as Record<string, unknown> };
  }
  const modbus = { kind: 'modbus-tcp', host: '192.168.1.20' };

  it('adds, shows, changes and removes', async () => {
    const made = await ask('POST', '/api/v1/devices', {
      id: 'hall',
      name: 'Hall',
      profile: 'abb-b23',
      connection: modbus,
    });
    expect(made).toMatchObject({ status: 201, json: { id: 'hall', password: null, meters: ['hall'] } });
    const shown = await ask('GET', '/api/v1/devices/hall');
    expect(shown.json).toMatchObject({
      ...{ id: 'hall', profile: 'abb-b23', connected: null, last_seen: null, last_error: null, meters: ['hall'] },
      connection: { kind: 'modbus-tcp', host: '192.168.1.20', port: 502, unit: 1, poll_s: 10 },
    });
    const changed = await ask('PATCH', '/api/v1/devices/hall', { enabled: false });
    expect(changed).toMatchObject({ status: 200, json: { enabled: false } });
    expect((await ask('GET', '/api/v1/devices')).json).toMatchObject({ devices: [{ id: 'hall' }] });
    expect((await ask('DELETE', '/api/v1/devices/hall?erase_readings=true')).status).toBe(204);
    expect(rig.erased.at(-1)).toEqual({ tenant: 'default', meters: ['hall'] });
    expect((await ask('GET', '/api/v1/devices/hall')).status).toBe(404);
  });

  it('shows a password once and never a token', async () => {
    const made = await ask('POST', '/api/v1/devices', { id: 'm1', connection: { kind: 'mqtt' } });
    expect(made.json).toMatchObject({ username: 'm1', topic: 'meters/m1/readings' });
    const hw = {
      id: 'hw',
      profile: 'homewizard-p1',
      connection: { kind: 'http', url: '192.168.1.5', token: 'geheim' },
    };
    await ask('POST', '/api/v1/devices', hw);
    await ask('PATCH', '/api/v1/devices/hw', { connection: { kind: 'http', url: '192.168.1.6' } });
    expect(services.devices.get('default', 'hw')?.connection).toMatchObject({
      url: 'http://192.168.1.6',
      token: 'geheim',
    });
    const all = (await ask('GET', '/api/v1/devices')).text + (await ask('GET', '/api/v1/devices.yaml')).text;
    expect(all).toContain('"has_token":true');
    expect(all).not.toContain('geheim');
    expect(all).not.toContain(made.json.password);
    const next = await ask('POST', '/api/v1/devices/m1/credential');
    expect(next).toMatchObject({ status: 201, json: { username: 'm1' } });
    expect(next.json.password).not.toBe(made.json.password);
    expect(await ask('POST', '/api/v1/devices/hw/credential')).toMatchObject({ status: 501 });
  });

  it('carries devices to another box as YAML, and changes nothing the second time', async () => {
    await ask('POST', '/api/v1/devices', { id: 'm1', name: 'One', connection: { kind: 'mqtt' } });
    await ask('POST', '/api/v1/devices', {
      ...{ id: 'p1', profile: 'dsmr-p1-telegram', connection: { kind: 'mqtt', topic: 'dsmr/x' } },
      points: [
        { channel: 'water', skip: true },
        { channel: 'gas', name: 'Gas' },
      ],
    });
    await ask('POST', '/api/v1/devices', {
      id: 'hw',
      profile: 'homewizard-p1',
      connection: { kind: 'http', url: '192.168.1.5', token: 't' },
    });
    const file = (await ask('GET', '/api/v1/devices.yaml')).text;
    expect((await ask('POST', '/api/v1/devices.yaml', file)).json).toMatchObject({
      created: [],
      changed: [],
      unchanged: ['hw', 'm1', 'p1'],
      faults: [],
    });
    expect(services.devices.get('default', 'hw')?.connection).toMatchObject({ token: 't' });
    await rig.clear();
    await openApp();
    const moved = await ask('POST', '/api/v1/devices.yaml', file);
    expect(moved.json).toMatchObject({
      created: [{ id: 'hw' }, { id: 'm1', username: 'm1' }, { id: 'p1', meters: ['p1', 'p1-gas'] }],
      faults: [],
    });
    expect((await ask('GET', '/api/v1/devices.yaml')).text).toBe(file);
    const changed = file.replace('name: One', 'name: Uno').replace('dsmr-p1-telegram', 'opendtu');
    expect((await ask('POST', '/api/v1/devices.yaml', changed)).json).toMatchObject({
      ...{ created: [], changed: ['m1'], unchanged: ['hw'] },
      faults: [{ device: 'p1', problem: expect.stringContaining('remove it first') }],
    });
  });

  it.each([
    ['devices: [{id: a', /no valid YAML/],
    ['machines: []', /devices: .*Unrecognized key|Unrecognized key.*devices/s],
    ['devices: [{id: a, colour: red, connection: {kind: mqtt}}]', /colour/],
  ])('refuses a file that is none: %s', async (file, message) => {
    const answer = await ask('POST', '/api/v1/devices.yaml', file);
    expect(answer.status).toBe(400);
    expect(answer.json.detail).toMatch(message);
  });

  it('reports one device of a file that fails, and keeps the others', async () => {
    const file = 'devices:\n  - {id: a/b, connection: {kind: mqtt}}\n  - {id: ok, connection: {kind: push}}\n';
    expect((await ask('POST', '/api/v1/devices.yaml', file)).json).toMatchObject({
      ...{ created: [{ id: 'ok' }], faults: [{ device: 'a/b', problem: expect.stringContaining('is no id') }] },
    });
  });

  it('says every fault of a request', async () => {
    const answer = await ask('POST', '/api/v1/devices', {
      id: 'x',
      profile: 'abb-b23',
      connection: { ...modbus, port: 0, unit: -1 },
      colour: 'red',
    });
    expect(answer.status).toBe(400);
    expect(answer.json.detail).toMatch(/(?=.*port)(?=.*unit)(?=.*colour)/s);
  });

  it('tests a connection without saving', async () => {
    const answer = await ask('POST', '/api/v1/devices/test', {
      profile: 'abb-b23',
      connection: { ...modbus, host: '127.0.0.1', port: 1 },
    });
    expect(answer).toMatchObject({
      status: 200,
      json: { ok: false, problem: expect.stringContaining('refuses connections') },
    });
    expect((await ask('POST', '/api/v1/devices/test', { profile: 'nothing', connection: modbus })).status).toBe(404);
  });

  it('lets users look, and only admins change', async () => {
    await ask('POST', '/api/v1/devices', { id: 'm1', connection: { kind: 'mqtt' } });
    for (const who of ['user', 'analyst'] as const) {
      role = who;
      expect((await ask('GET', '/api/v1/devices/m1')).status).toBe(200);
      expect((await ask('GET', '/api/v1/profiles')).status).toBe(200);
      for (const [method, path] of [
        ['POST', '/api/v1/devices'],
        ['PATCH', '/api/v1/devices/m1'],
        ['DELETE', '/api/v1/devices/m1'],
        ['POST', '/api/v1/devices/test'],
        ['POST', '/api/v1/devices/m1/credential'],
        ['GET', '/api/v1/devices.yaml'],
        ['POST', '/api/v1/devices.yaml'],
      ] as const)
        expect((await ask(method, path, method === 'GET' ? undefined : {})).status, `${method} ${path}`).toBe(403);
    }
    role = null;
    expect((await ask('GET', '/api/v1/devices')).status).toBe(401);
    expect(services.devices.get('default', 'm1')).not.toBeNull();
  });

  it('lists the profiles', async () => {
    const { json } = await ask('GET', '/api/v1/profiles');
    const listed = (json as { profiles: { name: string }[] }).profiles;
    expect(listed.length).toBeGreaterThanOrEqual(16);
    expect((await ask('GET', '/api/v1/profiles/shelly-pro-3em')).json).toMatchObject({
      ...{ vendor: 'Shelly', transport: 'mqtt', verified: true, firmware_range: '≥ 1.0.0 and < 2.0.0' },
      channels: [{ name: 'main', role: 'grid' }],
    });
    expect((await ask('GET', '/api/v1/profiles/nothing')).status).toBe(404);
  });
});
