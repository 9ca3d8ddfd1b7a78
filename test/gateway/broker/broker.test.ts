import { connect as connectSocket } from 'node:net';
import { generate, type Packet } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UnavailableError } from '../../../engine/errors.ts';
import { Quality } from '../../../engine/model/quality.ts';
import { openRaw, publishPacket } from './raw-client.ts';
import { openRig, PASSWORD, pushDevice, type Rig, until } from './rig.ts';

const SLOT_MS = 900_000;
/** A week ago: what a meter sends of months ago is marked late. */
const T0 = Math.floor((Date.now() - 7 * 86_400_000) / SLOT_MS) * SLOT_MS;
const iso = (at_ms: number) => new Date(at_ms).toISOString();
let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const credentials = { username: 'a', password: Buffer.from(PASSWORD) };
const raw = (clientId = 'raw', options = {}) => openRaw(rig.broker.port, { clientId, ...credentials, ...options });
const values = () => rig.stored.flatMap((group) => group.readings.map((reading) => reading.value));
const errorOf = (device: string) => rig.reports.filter((r) => r.device === device && r.kind === 'failed').at(-1)?.text;

describe('readings over MQTT', () => {
  it.each([0, 1, 2] as const)('keeps what a real client publishes with QoS %i', async (qos) => {
    const client = await rig.connect('a');
    const body = JSON.stringify({ at: iso(T0), power_W: 12.5, import_kWh: 7 });
    await client.publishAsync('meters/a/readings', body, { qos });
    await until(() => rig.stored.length === 1, 'the reading');
    expect(rig.stored[0]).toMatchObject({
      tenant: 'default',
      source: 'mqtt',
      device: 'a',
      readings: [
        { meter: 'a', quantity: 'power_W', at_ms: T0, value: 12.5, quality: 0 },
        { meter: 'a', quantity: 'import_kWh', at_ms: T0, value: 7, quality: 0 },
      ],
    });
    expect(rig.live.of('default', 'a').get('power_W')?.value).toBe(12.5);
  });

  it('takes arrays, intervals and flags, and reports what it had to refuse', async () => {
    const client = await rig.connect('a');
    const body = [
      { at: T0, power_W: 1 },
      { from: iso(T0 - SLOT_MS), to: iso(T0), import_interval_kWh: 0.25 },
      { at: T0, voltage_V: -5 },
      { at: T0, nonsense: 1 },
      { at: T0, meter: 'b', power_W: 1 },
    ];
    await client.publishAsync('meters/a/readings', JSON.stringify(body), { qos: 1 });
    expect(rig.stored[0]!.readings).toEqual([
      { meter: 'a', quantity: 'power_W', at_ms: T0, value: 1, quality: 0 },
      { meter: 'a', quantity: 'import_interval_kWh', at_ms: T0, from_ms: T0 - SLOT_MS, value: 0.25, quality: 0 },
      { meter: 'a', quantity: 'voltage_V', at_ms: T0, value: -5, quality: Quality.OUT_OF_RANGE },
    ]);
    expect(errorOf('a')).toMatch(/"nonsense" is no quantity; the box knows power_W/);
  });

  it.each([
    ['{"power_W": 1', /no JSON/],
    ['[]', /no readings/],
    ['"hello"', /no JSON object/],
    ['{"power_W": "12"}', /no number/],
    [`{"at": ${T0 / 1000}, "power_W": 1}`, /before 1990/],
    ['{"at": "2026-03-29T00:30:00", "power_W": 1}', /no time zone/],
    [`{"power_W": 1, "x": "${'y'.repeat(300_000)}"}`, /256 kB/],
  ])('acknowledges what can never be stored, and shows why: %#', async (body, why) => {
    const client = await rig.connect('a');
    await client.publishAsync('meters/a/readings', body, { qos: 1 });
    expect(values()).toEqual([]);
    expect(errorOf('a')).toMatch(why);
  });

  it('acknowledges only after the journal says that the reading is durable', async () => {
    const durable = Promise.withResolvers<void>();
    const { append } = rig;
    rig.append = async (groups) => {
      const seq = await append(groups);
      await durable.promise;
      return seq;
    };
    const client = await raw();
    await client.next('connack');
    for (let id = 1; id <= 5; id++) client.send(publishPacket('meters/a/readings', `{"power_W":${id}}`, id));
    await expect(client.next('puback', 150)).rejects.toThrow(/no puback/);
    durable.resolve();
    const acks = await Promise.all([1, 2, 3, 4, 5].map(() => client.next('puback')));
    expect(acks.map((ack) => ack.messageId)).toEqual([1, 2, 3, 4, 5]);
    client.end();
  });

  it('does not acknowledge what it cannot store now, and takes it when it is sent again', async () => {
    const { append } = rig;
    rig.append = () => Promise.reject(new UnavailableError('The disk is full.'));
    const first = await raw();
    await first.next('connack');
    first.send(publishPacket('meters/a/readings', '{"power_W":1}', 1));
    await first.closed;
    expect(first.received.map((packet) => packet.cmd)).toEqual(['connack']);
    rig.append = append;
    const second = await raw();
    await second.next('connack');
    second.send(publishPacket('meters/a/readings', '{"power_W":1}', 1, true));
    await second.next('puback');
    expect(values()).toEqual([1]);
    second.end();
  });
});

