/** What a person's choice over a span of readings means for each instant of it. Pure. */
import { InvalidDataError } from '../errors.ts';
import { EXCLUDED } from '../model/quality.ts';
import { type QuantityInfo, quantityInfo } from '../model/quantity.ts';
import { localTime, SLOT_MS, slotStart } from '../model/time.ts';
import type { ReadingColumns, SlotColumns } from '../ports.ts';

/** `value` in the quantity's unit; `energy` in the unit of the register (kWh, m³), for power in kWh. */
export type RepairChoice =
  | { kind: 'value'; value: number }
  | { kind: 'energy'; energy: number }
  | { kind: 'interpolate' }
  | { kind: 'missing' };

export type RepairSpan = {
  quantity: string;
  /** As shown now (repairs laid over them), with the last before and the first after the span. */
  readings: ReadingColumns;
  /** Readings at both ends belong to the span. */
  from_ms: number;
  to_ms: number;
  /** How much of an energy each quarter hour of the span gets, in proportion: `sharesOf`. */
  shares: ReadonlyMap<number, number>;
};

/** Why a choice makes no sense; pages have words of their own for each code. */
export class RepairFault extends InvalidDataError {
  readonly code: RepairFaultCode;
  constructor(code: RepairFaultCode, message: string, remedy: string) {
    super(message, remedy);
    this.code = code;
  }
}
export type RepairFaultCode =
  | 'quantity'
  | 'order'
  | 'empty'
  | 'standstill'
  | 'no_energy'
  | 'negative'
  | 'quarters'
  | 'no_level'
  | 'no_intervals'
  | 'no_neighbour'
  | 'falls'
  | 'outside'
  | 'too_long'
  | 'too_many'
  | 'other_sum';

/** null says that there is no value. */
export type RepairedValue = { at_ms: number; value: number | null };

/**
 * @returns the new value of each instant that is to change, ascending.
 * @throws InvalidDataError with the reason where the choice makes no sense for the quantity or these readings.
 */
export function planRepair(span: RepairSpan, choice: RepairChoice): RepairedValue[] {
  const info = quantityInfo(span.quantity);
  if (!info)
    throw new RepairFault('quantity', `"${span.quantity}" is no quantity.`, 'docs/reference/api.md lists them.');
  if (!(span.from_ms <= span.to_ms))
    throw new RepairFault('order', 'The span ends before it begins.', 'Swap the times.');
  if (choice.kind === 'missing')
    return existing(span, info).map((i) => ({ at_ms: span.readings.at_ms[i]!, value: null }));
  if (choice.kind === 'value') return sameValue(span, info, choice.value);
  return choice.kind === 'energy' ? withEnergy(span, info, choice.energy) : straight(span, info);
}

/** Places of the readings inside the span; of intervals those that lie in it as a whole. */
function inside({ readings, from_ms, to_ms }: RepairSpan, info: QuantityInfo): number[] {
  const found: number[] = [];
  for (const [i, at] of readings.at_ms.entries()) {
    const begins = info.kind === 'interval' ? (readings.from_ms?.[i] ?? Number.NaN) : at;
    if (at <= to_ms && begins >= from_ms) found.push(i);
  }
  return found;
}

function existing(span: RepairSpan, info: QuantityInfo): number[] {
  const found = inside(span, info);
  if (found.length > 0) return found;
  throw new RepairFault('empty', 'There is no reading in this span.', 'Choose a span that holds readings.');
}

function sameValue(span: RepairSpan, info: QuantityInfo, value: number): RepairedValue[] {
  checkValue(value, info);
  const places = inside(span, info);
  if (info.kind === 'register' && places.length > 1)
    throw new RepairFault(
      'standstill',
      'A counter goes on: the same value for several readings would say that nothing was used in between.',
      'Choose one reading, interpolate the span, or give its energy.',
    );
  if (places.length > 0) return places.map((i) => ({ at_ms: span.readings.at_ms[i]!, value }));
  if (info.kind === 'interval') throw noIntervals();
  const instants = info.kind === 'register' ? [span.from_ms] : gridOf(span);
  return instants.map((at_ms) => ({ at_ms, value }));
}

/** The begin of the span and of each quarter hour in it. */
function gridOf({ from_ms, to_ms }: RepairSpan): number[] {
  const grid = [from_ms];
  for (let at = slotStart(from_ms) + SLOT_MS; at < to_ms; at += SLOT_MS) grid.push(at);
  return grid;
}

