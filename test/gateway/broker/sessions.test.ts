import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import type { IPublishPacket, Packet } from 'mqtt-packet';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RETAINED_MAX_TOPICS } from '../../../gateway/broker/retained.ts';
import { openSessions, QUEUE_MAX_MESSAGES, SESSIONS_PER_DEVICE } from '../../../gateway/broker/sessions.ts';
import { openRaw, publishPacket, type RawClient } from './raw-client.ts';
import { openRig, PASSWORD, pushDevice, type Rig, until } from './rig.ts';

type Connack = Packet & { sessionPresent: boolean };
let rig: Rig;
beforeEach(async () => {
  rig = await openRig({ devices: [pushDevice('a'), pushDevice('b'), pushDevice('a', 'other')] });
});
afterEach(() => rig.close());

async function open(username: string, clientId: string, clean = true): Promise<RawClient & { connack: Connack }> {
  const client = await openRaw(rig.broker.port, { clientId, username, password: Buffer.from(PASSWORD), clean });
  return { ...client, connack: (await client.next('connack')) as Connack };
}
async function subscribe(client: RawClient, ...filters: [topic: string, qos: 0 | 1 | 2][]): Promise<void> {
  const subscriptions = filters.map(([topic, qos]) => ({ topic, qos }));
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions });
  await client.next('suback');
}
async function leave(client: RawClient): Promise<void> {
  client.send({ cmd: 'disconnect' });
  await client.closed;
}
const retained = (topic: string, payload: string, id: number): Packet =>
  ({ ...publishPacket(topic, payload, id), retain: true }) as Packet;
const heard = ({ received }: RawClient) =>
  received.filter((packet): packet is IPublishPacket => packet.cmd === 'publish');
const said = (client: RawClient) => heard(client).map(({ payload }) => payload.toString());
const errorOf = (device: string) => rig.reports.filter((r) => r.device === device && r.kind === 'failed').at(-1)?.text;

describe('retained messages', () => {
  it('of two tenants on the same topic never meet, and outlive a restart', async () => {
    for (const [name, text] of [
      ['a', 'mine'],
      ['other.a', 'theirs'],
    ] as const) {
      const client = await open(name, 'x');
      client.send(retained('meters/a/state', text, 1));
      await client.next('puback');
      await leave(client);
    }
    await rig.restart();
    for (const [name, text] of [
      ['a', 'mine'],
      ['other.a', 'theirs'],
    ] as const) {
      const client = await open(name, 'y');
      await subscribe(client, ['meters/a/#', 1]);
      expect(await client.next('publish')).toMatchObject({ topic: 'meters/a/state', retain: true });
      expect(said(client)).toEqual([text]);
      client.end();
    }
  });

  it('are bounded for each device, which is told', async () => {
    const client = await open('a', 'x');
    for (let n = 0; n <= RETAINED_MAX_TOPICS; n++) client.send(retained(`meters/a/${n}`, 'x', n + 1));
    await until(
      () => client.received.filter(({ cmd }) => cmd === 'puback').length > RETAINED_MAX_TOPICS,
      'the acknowledgements',
    );
    expect(errorOf('a')).toMatch(/too many retained/);
    const late = await open('a', 'late');
    await subscribe(late, [`meters/a/${RETAINED_MAX_TOPICS}`, 0], ['meters/a/0', 0]);
    await late.next('publish');
    expect(heard(late).map(({ topic }) => topic)).toEqual(['meters/a/0']);
    late.end();
    client.end();
  });
});

