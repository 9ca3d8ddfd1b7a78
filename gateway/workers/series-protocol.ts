/** What the main thread and the series worker say to each other. */
import {
  type Fault,
  InvalidDataError,
  NotFoundError,
  UnavailableError,
  UnsupportedError,
} from '../../engine/errors.ts';
import type { AppliedNow, DrainState } from './series-drain.ts';
import type { MeterRoleOf, SlotsChanged } from './series-slots.ts';

/** Handed to the worker at its start. */
export type SeriesWorkerData = {
  store: { kind: 'duckdb'; file: string; memory: string; checkpoint?: string } | { kind: 'questdb'; url: string };
  journal_dir: string;
  /** Where the journal publishes its durable end. */
  durable: SharedArrayBuffer;
  /** What the journal had released at its opening: a store that knows less has lost readings. */
  released_seq: number;
  /** The last number that the journal may have given out before. */
  given_seq?: number;
  /** Segments of the journal that were not looked into at its opening. */
  unchecked?: readonly string[];
  /** The slots of a series are computed at most this often; 2,000 where left out. */
  slots_every_ms?: number;
  /** Slots of readings older than this are not computed from what is left of them; null or left out: all are kept. */
  keep_readings_days?: number | null;
};

export type ToWorker =
  | { kind: 'call'; id: number; method: string; args: readonly unknown[] }
  | { kind: 'start' }
  | { kind: 'wake' }
  | { kind: 'now'; now_ms: number }
  | { kind: 'roles'; roles: readonly MeterRoleOf[] }
  | { kind: 'close' };

export type FromWorker =
  | { kind: 'result'; id: number; result: unknown }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'applied'; now: AppliedNow }
  | { kind: 'slots'; changed: readonly SlotsChanged[] }
  | { kind: 'damaged'; segment: string }
  /** Segments could not be checked. */
  | { kind: 'unverified'; reason: string }
  | { kind: 'state'; state: DrainState };

export type WireError = { name: string; message: string; remedy: string | undefined; faults: readonly Fault[] };

const KNOWN = { InvalidDataError, NotFoundError, UnavailableError, UnsupportedError };

export function toWire(error: unknown): WireError {
  const { name, message, remedy, faults } = error as InvalidDataError;
  return { name: name ?? 'Error', message: message ?? String(error), remedy, faults: faults ?? [] };
}

export function fromWire({ name, message, remedy, faults }: WireError): Error {
  if (name === 'InvalidDataError') return new InvalidDataError(message, remedy, faults);
  const type = (KNOWN as Record<string, new (message: string, remedy?: string) => Error>)[name];
  return type ? new type(message, remedy) : new Error(message);
}

/** Buffers of large columns, which move instead of being copied. */
export function transfers(value: unknown, found: ArrayBuffer[] = []): ArrayBuffer[] {
  if (ArrayBuffer.isView(value)) {
    if (value.buffer instanceof ArrayBuffer && !found.includes(value.buffer)) found.push(value.buffer);
  } else if (value !== null && typeof value === 'object' && !Array.isArray(value))
    for (const part of Object.values(value)) transfers(part, found);
  return found;
}