function withEnergy(span: RepairSpan, info: QuantityInfo, energy: number): RepairedValue[] {
  const isPower = span.quantity === 'power_W';
  if (info.kind === 'gauge' && !isPower)
    throw new RepairFault(
      'no_energy',
      'This quantity is no energy and adds up to none.',
      'Set a value or interpolate.',
    );
  if (!Number.isFinite(energy) || (energy < 0 && !isPower))
    throw new RepairFault('negative', 'The energy of a span is a number from 0 on.', 'Give it as a number.');
  const { from_ms, to_ms } = span;
  if (from_ms % SLOT_MS !== 0 || to_ms % SLOT_MS !== 0 || from_ms === to_ms)
    throw new RepairFault(
      'quarters',
      'An energy is spread over whole quarter hours.',
      'Let the span begin and end at :00, :15, :30 or :45.',
    );
  if (info.kind === 'interval') return intervalEnergy(span, info, energy);
  const slots = sharesIn(span);
  const values: RepairedValue[] = [];
  if (isPower)
    for (const [at_ms, share] of slots) values.push({ at_ms, value: (energy * share * 1000 * 3_600_000) / SLOT_MS });
  else values.push(...registerEnergy(span, energy, slots));
  for (const { value } of values) checkValue(value as number, info);
  // What was measured in between must not count beside it.
  const set = new Set(values.map(({ at_ms }) => at_ms));
  for (const i of inside(span, info)) {
    const at_ms = span.readings.at_ms[i]!;
    if (!set.has(at_ms) && !(isPower && at_ms === to_ms)) values.push({ at_ms, value: null });
  }
  return values.sort((a, b) => a.at_ms - b.at_ms);
}

/** The counter as it would have gone on: from what it showed before the span, by the energy, along the shares. */
function registerEnergy(span: RepairSpan, energy: number, slots: [number, number][]): RepairedValue[] {
  const start = levelAt(span);
  const values: RepairedValue[] = [{ at_ms: span.from_ms, value: start }];
  let part = 0;
  for (const [at_ms, share] of slots) {
    part += share;
    values.push({ at_ms: at_ms + SLOT_MS, value: start + energy * part });
  }
  values.at(-1)!.value = start + energy;
  return values;
}

/** Where the counter stood when the span began: on the line to the next reading where that counts on. */
function levelAt(span: RepairSpan): number {
  const { at_ms, values } = span.readings;
  const at = at_ms.findIndex((instant, i) => instant === span.from_ms && usable(span.readings, i));
  if (at >= 0) return values[at]!;
  const { before, after } = neighbours(span, (instant) => instant >= span.from_ms);
  if (before === null)
    throw new RepairFault('no_level', 'The counter has no reading before this span.', 'Begin after its first reading.');
  if (after === null || values[after]! < values[before]!) return values[before]!;
  const way = (span.from_ms - at_ms[before]!) / (at_ms[after]! - at_ms[before]!);
  return values[before]! + way * (values[after]! - values[before]!);
}

function intervalEnergy(span: RepairSpan, info: QuantityInfo, energy: number): RepairedValue[] {
  const places = inside(span, info);
  if (places.length === 0) throw noIntervals();
  const { at_ms, from_ms } = span.readings;
  const parts = places.map((i) => shareOver(span.shares, from_ms![i]!, at_ms[i]!));
  const whole = parts.reduce((sum, part) => sum + part, 0);
  return places.map((i, k) => {
    const value = energy * (whole > 0 ? parts[k]! / whole : 1 / places.length);
    checkValue(value, info);
    return { at_ms: at_ms[i]!, value };
  });
}

function noIntervals(): RepairFault {
  return new RepairFault(
    'no_intervals',
    'The meter sent no interval that lies in this span as a whole.',
    'Choose a span that holds whole intervals, or import the missing ones as a file.',
  );
}

function shareOver(shares: ReadonlyMap<number, number>, from_ms: number, to_ms: number): number {
  let sum = 0;
  for (let slot = slotStart(from_ms); slot < to_ms; slot += SLOT_MS) {
    const part = Math.min(to_ms, slot + SLOT_MS) - Math.max(from_ms, slot);
    sum += ((shares.get(slot) ?? 0) * part) / SLOT_MS;
  }
  return sum;
}

/** The shares of the span's slots, adding up to 1. */
function sharesIn({ from_ms, to_ms, shares }: RepairSpan): [number, number][] {
  const slots: [number, number][] = [];
  for (let at = from_ms; at < to_ms; at += SLOT_MS) slots.push([at, shares.get(at) ?? 0]);
  const whole = slots.reduce((sum, [, share]) => sum + share, 0);
  return slots.map(([at, share]) => [at, whole > 0 ? share / whole : 1 / slots.length]);
}

