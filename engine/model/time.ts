/** Slots and local days. Instants are epoch milliseconds UTC; a slot is 15 minutes and named by its start. */
export const SLOT_MS = 15 * 60_000;
export const HOUR_MS = 3_600_000;

/** @returns the start of the slot that holds `at_ms`. */
export function slotStart(at_ms: number): number {
  return Math.floor(at_ms / SLOT_MS) * SLOT_MS;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(tz: string): Intl.DateTimeFormat {
  let format = formats.get(tz);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US-u-hc-h23', {
      timeZone: tz,
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(tz, format);
  }
  return format;
}

export type LocalTime = { year: number; month: number; day: number; hour: number; minute: number; second: number };

/** @returns the wall clock of `tz` at `at_ms`; month is 1–12. Throws RangeError for an unknown zone. */
export function localTime(at_ms: number, tz: string): LocalTime {
  const wall = new Date(Math.floor(at_ms) + zoneOffset(at_ms, tz));
  return {
    year: wall.getUTCFullYear(),
    month: wall.getUTCMonth() + 1,
    day: wall.getUTCDate(),
    hour: wall.getUTCHours(),
    minute: wall.getUTCMinutes(),
    second: wall.getUTCSeconds(),
  };
}

/** Asks the time zone database; slow (some µs). */
function lookUpOffset(at_ms: number, tz: string): number {
  const t: Record<string, number> = {};
  for (const part of formatOf(tz).formatToParts(at_ms)) t[part.type] = Number(part.value);
  const wall = Date.UTC(t.year!, t.month! - 1, t.day, t.hour, t.minute, t.second);
  return wall - Math.floor(at_ms / 1000) * 1000;
}

/** Offsets in stretches of four days: within one no zone changes its clock more than once. */
type Stretch = { before: number; changes_ms: number; after: number };
const STRETCH_MS = 4 * 24 * HOUR_MS;
const stretches = new Map<string, Map<number, Stretch>>();
const MOST_STRETCHES = 50_000;

function stretchOf(at_ms: number, tz: string): Stretch {
  let ofZone = stretches.get(tz);
  if (!ofZone) {
    ofZone = new Map();
    stretches.set(tz, ofZone);
  }
  const k = Math.floor(at_ms / STRETCH_MS);
  let stretch = ofZone.get(k);
  if (!stretch) {
    if (ofZone.size >= MOST_STRETCHES) ofZone.clear();
    stretch = lookUpStretch(k * STRETCH_MS, tz);
    ofZone.set(k, stretch);
  }
  return stretch;
}

function lookUpStretch(start_ms: number, tz: string): Stretch {
  const before = lookUpOffset(start_ms, tz);
  const after = lookUpOffset(start_ms + STRETCH_MS, tz);
  if (before === after) return { before, changes_ms: Infinity, after };
  let [low, high] = [start_ms, start_ms + STRETCH_MS];
  while (high - low > 1000) {
    const middle = Math.floor((low + high) / 2000) * 1000;
    if (lookUpOffset(middle, tz) === before) low = middle;
    else high = middle;
  }
  return { before, changes_ms: high, after };
}

/** @returns local time minus UTC at that instant, in ms. Throws RangeError for an unknown zone or no instant. */
export function zoneOffset(at_ms: number, tz: string): number {
  const { before, changes_ms, after } = stretchOf(at_ms, tz);
  return at_ms < changes_ms ? before : after;
}

/**
 * The instant at which the wall clock of `tz` shows the given time. A time that a clock change skips gives the
 * instant after the change; one that happens twice gives the first.
 */
export function instantOf(tz: string, year: number, month: number, day: number, hour = 0, minute = 0): number {
  const wall = Date.UTC(year, month - 1, day, hour, minute);
  const early = wall - zoneOffset(wall - 24 * HOUR_MS, tz);
  const late = wall - zoneOffset(wall + 24 * HOUR_MS, tz);
  const candidates = [Math.min(early, late), Math.max(early, late)];
  for (const candidate of candidates) if (candidate + zoneOffset(candidate, tz) === wall) return candidate;
  return Math.max(early, late);
}

/** @returns the start of the local day that holds `at_ms`. */
export function dayStart(at_ms: number, tz: string): number {
  const t = localTime(at_ms, tz);
  return instantOf(tz, t.year, t.month, t.day);
}

/** @returns the start of the local day `days` after the one that holds `at_ms`. */
export function addDays(at_ms: number, days: number, tz: string): number {
  const t = localTime(at_ms, tz);
  const shifted = new Date(Date.UTC(t.year, t.month - 1, t.day + days));
  return instantOf(tz, shifted.getUTCFullYear(), shifted.getUTCMonth() + 1, shifted.getUTCDate());
}

/** @returns the start of the local month `months` after the one that holds `at_ms` (0: its own start). */
export function addMonths(at_ms: number, months: number, tz: string): number {
  const { year, month } = localTime(at_ms, tz);
  const shifted = new Date(Date.UTC(year, month - 1 + months, 1));
  return instantOf(tz, shifted.getUTCFullYear(), shifted.getUTCMonth() + 1, 1);
}

/** @returns the instant `days` local days before `at_ms` at the same wall clock. */
export function sameTimeBefore(at_ms: number, days: number, time_zone: string): number {
  const t = localTime(at_ms, time_zone);
  const date = new Date(Date.UTC(t.year, t.month - 1, t.day - days));
  return instantOf(time_zone, date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate(), t.hour, t.minute);
}

/** @returns boundaries of local days that cover [from_ms, to_ms): n + 1 instants for n days. */
export function dayBounds(from_ms: number, to_ms: number, tz: string): number[] {
  const bounds = [dayStart(from_ms, tz)];
  while (bounds.at(-1)! < to_ms) bounds.push(addDays(bounds.at(-1)!, 1, tz));
  return bounds;
}

/** @returns `YYYY-MM-DD` of the local day that holds `at_ms`. */
export function localDate(at_ms: number, tz: string): string {
  const t = localTime(at_ms, tz);
  return `${t.year}-${String(t.month).padStart(2, '0')}-${String(t.day).padStart(2, '0')}`;
}
