/** Errors lose their class on the way between threads and processes; their names bring it back. */
import {
  ConfigError,
  type Fault,
  InvalidDataError,
  LogGapError,
  NotAllowedError,
  NotFoundError,
  UnavailableError,
  UnsupportedError,
} from '../../engine/errors.ts';

export type CarriedError = {
  name: string;
  message: string;
  remedy?: string;
  faults: unknown[];
  stack?: string;
  kind?: string;
};

const KNOWN: Record<string, new (message: string, remedy?: string) => Error> = {
  ...{ ConfigError, LogGapError, NotAllowedError, NotFoundError, UnavailableError, UnsupportedError },
};

export function packError(error: unknown): CarriedError {
  const { name, message, remedy, faults, stack, kind } = error as InvalidDataError & { kind?: unknown };
  return { name, message, remedy, faults: [...(faults ?? [])], stack, ...(typeof kind === 'string' && { kind }) };
}

/** `kind`, where an error has one, says which words people get. */
export function unpackError({ kind, ...carried }: CarriedError): Error {
  const error = known(carried);
  return kind === undefined ? error : Object.assign(error, { kind });
}

function known({ name, message, remedy, faults, stack }: CarriedError): Error {
  if (name === 'InvalidDataError') return new InvalidDataError(message, remedy, faults as readonly Fault[]);
  const Known = KNOWN[name];
  if (Known) return new Known(message, remedy);
  const error = new Error(message);
  error.name = name;
  error.stack = stack;
  return error;
}