describe('who may do what', () => {
  const connack = async (options: object) => {
    const client = await raw('x', options);
    const packet = (await client.next('connack')) as Packet & { returnCode?: number; reasonCode?: number };
    await client.closed;
    return packet;
  };

  it('refuses a wrong password and an unknown device with code 4', async () => {
    expect((await connack({ password: Buffer.from('wrong') })).returnCode).toBe(4);
    expect((await connack({ username: 'nobody' })).returnCode).toBe(4);
    expect((await connack({ username: undefined, password: undefined })).returnCode).toBe(4);
  });

  it('refuses MQTT 5 in its own words and says so at the device', async () => {
    expect(await connack({ protocolVersion: 5 })).toMatchObject({ reasonCode: 0x84 });
    expect(errorOf('a')).toMatch(/MQTT 3\.1\.1/);
    await expect(rig.connect('a', { protocolVersion: 5 })).rejects.toThrow(/Unsupported Protocol Version/i);
  });

  it('refuses an empty client id without a clean session, and takes one with', async () => {
    const socket = connectSocket(rig.broker.port, '127.0.0.1');
    const bytes = generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clientId: '',
      clean: true,
      ...credentials,
    });
    // The ninth byte holds the connect flags, bit 1 the clean session; the library refuses to leave it out.
    bytes[9] = bytes[9]! & ~2;
    socket.write(bytes);
    const answer = await new Promise<Buffer>((done) => socket.once('data', done));
    expect([...answer]).toEqual([0x20, 2, 0, 2]);
    await new Promise((done) => socket.once('close', done));
    const client = await raw('');
    expect(await client.next('connack')).toMatchObject({ returnCode: 0 });
    client.end();
  });

  it('neither stores nor forwards what is published to a foreign topic, and keeps the connection', async () => {
    const b = await rig.connect('b');
    const heard: string[] = [];
    b.on('message', (topic) => heard.push(topic));
    await b.subscribeAsync('meters/b/#', { qos: 1 });
    const a = await rig.connect('a');
    await a.publishAsync('meters/b/readings', '{"power_W":1}', { qos: 1 });
    await a.publishAsync('meters/b/command', 'x', { qos: 1, retain: true });
    await a.publishAsync('meters/a/readings', '{"power_W":2}', { qos: 1 });
    expect(values()).toEqual([2]);
    expect(heard).toEqual([]);
    expect(errorOf('a')).toMatch(/meters\/b\/readings, which is not its topic/);
  });

  it.each(['#', 'meters/#', 'meters/b/readings', '+/b/#', '$SYS/#', 'meters/+/readings'])(
    'answers 0x80 to a subscription of %s',
    async (filter) => {
      const client = await raw();
      await client.next('connack');
      client.send({
        cmd: 'subscribe',
        messageId: 1,
        subscriptions: [
          { topic: filter, qos: 1 },
          { topic: 'meters/a/x', qos: 1 },
        ],
      });
      expect(((await client.next('suback')) as Packet & { granted: number[] }).granted).toEqual([128, 1]);
      client.end();
    },
  );

  it('gives a device its own messages, also those that came while it was away', async () => {
    const durable = { clientId: 'durable', clean: false };
    const first = await rig.connect('a', durable);
    await first.subscribeAsync('meters/a/#', { qos: 1 });
    await first.endAsync();
    const other = await rig.connect('a', { clientId: 'other' });
    await other.publishAsync('meters/a/note', 'kept', { qos: 1 });
    await other.endAsync();
    await rig.restart();
    const heard: string[] = [];
    const again = await raw('durable', { clean: false });
    await again.next('connack');
    const packet = (await again.next('publish')) as Packet & { payload: Buffer };
    heard.push(packet.payload.toString());
    expect(heard).toEqual(['kept']);
    again.end();
  });

  it('lets two devices use the same client id', async () => {
    const a = await rig.connect('a', { clientId: 'same' });
    const b = await rig.connect('b', { clientId: 'same' });
    await a.publishAsync('meters/a/readings', '{"power_W":1}', { qos: 1 });
    await b.publishAsync('meters/b/readings', '{"power_W":2}', { qos: 1 });
    expect(values()).toEqual([1, 2]);
  });

  it('publishes for the box itself only to those who may hear it', async () => {
    const a = await rig.connect('a');
    const heard: string[] = [];
    a.on('message', (topic, payload) => heard.push(`${topic} ${payload}`));
    await a.subscribeAsync('meters/a/#');
    await rig.broker.publish('default', 'meters/a/command', 'on', { retain: false });
    await rig.broker.publish('default', 'meters/b/command', 'off', { retain: false });
    await until(() => heard.length === 1, 'the command');
    expect(heard).toEqual(['meters/a/command on']);
  });

  it('ends the connections of a device on demand', async () => {
    const client = await raw();
    await client.next('connack');
    rig.broker.disconnect('default', 'a');
    await client.closed;
  });

  it('gives the next message of a device to who listens for it', async () => {
    const a = await rig.connect('a');
    const heard = rig.broker.listen('default', 'meters/a/#', AbortSignal.timeout(2000));
    await a.publishAsync('meters/a/readings', '{"power_W":9}', { qos: 1 });
    expect((await heard).payload.toString()).toBe('{"power_W":9}');
    await expect(rig.broker.listen('default', 'meters/a/#', AbortSignal.timeout(20))).rejects.toThrow(/No message/);
  });
});