describe('durable sessions', () => {
  it('keep at most so many messages', async () => {
    const away = await open('a', 'away', false);
    await subscribe(away, ['meters/a/note', 1]);
    await leave(away);
    const client = await open('a', 'sender');
    for (let n = 1; n <= QUEUE_MAX_MESSAGES + 5; n++) client.send(publishPacket('meters/a/note', `${n}`, n));
    client.send(publishPacket('meters/a/last', 'x', 60_000));
    await until(() => client.received.some(({ messageId }) => messageId === 60_000), 'the last acknowledgement');
    const back = await open('a', 'away', false);
    await until(() => heard(back).length >= QUEUE_MAX_MESSAGES, 'the queue');
    expect(said(back)).toEqual(Array.from({ length: QUEUE_MAX_MESSAGES }, (_, n) => `${n + 1}`));
    back.end();
    client.end();
  });

  it('have so many of one device: the one away longest gives way', async () => {
    for (let n = 0; n <= SESSIONS_PER_DEVICE; n++) {
      const client = await open('a', `s${n}`, false);
      await subscribe(client, ['meters/a/note', 1]);
      await leave(client);
    }
    const neighbour = await open('b', 's', false);
    expect((await open('a', 's1', false)).connack.sessionPresent).toBe(true);
    expect((await open('a', 's0', false)).connack.sessionPresent).toBe(false);
    neighbour.end();
  });

  it('keep a wide filter when a narrow one with another QoS comes', async () => {
    const away = await open('a', 'away', false);
    await subscribe(away, ['meters/a/#', 2]);
    await subscribe(away, ['meters/a/x', 1]);
    await leave(away);
    const client = await open('a', 'sender');
    client.send(publishPacket('meters/a/y', 'kept', 1));
    await client.next('puback');
    const back = await open('a', 'away', false);
    await back.next('publish');
    expect(said(back)).toEqual(['kept']);
    back.end();
    client.end();
  });

  it('get readings that came after a restart, before the session came back', async () => {
    const away = await open('a', 'away', false);
    await subscribe(away, ['meters/a/#', 1]);
    await leave(away);
    await rig.restart();
    const client = await open('a', 'sender');
    client.send(publishPacket('meters/a/readings', '{"power_W":1}', 1));
    await client.next('puback');
    const back = await open('a', 'away', false);
    await back.next('publish');
    expect(said(back)).toEqual(['{"power_W":1}']);
    back.end();
    client.end();
  });
});

describe('a device that is removed', () => {
  it('leaves nothing that one of the same name would find, and its neighbours keep theirs', async () => {
    for (const name of ['a', 'b', 'other.a']) {
      const device = name.split('.').at(-1)!;
      const away = await open(name, 'away', false);
      await subscribe(away, [`meters/${device}/#`, 1]);
      await leave(away);
      const client = await open(name, 'sender');
      client.send(retained(`meters/${device}/state`, `of ${name}`, 1));
      await client.next('puback');
      if (name !== 'a') await leave(client);
    }
    await rig.broker.forget('default', 'a');
    /** @param retained how many kept messages there must be: one that is late is waited for */
    const found = async (name: string, retained: number) => {
      const client = await open(name, 'away', false);
      await subscribe(client, [`meters/${name.split('.').at(-1)}/#`, 1]);
      client.send({ cmd: 'pingreq' });
      await client.next('pingresp');
      if (retained > 0) await until(() => said(client).length >= retained, 'the kept message');
      else await sleep(50);
      const all = { sessionPresent: client.connack.sessionPresent, said: [...new Set(said(client))] };
      await leave(client);
      return all;
    };
    for (let start = 0; start < 2; start++) {
      expect(await found('b', 1)).toEqual({ sessionPresent: true, said: ['of b'] });
      expect(await found('other.a', 1)).toEqual({ sessionPresent: true, said: ['of other.a'] });
      expect(await found('a', 0)).toEqual({ sessionPresent: start > 0, said: [] });
      await rig.restart();
    }
  });
});

