/** One connection to a bus, whatever carries it. */
import type { Identification } from './pdu.ts';
import type { FunctionCode } from './plan.ts';
import { openSerialConnection } from './serial-connection.ts';
import { openTcpConnection } from './tcp-connection.ts';

/** Where a bus is: `rtu` frames over TCP are what simple serial gateways speak. */
export type BusEndpoint =
  | { kind: 'tcp'; host: string; port: number; framing: 'tcp' | 'rtu' }
  | { kind: 'serial'; path: string; baud: number; parity: 'none' | 'even' | 'odd'; stop_bits: 1 | 2 };

/** Name for people and logs, and the key under which devices share a bus. */
export function endpointName(endpoint: BusEndpoint): string {
  return endpoint.kind === 'tcp' ? `${endpoint.host}:${endpoint.port}` : endpoint.path;
}

/** What all who share a bus must agree on, in words. */
export function lineSettings(endpoint: BusEndpoint): string {
  if (endpoint.kind === 'tcp') return endpoint.framing === 'tcp' ? 'Modbus TCP frames' : 'RTU frames over TCP';
  const { baud, parity, stop_bits } = endpoint;
  return `${baud} baud, parity ${parity}, ${stop_bits} stop ${stop_bits === 1 ? 'bit' : 'bits'}`;
}

/** Rejects ModbusException (refused), ModbusTimeout (no answer in time), UnavailableError (the line is gone), or Error
 * for an answer that is none to the request. One request at a time. */
export type Connection = {
  /** Frames carry a transaction number, so that a late answer cannot be taken for that of a later request. */
  readonly numbered: boolean;
  read(unit: number, code: FunctionCode, address: number, count: number, timeout_ms: number): Promise<Buffer>;
  /** Holding registers from `address` on; resolves once the device has repeated what was written. */
  write(unit: number, address: number, words: readonly number[], timeout_ms: number): Promise<void>;
  /** Read Device Identification (function 43/14). */
  identify(unit: number, timeout_ms: number): Promise<Identification>;
  /** Whether the other end is still there, as far as is known. */
  isOpen(): boolean;
  close(): void;
};

/** Rejects UnavailableError in words. */
export function openConnection(endpoint: BusEndpoint, timeout_ms: number): Promise<Connection> {
  return endpoint.kind === 'tcp' ? openTcpConnection(endpoint, timeout_ms) : openSerialConnection(endpoint);
}
