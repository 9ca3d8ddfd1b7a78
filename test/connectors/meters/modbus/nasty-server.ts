/** A Modbus TCP server on loopback whose manners a test chooses, request by request. */

import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

export type Request = { transaction: number; unit: number; code: number; address: number; count: number };
export type Frame = {
  transaction?: number;
  unit?: number;
  code?: number;
  words?: number[];
  exception?: number;
  raw?: Buffer;
};
/** What to do with a request: answer (now or later), be silent, or drop the connection. */
export type Manner = (
  request: Request,
  socket: Socket,
) => Frame | 'silent' | 'drop' | Promise<Frame | 'silent' | 'drop'>;

export type NastyServer = {
  port: number;
  requests: Request[];
  connections(): number;
  /** How many connections were ever made. */
  accepted(): number;
  manner: Manner;
  /** Accept no connection beyond these at once (the rest is closed at once). */
  most: number;
  close(): Promise<void>;
};

/** Answers every register with its own address, unless told otherwise. */
export const echo: Manner = ({ address, count }) => ({
  words: Array.from({ length: count }, (_, i) => (address + i) & 0xffff),
});

export async function openNastyServer(manner: Manner = echo, port = 0, rtu = false): Promise<NastyServer> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server: Server = createServer((socket) => {
    accepted += 1;
    if (sockets.size >= nasty.most) return socket.destroy();
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let buffer = Buffer.alloc(0);
    socket.on('data', (data) => {
      buffer = Buffer.concat([buffer, data]);
      const size = () => (rtu ? 8 : buffer.length < 6 ? 6 : 6 + buffer.readUInt16BE(4));
      for (let length = size(); buffer.length >= length; length = size()) {
        void handle(buffer.subarray(0, length), socket);
        buffer = buffer.subarray(length);
      }
    });
  });
  async function handle(bytes: Buffer, socket: Socket): Promise<void> {
    const body = rtu ? bytes : bytes.subarray(6);
    const request: Request = {
      transaction: rtu ? 0 : bytes.readUInt16BE(0),
      unit: body[0]!,
      code: body[1]!,
      // Read Device Identification has no registers: its sub-function and object stand here.
      address: body.readUInt16BE(2),
      count: body.length < 6 ? 0 : body.readUInt16BE(4),
    };
    nasty.requests.push(request);
    const frame = await nasty.manner(request, socket);
    if (frame === 'drop') socket.destroy();
    else if (frame !== 'silent' && !socket.destroyed)
      socket.write(frame.raw ?? (rtu ? rtuFrame : tcpFrame)(request, frame));
  }
  const nasty: NastyServer = {
    port,
    requests: [],
    connections: () => sockets.size,
    accepted: () => accepted,
    manner,
    most: 10,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  nasty.port = (server.address() as AddressInfo).port;
  return nasty;
}

function pdu(request: Request, { code = request.code, words = [], exception, unit = request.unit }: Frame): Buffer {
  if (exception !== undefined) return Buffer.from([unit, code | 0x80, exception]);
  const bytes = Buffer.alloc(3 + 2 * words.length);
  bytes.set([unit, code, 2 * words.length]);
  for (const [i, word] of words.entries()) bytes.writeUInt16BE(word, 3 + 2 * i);
  return bytes;
}

export function tcpFrame(request: Request, frame: Frame): Buffer {
  const body = pdu(request, frame);
  const header = Buffer.alloc(6);
  header.writeUInt16BE(frame.transaction ?? request.transaction, 0);
  header.writeUInt16BE(body.length, 4);
  return Buffer.concat([header, body]);
}

function rtuFrame(request: Request, frame: Frame): Buffer {
  const body = pdu(request, frame);
  let crc = 0xffff;
  for (const byte of body) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return Buffer.concat([body, Buffer.from([crc & 0xff, crc >>> 8])]);
}

export const after = <T>(ms: number, value: T): Promise<T> => new Promise((resolve) => setTimeout(resolve, ms, value));
