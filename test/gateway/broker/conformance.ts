/**
 * The eleven behaviours of the interoperability tests of Eclipse Paho for MQTT 3.1.1 (eclipse/paho.mqtt.testing,
 * interoperability/client_test.py), for a broker that gives each credential topics of its own. Where Paho waits for
 * some seconds and counts, this waits for what must come, and then a moment for what must not.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { IConnectPacket, IPublishPacket, Packet } from 'mqtt-packet';
import { generate } from 'mqtt-packet';
import { openRaw, type RawClient } from './raw-client.ts';

/** How a credential reaches the broker, and which topics are its own. */
export type Reach = {
  dial: () => Socket;
  username: string;
  password: string;
  /** Before each topic: `meters/<device>/`, or nothing for a credential that may use any. */
  base: string;
  /** A filter that it may not subscribe to. */
  foreign: string;
};
type Qos = 0 | 1 | 2;
type Client = RawClient & {
  connack: Packet & { returnCode?: number; sessionPresent: boolean };
  messages: IPublishPacket[];
  /** Answers nothing that arrives any more. */
  pause(): void;
  publish(topic: string, payload: string, qos?: Qos, retain?: boolean): Promise<void>;
  /** @returns what was granted */
  subscribe(...filters: [topic: string, qos: Qos][]): Promise<number[]>;
  unsubscribe(topic: string): Promise<void>;
  disconnect(): Promise<void>;
};

/** For a message that must not come. Everything is on one machine, where one that comes takes a millisecond. */
const MOMENT_MS = 150;
const LIMIT_MS = 10_000;
const TOPICS = ['TopicA', 'TopicA/B', 'Topic/C', 'TopicA/C', '/TopicA'] as const;
const [A, AB, TC, AC, SLASH_A] = TOPICS;

type Behaviour = { name: string; run: (reach: Reach) => Promise<void> };

