import ModbusSerial from 'modbus-serial';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReadingGroup } from '../../../engine/model/reading.ts';
import type { Connection } from '../../../engine/model/site.ts';
import { createPolling, type Polling } from '../../../gateway/services/polling.ts';
import { type NastyServer, openNastyServer } from '../../connectors/meters/modbus/nasty-server.ts';
import { untilStill } from '../../setup/until.ts';
import { admin, type DeviceRig, openDeviceRig, profiles } from './device-rig.ts';

const float = (value: number): [number, number] => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatBE(value);
  return [bytes.readUInt16BE(0), bytes.readUInt16BE(2)];
};

/** A SDM630 as the library's own server plays it. */
async function openMeter(): Promise<{ port: number; registers: Map<number, number>; close(): Promise<void> }> {
  const registers = new Map<number, number>();
  const set = (address: number, value: number) => {
    for (const [i, word] of float(value).entries()) registers.set(address + i, word);
  };
  set(0x00, 230.2);
  set(0x34, 1500);
  set(0x48, 12345.5);
  const server = new ModbusSerial.ServerTCP(
    { getInputRegister: (address: number) => registers.get(address) ?? 0 },
    { host: '127.0.0.1', port: 0, unitID: 1 },
  );
  const net = await new Promise<{ address(): { port: number } }>((resolve) =>
    server.on('initialized', () =>
      resolve((server as unknown as { _server: { address(): { port: number } } })._server),
    ),
  );
  return {
    port: net.address().port,
    registers,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

describe('polling', () => {
  let rig: DeviceRig;
  let at: Awaited<ReturnType<DeviceRig['open']>>;
  let polling: Polling;
  let groups: ReadingGroup[];
  const closing: { close(): Promise<void> }[] = [];
  beforeAll(async () => {
    rig = await openDeviceRig();
  });
  afterAll(() => rig.close());
  beforeEach(async () => {
    await rig.clear();
    at = await rig.open();
    groups = [];
    const live = { of: () => new Map(), last_ms: () => null, recent: () => [] };
    const intake = async (group: ReadingGroup) => {
      groups.push(group);
      return { accepted: group.readings.length, flagged: 0, rejected: [] };
    };
    polling = createPolling({ ...rig.base, clock: Date, ...at, intake, profiles, live, publish: () => undefined });
    await polling.start();
  });
  afterEach(async () => {
    await polling.stop();
    for (const thing of closing.splice(0)) await thing.close();
  });
  const modbus = (port: number, unit = 1, poll_s = 1): Connection => ({
    kind: 'modbus-tcp',
    host: '127.0.0.1',
    port,
    unit,
    poll_s,
  });
  const of = (device: string) => groups.filter((group) => group.device === device);

  it('begins with a new device, hands in its values with its meter point, and ends with it', async () => {
    const meter = await openMeter();
    closing.push(meter);
    await at.devices.create(admin, { id: 'sdm', profile: 'eastron-sdm630', connection: modbus(meter.port) });
    await expect.poll(() => of('sdm').length, { timeout: 15_000 }).toBeGreaterThanOrEqual(2);
    const [first] = of('sdm');
    expect(first).toMatchObject({ tenant: 'default', source: 'modbus', device: 'sdm' });
    expect(first?.readings).toContainEqual(
      expect.objectContaining({ meter: 'sdm', quantity: 'power_W', value: 1500, quality: 0 }),
    );
    expect(first?.readings).toContainEqual(expect.objectContaining({ quantity: 'import_kWh', value: 12345.5 }));
    expect(at.devices.state('default', 'sdm')).toMatchObject({ connected: true, last_error: null });
    await at.devices.remove(admin, 'sdm', { erase_readings: false });
    await untilStill(() => groups.length, 1500, 'the end of polling');
  });

  it('keeps the rhythm of a living device beside a dead one on the same bus', async () => {
    const server: NastyServer = await openNastyServer(({ unit, count }) =>
      unit === 2 ? 'silent' : { words: Array.from({ length: count }, () => 0x4120) },
    );
    closing.push(server);
    await at.devices.create(admin, { id: 'dead', profile: 'eastron-sdm72d', connection: modbus(server.port, 2) });
    await at.devices.create(admin, { id: 'alive', profile: 'eastron-sdm72d', connection: modbus(server.port, 1) });
    await expect.poll(() => of('alive').length, { timeout: 15_000 }).toBeGreaterThanOrEqual(4);
    const dead = at.devices.state('default', 'dead');
    expect(dead.connected).toBe(false);
    expect(dead.last_error?.text).toMatch(/No answer from 127\.0\.0\.1:\d+ unit 2\. Is it powered/);
    expect(server.requests.filter(({ unit }) => unit === 2).length).toBeLessThan(of('alive').length);
    expect(of('dead')).toEqual([]);
  });

  it('stops when the device is switched off, follows another address, and comes back by itself', async () => {
    const meter = await openMeter();
    closing.push(meter);
    await at.devices.create(admin, { id: 'sdm', profile: 'eastron-sdm630', connection: modbus(1) });
    await expect
      .poll(() => at.devices.state('default', 'sdm').last_error?.text)
      .toMatch(/refuses connections on port 1/);
    await at.devices.update(admin, 'sdm', { connection: modbus(meter.port) });
    await expect.poll(() => of('sdm').length, { timeout: 15_000 }).toBeGreaterThanOrEqual(1);
    await at.devices.update(admin, 'sdm', { enabled: false });
    // A round that was under way may still end; a device that is polled each second never gives this much peace.
    const count = await untilStill(() => groups.length, 1500, 'the end of polling');
    await at.devices.update(admin, 'sdm', { enabled: true });
    await expect.poll(() => groups.length, { timeout: 15_000 }).toBeGreaterThan(count);
  });

  describe('test read', () => {
    it('shows decoded values before anything is saved, over the bus that is in use', async () => {
      const meter = await openMeter();
      closing.push(meter);
      const tested = await at.devices.testRead(
        'default',
        'eastron-sdm630',
        modbus(meter.port),
        AbortSignal.timeout(5000),
      );
      expect(tested).toMatchObject({ ok: true, problem: null });
      expect(tested.values).toContainEqual({
        channel: 'main',
        quantity: 'voltage_l1_V',
        value: 230.2,
        unit: 'V',
        raw: '230.2',
      });
      expect(at.devices.list('default')).toEqual([]);
    });
    it('says in words what failed', async () => {
      const tested = await at.devices.testRead('default', 'eastron-sdm630', modbus(1), AbortSignal.timeout(5000));
      expect(tested).toMatchObject({
        ok: false,
        values: [],
        problem: expect.stringMatching(/refuses connections on port 1\. Is it powered/),
      });
    });
    it('waits for a message and shows what it means', async () => {
      rig.messages.push(
        { topic: 'tele/other/SENSOR', payload: Buffer.from('{"ENERGY":{"Power":1}}') },
        { topic: 'tele/hall/SENSOR', payload: Buffer.from('{"ENERGY":{"Power":42,"Total":7.5}}') },
      );
      const tested = await at.devices.testRead(
        'default',
        'tasmota-plug',
        { kind: 'mqtt', topic: 'hall' },
        AbortSignal.timeout(800),
      );
      expect(tested.values.map(({ quantity, value }) => [quantity, value])).toEqual([
        ['power_W', 42],
        ['import_kWh', 7.5],
      ]);
    });
    it('says that nothing came, and that a new device needs its credential first', async () => {
      const tested = await at.devices.testRead(
        'default',
        'tasmota-plug',
        { kind: 'mqtt', topic: 'hall' },
        AbortSignal.timeout(50),
      );
      expect(tested.problem).toMatch(/No message came .*tele\/hall\/SENSOR.*save it/s);
    });
    it('tells what to send where there is nothing to read', async () => {
      const tested = await at.devices.testRead('default', null, { kind: 'push' }, AbortSignal.timeout(50));
      expect(tested.problem).toMatch(/POST \/api\/v1\/readings/);
    });
    it('warns of firmware that the profile was not made for', async () => {
      rig.messages.push({ topic: 'tele/hall/INFO1', payload: Buffer.from('{"Info1":{"Version":"6.4.1"}}') });
      rig.messages.push({ topic: 'tele/hall/SENSOR', payload: Buffer.from('{"ENERGY":{"Power":42}}') });
      const tested = await at.devices.testRead(
        'default',
        'tasmota-plug',
        { kind: 'mqtt', topic: 'hall' },
        AbortSignal.timeout(800),
      );
      expect(tested).toMatchObject({
        ok: true,
        firmware: '6.4.1',
        problem: expect.stringContaining('outside of ≥ 8.0 and < 16.0'),
      });
    });
  });
});
