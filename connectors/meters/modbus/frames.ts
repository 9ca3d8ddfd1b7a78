/**
 * Frames of Modbus TCP and of RTU over TCP: made from requests, found in the stream of answers. Pure. Sources: Modbus
 * Application Protocol 1.1b3; Modbus Messaging on TCP/IP 1.0b, chapter 3.1.3 (MBAP); Modbus over Serial Line 1.02 (CRC).
 */

/** What came cannot be an answer: the place in the stream is lost, the connection has to be made anew. */
export class BrokenStream extends Error {}

/** `transaction` is null where frames carry no number. `pdu` begins with the function code. */
export type Frame = { transaction: number | null; unit: number; pdu: Buffer };

/** @returns the first frame and how many bytes it took, or null while it is not complete. @throws BrokenStream */
export type FrameReader = (bytes: Buffer) => { frame: Frame; length: number } | null;

const MBAP_BYTES = 7;
const LARGEST_PDU_BYTES = 253;

export function tcpRequest(transaction: number, unit: number, pdu: Buffer): Buffer {
  const bytes = Buffer.alloc(MBAP_BYTES + pdu.length);
  bytes.writeUInt16BE(transaction, 0);
  bytes.writeUInt16BE(1 + pdu.length, 4);
  bytes.writeUInt8(unit, 6);
  pdu.copy(bytes, MBAP_BYTES);
  return bytes;
}

export const readTcpFrame: FrameReader = (bytes) => {
  if (bytes.length < MBAP_BYTES + 1) return null;
  const length = bytes.readUInt16BE(4);
  if (bytes.readUInt16BE(2) !== 0) throw new BrokenStream('what came is no Modbus TCP frame');
  if (length < 3 || length > 1 + LARGEST_PDU_BYTES) throw new BrokenStream(`a frame of ${length} bytes is none`);
  if (bytes.length < 6 + length) return null;
  const frame = { transaction: bytes.readUInt16BE(0), unit: bytes.readUInt8(6), pdu: copy(bytes, 7, 6 + length) };
  return { frame, length: 6 + length };
};

export function rtuRequest(unit: number, pdu: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from([unit]), pdu]);
  const crc = crc16(body);
  return Buffer.concat([body, Buffer.from([crc & 0xff, crc >>> 8])]);
}

export const readRtuFrame: FrameReader = (bytes) => {
  const pdu_bytes = answerLength(bytes.subarray(1));
  if (pdu_bytes === null || bytes.length < 1 + pdu_bytes + 2) return null;
  if (crc16(bytes.subarray(0, 1 + pdu_bytes)) !== bytes.readUInt16LE(1 + pdu_bytes))
    throw new BrokenStream('the checksum of a frame is wrong');
  const frame = { transaction: null, unit: bytes.readUInt8(0), pdu: copy(bytes, 1, 1 + pdu_bytes) };
  return { frame, length: 1 + pdu_bytes + 2 };
};

/** Bytes of the answer that begins here, as far as it tells; null while too little is there. @throws BrokenStream */
function answerLength(pdu: Buffer): number | null {
  const code = pdu[0];
  if (code === undefined) return null;
  if (code & 0x80) return 2;
  if (code === 3 || code === 4) return pdu[1] === undefined ? null : 2 + pdu[1];
  // what was written is repeated: function, address, and value or count
  if (code === 6 || code === 16) return 5;
  if (code === 0x2b) return identificationLength(pdu);
  throw new BrokenStream(`an answer with function code ${code} was not asked for`);
}

function identificationLength(pdu: Buffer): number | null {
  let at = 7;
  for (let left = pdu[6] ?? -1; left !== 0; left--) {
    const length = pdu[at + 1];
    if (left < 0 || length === undefined) return null;
    at += 2 + length;
  }
  return at;
}

function copy(bytes: Buffer, from: number, to: number): Buffer {
  return Buffer.from(bytes.subarray(from, to));
}

function crc16(bytes: Buffer): number {
  let crc = 0xffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1;
  }
  return crc;
}