export const BEHAVIOURS: readonly Behaviour[] = [
  {
    name: 'basic',
    async run(reach) {
      await (await open(reach, 'basic')).disconnect();
      const a = await open(reach, 'basic');
      demand(!a.connack.sessionPresent, 'no session is present');
      await a.subscribe([A, 2]);
      for (const qos of [0, 1, 2] as const) await a.publish(A, `qos ${qos}`, qos);
      await count(a, 3);
      demand(a.messages.map(({ qos }) => qos).join() === '0,1,2', 'each has its QoS');
      a.send(connectPacket(reach, { clientId: 'basic' }));
      await within(a.closed, 'the end of a connection with a second CONNECT');
      const odd = await openBytes(reach.dial, (bytes) => bytes.write('hj!!', 4, 'latin1'), reach);
      demand(odd.length === 0 || odd[3] !== 0, 'another protocol is refused');
    },
  },
  {
    name: 'retained',
    async run(reach) {
      const topics = [AB, TC, AC];
      const a = await open(reach, 'retained');
      for (const qos of [0, 1, 2] as const) await a.publish(topics[qos]!, `qos ${qos}`, qos, true);
      await a.subscribe(['+/+', 2]);
      await count(a, 3);
      demand(
        a.messages.every(({ retain }) => retain),
        'they are marked as retained',
      );
      await a.disconnect();
      const again = await open(reach, 'retained');
      for (const qos of [0, 1, 2] as const) await again.publish(topics[qos]!, '', qos, true);
      await again.subscribe(['+/+', 2]);
      await count(again, 0);
      await again.disconnect();
    },
  },
  {
    name: 'offline queueing',
    async run(reach) {
      const a = await open(reach, 'offline-a', { clean: false });
      await a.subscribe(['+/+', 2]);
      await a.disconnect();
      const b = await open(reach, 'offline-b');
      await b.publish(AB, 'qos 0', 0);
      await b.publish(TC, 'qos 1', 1);
      await b.publish(AC, 'qos 2', 2);
      await b.disconnect();
      const again = await open(reach, 'offline-a', { clean: false });
      demand(again.connack.sessionPresent, 'the session is present');
      await count(again, 2, 3);
      await again.disconnect();
      await forget(reach, 'offline-a');
    },
  },
  {
    name: 'will',
    async run(reach) {
      const will = { topic: reach.base + TC, payload: Buffer.from('not disconnected'), qos: 1 as const, retain: false };
      const a = await open(reach, 'will-a', { will, keepalive: 2 });
      const b = await open(reach, 'will-b', { clean: false });
      await b.subscribe([TC, 2]);
      a.end();
      await count(b, 1);
      demand(b.messages[0]!.payload.toString() === 'not disconnected', 'it is the will');
      const kind = await open(reach, 'will-a', { will });
      await kind.disconnect();
      await count(b, 1);
      await b.disconnect();
      await forget(reach, 'will-b');
    },
  },
  {
    name: 'overlapping subscriptions',
    async run(reach) {
      const a = await open(reach, 'overlap');
      await a.subscribe(['TopicA/#', 2], ['TopicA/+', 1]);
      await a.publish(AC, 'overlapping', 2);
      await count(a, 1, 2);
      const qos = a.messages.map((message) => message.qos).sort();
      demand(qos.join() === '2' || qos.join() === '1,2', `one with the highest QoS, or one for each, not ${qos}`);
      await a.disconnect();
    },
  },
  {
    name: 'keepalive',
    async run(reach) {
      const b = await open(reach, 'keepalive-b', { keepalive: 0 });
      await b.subscribe([SLASH_A, 2]);
      const will = { topic: reach.base + SLASH_A, payload: Buffer.from('expiry'), qos: 1 as const, retain: false };
      const a = await open(reach, 'keepalive-a', { will, keepalive: 1 });
      const begun = performance.now();
      await within(a.closed, 'the end of a silent connection');
      demand(performance.now() - begun > 1000, 'not before its time');
      await count(b, 1);
      await b.disconnect();
    },
  },
  {
    name: 'redelivery on reconnect',
    async run(reach) {
      const b = await open(reach, 'redelivery', { clean: false });
      await b.subscribe(['TopicA/#', 2]);
      b.pause();
      await b.publish(AB, 'one', 1);
      b.send(publishPacket(reach.base + AC, 'two', 2, 77, false));
      for (let n = 0; n < 2; n++) await b.next('publish', LIMIT_MS);
      await b.disconnect();
      const again = await open(reach, 'redelivery', { clean: false });
      await count(again, 2);
      const said = again.messages.map(({ payload }) => payload.toString()).sort();
      demand(said.join() === 'one,two', `both, not ${said}`);
      await again.disconnect();
      await forget(reach, 'redelivery');
    },
  },
  {
    name: 'zero-length client id',
    async run(reach) {
      const durable = await openBytes(reach.dial, (bytes) => bytes.writeUInt8(bytes[9]! & ~2, 9), reach, '');
      demand(durable[3] === 2, `a durable session is refused with code 2, not ${durable[3]}`);
      const a = await open(reach, '');
      demand(a.connack.returnCode === 0, 'a clean one is taken');
      await a.disconnect();
    },
  },
  {
    name: 'subscribe failure',
    async run(reach) {
      const a = await open(reach, 'failure');
      const granted = await a.subscribe([A, 1]);
      demand(granted[0] === 1, 'an own topic is granted');
      a.send({ cmd: 'subscribe', messageId: 9, subscriptions: [{ topic: reach.foreign, qos: 2 }] });
      const suback = (await a.next('suback', LIMIT_MS)) as Packet & { granted: number[] };
      demand(suback.granted[0] === 0x80, `0x80, not ${suback.granted[0]}`);
      await a.disconnect();
    },
  },
  {
    name: 'dollar topics',
    async run(reach) {
      const b = await open(reach, 'dollar');
      await b.subscribe(['+/+', 2], ['#', 2]);
      b.send(publishPacket(`$${reach.base}${AB}`, 'x', 1, 5, false));
      await b.next('puback', LIMIT_MS);
      await count(b, 0);
      await b.publish(AB, 'y', 1);
      await count(b, 1);
      await b.disconnect();
    },
  },
  {
    name: 'unsubscribe',
    async run(reach) {
      const b = await open(reach, 'unsubscribe-b');
      for (const topic of [A, AB, TC]) await b.subscribe([topic, 2]);
      await b.unsubscribe(A);
      const a = await open(reach, 'unsubscribe-a');
      for (const topic of [A, AB, TC]) await a.publish(topic, 'x', 1);
      await count(b, 2);
      await b.disconnect();
      await a.disconnect();
    },
  },
];

