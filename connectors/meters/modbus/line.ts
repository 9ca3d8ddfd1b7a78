/** The wire of a bus: its connection, made when it is needed, and what the outcome of each request says of line and unit. */
import { UnavailableError } from '../../../engine/errors.ts';
import { type BusEndpoint, type Connection, endpointName, openConnection } from './connection.ts';
import type { Doubt } from './doubt.ts';
import { createLineHealth } from './line-health.ts';
import { ModbusException, ModbusTimeout } from './request.ts';

export type Outcome = 'answered' | 'exception' | 'timeout' | 'failed';

/** A request; `count` is how many registers its answer holds. A `deadline_ms` means that silence is expected. */
export type Ask<T> = {
  unit: number;
  count: number;
  deadline_ms: number | undefined;
  send(on: Connection, limit_ms: number): Promise<T>;
};

export type Line = {
  /** Rejects ModbusException or UnavailableError. */
  ask<T>(request: Ask<T>): Promise<T>;
  /** Makes the connection where there is none. Rejects UnavailableError in words. */
  connect(): Promise<void>;
  /** Milliseconds that the unit still rests because it is dead while others answer. */
  rest(unit: number): number;
  drop(): void;
};

/** After so many requests in a row without an answer the connection itself is doubted and made anew. */
const TIMEOUTS_UNTIL_RECONNECT = 2;
/** Where connections keep failing, those who wait share one outcome for this long. */
const CONNECT_PAUSE_MS = 500;
const FAILURES_UNTIL_PAUSE = 3;

export function createLine(
  endpoint: BusEndpoint,
  limits: { timeout_ms: number; connect_timeout_ms: number },
  doubt: Doubt,
  onOutcome: (outcome: Outcome) => void,
): Line {
  const name = endpointName(endpoint);
  const health = createLineHealth(limits.timeout_ms, () => performance.now());
  const reach = createReach(endpoint, limits.connect_timeout_ms);
  let timeouts = 0;

  const drop = () => {
    reach.drop();
    timeouts = 0;
  };

  function refused(error: ModbusException, { unit, count, deadline_ms }: Ask<unknown>, took_ms: number): void {
    timeouts = 0;
    onOutcome('exception');
    if (error.isGateway) {
      // The gateway gave up; the unit's answer may still come, and go to whoever asks next.
      doubt.add(count);
      if (deadline_ms === undefined) health.silent(unit, took_ms);
    } else health.answered(unit, took_ms);
  }

  function failed(error: unknown, request: Ask<unknown>, took_ms: number, isNumbered: boolean): void {
    const { unit, count, deadline_ms } = request;
    const isSilence = error instanceof ModbusTimeout;
    if (deadline_ms === undefined && !health.isOnlyDead(unit)) timeouts += 1;
    if (deadline_ms === undefined) health.silent(unit, took_ms);
    doubt.add(count);
    onOutcome(isSilence ? 'timeout' : 'failed');
    // Frames without a number: what comes late would be taken for the next answer. So the line is made anew.
    // A frame that makes no sense leaves the stream in an unknown place: likewise.
    if (!isSilence || !isNumbered || timeouts >= TIMEOUTS_UNTIL_RECONNECT) drop();
  }

  return {
    rest: health.rest,
    drop,
    async connect() {
      await reach.connection();
    },
    async ask(request) {
      const { unit, count, deadline_ms, send } = request;
      const connection = await reach.connection();
      const begun_ms = performance.now();
      const took_ms = () => performance.now() - begun_ms;
      try {
        const answer = await send(connection, deadline_ms ?? health.deadline(unit));
        timeouts = 0;
        health.answered(unit, took_ms());
        doubt.settle(count);
        onOutcome('answered');
        return answer;
      } catch (error) {
        if (error instanceof ModbusException) {
          refused(error, request, took_ms());
          throw error;
        }
        failed(error, request, took_ms(), connection.numbered);
        throw inWords(error, name, unit);
      }
    },
  };
}

/** The connection, made when it is needed. */
function createReach(endpoint: BusEndpoint, connect_timeout_ms: number) {
  let connection: Connection | null = null;
  let failed: { times: number; at_ms: number; error: unknown } = { times: 0, at_ms: 0, error: null };
  return {
    drop() {
      connection?.close();
      connection = null;
    },
    async connection(): Promise<Connection> {
      if (connection?.isOpen()) return connection;
      connection?.close();
      connection = null;
      if (failed.times >= FAILURES_UNTIL_PAUSE && performance.now() - failed.at_ms < CONNECT_PAUSE_MS)
        throw failed.error;
      try {
        connection = await openConnection(endpoint, connect_timeout_ms);
        failed = { times: 0, at_ms: 0, error: null };
        return connection;
      } catch (error) {
        failed = { times: failed.times + 1, at_ms: performance.now(), error };
        throw error;
      }
    },
  };
}

export function noAnswer(name: string, unit: number, cause?: unknown): UnavailableError {
  return new UnavailableError(`No answer from ${name} unit ${unit}.`, 'Is it powered, is the address right?', {
    cause,
    words: { code: 'no_answer', params: { name, unit: String(unit) } },
  });
}

function inWords(error: unknown, name: string, unit: number): UnavailableError {
  if (error instanceof UnavailableError) return error;
  if (error instanceof ModbusTimeout) return noAnswer(name, unit, error);
  return new UnavailableError(
    `${name} unit ${unit} answers something else than was asked (${(error as Error).message}).`,
    'Check that no other program uses this bus and that the serial settings are right.',
    { cause: error, words: { code: 'garbled', params: { name, unit: String(unit) } } },
  );
}
