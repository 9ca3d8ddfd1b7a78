/**
 * A Modbus gateway on loopback whose faults are switched while it runs. Its registers tell which unit and register they
 * are and when they were read, so that a value from elsewhere or from before gives itself away.
 */
import type { Socket } from 'node:net';
import {
  after,
  type Frame,
  type Manner,
  type NastyServer,
  openNastyServer,
  type Request,
  tcpFrame,
} from './nasty-server.ts';

export const FAULTS = [
  ...['late', 'very late', 'wrong transaction', 'answer to the previous request', 'previous under this number'],
  ...['repeats itself', 'split frames', 'merged frames', 'exception 2', 'exception 4', 'exception 11', 'unit 0'],
  ...['one connection only', 'accepts and never answers', 'dropped peer', 'half of all lost', 'garbage'],
  ...['wrong length', 'endless length', 'wrong byte count', 'wrong function', 'hangs up'],
] as const;
export type FaultKind = (typeof FAULTS)[number];

export type FaultyGateway = {
  port: number;
  server: NastyServer;
  /** null: none. */
  fault: FaultKind | null;
  /** Units that are silent, whatever the fault. */
  dead: Set<number>;
  close(): Promise<void>;
};

const BLOCK = 4;

/** Four registers say: unit, address of the four, and the time in ms (32 bits); as u64 that is exact for units below 32. */
export function encodedWord(unit: number, address: number, now_ms: number): number {
  const place = address % BLOCK;
  const time = now_ms >>> 0;
  return [unit, address - place, time >>> 16, time & 0xffff][place]!;
}

/** Whether the low 16 bits of a time lie between two instants less than 65 s apart; they begin anew every 65,536 ms. */
export function isTimeBetween(word: number, from_ms: number, to_ms: number): boolean {
  return ((word - from_ms) & 0xffff) <= ((to_ms - from_ms) & 0xffff);
}

/** What a value of four registers says of itself. */
export function decodeTold(value: number): { unit: number; address: number; at_ms: number } {
  const rest = value % 2 ** 48;
  return { unit: Math.floor(value / 2 ** 48), address: Math.floor(rest / 2 ** 32), at_ms: rest % 2 ** 32 };
}

/** @param now_ms whole milliseconds below 2^32. */
export async function openFaultyGateway(
  random: () => number,
  now_ms: () => number,
  delay_ms = 4,
): Promise<FaultyGateway> {
  const words = ({ unit, address, count }: Request) =>
    Array.from({ length: count }, (_, i) => encodedWord(unit, address + i, now_ms()));
  /** Answers that were held back, oldest first; and the last one given. */
  let held: { request: Request; words: number[] }[] = [];
  let last: { request: Request; words: number[] } | null = null;
  const mute = new WeakSet<Socket>();

  const answer: Manner = async (request, socket) => {
    if (gateway.dead.has(request.unit)) return 'silent';
    await after(delay_ms, null);
    const now = { request, words: words(request) };
    if (mute.has(socket)) return 'silent';
    const frame = await faulty(gateway.fault, now, socket);
    if (frame !== 'silent' && frame !== 'drop') last = now;
    return frame;
  };

  async function faulty(
    fault: FaultKind | null,
    now: { request: Request; words: number[] },
    socket: Socket,
  ): Promise<Frame | 'silent' | 'drop'> {
    const { request } = now;
    if (fault !== 'answer to the previous request' && fault !== 'previous under this number') held = [];
    const bytes = tcpFrame(request, { words: now.words });
    switch (fault) {
      case 'late':
        return after(1000 + 1500 * random(), { words: now.words });
      case 'very late':
        return after(4000 + 4000 * random(), { words: now.words });
      case 'wrong transaction':
        return { transaction: Math.floor(random() * 0x10000), words: now.words };
      case 'answer to the previous request':
      case 'previous under this number': {
        held.push(now);
        if (held.length < 2) return 'silent';
        const late = held.shift()!;
        const isOwn = fault === 'answer to the previous request';
        const transaction = (isOwn ? late : now).request.transaction;
        return { transaction, unit: request.unit, code: request.code, words: late.words };
      }
      case 'repeats itself':
        return { words: last?.words ?? now.words };
      case 'split frames':
        for (const byte of bytes) {
          socket.write(Buffer.from([byte]));
          if (random() < 0.2) await after(1, null);
        }
        return 'silent';
      case 'merged frames':
        return { raw: Buffer.concat([...(last ? [tcpFrame(last.request, { words: last.words })] : []), bytes]) };
      case 'exception 2':
        return { exception: 2 };
      case 'exception 4':
        return { exception: 4 };
      case 'exception 11':
        return { exception: 11 };
      case 'unit 0':
        return { unit: 0, words: now.words };
      case 'half of all lost':
        return random() < 0.5 ? 'silent' : { words: now.words };
      case 'accepts and never answers':
        return 'silent';
      case 'dropped peer':
        // What was connected when it began stays mute for ever; who connects anew is served.
        mute.add(socket);
        return 'silent';
      case 'garbage':
        return { raw: Buffer.from(Array.from({ length: 1 + Math.floor(random() * 300) }, () => random() * 256)) };
      case 'wrong length':
        return { raw: changed(bytes, 5, 1 + Math.floor(random() * 20)) };
      case 'endless length':
        return { raw: changed(bytes, 4, 0xff) };
      case 'wrong byte count':
        return { raw: changed(bytes, 8, Math.floor(random() * 256)) };
      case 'wrong function':
        return { code: request.code === 3 ? 4 : 3, words: now.words };
      case 'hangs up':
      case 'one connection only':
        return 'drop';
      case null:
        return { words: now.words };
    }
  }

  const server = await openNastyServer(answer);
  const gateway: FaultyGateway = {
    port: server.port,
    server,
    dead: new Set(),
    get fault() {
      return current;
    },
    set fault(kind) {
      current = kind;
      // Somebody else holds the one connection that it serves.
      server.most = kind === 'one connection only' ? 0 : 10;
    },
    close: () => server.close(),
  };
  let current: FaultKind | null = null;
  return gateway;
}

function changed(bytes: Buffer, at: number, to: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(to, at);
  return copy;
}
