/** A subscriber that is connected and never reads, and what others notice of it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Packet } from 'mqtt-packet';
import { openRaw, publishPacket, type RawClient } from './raw-client.ts';

export type Account = { username: string; password: string; base: string };
export type FrozenResult = {
  /** From PUBLISH to acknowledgement (and delivery) of everybody else, in ms, ascending. */
  waits_ms: number[];
  /** How often the frozen subscriber was dropped (and came back). */
  dropped: number;
};

/** More than the kernel takes for a connection is sent in a second, so that the broker has to keep it or wait. */
const BULK = Buffer.alloc(128 * 1024, 120).toString();
const EVERY_MS = 5;
const LIMIT_MS = 90_000;
/** More time for a slow machine to see the frozen subscriber dropped. */
const SLOW_MS = 10_000;

/** `hears`: subscribes to what it publishes, and waits for it too. */
type Sender = { name: string; topic: string; payload: string; qos: 1 | 2; hears: boolean };

/** Rounds with and without the frozen subscriber, one after the other, so that what else the machine does meets both. */
const ROUNDS = 2;
const WARM_UP_S = 2;
/** The broker drops a subscriber that does not take its messages after two seconds: a round must see it. */
const ROUND_LEAST_S = 3;

export type FrozenComparison = { frozen_ms: number[]; calm_ms: number[]; dropped: number };

/**
 * @param seconds of each kind
 * @returns what others waited with the frozen subscriber and without, in ms, ascending
 * @throws when the frozen subscriber was never dropped: nobody had to wait for it
 */
export async function compareFrozen(
  port: number,
  frozen: Account,
  others: readonly Account[],
  seconds: number,
): Promise<FrozenComparison> {
  const all: FrozenComparison = { frozen_ms: [], calm_ms: [], dropped: 0 };
  // The code of a box that has just started is not compiled yet, which would meet the first round only.
  await measureFrozen(port, frozen, others, WARM_UP_S, false);
  for (let round = 0; round < ROUNDS * 2; round++) {
    const still = round % 2 === 1;
    const { waits_ms, dropped } = await measureFrozen(
      port,
      frozen,
      others,
      Math.max(ROUND_LEAST_S, seconds / ROUNDS),
      still,
    );
    (still ? all.frozen_ms : all.calm_ms).push(...waits_ms);
    all.dropped += dropped;
  }
  if (all.dropped === 0) throw new Error('the frozen subscriber was never dropped: this proves nothing');
  for (const waits of [all.frozen_ms, all.calm_ms]) waits.sort((a, b) => a - b);
  return all;
}

/** @param still whether it is there; @param frozen the account that subscribes and does not read, and floods itself; @param others publish small readings */
export async function measureFrozen(
  port: number,
  frozen: Account,
  others: readonly Account[],
  seconds: number,
  still = true,
): Promise<FrozenResult> {
  const until = performance.now() + seconds * 1000;
  const waits_ms: number[] = [];
  let dropped = 0;
  // A machine may be too slow to fill the buffers of a connection in this time.
  const ended = () => performance.now() >= until && (dropped > 0 || !still || performance.now() >= until + SLOW_MS);
  async function freeze(): Promise<void> {
    while (!ended()) {
      const client = await open(port, frozen, 'frozen');
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `${frozen.base}#`, qos: 1 }] });
      await client.next('suback', LIMIT_MS);
      client.socket.pause();
      // A paused socket does not notice that it was reset before it writes.
      while (!ended() && !client.socket.destroyed) {
        await sleep(100);
        client.send({ cmd: 'pingreq' });
      }
      if (client.socket.destroyed) dropped++;
      client.end();
    }
  }
  /** @param qos 2 where the sender would wait for the subscriber: its PUBREC comes after the delivery */
  async function publish(account: Account, { name, topic, payload, qos, hears }: Sender): Promise<void> {
    const client = await open(port, account, name);
    if (hears) {
      client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: account.base + topic, qos: 0 }] });
      await client.next('suback', LIMIT_MS);
    }
    for (let id = 2; !ended(); id = (id % 60_000) + 2) {
      const begun = performance.now();
      client.send({ ...publishPacket(account.base + topic, payload, id), qos } as Packet);
      await Promise.all([
        client.next(qos === 1 ? 'puback' : 'pubrec', LIMIT_MS),
        hears && client.next('publish', LIMIT_MS),
      ]);
      waits_ms.push(performance.now() - begun);
      if (qos === 2) client.send({ cmd: 'pubrel', messageId: id });
      await sleep(EVERY_MS);
    }
    client.end();
  }
  const payload = '{"power_W":12.5}';
  await Promise.all([
    still && freeze(),
    publish(frozen, { name: 'flood', topic: 'bulk', payload: BULK, qos: 2, hears: false }),
    publish(frozen, { name: 'beside', topic: 'readings', payload, qos: 1, hears: false }),
    ...others.map((account) => publish(account, { name: 'other', topic: 'readings', payload, qos: 1, hears: true })),
  ]);
  return { waits_ms: waits_ms.sort((a, b) => a - b), dropped };
}

async function open(port: number, { username, password }: Account, clientId: string): Promise<RawClient> {
  const client = await openRaw(port, { clientId, username, password: Buffer.from(password) });
  const connack = (await client.next('connack', LIMIT_MS)) as Packet & { returnCode: number };
  if (connack.returnCode !== 0) throw new Error(`refused with ${connack.returnCode}`);
  return client;
}
