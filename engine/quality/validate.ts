/** The boundary of the box: what enters the journal passes here once. Pure; the clock and the known meter points are arguments. */
import { Quality } from '../model/quality.ts';
import { QUANTITIES, type QuantityInfo } from '../model/quantity.ts';
import type { Reading } from '../model/reading.ts';

/** A clock that is ahead by more makes its readings unfit for sums. */
export const CLOCK_ALLOWANCE_MS = 10 * 60_000;
/** 1990-01-01: what is older comes from a clock that was never set, or from seconds taken for milliseconds. */
export const OLDEST_MS = Date.UTC(1990, 0, 1);
/** 2200-01-01: what is later was counted in microseconds. */
export const LATEST_MS = Date.UTC(2200, 0, 1);

/** Who tells of now and sends something older than this hands out a message of a former time. */
export const LATE_MS = 31 * 24 * 3_600_000;

export type Rejection = { index: number; problem: string; reading?: Partial<Reading> };
export type Validated = {
  /** What is to be stored, flags set. The array given in where nothing was wrong. */
  kept: Reading[];
  /** How many of `kept` carry a flag that was set here. */
  flagged: number;
  rejected: Rejection[];
};

/** @returns what is wrong with the meter point's id for who sends, or null. */
export type MeterCheck = (meter: string) => string | null;

const QUANTITY_INFO = new Map(Object.entries(QUANTITIES));
const NOTHING_REJECTED: Rejection[] = [];

/**
 * Sorts readings into kept and rejected and marks the kept: OUT_OF_RANGE outside the quantity's plausible limits,
 * CLOCK where the time is more than 10 minutes ahead of `now_ms`, LATE where a sender that tells of now (`live`: MQTT, not
 * an import or a push of history) gives one more than a month ago. `readings` may come from decoders of foreign
 * formats: their fields are checked, not believed. Flags that a decoder set stay.
 */
export function validateReadings(
  readings: Reading[],
  now_ms: number,
  checkMeter: MeterCheck,
  { live = false }: { live?: boolean } = {},
): Validated {
  const late_ms = live ? now_ms - LATE_MS : Number.NEGATIVE_INFINITY;
  let rejected = NOTHING_REJECTED;
  let flagged = 0;
  for (let index = 0; index < readings.length; index++) {
    const reading = readings[index]!;
    const problem = problemOf(reading, checkMeter) ?? (index > 0 ? duplicateOf(readings, index) : null);
    if (problem !== null) {
      if (rejected === NOTHING_REJECTED) rejected = [];
      rejected.push({ index, problem, reading });
    } else if (mark(reading, now_ms, late_ms)) flagged++;
  }
  if (rejected === NOTHING_REJECTED) return { kept: readings, flagged, rejected };
  const refused = new Set(rejected.map(({ index }) => index));
  return { kept: readings.filter((_, index) => !refused.has(index)), flagged, rejected };
}

function problemOf(reading: Reading, checkMeter: MeterCheck): string | null {
  const { quantity, value, at_ms, from_ms } = reading;
  const info = QUANTITY_INFO.get(quantity);
  if (info === undefined) return unknownQuantity(quantity);
  if (typeof value !== 'number') return `${quantity} is ${shown(value)}, which is no number.`;
  if (!Number.isFinite(value)) return `${quantity} is ${value}, which is no finite number.`;
  const time = timeProblem('at', at_ms);
  if (time !== null) return time;
  if (info.kind === 'interval') return intervalProblem(quantity, from_ms, at_ms) ?? checkMeter(reading.meter);
  if (from_ms !== undefined) return `${quantity} holds at an instant; give "at" instead of "from" and "to".`;
  return checkMeter(reading.meter);
}

function timeProblem(name: string, at_ms: unknown): string | null {
  if (typeof at_ms !== 'number' || !Number.isFinite(at_ms)) return `"${name}" is ${shown(at_ms)}, which is no time.`;
  if (at_ms < OLDEST_MS)
    return `"${name}" is before 1990 (${isoText(at_ms)}); give epoch milliseconds, not seconds, and set the device's clock.`;
  if (at_ms > LATEST_MS) return `"${name}" is after 2200; give epoch milliseconds, not micro- or nanoseconds.`;
  return null;
}

function intervalProblem(quantity: string, from_ms: unknown, at_ms: number): string | null {
  if (from_ms === undefined) return `${quantity} is energy of an interval; give its "from" and "to".`;
  const time = timeProblem('from', from_ms);
  if (time !== null) return time;
  return (from_ms as number) < at_ms
    ? null
    : `"from" (${isoText(from_ms as number)}) is not before "to" (${isoText(at_ms)}).`;
}

/** Sets the flags of a good reading. @returns whether it got one */
function mark(reading: Reading, now_ms: number, late_ms: number): boolean {
  const { min, max } = QUANTITY_INFO.get(reading.quantity) as QuantityInfo;
  let flags = 0;
  if (reading.value < min || reading.value > max) flags |= Quality.OUT_OF_RANGE;
  if (reading.at_ms > now_ms + CLOCK_ALLOWANCE_MS) flags |= Quality.CLOCK;
  if (reading.at_ms < late_ms) flags |= Quality.LATE;
  if (flags !== 0) reading.quality |= flags;
  return flags !== 0;
}

/** Few readings are compared with each other; for many a set is made once and kept by the array. */
const SMALL = 16;
const firstIndex = new WeakMap<Reading[], Map<string, number>>();

function duplicateOf(readings: Reading[], index: number): string | null {
  const reading = readings[index]!;
  const earlier = readings.length <= SMALL ? earlierOf(readings, index) : indexOf(readings).get(keyOf(reading))!;
  if (earlier < 0 || earlier === index) return null;
  return readings[earlier]!.value === reading.value
    ? `It stands twice in one message (as number ${earlier + 1} too).`
    : `Number ${earlier + 1} of the message gives another value for the same instant; the first one counts.`;
}

function earlierOf(readings: Reading[], index: number): number {
  const { meter, quantity, at_ms } = readings[index]!;
  return readings.findIndex(
    (other, i) => i < index && other.at_ms === at_ms && other.quantity === quantity && other.meter === meter,
  );
}

function indexOf(readings: Reading[]): Map<string, number> {
  let index = firstIndex.get(readings);
  if (!index) {
    index = new Map();
    for (const [i, reading] of readings.entries()) {
      const key = keyOf(reading);
      if (!index.has(key)) index.set(key, i);
    }
    firstIndex.set(readings, index);
  }
  return index;
}

const keyOf = ({ meter, quantity, at_ms }: Reading): string => `${at_ms} ${quantity} ${meter}`;

function unknownQuantity(name: unknown): string {
  return `"${String(name).slice(0, 60)}" is no quantity; the box knows ${Object.keys(QUANTITIES).join(', ')}.`;
}

function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = typeof value === 'string' ? `"${value}"` : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function isoText(at_ms: number): string {
  return Math.abs(at_ms) <= 8.64e15 ? new Date(at_ms).toISOString() : String(at_ms);
}
