/** Structured logs (pino, JSON lines on standard output). Fields: request_id, tenant_id, route, latency_ms. */
import { type DestinationStream, type Logger, pino } from 'pino';

/** Names of fields whose values must never reach a log, wherever a careless object carries them. */
const SECRET = /(token|password|passwd|key|secret|authorization|cookie)$/i;
/** The user and password of an address. */
const CREDENTIALS = /\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi;
const CENSORED = '[Redacted]';
/** What lies deeper is told by its kind only: such objects are connections and the like, not facts. */
const MOST_DEEP = 6;

/** @param destination file descriptor or stream; the command line logs to standard error. */
export function createLog(level: string, destination: 1 | 2 | DestinationStream = 1): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { log: (fields) => shownFields(fields, 0) },
      // The fields are plain by now; pino's own would take every property of an error.
      serializers: { err: (shown: unknown) => shown },
    },
    typeof destination === 'number' ? pino.destination({ dest: destination, sync: destination === 2 }) : destination,
  );
}

function shownFields(fields: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, SECRET.test(name) ? censored(value) : shown(value, depth)]),
  );
}

/** Numbers and absent values tell no secret. */
function censored(value: unknown): unknown {
  return value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : CENSORED;
}

function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutCredentials(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return shownError(value, depth);
  if (value instanceof Date) return value;
  if (depth >= MOST_DEEP || ArrayBuffer.isView(value)) return `[${value.constructor?.name ?? 'object'}]`;
  if (Array.isArray(value)) return value.map((item) => shown(item, depth + 1));
  return shownFields(value, depth + 1);
}

/** An error of a library may carry its whole connection, so only what says what happened is told. */
function shownError(error: Error, depth: number): Record<string, unknown> {
  const { name, message, stack, cause } = error;
  const { code } = error as { code?: unknown };
  return {
    type: name,
    message: withoutCredentials(message),
    ...(code === undefined ? {} : { code }),
    ...(stack === undefined ? {} : { stack: withoutCredentials(stack) }),
    ...(cause === undefined || depth >= MOST_DEEP ? {} : { cause: shown(cause, depth + 1) }),
  };
}

function withoutCredentials(text: string): string {
  return text.replace(CREDENTIALS, '$1***@');
}
