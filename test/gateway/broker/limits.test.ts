import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate, type Packet } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createStrangers, FILTERS_PER_PACKET } from '../../../gateway/broker/limit.ts';
import { isFilter, isTopic } from '../../../gateway/broker/topic-rules.ts';
import { openRaw, publishPacket } from './raw-client.ts';
import { openRig, PASSWORD, type Rig, until } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());
const raw = (clientId = 'raw', options = {}) =>
  openRaw(rig.broker.port, { clientId, username: 'a', password: Buffer.from(PASSWORD), ...options });

describe('topics and filters', () => {
  it.each(['a', '/', 'a//b', '$SYS/x', 'a b', 'ü'])('may be published to: %j', (topic) => {
    expect(isTopic(topic)).toBe(true);
    expect(isFilter(topic)).toBe(true);
  });
  it.each(['', 'a/+', '#', 'a\0b'])('may not be published to: %j', (topic) => expect(isTopic(topic)).toBe(false));
  it.each(['#', '+', 'a/#', '+/a/+', '/+', '//#'])('may be subscribed to: %j', (filter) =>
    expect(isFilter(filter)).toBe(true),
  );
  it.each(['', 'a#', '#/a', 'a/#/b', 'a+', '+a', 'a/+b', '\0'])('may not be subscribed to: %j', (filter) =>
    expect(isFilter(filter)).toBe(false),
  );

  it('with a null character end the connection', async () => {
    for (const packet of [
      publishPacket('meters/a/\0', 'x', 1),
      { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'meters/a/\0', qos: 1 }] } as Packet,
    ]) {
      const client = await raw();
      await client.next('connack');
      client.send(packet);
      await client.closed;
      expect(client.received).toHaveLength(1);
    }
    const refused = await raw('a\0b');
    expect(await refused.next('connack')).toMatchObject({ returnCode: 2 });
  });
});

describe('one connection', () => {
  it('is ended when a packet has very many filters', async () => {
    const subscriptions = Array.from({ length: FILTERS_PER_PACKET + 1 }, (_, n) => ({
      topic: `meters/a/${n}`,
      qos: 0 as const,
    }));
    const client = await raw();
    await client.next('connack');
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
    await client.closed;
    expect(client.received).toHaveLength(1);
  });

  it('has a bound of filters altogether', async () => {
    const client = await raw();
    await client.next('connack');
    const subscribe = (from: number, count: number): Promise<Packet> => {
      const subscriptions = Array.from({ length: count }, (_, n) => ({
        topic: `meters/a/${from + n}`,
        qos: 0 as const,
      }));
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
      return client.next('suback');
    };
    await subscribe(0, 1000);
    expect(await subscribe(1000, 2)).toMatchObject({ granted: [128, 128] });
    client.end();
  });

  it('that was refused does not stay open, even when the client keeps its side', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
    const before = sockets();
    const socket = connect({ port: rig.broker.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => {});
    const hello = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, clientId: 'x' } as const;
    socket.write(generate({ ...hello, username: 'a', password: Buffer.from('wrong') }));
    const [answer] = await new Promise<Buffer[]>((done) => socket.once('data', (...bytes) => done(bytes)));
    expect([...answer!]).toEqual([0x20, 2, 0, 4]);
    expect(sockets()).toBe(before + 2);
    // What is left is the client's own end.
    await until(() => sockets() === before + 1, 'the end of the broker');
    socket.destroy();
  });
});

describe('clients that come at the same moment', () => {
  const gone = () => rig.reports.filter(({ kind }) => kind === 'connected' || kind === 'lost').at(-1)?.kind === 'lost';

  it('with one id leave one, and that one is known to be gone when it leaves', async () => {
    const clients = await Promise.all(Array.from({ length: 30 }, () => raw('same')));
    const open = () => clients.filter(({ socket }) => !socket.destroyed);
    await until(() => open().length === 1, 'one connection');
    await open()[0]!.next('connack');
    open()[0]!.send(publishPacket('meters/a/readings', '{"power_W":1}', 1));
    await open()[0]!.next('puback');
    open()[0]!.end();
    await until(gone, 'the end of the last');
  });

  it('and leave before they are answered are not taken for connected', async () => {
    // One that is answered for certain: how many of the others are, is a matter of the machine's speed.
    const answered = await raw('answered');
    await answered.next('connack');
    const clients = await Promise.all(Array.from({ length: 60 }, (_, n) => raw(`c${n}`)));
    for (const [n, client] of clients.entries()) setTimeout(client.end, n % 12);
    await Promise.all(clients.map(({ closed }) => closed));
    await sleep(200);
    answered.end();
    await until(gone, 'the end of the last');
  });
});

describe('strangers', () => {
  it('beyond a bound make the oldest give way', async () => {
    const strangers = createStrangers(2);
    const taken: Socket[] = [];
    const server = createServer((socket) => {
      taken.push(socket);
      strangers.add(socket);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const sockets: Socket[] = [];
    const closed: number[] = [];
    for (let n = 0; n < 4; n++) {
      const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
      socket.once('close', () => closed.push(n));
      await new Promise((done) => socket.once('connect', done));
      sockets.push(socket);
      while (taken.length <= n) await sleep(1);
      if (n === 0) strangers.known(taken[0]!);
    }
    while (closed.length === 0) await sleep(1);
    expect(closed).toEqual([1]);
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  });

  it('do not hold up the end of the broker', async () => {
    const quiet = connect(rig.broker.port, '127.0.0.1');
    quiet.on('error', () => {});
    await new Promise((done) => quiet.once('connect', done));
    await sleep(50);
    const begun = performance.now();
    await rig.restart();
    // Who waits for the stranger, waits for ten seconds.
    expect(performance.now() - begun).toBeLessThan(8000);
    quiet.destroy();
  });
});
