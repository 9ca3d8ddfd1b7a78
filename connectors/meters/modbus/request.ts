/** One read over Modbus, and the ways in which it fails. */
import type { FunctionCode } from './plan.ts';

/**
 * Reads registers of one device.
 * @returns 2 × `count` bytes as they came. Rejects ModbusException when the device refuses, UnavailableError when it
 * does not answer.
 */
export type RegisterRead = (code: FunctionCode, address: number, count: number) => Promise<Buffer>;

const WORDS: Readonly<Record<number, string>> = {
  1: 'it does not know the function code',
  2: 'it has no such register',
  3: 'it does not like the number of registers',
  4: 'it reports a failure of its own',
  5: 'it needs longer for the answer',
  6: 'it is busy',
  8: 'it reports a memory error',
  10: 'the gateway has no path to it',
  11: 'the gateway got no answer from it',
};

/** No answer came in time. */
export class ModbusTimeout extends Error {}

/** The device (or the gateway before it) answered, with an exception. */
export class ModbusException extends Error {
  readonly code: number;
  constructor(code: number, address: number, count: number) {
    super(`The device refuses registers ${address} to ${address + count - 1}: ${WORDS[code] ?? `exception ${code}`}.`);
    this.name = 'ModbusException';
    this.code = code;
  }
  /** Another choice of registers may work: illegal address or illegal value. */
  get isAddress(): boolean {
    return this.code === 2 || this.code === 3;
  }
  /** The gateway speaks, the device behind it does not. */
  get isGateway(): boolean {
    return this.code === 10 || this.code === 11;
  }
}
