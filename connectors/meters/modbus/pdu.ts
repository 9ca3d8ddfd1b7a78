/** What is asked of a device, and what an answer to it must look like. Pure. */
import type { FunctionCode } from './plan.ts';
import { ModbusException } from './request.ts';

export function readRequest(code: FunctionCode, address: number, count: number): Buffer {
  const pdu = Buffer.alloc(5);
  pdu.writeUInt8(code, 0);
  pdu.writeUInt16BE(address, 1);
  pdu.writeUInt16BE(count, 3);
  return pdu;
}

/** @returns 2 × `count` bytes. @throws ModbusException where the device refuses, Error where it is another answer. */
export function decodeRead(pdu: Buffer, code: FunctionCode, address: number, count: number): Buffer {
  if (pdu[0] === (code | 0x80) && pdu.length === 2) throw new ModbusException(pdu[1]!, address, count);
  if (pdu[0] !== code) throw new Error(`function ${pdu[0]} was answered instead of ${code}`);
  if (pdu.length !== 2 + 2 * count || pdu[1] !== 2 * count)
    throw new Error(`${pdu.length - 2} bytes came instead of ${2 * count}`);
  return pdu.subarray(2);
}

/** Function 6 for one register, 16 for several. Source: Modbus Application Protocol 1.1b3, chapters 6.6 and 6.12. */
export function writeRequest(address: number, words: readonly number[]): Buffer {
  const [first] = words;
  if (words.length === 1) {
    const pdu = Buffer.alloc(5);
    pdu.writeUInt8(WRITE_ONE, 0);
    pdu.writeUInt16BE(address, 1);
    pdu.writeUInt16BE(first! & 0xffff, 3);
    return pdu;
  }
  const pdu = Buffer.alloc(6 + 2 * words.length);
  pdu.writeUInt8(WRITE_SEVERAL, 0);
  pdu.writeUInt16BE(address, 1);
  pdu.writeUInt16BE(words.length, 3);
  pdu.writeUInt8(2 * words.length, 5);
  words.forEach((word, i) => {
    pdu.writeUInt16BE(word & 0xffff, 6 + 2 * i);
  });
  return pdu;
}
const WRITE_ONE = 6;
const WRITE_SEVERAL = 16;

/** @throws as decodeRead does; the answer must repeat what was written. */
export function checkWritten(pdu: Buffer, address: number, words: readonly number[]): void {
  const code = words.length === 1 ? WRITE_ONE : WRITE_SEVERAL;
  if (pdu[0] === (code | 0x80) && pdu.length === 2) throw new ModbusException(pdu[1]!, address, words.length);
  const told = words.length === 1 ? words[0]! & 0xffff : words.length;
  if (pdu[0] !== code || pdu.length !== 5 || pdu.readUInt16BE(1) !== address || pdu.readUInt16BE(3) !== told)
    throw new Error(`function ${pdu[0]} answered something else than was written`);
}

/** Maker, product and version as the device names itself: objects 0 to 2 of Read Device Identification. */
export type Identification = { vendor: string; product: string; version: string };

const READ_DEVICE_ID = 0x2b;
const MEI_TYPE = 0x0e;
const BASIC = 1;

/** Function 43/14, basic stream. Source: Modbus Application Protocol 1.1b3, chapter 6.21. */
export function identificationRequest(from_object: number): Buffer {
  return Buffer.from([READ_DEVICE_ID, MEI_TYPE, BASIC, from_object]);
}

/** @returns the objects of this answer and the object to go on with (null: that was all). @throws as decodeRead does. */
export function decodeIdentification(pdu: Buffer): { objects: Map<number, string>; next: number | null } {
  if (pdu[0] === (READ_DEVICE_ID | 0x80) && pdu.length === 2) throw new ModbusException(pdu[1]!, 0, 1);
  if (pdu[0] !== READ_DEVICE_ID || pdu[1] !== MEI_TYPE || pdu.length < 7)
    throw new Error('that is no device identification');
  const objects = new Map<number, string>();
  for (let at = 7, left = pdu[6]!; left > 0 && at + 2 <= pdu.length; left--) {
    const end = at + 2 + pdu[at + 1]!;
    objects.set(pdu[at]!, plainText(pdu.subarray(at + 2, end)));
    at = end;
  }
  return { objects, next: pdu[4] === 0xff ? pdu[5]! : null };
}

/** Text of a device for people: printable characters only. */
export function plainText(bytes: Buffer): string {
  const text = bytes.toString('latin1').split('\0')[0]!;
  return [...text]
    .filter((letter) => letter >= ' ' && letter !== '\x7f' && !(letter >= '\x80' && letter < '\xa0'))
    .join('')
    .trim()
    .slice(0, 100);
}
