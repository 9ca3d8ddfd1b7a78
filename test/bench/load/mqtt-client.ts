/** A client that publishes as fast as its acknowledgements come, with little work of its own: it shares the cores with the broker. */
import { connect, type Socket } from 'node:net';
import { generate } from 'mqtt-packet';
import { createAcknowledged, type LoadClient } from './protocol.ts';

const PUBACK = 0x40;
const CONNACK = 0x20;

export type Counters = { acked: number; latencies: Float64Array; stopped: boolean };

/** Publishes messages numbered from 0; a number that was not acknowledged is sent again on the next connection. */
export function createMqttClient(port: () => number, client: LoadClient, base_ms: number, counters: Counters) {
  const topic = Buffer.from(client.topic);
  const acknowledged = createAcknowledged();
  /** Message number and time of sending by packet id. */
  const numbers = new Float64Array(65_536).fill(-1);
  const sent_at = new Float64Array(65_536);
  let socket: Socket | null = null;
  let rest: Buffer = Buffer.alloc(0);
  let next = 0;
  let packet_id = 0;
  let onAcks: (count: number) => void = () => {};

  function packet(n: number): Buffer {
    do packet_id = (packet_id % 65_535) + 1;
    while (numbers[packet_id] !== -1);
    numbers[packet_id] = n;
    sent_at[packet_id] = performance.now();
    const payload = `{"at":${base_ms + n},"power_W":${n % 5000}.5}`;
    const length = 4 + topic.length + payload.length;
    const head = length < 128 ? 2 : 3;
    const bytes = Buffer.allocUnsafe(head + length);
    bytes[0] = 0x32;
    bytes[1] = length < 128 ? length : (length & 127) | 128;
    if (head === 3) bytes[2] = length >> 7;
    bytes.writeUInt16BE(topic.length, head);
    topic.copy(bytes, head + 2);
    bytes.writeUInt16BE(packet_id, head + 2 + topic.length);
    bytes.write(payload, head + 4 + topic.length, 'latin1');
    return bytes;
  }
  function take(bytes: Buffer): void {
    const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
    let at = 0;
    let count = 0;
    const now = performance.now();
    for (; at + 4 <= all.length; at += 4) {
      if (all[at] !== PUBACK) throw new Error(`unexpected packet ${all[at]}`);
      const id = all.readUInt16BE(at + 2);
      const n = numbers[id]!;
      if (n < 0) throw new Error('acknowledgement of nothing');
      numbers[id] = -1;
      acknowledged.add(n);
      counters.latencies[counters.acked % counters.latencies.length] = now - sent_at[id]!;
      counters.acked++;
      count++;
    }
    rest = all.subarray(at);
    onAcks(count);
  }
  return {
    meter: client.meter,
    acknowledged,
    /** How many messages were sent. */
    sent: () => next,
    /** Sends the next `count` messages in one write. */
    send(count: number): void {
      const packets: Buffer[] = [];
      for (let i = 0; i < count; i++) packets.push(packet(next++));
      socket?.write(packets.length === 1 ? packets[0]! : Buffer.concat(packets));
    },
    underWay: () => numbers.reduce((sum, n) => sum + (n >= 0 ? 1 : 0), 0),
    onAcks(listener: (count: number) => void): void {
      onAcks = listener;
    },
    open(): Promise<void> {
      return new Promise((resolve, reject) => {
        const opened = connect({ port: port(), host: '127.0.0.1', noDelay: true });
        opened.once('error', reject);
        opened.once('close', () => reject(new Error('closed')));
        opened.write(connectPacket(client));
        opened.once('data', (bytes) => {
          if (bytes[0] !== CONNACK || bytes[3] !== 0) return reject(new Error(`refused: ${bytes.toString('hex')}`));
          rest = Buffer.alloc(0);
          socket = opened;
          opened.on('data', take);
          resolve();
        });
      });
    },
    /** Sends again what was under way when the connection broke, with DUP. */
    resend(): void {
      const open = [...numbers.keys()].filter((id) => numbers[id]! >= 0);
      const pending = open.map((id) => numbers[id]!);
      for (const id of open) numbers[id] = -1;
      for (const n of pending.sort((x, y) => x - y)) {
        const bytes = packet(n);
        bytes[0] = bytes[0]! | 0x08;
        socket?.write(bytes);
      }
    },
    onClose(listener: () => void): void {
      socket?.once('close', listener);
    },
    end: () => socket?.destroy(),
  };
}
export type RawMqttClient = ReturnType<typeof createMqttClient>;

function connectPacket({ username, password, client_id }: LoadClient): Buffer {
  return generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean: true,
    clientId: client_id,
    keepalive: 60,
    username,
    password: Buffer.from(password),
  });
}
