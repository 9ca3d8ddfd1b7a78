/** An MQTT client that does only what it is told, byte by byte: for resends, odd versions and pipelining. */
import { connect, type Socket } from 'node:net';
import type { IConnectPacket, Packet } from 'mqtt-packet';
import { generate, parser } from 'mqtt-packet';

export type RawClient = {
  send(packet: Packet): void;
  /** The next packet of that kind. */
  next(cmd: string, timeout_ms?: number): Promise<Packet>;
  received: Packet[];
  closed: Promise<void>;
  socket: Socket;
  end(): void;
};

export function publishPacket(topic: string, payload: string, messageId: number, dup = false): Packet {
  return { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, messageId, dup, retain: false };
}

export async function openRaw(
  port: number,
  connectPacket: Partial<IConnectPacket> & { clientId: string },
): Promise<RawClient> {
  const socket = connect(port, '127.0.0.1');
  const protocolVersion = connectPacket.protocolVersion ?? 4;
  const read = parser({ protocolVersion });
  const received: Packet[] = [];
  let wake: (() => void)[] = [];
  read.on('packet', (packet) => {
    received.push(packet);
    for (const one of wake.splice(0)) one();
  });
  socket.on('data', (bytes) => read.parse(bytes));
  socket.on('error', () => {});
  const closed = new Promise<void>((done) => socket.once('close', () => done()));
  const send = (packet: Packet) => void socket.write(generate(packet, { protocolVersion }));
  let seen = 0;
  async function next(cmd: string, timeout_ms = 2000): Promise<Packet> {
    const deadline = performance.now() + timeout_ms;
    for (;;) {
      while (seen < received.length) {
        const packet = received[seen++]!;
        if (packet.cmd === cmd) return packet;
      }
      const left = deadline - performance.now();
      if (left <= 0) throw new Error(`no ${cmd} came`);
      await new Promise<void>((done) => {
        wake.push(done);
        setTimeout(done, left);
      });
    }
  }
  send({
    cmd: 'connect',
    protocolId: 'MQTT',
    clean: true,
    keepalive: 60,
    protocolVersion,
    ...connectPacket,
  } as IConnectPacket);
  wake = [];
  return { send, next, received, closed, socket, end: () => socket.destroy() };
}