describe('delivery', () => {
  it('of a retained message with QoS 2 goes to its end in a durable session', async () => {
    const client = await open('a', 'durable', false);
    client.send({ ...retained('meters/a/state', 'x', 1), qos: 2 } as Packet);
    await client.next('pubrec');
    client.send({ cmd: 'pubrel', messageId: 1 });
    await client.next('pubcomp');
    await subscribe(client, ['meters/a/#', 2]);
    const { messageId } = await client.next('publish');
    client.send({ cmd: 'pubrec', messageId });
    expect(await client.next('pubrel')).toMatchObject({ messageId });
    client.send({ cmd: 'pubcomp', messageId });
    client.send({ cmd: 'pingreq' });
    await client.next('pingresp');
    client.end();
  });

  it('never has a higher QoS than was asked for', async () => {
    const client = await open('a', 'x');
    await subscribe(client, ['meters/a/#', 1]);
    client.send({ ...publishPacket('meters/a/note', 'x', 7), qos: 2 } as Packet);
    expect(await client.next('publish')).toMatchObject({ qos: 1 });
    client.end();
  });

  it('loses nothing that another message overtakes on its way through the store', async () => {
    const client = await open('a', 'x');
    await subscribe(client, ['meters/a/#', 1]);
    const packets = Array.from({ length: 50 }, (_, n) =>
      n % 2 ? { ...publishPacket('meters/a/note', `${n}`, n), qos: 0 } : retained(`meters/a/kept`, `${n}`, n + 1),
    );
    for (const packet of packets) client.send(packet as Packet);
    await until(() => heard(client).length === 50, 'all of them');
    client.end();
  });
});

describe('the store of sessions', () => {
  let dir: string;
  let store: ClassicLevel<string, Buffer>;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'luna-sessions-'));
    store = new ClassicLevel<string, Buffer>(dir, { valueEncoding: 'buffer' });
    await store.open();
  });
  afterEach(async () => {
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });
  const id = 'default/a/x';
  const packet = { cmd: 'publish', topic: 'meters/a/note', payload: Buffer.from('x'), qos: 1, retain: false } as const;

  it('keeps no subscription that was refused, though it stands in one packet with an allowed one', async () => {
    const { persistence, allow } = await openSessions(store, () => {});
    const subscriptions = [
      { topic: 'meters/b/#', qos: 1 as const },
      { topic: 'meters/a/#', qos: 1 as const },
    ];
    allow(subscriptions[1]!);
    await persistence.addSubscriptions({ id }, subscriptions);
    expect(await persistence.subscriptionsByClient({ id })).toEqual([subscriptions[1]]);
    expect(await persistence.subscriptionsByTopic('meters/b/x')).toEqual([]);
  });

  it('queues nothing of another tenant', async () => {
    const { persistence } = await openSessions(store, () => {});
    const waiting = [{ clientId: id, topic: 'meters/a/#', qos: 1 as const }];
    const send = (clientId: string, brokerCounter: number) =>
      persistence.outgoingEnqueueCombi(waiting, { ...packet, clientId, ...{ brokerId: 'b', brokerCounter } });
    await send('other/a/x', 1);
    await send('defaultx/a/x', 2);
    await send('default/a/y', 3);
    const keys = await store.keys({ gte: 'outgoing:', lt: 'outgoing;' }).all();
    expect(keys).toHaveLength(1);
    expect(keys[0]).toMatch(/3$/);
  });

  it('knows its bounds again after a restart, and forgets a session as a whole', async () => {
    let dropped = 0;
    const first = await openSessions(store, () => {});
    const waiting = [{ clientId: id, topic: 'meters/a/#', qos: 1 as const }];
    const fill = async (sessions: typeof first, from: number, to: number) => {
      for (let n = from; n < to; n++)
        await sessions.persistence.outgoingEnqueueCombi(waiting, {
          ...{ ...packet, clientId: 'default/a/y' },
          ...{ brokerId: 'b', brokerCounter: n },
        });
    };
    await fill(first, 0, 900);
    const second = await openSessions(store, () => {
      dropped++;
    });
    expect(second.ids()).toEqual([id]);
    await fill(second, 900, QUEUE_MAX_MESSAGES + 50);
    expect(dropped).toBe(50);
    await second.forgetDevice('default', 'a');
    expect(await store.keys().all()).toEqual([]);
    await fill(second, 5000, 5001);
    expect(dropped).toBe(50);
  });
});
