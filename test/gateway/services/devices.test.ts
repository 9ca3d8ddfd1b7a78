import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { InvalidDataError, NotFoundError, UnsupportedError } from '../../../engine/errors.ts';
import type { Connection } from '../../../engine/model/site.ts';
import { admin, type DeviceRig, openDeviceRig } from './device-rig.ts';

const mqtt = (topic: string | null = null): Connection => ({ kind: 'mqtt', topic });
const modbus: Connection = { kind: 'modbus-tcp', host: '192.168.1.20', port: 502, unit: 3, poll_s: 10 };
const http: Connection = { kind: 'http', url: 'http://192.168.1.5', token: 'secret', poll_s: 10 };

describe('device service', () => {
  let rig: DeviceRig;
  let meters: Awaited<ReturnType<DeviceRig['open']>>['meters'];
  let devices: Awaited<ReturnType<DeviceRig['open']>>['devices'];
  beforeAll(async () => {
    rig = await openDeviceRig();
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    await rig.clear();
    ({ meters, devices } = await rig.open());
  });
  const signIn = (made: { username: string | null; password: string | null }) =>
    devices.authenticate(made.username ?? '', made.password ?? '');

  describe('adding', () => {
    it('gives a device without profile one meter point with its id, a topic and a credential', async () => {
      const made = await devices.create(admin, { id: 'm1', connection: mqtt() });
      expect(made).toMatchObject({ id: 'm1', username: 'm1', topic: 'meters/m1/readings', meters: ['m1'] });
      expect(made.password).toMatch(/^[\w-]{43}$/);
      expect(meters.get('default', 'm1')).toMatchObject({ device: 'm1', channel: 'main', role: 'load' });
      expect(await signIn(made)).toEqual({ tenant: 'default', device: 'm1' });
    });

    it('gives a profile device a meter point per channel, as wished, and remembers all over a restart', async () => {
      const made = await devices.create(admin, {
        ...{ id: 'p1', name: 'House', profile: 'dsmr-p1-telegram', connection: mqtt('dsmr/telegram') },
        points: [
          { channel: 'main', name: 'Grid' },
          { channel: 'water', skip: true },
        ],
      });
      expect(made).toMatchObject({ meters: ['p1', 'p1-gas'], topic: 'dsmr/telegram' });
      for (const now of [{ devices, meters }, await rig.open()]) {
        expect(now.devices.get('default', 'p1')).toMatchObject({
          name: 'House',
          profile: 'dsmr-p1-telegram',
          enabled: true,
        });
        expect(now.meters.get('default', 'p1')).toMatchObject({ name: 'Grid', role: 'grid' });
        expect(now.meters.get('default', 'p1-gas')).toMatchObject({ name: 'House: Gas meter', channel: 'gas' });
        expect(await now.devices.authenticate('p1', made.password ?? '')).toEqual({ tenant: 'default', device: 'p1' });
      }
    });

    it('gives a polled device no credential', async () => {
      const made = await devices.create(admin, { id: 'sdm', profile: 'eastron-sdm630', connection: modbus });
      expect(made).toMatchObject({ username: null, password: null, topic: null, meters: ['sdm'] });
    });

    it.each([
      ['an id with a slash', { id: 'a/b', connection: mqtt() }, /id is no id/],
      ['an id with a wildcard', { id: 'a+', connection: mqtt() }, /id is no id/],
      ['an unknown profile', { id: 'x', profile: 'nothing', connection: mqtt() }, /no device profile "nothing"/],
      [
        'a connection that does not fit',
        { id: 'x', profile: 'eastron-sdm630', connection: mqtt() },
        /read over modbus-tcp or modbus-rtu, not mqtt/,
      ],
      ['Modbus without a profile', { id: 'x', connection: modbus }, /needs a profile/],
      ['a wildcard topic', { id: 'x', profile: 'tasmota-plug', connection: mqtt('tele/#') }, /contains \+ or #/],
      ['a topic of the box', { id: 'x', profile: 'go-e-charger', connection: mqtt('meters/other') }, /uses itself/],
      [
        'a channel that is not there',
        { id: 'x', profile: 'tasmota-plug', connection: mqtt(), points: [{ channel: 'gas' }] },
        /channel "gas" is none of main/,
      ],
      [
        'an address that is none',
        { id: 'x', profile: 'homewizard-p1', connection: { ...http, url: 'ftp://x' } },
        /no address/,
      ],
      [
        'a port and a unit that are none',
        { id: 'x', profile: 'abb-b23', connection: { ...modbus, port: 99999, unit: 300 } },
        /port.*unit/,
      ],
    ])('refuses %s and leaves nothing behind', async (_, wish, message) => {
      await expect(devices.create(admin, wish as never)).rejects.toThrow(message);
      expect(devices.list('default')).toEqual([]);
      expect(meters.list('default')).toEqual([]);
    });

    it('refuses what is taken: an id, a meter point, a topic', async () => {
      await devices.create(admin, { id: 'plug', profile: 'tasmota-plug', connection: mqtt('hall') });
      await expect(devices.create(admin, { id: 'plug', connection: mqtt() })).rejects.toThrow(
        /plug is a device already/,
      );
      await expect(
        devices.create(admin, { id: 'p2', connection: mqtt(), points: [{ channel: 'main', id: 'plug' }] }),
      ).rejects.toThrow(/There are meter points plug already/);
      await expect(
        devices.create(admin, { id: 'p3', profile: 'tasmota-plug', connection: mqtt('hall') }),
      ).rejects.toThrow(/plug has the topic hall already/);
      expect(devices.list('default').map(({ id }) => id)).toEqual(['plug']);
    });

    it('gives a topic to one organisation only, and does not tell which one has it', async () => {
      const acme = { ...admin, tenant: 'acme' };
      await devices.create(admin, { id: 'plug', profile: 'tasmota-plug', connection: mqtt('hall') });
      const wish = { id: 'theirs', profile: 'tasmota-plug' };
      const refused = await devices.create(acme, { ...wish, connection: mqtt('hall') }).catch((error: Error) => error);
      expect(refused).toMatchObject({ message: 'The topic hall is not free on this box.' });
      await devices.create(acme, { ...wish, connection: mqtt('cellar') });
      await expect(devices.update(acme, 'theirs', { connection: mqtt('hall') })).rejects.toThrow(/hall is not free/);
      // Their topics differ below the same name.
      await devices.create(acme, { id: 'meter', profile: 'shelly-pro-3em', connection: mqtt('hall') });
    });

    it('refuses settings that contradict those of another device on the line', async () => {
      const line = { kind: 'modbus-rtu', path: '/dev/ttyUSB0', baud: 9600, parity: 'none', stop_bits: 1 } as const;
      const on = (unit: number, other: { baud?: number } = {}) => ({ ...line, unit, poll_s: 10, ...other });
      const wish = (id: string, connection: Connection) => ({ id, profile: 'eastron-sdm630', connection });
      await devices.create(admin, wish('hall', on(1)));
      await expect(devices.create(admin, wish('yard', on(2, { baud: 19_200 })))).rejects.toThrow(
        'The line /dev/ttyUSB0 is used by the device hall with 9600 baud, parity none, 1 stop bit, not 19200 baud, parity none, 1 stop bit.',
      );
      const acme = { ...admin, tenant: 'acme' };
      await expect(devices.create(acme, wish('theirs', on(2, { baud: 19_200 })))).rejects.toThrow(
        /is used on this box/,
      );
      await devices.create(admin, wish('yard', on(2)));
      await expect(devices.update(admin, 'yard', { connection: on(2, { baud: 19_200 }) })).rejects.toThrow(/hall/);
      await devices.create(admin, wish('tcp', modbus));
      const rtu = { ...modbus, unit: 4, framing: 'rtu' } as const;
      await expect(devices.create(admin, wish('tcp2', rtu))).rejects.toThrow(
        /192\.168\.1\.20:502 is used by the device tcp with Modbus TCP frames, not RTU frames over TCP/,
      );
      // The way to other settings: one is switched off, the other changed, and both go on with the same.
      await devices.update(admin, 'hall', { enabled: false });
      await devices.update(admin, 'yard', { connection: on(2, { baud: 19_200 }) });
      await expect(devices.update(admin, 'hall', { enabled: true })).rejects.toThrow(/used by the device yard/);
      await devices.update(admin, 'hall', { enabled: true, connection: on(1, { baud: 19_200 }) });
    });

    it('takes all back when a meter point cannot be stored', async () => {
      await expect(
        devices.create(admin, {
          id: 'p1',
          profile: 'dsmr-p1-telegram',
          connection: mqtt(),
          points: [{ channel: 'gas', parent: 'nobody' }],
        }),
      ).rejects.toThrow(InvalidDataError);
      expect(devices.list('default')).toEqual([]);
      expect(meters.list('default')).toEqual([]);
      expect((await rig.open()).devices.list('default')).toEqual([]);
      await devices.create(admin, { id: 'p1', connection: mqtt() });
    });

    it('writes no secret into the audit log', async () => {
      const made = await devices.create(admin, { id: 'm1', connection: mqtt() });
      await devices.create(admin, { id: 'hw', profile: 'homewizard-p1', connection: http });
      const rows = await rig.db.asTenant('default', (sql) =>
        sql<{ all: string }>('select json_agg(audit)::text as all from audit'),
      );
      expect(rows[0]?.all).toContain('create device');
      expect(rows[0]?.all).not.toContain(made.password);
      expect(rows[0]?.all).not.toContain('"secret"');
    });
  });

  describe('credentials', () => {
    it('know no wrong password, no unknown name and no other device', async () => {
      const made = await devices.create(admin, { id: 'm1', connection: mqtt() });
      const other = await devices.create(admin, { id: 'm2', connection: { kind: 'push' } });
      expect(await devices.authenticate('m1', `${made.password}x`)).toBeNull();
      expect(await devices.authenticate('m1', other.password ?? '')).toBeNull();
      expect(await devices.authenticate('nobody', made.password ?? '')).toBeNull();
      expect(await devices.authenticate('', '')).toBeNull();
    });
    it('change at once, and the device is cut off', async () => {
      const made = await devices.create(admin, { id: 'm1', connection: mqtt() });
      const next = await devices.newCredential(admin, 'm1');
      expect(await signIn(made)).toBeNull();
      expect(await signIn(next)).toEqual({ tenant: 'default', device: 'm1' });
      expect(rig.disconnected).toEqual(['default/m1']);
      await devices.create(admin, { id: 'sdm', profile: 'abb-b23', connection: modbus });
      await expect(devices.newCredential(admin, 'sdm')).rejects.toBeInstanceOf(UnsupportedError);
    });
    it('are those of one tenant, whose name stands before the id', async () => {
      const acme = { ...admin, tenant: 'acme' };
      const [mine, theirs] = [
        await devices.create(admin, { id: 'm1', connection: mqtt() }),
        await devices.create(acme, { id: 'm1', connection: mqtt() }),
      ];
      expect(theirs.username).toBe('acme.m1');
      expect(await signIn(theirs)).toEqual({ tenant: 'acme', device: 'm1' });
      expect(await devices.authenticate('m1', theirs.password ?? '')).toBeNull();
      expect(await signIn(mine)).toEqual({ tenant: 'default', device: 'm1' });
      expect(devices.list('acme').map(({ tenant }) => tenant)).toEqual(['acme']);
      // The name is taken in the whole box.
      await expect(devices.create(admin, { id: 'acme.m1', connection: mqtt() })).rejects.toThrow(/taken in this box/);
      expect(devices.get('default', 'acme.m1')).toBeNull();
    });
  });

  describe('changing and removing', () => {
    it('switches off and on', async () => {
      const made = await devices.create(admin, { id: 'm1', connection: mqtt() });
      await devices.update(admin, 'm1', { enabled: false, name: 'Off' });
      expect(devices.get('default', 'm1')).toMatchObject({ enabled: false, name: 'Off' });
      expect(await signIn(made)).toBeNull();
      expect(rig.disconnected).toEqual(['default/m1']);
      await devices.update(admin, 'm1', { enabled: true });
      expect(await signIn(made)).not.toBeNull();
    });
    it('forgets what a device left at the broker, when it goes and before another of its name comes', async () => {
      await devices.create(admin, { id: 'm1', connection: mqtt() });
      rig.forgotten.length = 0;
      await devices.remove(admin, 'm1', { erase_readings: false });
      expect(rig.forgotten).toEqual(['default/m1']);
      await devices.create(admin, { id: 'm1', connection: mqtt() });
      expect(rig.forgotten).toEqual(['default/m1', 'default/m1']);
    });
    it('keeps a token that is not given again, and takes a new one', async () => {
      await devices.create(admin, { id: 'hw', profile: 'homewizard-p1', connection: http });
      await devices.update(admin, 'hw', { connection: { kind: 'http', url: '192.168.1.6/', poll_s: 5 } as Connection });
      expect(devices.get('default', 'hw')?.connection).toEqual({
        kind: 'http',
        url: 'http://192.168.1.6',
        poll_s: 5,
        token: 'secret',
      });
      await devices.update(admin, 'hw', { connection: { ...http, token: null } });
      expect(devices.get('default', 'hw')?.connection).toMatchObject({ token: null });
      await expect(devices.update(admin, 'hw', { connection: mqtt() })).rejects.toThrow(/read over http/);
    });
    it('removes the device, its meter points and its credential, and its readings only when asked', async () => {
      const made = await devices.create(admin, { id: 'p1', profile: 'dsmr-p1-telegram', connection: mqtt() });
      await devices.create(admin, { id: 'sub', connection: mqtt(), points: [{ channel: 'main', parent: 'p1' }] });
      await devices.remove(admin, 'p1', { erase_readings: false });
      expect(rig.erased).toEqual([]);
      expect(devices.get('default', 'p1')).toBeNull();
      expect(meters.list('default').map(({ id, parent }) => [id, parent])).toEqual([['sub', null]]);
      expect(await signIn(made)).toBeNull();
      await devices.remove(admin, 'sub', { erase_readings: true });
      // With the device, and once more for what was under way.
      expect(rig.erased).toEqual(Array(2).fill({ tenant: 'default', meters: ['sub'] }));
      await expect(devices.remove(admin, 'sub', { erase_readings: false })).rejects.toBeInstanceOf(NotFoundError);
      const left = await rig.db.asSystem((sql) => sql(`select key from directory where kind = 'device'`));
      expect(left).toEqual([]);
    });
    it('does not remove what a formula needs', async () => {
      await devices.create(admin, { id: 'm1', connection: mqtt() });
      const virtual = [{ meter: 'm1', factor: 1 }];
      await meters.save(admin, {
        id: 'sum',
        name: 'Sum',
        role: 'load',
        device: null,
        channel: 'main',
        parent: null,
        virtual,
      });
      await expect(devices.remove(admin, 'm1', { erase_readings: false })).rejects.toThrow(/formula of sum/);
      expect(devices.get('default', 'm1')).not.toBeNull();
    });
  });

  describe('state', () => {
    it('raises an alert after three failures in a row, keeps when it began, and clears it', async () => {
      await devices.create(admin, { id: 'sdm', profile: 'abb-b23', connection: modbus });
      const fail = (text = 'No answer.') => devices.report('default', 'sdm', { kind: 'failed', text });
      const began = rig.clock.at_ms;
      fail();
      rig.clock.at_ms += 10_000;
      fail();
      expect(devices.state('default', 'sdm')).toEqual({
        ...{ connected: false, last_seen_ms: null, last_error: { at_ms: began, text: 'No answer.' } },
      });
      expect(await rig.alerts.list('default')).toEqual([]);
      rig.clock.at_ms += 10_000;
      fail();
      await expect
        .poll(() => rig.alerts.list('default', { open_only: true }))
        .toMatchObject([
          { kind: 'device_unreachable', object: 'sdm', opened_ms: began, detail: { text: 'No answer.' } },
        ]);
      devices.report('default', 'sdm', { kind: 'seen', firmware: 'B2.1' });
      await expect.poll(() => rig.alerts.list('default', { open_only: true })).toEqual([]);
      expect(devices.state('default', 'sdm')).toMatchObject({
        connected: true,
        last_seen_ms: rig.clock.at_ms,
        last_error: null,
      });
      await expect.poll(async () => (await rig.open()).devices.get('default', 'sdm')?.firmware).toBe('B2.1');
    });
    it('tells waiting pages only what changes for them', async () => {
      await devices.create(admin, { id: 'm1', connection: mqtt() });
      const told: string[] = [];
      const stop = rig.bus.subscribe((event) => event.type === 'device' && told.push(event.device));
      for (const kind of ['connected', 'seen', 'seen', 'lost', 'lost'] as const)
        devices.report('default', 'm1', { kind });
      devices.report('default', 'nobody', { kind: 'seen' });
      stop();
      expect(told).toEqual(['m1', 'm1']);
      expect(devices.state('default', 'm1')).toMatchObject({
        connected: false,
        last_error: { text: 'The connection ended.' },
      });
    });
  });

  describe('decoding', () => {
    it('turns power to the role of the meter point, and leaves out channels without one', async () => {
      await devices.create(admin, {
        ...{ id: 'pv', profile: 'shelly-pro-3em', connection: mqtt('shelly') },
        points: [{ channel: 'main', role: 'generation' }],
      });
      const decoder = devices.decoderOf('default', 'pv');
      const payload = Buffer.from('{"total_act_power":-5000,"a_voltage":230,"total_current":0}');
      const read = () =>
        decoder?.decode('shelly/status/em:0', payload, 0).readings.map(({ quantity, value }) => [quantity, value]);
      expect(read()).toEqual([
        ['power_W', 5000],
        ['current_A', 0],
        ['voltage_l1_V', 230],
      ]);
      const { readings } = decoder!.decode(
        'shelly/status/emdata:0',
        Buffer.from('{"total_act":10,"total_act_ret":7000}'),
        0,
      );
      expect(readings.map(({ quantity, value }) => [quantity, value])).toEqual([
        ['import_kWh', 0.01],
        ['export_kWh', 7],
      ]);
      expect(devices.decoderOf('default', 'pv')).toBe(decoder);
      await meters.remove(admin, 'pv');
      expect(devices.decoderOf('default', 'pv')?.decode('shelly/status/em:0', payload, 0).readings).toEqual([]);
    });
    it('limits a device to its topics, and knows whose topic it is', async () => {
      await devices.create(admin, { id: 'plug', profile: 'tasmota-plug', connection: mqtt('hall') });
      await devices.create(admin, { id: 'z', profile: 'zigbee2mqtt-bridge', connection: mqtt('zigbee2mqtt') });
      await devices.create(admin, { id: 'lamp', profile: 'zigbee2mqtt-plug', connection: mqtt('zigbee2mqtt/lamp') });
      const plug = devices.decoderOf('default', 'plug')!;
      expect(['tele/hall/SENSOR', 'tele/hall/LWT', 'stat/hall/RESULT'].every(plug.mayPublish)).toBe(true);
      expect(['tele/other/SENSOR', 'meters/x/readings', 'zigbee2mqtt/lamp'].some(plug.mayPublish)).toBe(false);
      expect(plug.maySubscribe('cmnd/hall/#')).toBe(true);
      expect(['#', 'cmnd/#', 'luna/#'].some(plug.maySubscribe)).toBe(false);
      expect(devices.decoderOf('default', 'z')).toMatchObject({ bridge: true });
      expect(devices.ownerOf('default', 'zigbee2mqtt/lamp')).toBe('lamp');
      expect(devices.ownerOf('default', 'zigbee2mqtt/unknown')).toBeNull();
      expect(devices.ownerOf('acme', 'zigbee2mqtt/lamp')).toBeNull();
    });
    it('lets Home Assistant read its own tenant only', async () => {
      await devices.create(admin, { id: 'ha', profile: 'home-assistant', connection: mqtt() });
      await devices.create({ ...admin, tenant: 'acme' }, { id: 'ha', profile: 'home-assistant', connection: mqtt() });
      const [ours, theirs] = ['default', 'acme'].map((tenant) => devices.decoderOf(tenant, 'ha')!);
      expect(['luna/#', 'homeassistant/#'].every(ours!.maySubscribe)).toBe(true);
      expect(['luna-acme/#', '#', '+/#', 'luna+/#'].some(ours!.maySubscribe)).toBe(false);
      expect(theirs!.maySubscribe('luna-acme/#')).toBe(true);
      expect(theirs!.maySubscribe('luna/#')).toBe(false);
      expect(['luna/m1/power_W/state', 'meters/m1/readings'].some(ours!.mayPublish)).toBe(false);
    });
  });
});