function straight(span: RepairSpan, info: QuantityInfo): RepairedValue[] {
  const { at_ms, values, from_ms } = span.readings;
  const places = inside(span, info);
  if (info.kind === 'interval' && places.length === 0) throw noIntervals();
  const chosen = new Set(places);
  const { before, after } = neighbours(span, (_, i) => chosen.has(i));
  if (before === null || after === null)
    throw new RepairFault(
      'no_neighbour',
      `There is no reading ${before === null ? 'before' : 'after'} this span to draw a line from.`,
      'Give a value or an energy.',
    );
  if (info.kind === 'register' && values[after]! < values[before]!)
    throw new RepairFault(
      'falls',
      'The counter shows less after the span than before it: no line leads there.',
      'It was reset or exchanged in between: give the energy of the span.',
    );
  // Of intervals the mean rate is drawn, at their middle.
  const isInterval = info.kind === 'interval';
  const length = (i: number) => (isInterval ? at_ms[i]! - from_ms![i]! : 1);
  const middle = (i: number) => (isInterval ? (at_ms[i]! + from_ms![i]!) / 2 : at_ms[i]!);
  const line = (at: number) => {
    const [a, b] = [values[before]! / length(before), values[after]! / length(after)];
    return a + ((at - middle(before)) / (middle(after) - middle(before))) * (b - a);
  };
  if (isInterval) return places.map((i) => ({ at_ms: at_ms[i]!, value: line(middle(i)) * length(i) }));
  const instants = new Set(places.map((i) => at_ms[i]!));
  for (const at of gridOf(span)) if (at > at_ms[before]! && at < at_ms[after]!) instants.add(at);
  return [...instants].sort((a, b) => a - b).map((at) => ({ at_ms: at, value: line(at) }));
}

/** The last usable reading before the span and the first after it. */
function neighbours(span: RepairSpan, belongs: (at_ms: number, index: number) => boolean) {
  const { at_ms } = span.readings;
  let before: number | null = null;
  let after: number | null = null;
  for (const [i, at] of at_ms.entries()) {
    if (belongs(at, i) && at <= span.to_ms) continue;
    if (!usable(span.readings, i)) continue;
    if (at <= span.from_ms && !belongs(at, i)) before = i;
    else if (at >= span.to_ms && after === null) after = i;
  }
  return { before, after };
}

function usable({ values, quality, from_ms }: ReadingColumns, i: number): boolean {
  return Number.isFinite(values[i]!) && !(quality[i]! & EXCLUDED) && !(from_ms && Number.isNaN(from_ms[i]!));
}

function checkValue(value: number, { min, max, unit }: QuantityInfo): void {
  if (Number.isFinite(value) && value >= min && value <= max) return;
  throw new RepairFault(
    'outside',
    `${value} ${unit} is outside of what can be measured.`,
    `Give ${min} to ${max} ${unit}.`,
  );
}

/**
 * How the meter usually spreads over the quarter hours of [from_ms, to_ms): the mean of the same time of day on other
 * days of the same kind (working day, Saturday, Sunday), where there are none on any other day, and evenly where nothing
 * is known. `past` are its slots around the span; those inside it do not count.
 */
export function sharesOf(past: SlotColumns, from_ms: number, to_ms: number, tz: string): Map<number, number> {
  const means = new Map<string, { sum: number; count: number }>();
  for (const [i, at] of past.at_ms.entries()) {
    const value = past.values[i]!;
    if ((at >= from_ms && at < to_ms) || !Number.isFinite(value) || past.quality[i]! & EXCLUDED) continue;
    for (const key of keysOf(at, tz)) {
      const mean = means.get(key) ?? { sum: 0, count: 0 };
      means.set(key, { sum: mean.sum + Math.abs(value), count: mean.count + 1 });
    }
  }
  const shares = new Map<number, number>();
  let whole = 0;
  for (let at = slotStart(from_ms); at < to_ms; at += SLOT_MS) {
    const mean = keysOf(at, tz)
      .map((key) => means.get(key))
      .find((one) => one !== undefined);
    const share = mean ? mean.sum / mean.count : 0;
    shares.set(at, share);
    whole += share;
  }
  for (const [at, share] of shares) shares.set(at, whole > 0 ? share / whole : 1 / shares.size);
  return shares;
}

/** The kind of day with the time, then the time alone. */
function keysOf(at_ms: number, tz: string): [string, string] {
  const { year, month, day, hour, minute } = localTime(at_ms, tz);
  const weekday = new Date(Date.UTC(year, month - 1, day)).getUTCDay();
  const kind = weekday === 0 ? 'sunday' : weekday === 6 ? 'saturday' : 'working day';
  return [`${kind} ${hour}:${minute}`, `${hour}:${minute}`];
}
