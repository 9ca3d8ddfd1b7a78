/**
 * One bus (a TCP address or a serial port) and its one queue: the devices on it take turns, one request at a time, so
 * that devices behind the same gateway, or one that takes a single connection, are served.
 */
import { UnavailableError } from '../../../engine/errors.ts';
import type { Closable } from '../../../engine/ports.ts';
import { type BusEndpoint, type Connection, endpointName, ModbusTimeout, openConnection } from './connection.ts';
import type { FunctionCode } from './plan.ts';
import { ModbusException } from './request.ts';

export type ModbusBus = Closable & {
  readonly name: string;
  /** Rejects ModbusException (refused) or UnavailableError (no connection, no answer, closed, aborted). */
  read(unit: number, code: FunctionCode, address: number, count: number, signal?: AbortSignal): Promise<Buffer>;
};

export type BusOptions = {
  /** Longest wait for one answer. */
  timeout_ms?: number;
  connect_timeout_ms?: number;
  /** Told the outcome of each request: `answered`, `exception`, `timeout`, `failed`. */
  onOutcome?: (outcome: 'answered' | 'exception' | 'timeout' | 'failed') => void;
};

/** After so many requests in a row without an answer the connection itself is doubted and made anew. */
const TIMEOUTS_UNTIL_RECONNECT = 2;

/** Connects with the first request, and again by itself whenever the connection is gone. */
export function openModbusBus(endpoint: BusEndpoint, options: BusOptions = {}): ModbusBus {
  const { timeout_ms = 1500, connect_timeout_ms = 3000, onOutcome = () => undefined } = options;
  const name = endpointName(endpoint);
  let connection: Connection | null = null;
  let timeouts = 0;
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();

  const drop = () => {
    connection?.close();
    connection = null;
    timeouts = 0;
  };

  const send = async (unit: number, code: FunctionCode, address: number, count: number): Promise<Buffer> => {
    if (connection && !connection.isOpen()) drop();
    connection ??= await openConnection(endpoint, connect_timeout_ms);
    try {
      const words = await connection.read(unit, code, address, count, timeout_ms);
      timeouts = 0;
      onOutcome('answered');
      return words;
    } catch (error) {
      if (error instanceof ModbusException) {
        timeouts = 0;
        onOutcome('exception');
        throw error;
      }
      onOutcome(error instanceof ModbusTimeout ? 'timeout' : 'failed');
      timeouts += 1;
      // Frames without a number: what comes late would be taken for the next answer. So the line is made anew.
      // A frame that makes no sense leaves the stream in an unknown place: likewise.
      if (!(error instanceof ModbusTimeout) || !connection?.numbered || timeouts >= TIMEOUTS_UNTIL_RECONNECT) drop();
      throw inWords(error, name, unit);
    }
  };

  return {
    name,
    read(unit, code, address, count, signal) {
      const turn = tail.then(() => {
        if (closed) throw new UnavailableError(`The bus ${name} was closed.`);
        if (signal?.aborted) throw new UnavailableError(`Reading ${name} unit ${unit} was stopped.`);
        return send(unit, code, address, count);
      });
      tail = turn.catch(() => undefined);
      return turn;
    },
    async close() {
      closed = true;
      drop();
      await tail;
      drop();
    },
  };
}

function inWords(error: unknown, name: string, unit: number): UnavailableError {
  if (error instanceof UnavailableError) return error;
  if (error instanceof ModbusTimeout)
    return new UnavailableError(`No answer from ${name} unit ${unit}.`, 'Is it powered, is the address right?', {
      cause: error,
    });
  return new UnavailableError(
    `${name} unit ${unit} answers something else than was asked (${(error as Error).message}).`,
    'Check that no other program uses this bus and that the serial settings are right.',
    { cause: error },
  );
}

/** The buses of the box: whoever asks for the same endpoint shares its queue; the last to leave closes it. */
export type BusRegistry = Closable & {
  acquire(endpoint: BusEndpoint): { bus: ModbusBus; release(): Promise<void> };
};

export function createBusRegistry(options: BusOptions = {}): BusRegistry {
  const buses = new Map<string, { bus: ModbusBus; users: number }>();
  return {
    acquire(endpoint) {
      const key = endpointName(endpoint);
      const entry = buses.get(key) ?? { bus: openModbusBus(endpoint, options), users: 0 };
      entry.users += 1;
      buses.set(key, entry);
      let held = true;
      return {
        bus: entry.bus,
        async release() {
          if (!held) return;
          held = false;
          entry.users -= 1;
          if (entry.users > 0) return;
          buses.delete(key);
          await entry.bus.close();
        },
      };
    },
    async close() {
      const open = [...buses.values()];
      buses.clear();
      await Promise.all(open.map(({ bus }) => bus.close()));
    },
  };
}