describe('tenants on one broker', () => {
  it('never hear each other, though device ids are the same', async () => {
    await rig.close();
    rig = await openRig({ devices: [pushDevice('a'), pushDevice('a', 'other')] });
    const mine = await rig.connect('a');
    const heard: string[] = [];
    mine.on('message', (_topic, payload) => heard.push(payload.toString()));
    await mine.subscribeAsync('meters/a/#', { qos: 1 });
    const theirs = await rig.connect('other.a');
    await theirs.subscribeAsync('meters/a/#', { qos: 1 });
    await theirs.publishAsync('meters/a/readings', '{"power_W":1}', { qos: 1 });
    await mine.publishAsync('meters/a/readings', '{"power_W":2}', { qos: 1 });
    await until(() => heard.length > 0, 'the own message');
    expect(heard).toEqual(['{"power_W":2}']);
    expect(rig.stored.map((group) => group.tenant)).toEqual(['other', 'default']);
  });
});

describe('neighbours', () => {
  it('are not held up by a subscriber that takes nothing', async () => {
    const frozen = await raw('frozen');
    await frozen.next('connack');
    frozen.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'meters/a/#', qos: 0 }] });
    await frozen.next('suback');
    frozen.socket.pause();
    const big = 'x'.repeat(200_000);
    for (let n = 0; n < 200; n++)
      void rig.broker.publish('default', 'meters/a/big', big, { retain: false }).catch(() => {});
    const b = await rig.connect('b');
    const begun = performance.now();
    for (let n = 0; n < 20; n++) await b.publishAsync('meters/b/readings', `{"power_W":${n}}`, { qos: 1 });
    expect(performance.now() - begun).toBeLessThan(20_000);
    frozen.end();
  });

  /** The fixed header of a PUBLISH or CONNECT that announces this many bytes, and some of them. */
  const announcing = (first: number, bytes: number) =>
    Buffer.concat([
      Buffer.from([first, (bytes & 127) | 128, ((bytes >> 7) & 127) | 128, ((bytes >> 14) & 127) | 128, bytes >> 21]),
      Buffer.alloc(1000),
    ]);

  it('are safe from a stranger that announces a huge packet', async () => {
    const socket = connectSocket(rig.broker.port, '127.0.0.1');
    const closed = new Promise((done) => socket.once('close', done));
    socket.on('error', () => {});
    socket.write(announcing(0x10, 4_000_000));
    await closed;
  });

  it('are safe from a device that announces a huge packet, which is told', async () => {
    const client = await raw();
    await client.next('connack');
    client.socket.write(announcing(0x30, 4_000_000));
    await client.closed;
    await until(() => errorOf('a') !== undefined, 'the report');
    expect(errorOf('a')).toMatch(/4000000 bytes/);
  });

  it('are not disturbed by one that speaks no MQTT', async () => {
    const noise = connectSocket(rig.broker.port, '127.0.0.1');
    noise.on('error', () => {});
    noise.write('GET / HTTP/1.1\r\n\r\n');
    const a = await rig.connect('a');
    await a.publishAsync('meters/a/readings', '{"power_W":1}', { qos: 1 });
    expect(values()).toEqual([1]);
    noise.destroy();
  });
});

describe('profile devices', () => {
  it('are decoded by their profile, by channel', async () => {
    await rig.close();
    rig = await openRig({
      decoders: {
        a: {
          mayPublish: (topic) => topic.startsWith('shelly-a/'),
          maySubscribe: (filter) => filter === 'shelly-a/rpc',
          subscriptions: () => ['shelly-a/status'],
          decode: (_topic, payload, received_ms) => ({
            readings: [
              { channel: 'main', quantity: 'power_W', value: Number(payload.toString()), at_ms: received_ms },
              { channel: 'second', quantity: 'power_W', value: 1, at_ms: received_ms },
            ],
          }),
        },
      },
    });
    rig.clock.now = () => T0;
    const a = await rig.connect('a');
    await a.publishAsync('shelly-a/status', '42', { qos: 1 });
    expect(rig.stored[0]!.readings).toEqual([{ meter: 'a', quantity: 'power_W', at_ms: T0, value: 42, quality: 0 }]);
    expect(errorOf('a')).toMatch(/channel "second"/);
  });
});
