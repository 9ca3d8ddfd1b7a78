/** Errors lose their class on the way between threads and processes; their names bring it back. */
import {
  ConfigError,
  type Fault,
  InvalidDataError,
  NotAllowedError,
  NotFoundError,
  UnavailableError,
  UnsupportedError,
} from '../../engine/errors.ts';

export type CarriedError = { name: string; message: string; remedy?: string; faults: unknown[]; stack?: string };

const KNOWN: Record<string, new (message: string, remedy?: string) => Error> = {
  ...{ ConfigError, NotAllowedError, NotFoundError, UnavailableError, UnsupportedError },
};

export function packError(error: unknown): CarriedError {
  const { name, message, remedy, faults, stack } = error as InvalidDataError;
  return { name, message, remedy, faults: [...(faults ?? [])], stack };
}

export function unpackError({ name, message, remedy, faults, stack }: CarriedError): Error {
  if (name === 'InvalidDataError') return new InvalidDataError(message, remedy, faults as readonly Fault[]);
  const known = KNOWN[name];
  if (known) return new known(message, remedy);
  const error = new Error(message);
  error.name = name;
  error.stack = stack;
  return error;
}
