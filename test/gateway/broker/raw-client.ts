/** An MQTT client that does only what it is told, byte by byte: for resends, odd versions and pipelining. */
import { connect, type Socket } from 'node:net';
import type { IConnectPacket, Packet } from 'mqtt-packet';
import { generate, parser } from 'mqtt-packet';

export type RawClient = {
  send(packet: Packet): void;
  /** The next packet of that kind. */
  next(cmd: string, timeout_ms?: number): Promise<Packet>;
  received: Packet[];
  /** Hears of what arrives from now on. */
  onPacket(listener: (packet: Packet) => void): void;
  closed: Promise<void>;
  socket: Socket;
  end(): void;
};

export function publishPacket(topic: string, payload: string, messageId: number, dup = false): Packet {
  return { cmd: 'publish', topic, payload: Buffer.from(payload), qos: 1, messageId, dup, retain: false };
}

/** @param port of the broker, or a way to reach it (TLS) */
export async function openRaw(
  port: number | (() => Socket),
  connectPacket: Partial<IConnectPacket> & { clientId: string },
): Promise<RawClient> {
  const socket = typeof port === 'number' ? connect(port, '127.0.0.1') : port();
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
  let open = true;
  const closed = new Promise<void>((done) =>
    socket.once('close', () => {
      open = false;
      done();
      for (const one of wake.splice(0)) one();
    }),
  );
  const send = (packet: Packet) => void socket.write(generate(packet, { protocolVersion }));
  /** By kind, up to where `next` has looked. */
  const given = new Map<string, number>();
  async function next(cmd: string, timeout_ms = 2000): Promise<Packet> {
    const deadline = performance.now() + timeout_ms;
    for (;;) {
      let index = given.get(cmd) ?? 0;
      while (index < received.length && received[index]!.cmd !== cmd) index++;
      given.set(cmd, Math.min(index + 1, received.length));
      if (index < received.length) return received[index]!;
      const left = deadline - performance.now();
      if (left <= 0 || !open) throw new Error(`no ${cmd} came${open ? '' : ': the connection ended'}`);
      await new Promise<void>((done) => {
        const late = setTimeout(done, left);
        wake.push(() => {
          clearTimeout(late);
          done();
        });
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
  return {
    send,
    next,
    received,
    onPacket: (listener) => void read.on('packet', listener),
    closed,
    socket,
    end: () => socket.destroy(),
  };
}
