/**
 * One bus (a TCP address or a serial port) and its one queue: the devices on it take turns, one request at a time, so
 * that devices behind the same gateway, or one that takes a single connection, are served.
 */
import { UnavailableError } from '../../../engine/errors.ts';
import type { Closable } from '../../../engine/ports.ts';
import { type BusEndpoint, endpointName, lineSettings } from './connection.ts';
import { createDoubt } from './doubt.ts';
import { createLine, noAnswer, type Outcome } from './line.ts';
import type { Identification } from './pdu.ts';
import type { FunctionCode } from './plan.ts';
import { ModbusException } from './request.ts';

export type ReadOptions = {
  signal?: AbortSignal | undefined;
  /** A person waits, or nobody knows whether there is such a unit: ask it although it rests. */
  urgent?: boolean;
  /** Longest wait for this answer; implies that silence is expected and says nothing of the unit or the line. */
  deadline_ms?: number;
};

/** All reject ModbusException (refused) or UnavailableError (no connection, no answer, at rest, closed, aborted). */
export type ModbusBus = Closable & {
  readonly name: string;
  /** Makes the connection, where there is none, before anything is asked. Rejects UnavailableError in words. */
  connect(signal?: AbortSignal): Promise<void>;
  read(unit: number, code: FunctionCode, address: number, count: number, options?: ReadOptions): Promise<Buffer>;
  /** Holding registers from `address` on, each 0 to 65,535 (negative ones as two's complement). */
  write(unit: number, address: number, words: readonly number[], options?: ReadOptions): Promise<void>;
  /** How the device names itself (function 43/14). */
  identify(unit: number, options?: ReadOptions): Promise<Identification>;
};

export type BusOptions = {
  /** Longest wait for one answer. */
  timeout_ms?: number;
  connect_timeout_ms?: number;
  /** Told the outcome of each request: `answered`, `exception`, `timeout`, `failed`. */
  onOutcome?: (outcome: Outcome) => void;
};

/** Connects with the first request, and again by itself whenever the connection is gone. */
export function openModbusBus(endpoint: BusEndpoint, options: BusOptions = {}): ModbusBus {
  const { timeout_ms = 1500, connect_timeout_ms = 3000, onOutcome = () => undefined } = options;
  const name = endpointName(endpoint);
  const doubt = createDoubt(() => performance.now());
  const line = createLine(endpoint, { timeout_ms, connect_timeout_ms }, doubt, onOutcome);
  let last: { place: string; words: Buffer } | null = null;
  let closed = false;
  let tail: Promise<unknown> = Promise.resolve();

  async function read(unit: number, code: FunctionCode, address: number, count: number, deadline_ms?: number) {
    const words = (n: number) =>
      line.ask({ unit, deadline_ms, count: n, send: (on, limit_ms) => on.read(unit, code, address, n, limit_ms) });
    const believed = async () => {
      const first = doubt.before(count);
      if (first !== null) await words(first).catch(refusedIsFine(() => doubt.suspect(first)));
      return words(count);
    };
    const place = `${unit}/${code}/${address}`;
    let answer = await believed();
    // The same bytes from another place: a gateway that repeats itself, or chance. Asked again it would show.
    if (last && last.place !== place && last.words.equals(answer) && doubt.mayBeRepeated(answer)) {
      doubt.suspect(count);
      const again = await believed();
      if (again.equals(answer)) doubt.clear(answer);
      answer = again;
    }
    last = { place, words: answer };
    return answer;
  }

  function inTurn<T>(what: string, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const turn = tail.then(() => {
      if (closed) throw new UnavailableError(`The bus ${name} was closed.`);
      if (signal?.aborted) throw new UnavailableError(`Reading ${what} was stopped.`);
      return work();
    });
    tail = turn.catch(() => undefined);
    return turn;
  }

  const queued = <T>(unit: number, options: ReadOptions, work: () => Promise<T>): Promise<T> =>
    inTurn(`${name} unit ${unit}`, options.signal, () => {
      if (!options.urgent && options.deadline_ms === undefined && line.rest(unit) > 0) throw noAnswer(name, unit);
      return work();
    });

  return {
    name,
    connect: (signal) => inTurn(name, signal, line.connect),
    read: (unit, code, address, count, options = {}) =>
      queued(unit, options, () => read(unit, code, address, count, options.deadline_ms)),
    write: (unit, address, words, options = {}) =>
      queued(unit, options, () =>
        // Its answer has the length of none to a read.
        line.ask({
          unit,
          count: 0,
          deadline_ms: options.deadline_ms,
          send: (on, limit_ms) => on.write(unit, address, words, limit_ms),
        }),
      ),
    identify: (unit, options = {}) =>
      queued(unit, options, () =>
        // Its answer has the length of none to a read.
        line.ask({
          unit,
          count: 0,
          deadline_ms: options.deadline_ms,
          send: (on, limit_ms) => on.identify(unit, limit_ms),
        }),
      ),
    async close() {
      closed = true;
      line.drop();
      await tail;
      line.drop();
    },
  };
}

/** A device that refuses a part of what it gives as a whole has answered all the same. */
function refusedIsFine(then: () => void): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof ModbusException) || error.isGateway) throw error;
    then();
  };
}

/** The buses of the box: whoever asks for the same endpoint shares its queue; the last to leave closes it. */
export type BusRegistry = Closable & {
  /** @throws UnavailableError while the bus is used with other settings. */
  acquire(endpoint: BusEndpoint): { bus: ModbusBus; release(): Promise<void> };
};

export function createBusRegistry(options: BusOptions = {}): BusRegistry {
  const buses = new Map<string, { bus: ModbusBus; users: number; settings: string }>();
  return {
    acquire(endpoint) {
      const key = endpointName(endpoint);
      const settings = lineSettings(endpoint);
      const entry = buses.get(key) ?? { bus: openModbusBus(endpoint, options), users: 0, settings };
      if (entry.settings !== settings)
        throw new UnavailableError(
          `${key} is in use with ${entry.settings}, so that it cannot be used with ${settings}.`,
          'Give all devices on it the same settings, or switch the others off first.',
        );
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
