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
  const parts: Record<string, number> = {};
  for (const part of formatOf(tz).formatToParts(at_ms)) parts[part.type] = Number(part.value);
  return parts as LocalTime;
}

/** @returns local time minus UTC at that instant, in ms. */
export function zoneOffset(at_ms: number, tz: string): number {
  const t = localTime(at_ms, tz);
  const wall = Date.UTC(t.year, t.month - 1, t.day, t.hour, t.minute, t.second);
  return wall - Math.floor(at_ms / 1000) * 1000;
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
