/** Byte streams that no honest client sends, from a seed: odd but well-formed packets, and broken ones. */
import { generate, type Packet } from 'mqtt-packet';
import type { Random } from '../../../engine/random.ts';

export type Stream = { bytes: Buffer; packets: number };
export type Fuzzer = {
  /** What one connection sends. */
  stream(): Stream;
};
type Account = { username: string; password: string; base: string };

const POOL = 1500;
const HUGE = Buffer.from([0xff, 0xff, 0xff, 0x7f]);

export function createFuzzer(random: Random, account: Account): Fuzzer {
  const below = (n: number) => Math.floor(random() * n);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
  const text = (most: number) => String.fromCharCode(...Array.from({ length: below(most) }, () => 1 + below(0x2ff)));
  const topic = () =>
    pick([
      `${account.base}readings`,
      account.base + text(20),
      `${account.base}${'x/'.repeat(below(150))}`,
      'meters/b/readings',
      '$SYS/x',
      text(40) || 'x',
      `${account.base}#`,
      `${account.base}\0`,
    ]);
  const payload = () =>
    pick([
      () => Buffer.from(`{"power_W":${random() * 1e6}}`),
      () => Buffer.from(text(200)),
      () => Buffer.alloc(below(2000), below(256)),
      () => Buffer.from('['.repeat(below(5000))),
      () => Buffer.alloc(random() < 0.05 ? 300_000 : 0),
    ])();
  const makers: (() => Packet)[] = [
    () => ({
      ...{ cmd: 'publish', topic: topic(), payload: payload(), retain: random() < 0.2, dup: random() < 0.2 },
      ...{ qos: pick([0, 1, 2] as const), messageId: 1 + below(65_535) },
    }),
    () => ({
      ...{ cmd: 'subscribe', messageId: 1 + below(65_535) },
      subscriptions: Array.from({ length: random() < 0.03 ? 2000 : 1 + below(5) }, () => ({
        topic: topic(),
        qos: pick([0, 1, 2] as const),
      })),
    }),
    () => ({ cmd: 'unsubscribe', messageId: 1 + below(65_535), unsubscriptions: [topic(), topic()] }),
    () => ({ cmd: pick(['puback', 'pubrec', 'pubrel', 'pubcomp'] as const), messageId: 1 + below(65_535) }),
    () => ({ cmd: 'pingreq' }),
    () => ({ cmd: 'connack', returnCode: 0, sessionPresent: false }),
    () => ({ cmd: 'suback', messageId: 1, granted: [0] }),
    () => ({ cmd: 'disconnect' }),
  ];
  function connect(): Buffer {
    const will = { topic: topic(), payload: payload().subarray(0, 1000), qos: 1 as const, retain: random() < 0.5 };
    return generate({
      ...{ cmd: 'connect', protocolId: 'MQTT', protocolVersion: random() < 0.03 ? 5 : 4, keepalive: below(100) },
      ...{ clientId: `f${below(60)}`, clean: random() < 0.7, username: account.username },
      password: Buffer.from(random() < 0.9 ? account.password : text(20)),
      ...(random() < 0.2 ? { will } : {}),
    });
  }
  const pool = Array.from({ length: POOL }, () => generate(pick(makers)()));
  const connects = Array.from({ length: 200 }, connect);

  /** One packet made wrong. */
  function broken(packet: Buffer): Buffer {
    const bytes = Buffer.from(packet);
    const how = below(7);
    if (how === 0) for (let n = below(8) + 1; n > 0; n--) bytes[below(bytes.length)]! ^= 1 << below(8);
    if (how === 1) return bytes.subarray(0, below(bytes.length));
    if (how === 2) return Buffer.concat([bytes.subarray(0, 1), HUGE, bytes]);
    if (how === 3) return Buffer.from(Array.from({ length: 1 + below(300) }, () => below(256)));
    if (how === 4) bytes[1] = below(256);
    if (how === 5) return Buffer.concat([bytes.subarray(0, below(bytes.length)), pick(pool)]);
    if (how === 6) bytes[0] = below(256);
    return bytes;
  }
  return {
    stream() {
      const parts = [random() < 0.9 ? pick(connects) : broken(pick(connects))];
      for (let n = below(16); n > 0; n--) parts.push(pick(pool));
      if (random() < 0.8) parts.push(broken(pick(pool)));
      return { bytes: Buffer.concat(parts), packets: parts.length };
    },
  };
}
