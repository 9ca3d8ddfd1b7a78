/** Structured logs (pino, JSON lines on standard output). Fields: request_id, tenant_id, route, latency_ms. */
import { type Logger, pino } from 'pino';

/** Secrets that must never reach a log, wherever a careless object carries them. */
const REDACT = [
  'password',
  'token',
  'key',
  'secret',
  'authorization',
  '*.password',
  '*.token',
  '*.secret',
  '*.authorization',
];

/** @param destination file descriptor or stream; the command line logs to standard error. */
export function createLog(level: string, destination: 1 | 2 = 1): Logger {
  return pino(
    { level, redact: REDACT, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: destination, sync: destination === 2 }),
  );
}
