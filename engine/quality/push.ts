/**
 * The format in which devices and programs push readings: a JSON object, an array of objects, or `{"readings": […]}`.
 * Each object has quantities by name and may have `at` (ISO 8601 with zone, or epoch ms), `meter`, and `from`/`to` for
 * interval quantities. Pure: decodes, and leaves judging the values to validate.ts.
 */
import { quantityInfo } from '../model/quantity.ts';
import type { Reading } from '../model/reading.ts';

export const READINGS_MAX = 10_000;

export type PushDefaults = {
  /** The meter point where an object names none; null: it must. */
  meter: string | null;
  /** Time of arrival, for objects without `at`. */
  arrival_ms: number;
};
export type Pushed = {
  readings: Reading[];
  /** Index of the object that each reading came from. */
  places: number[];
  /** Objects of which nothing can be used. */
  rejected: { index: number; problem: string }[];
  /** Whether a reading took the time of arrival. */
  timeless: boolean;
};

/** Decodes parsed JSON. Never throws: what is wrong stands in `rejected`. */
export function decodePush(body: unknown, defaults: PushDefaults): Pushed {
  const pushed: Pushed = { readings: [], places: [], rejected: [], timeless: false };
  const list = listOf(body);
  if (list === null) reject(pushed, 0, 'The message is no JSON object or array of objects.');
  else if (list.length === 0) reject(pushed, 0, 'The message has no readings.');
  else if (list.length > READINGS_MAX)
    reject(pushed, 0, `${list.length} objects in one message are more than ${READINGS_MAX}; send them in parts.`);
  else for (let index = 0; index < list.length; index++) decodeObject(list[index], index, defaults, pushed);
  return pushed;
}

function listOf(body: unknown): unknown[] | null {
  if (Array.isArray(body)) return body;
  if (typeof body !== 'object' || body === null) return null;
  return 'readings' in body && Array.isArray(body.readings) ? body.readings : [body];
}

function decodeObject(entry: unknown, index: number, defaults: PushDefaults, pushed: Pushed): void {
  const before = pushed.readings.length;
  const problem = addObject(entry, index, defaults, pushed);
  if (problem !== null) reject(pushed, index, problem);
  else if (pushed.readings.length === before) reject(pushed, index, 'It has no quantity with a value.');
}

/** @returns why nothing of the object can be used, or null. */
function addObject(entry: unknown, index: number, defaults: PushDefaults, pushed: Pushed): string | null {
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry))
    return 'It is no object with quantities by name.';
  const fields = entry as Record<string, unknown>;
  const meter = fields.meter ?? defaults.meter;
  if (typeof meter !== 'string' || meter === '') return '"meter" is missing: name the meter point.';
  const at_ms = fields.at === undefined ? defaults.arrival_ms : decodeInstant(fields.at);
  const from_ms = fields.from === undefined ? undefined : decodeInstant(fields.from);
  const to_ms = fields.to === undefined ? at_ms : decodeInstant(fields.to);
  for (const [name, instant] of [
    ['at', at_ms],
    ['from', from_ms],
    ['to', to_ms],
  ] as const)
    if (typeof instant === 'string') return `"${name}" ${instant}`;
  const times: Times = { at_ms: at_ms as number, from_ms: from_ms as number | undefined, to_ms: to_ms as number };
  addQuantities(fields, meter, times, index, pushed);
  if (fields.at === undefined && fields.to === undefined) pushed.timeless = true;
  return null;
}

type Times = { at_ms: number; from_ms: number | undefined; to_ms: number };

function addQuantities(
  fields: Record<string, unknown>,
  meter: string,
  times: Times,
  index: number,
  pushed: Pushed,
): void {
  for (const quantity in fields) {
    if (quantity === 'at' || quantity === 'meter' || quantity === 'from' || quantity === 'to') continue;
    const value = fields[quantity];
    // null says that the value is known to be missing; missing is the absence of a reading.
    if (value === null) continue;
    const { from_ms } = times;
    const spans = from_ms !== undefined && quantityInfo(quantity)?.kind === 'interval';
    const reading: Reading = spans
      ? { meter, quantity, at_ms: times.to_ms, from_ms, value: value as number, quality: 0 }
      : { meter, quantity, at_ms: times.at_ms, value: value as number, quality: 0 };
    pushed.readings.push(reading);
    pushed.places.push(index);
  }
}

function reject(pushed: Pushed, index: number, problem: string): void {
  pushed.rejected.push({ index, problem });
}

const ZONED = /[T ]\d\d:?\d\d.*(?:Z|[+-]\d\d(?::?\d\d)?)$/i;

/** @returns epoch milliseconds, or what is wrong as the rest of a sentence. */
export function decodeInstant(at: unknown): number | string {
  if (typeof at === 'number') return at;
  if (typeof at !== 'string') return 'is neither text nor a number; give ISO 8601 or epoch milliseconds.';
  if (/^-?\d{9,16}$/.test(at)) return Number(at);
  const at_ms = Date.parse(at);
  if (Number.isNaN(at_ms)) return `is "${at.slice(0, 40)}", which is no time; give e.g. 2026-03-29T01:00:00Z.`;
  if (!ZONED.test(at))
    return `is "${at.slice(0, 40)}", which has no time zone; end it in Z or an offset such as +01:00.`;
  return at_ms;
}