/** Runs all behaviours. @returns what failed, in words */
export async function failures(reach: Reach): Promise<string[]> {
  const failed: string[] = [];
  for (const { name, run } of BEHAVIOURS)
    await run(reach).catch((error: Error) => failed.push(`${name}: ${error.message}`));
  return failed;
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`broken: ${what}`);
}

async function within(done: Promise<void>, what: string): Promise<void> {
  const late = sleep(LIMIT_MS, 'late', { ref: false });
  if ((await Promise.race([done, late])) === 'late') throw new Error(`waited in vain for ${what}`);
}

/** Waits for that many messages, and a moment for one too many. */
async function count({ messages }: Client, least: number, most = least): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (messages.length < least && performance.now() < deadline) await sleep(5);
  await sleep(MOMENT_MS);
  const right = messages.length >= least && messages.length <= most;
  demand(right, `${least} to ${most} messages, not ${messages.length}`);
}

function connectPacket({ username, password }: Reach, options: Partial<IConnectPacket>): IConnectPacket {
  const common = { cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60 } as const;
  return { ...common, clientId: '', username, password: Buffer.from(password), ...options };
}

const publishPacket = (topic: string, payload: string, qos: Qos, messageId: number, retain: boolean): Packet => ({
  ...{ cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false },
  ...(qos > 0 ? { messageId } : {}),
});

/** A CONNECT that no library would write. @returns the answer; empty where the connection was just closed */
function openBytes(dial: Reach['dial'], change: (bytes: Buffer) => void, reach: Reach, clientId = 'odd') {
  const bytes = generate(connectPacket(reach, { clientId }));
  change(bytes);
  const socket = dial();
  socket.on('error', () => {});
  socket.write(bytes);
  return new Promise<Buffer>((done) => {
    let answer = Buffer.alloc(0);
    socket.on('data', (more: Buffer) => {
      answer = Buffer.concat([answer, more]);
    });
    socket.once('close', () => done(answer));
  });
}

/** A clean session ends the durable one of that client id. */
async function forget(reach: Reach, clientId: string): Promise<void> {
  await (await open(reach, clientId)).disconnect();
}

async function open(reach: Reach, clientId: string, options: Partial<IConnectPacket> = {}): Promise<Client> {
  const raw = await openRaw(reach.dial, { ...connectPacket(reach, options), clientId });
  const messages: IPublishPacket[] = [];
  let paused = false;
  let packet_id = 0;
  const answer = (packet: Packet) => {
    if (packet.cmd === 'pubrel') raw.send({ cmd: 'pubcomp', messageId: packet.messageId });
    if (packet.cmd !== 'publish' || paused) return;
    messages.push(packet);
    if (packet.qos === 1) raw.send({ cmd: 'puback', messageId: packet.messageId });
    if (packet.qos === 2) raw.send({ cmd: 'pubrec', messageId: packet.messageId });
  };
  raw.onPacket(answer);
  const connack = (await raw.next('connack', LIMIT_MS)) as Client['connack'];
  demand(connack.returnCode === 0, `the connection is taken, not refused with ${connack.returnCode}`);
  return {
    ...raw,
    connack,
    messages,
    pause() {
      paused = true;
    },
    async publish(topic, payload, qos = 0, retain = false) {
      const messageId = ++packet_id;
      raw.send(publishPacket(reach.base + topic, payload, qos, messageId, retain));
      if (qos === 1) await raw.next('puback', LIMIT_MS);
      if (qos < 2) return;
      await raw.next('pubrec', LIMIT_MS);
      raw.send({ cmd: 'pubrel', messageId });
      await raw.next('pubcomp', LIMIT_MS);
    },
    async subscribe(...filters) {
      const subscriptions = filters.map(([topic, qos]) => ({ topic: reach.base + topic, qos }));
      raw.send({ cmd: 'subscribe', messageId: ++packet_id, subscriptions });
      const { granted } = (await raw.next('suback', LIMIT_MS)) as Packet & { granted: number[] };
      demand(
        granted.every((qos) => qos < 0x80),
        `${filters.map(([topic]) => topic)} is granted`,
      );
      return granted;
    },
    async unsubscribe(topic) {
      raw.send({ cmd: 'unsubscribe', messageId: ++packet_id, unsubscriptions: [reach.base + topic] });
      await raw.next('unsuback', LIMIT_MS);
    },
    async disconnect() {
      raw.send({ cmd: 'disconnect' });
      await within(raw.closed, 'the end after DISCONNECT');
    },
  };
}
