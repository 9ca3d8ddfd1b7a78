import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addDays,
  dayBounds,
  dayStart,
  HOUR_MS,
  instantOf,
  localDate,
  localTime,
  SLOT_MS,
  slotStart,
  zoneOffset,
} from '../../../engine/model/time.ts';

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'Europe/London',
  'America/St_Johns',
  'America/Chicago',
  'America/Santiago',
  'America/Havana',
  'Atlantic/Azores',
  'Australia/Lord_Howe',
  'Africa/Casablanca',
  'Africa/Cairo',
  'Asia/Beirut',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Asia/Tehran',
  'Pacific/Chatham',
  'Pacific/Kiritimati',
];
const zone = fc.constantFrom(...ZONES);
const instant = fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2036, 0, 1) });

/** The zone database's own words, without our cache. */
function spelled(at_ms: number, tz: string): string {
  return new Date(at_ms).toLocaleString('sv-SE', { timeZone: tz });
}
const two = (n: number) => String(n).padStart(2, '0');

describe('local time', () => {
  it('is what the zone database says, at any instant of any zone', () => {
    fc.assert(
      fc.property(instant, zone, (at_ms, tz) => {
        const t = localTime(at_ms, tz);
        expect(`${t.year}-${two(t.month)}-${two(t.day)} ${two(t.hour)}:${two(t.minute)}:${two(t.second)}`).toBe(
          spelled(at_ms, tz),
        );
      }),
      { numRuns: 2000 },
    );
  });

  it('is right to the second around every clock change of 2026', () => {
    for (const tz of ZONES)
      for (let hour = Date.UTC(2026, 0, 1); hour < Date.UTC(2027, 0, 1); hour += HOUR_MS / 2) {
        if (zoneOffset(hour, tz) === zoneOffset(hour + HOUR_MS / 2, tz)) continue;
        for (let at = hour - 1000; at <= hour + HOUR_MS / 2; at += 60_000)
          expect(`${localDate(at, tz)} ${two(localTime(at, tz).hour)}`).toBe(spelled(at, tz).slice(0, 13));
      }
  });

  it('before 1970 and with fractions of a second too', () => {
    expect(localTime(Date.UTC(1969, 11, 31, 22, 59, 59) + 0.5, 'Europe/Berlin')).toMatchObject({
      hour: 23,
      second: 59,
    });
  });

  it('goes there and back: the wall clock of an instant names that instant, or the first of two', () => {
    fc.assert(
      fc.property(instant, zone, (at_ms, tz) => {
        const minute = Math.floor(at_ms / 60_000) * 60_000;
        const t = localTime(minute, tz);
        const back = instantOf(tz, t.year, t.month, t.day, t.hour, t.minute);
        expect(back).toBeLessThanOrEqual(minute);
        expect(localTime(back, tz)).toEqual(t);
        if (back !== minute) expect(zoneOffset(back, tz)).toBeGreaterThan(zoneOffset(minute, tz));
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses an unknown zone', () => {
    expect(() => localTime(0, 'Mars/Olympus')).toThrow(RangeError);
  });

  it('is fast: a year of slots well below a second', () => {
    const began = performance.now();
    for (let at = Date.UTC(2031, 0, 1); at < Date.UTC(2032, 0, 1); at += SLOT_MS) localTime(at, 'Europe/Rome');
    expect(performance.now() - began).toBeLessThan(500);
  });
});

describe('local days', () => {
  it('hold their instants, start at the first moment of their date, and follow one another', () => {
    fc.assert(
      fc.property(instant, zone, (at_ms, tz) => {
        const start = dayStart(at_ms, tz);
        const next = addDays(at_ms, 1, tz);
        expect(start).toBeLessThanOrEqual(at_ms);
        expect(next).toBeGreaterThan(at_ms);
        expect(localDate(start, tz)).toBe(localDate(at_ms, tz));
        expect(localDate(start - 1, tz)).not.toBe(localDate(at_ms, tz));
        expect(localDate(next - 1, tz)).toBe(localDate(at_ms, tz));
        expect(addDays(next, -1, tz)).toBe(start);
        expect(start).toBe(slotStart(start));
        expect([22.5, 23, 23.5, 24, 24.5, 25, 26]).toContain((next - start) / HOUR_MS);
      }),
      { numRuns: 3000 },
    );
  });

  const lengths: [tz: string, date: [number, number, number], slots: number][] = [
    ['Europe/Berlin', [2026, 3, 29], 92],
    ['Europe/Berlin', [2026, 10, 25], 100],
    ['Europe/Berlin', [2026, 6, 1], 96],
    ['Australia/Lord_Howe', [2026, 10, 4], 94],
    ['Australia/Lord_Howe', [2026, 4, 5], 98],
    ['America/Santiago', [2026, 9, 6], 92],
    ['Asia/Beirut', [2026, 3, 29], 92],
    ['America/St_Johns', [2026, 11, 1], 100],
  ];
  for (const [tz, [year, month, day], slots] of lengths)
    it(`${tz} ${year}-${month}-${day} has ${slots} slots`, () => {
      const noon = instantOf(tz, year, month, day, 12);
      expect((addDays(noon, 1, tz) - dayStart(noon, tz)) / SLOT_MS).toBe(slots);
    });

  it('a skipped midnight starts the day at the change', () => {
    const start = instantOf('America/Santiago', 2026, 9, 6);
    expect(localTime(start, 'America/Santiago')).toMatchObject({ day: 6, hour: 1, minute: 0 });
    expect(localTime(start - 1, 'America/Santiago')).toMatchObject({ day: 5, hour: 23 });
  });

  it('bounds cover a range without holes', () => {
    const bounds = dayBounds(Date.UTC(2026, 2, 27, 5), Date.UTC(2026, 3, 2), 'Europe/Berlin');
    expect(bounds).toHaveLength(8);
    expect(bounds.slice(1).map((end, i) => (end - bounds[i]!) / HOUR_MS)).toEqual([24, 24, 23, 24, 24, 24, 24]);
  });
});
