import { describe, expect, it } from 'vitest';
import { addDays, dayBounds, dayStart, instantOf, localDate, localTime, SLOT_MS } from '../../../engine/model/time.ts';
import { allDays, changesOf, offsetAt, wallAt, YEARS, ZONES } from './clock-changes.ts';

const HOUR_MS = 3_600_000;

describe('days of every zone of the EU and of US Central, 2020 to 2035', () => {
  it('the oracle knows dates that everybody can look up', () => {
    const [berlin, chicago] = ['Europe/Berlin', 'America/Chicago'].map(
      (zone) => ZONES.find((one) => one.zone === zone)!,
    );
    const iso = (list: readonly number[] | null) => list!.map((at_ms) => new Date(at_ms).toISOString().slice(0, 16));
    expect(iso(changesOf(berlin!, 2026))).toEqual(['2026-03-29T01:00', '2026-10-25T01:00']);
    expect(iso(changesOf(chicago!, 2026))).toEqual(['2026-03-08T08:00', '2026-11-01T07:00']);
    expect(wallAt(berlin!, Date.UTC(2026, 2, 29, 1))).toBe('2026-03-29 03:00');
  });

  for (const oracle of ZONES)
    it(`${oracle.zone}: each day begins where the rules say, with 92, 96 or 100 slots`, () => {
      const days = allDays(oracle);
      const bounds = dayBounds(days[0]!.from_ms, days.at(-1)!.from_ms + HOUR_MS, oracle.zone);
      const wrong = days.filter(
        ({ from_ms, slots }, k) => bounds[k] !== from_ms || (bounds[k + 1]! - bounds[k]!) / SLOT_MS !== slots,
      );
      expect(wrong).toEqual([]);
      const count = (slots: number) => days.filter((day) => day.slots === slots).length;
      const changed = oracle.rule ? YEARS.length : 0;
      expect([days.length, count(92), count(96), count(100)]).toEqual([5844, changed, 5844 - 2 * changed, changed]);
    });

  it('each quarter hour around each change has the wall clock of the rules, and leads back to its instant', () => {
    const wrong: string[] = [];
    for (const oracle of ZONES)
      for (const year of YEARS)
        for (const change_ms of changesOf(oracle, year) ?? [])
          for (let at_ms = change_ms - 5 * HOUR_MS; at_ms <= change_ms + 25 * HOUR_MS; at_ms += SLOT_MS) {
            const t = localTime(at_ms, oracle.zone);
            const two = (n: number) => String(n).padStart(2, '0');
            const wall = `${t.year}-${two(t.month)}-${two(t.day)} ${two(t.hour)}:${two(t.minute)}`;
            if (wall !== wallAt(oracle, at_ms)) wrong.push(`${oracle.zone} ${wall}`);
            if (localDate(at_ms, oracle.zone) !== wall.slice(0, 10)) wrong.push(`${oracle.zone} date of ${wall}`);
            // A wall clock time that happens twice names its first instant.
            const twice = wallAt(oracle, at_ms - HOUR_MS) === wall;
            const back = instantOf(oracle.zone, t.year, t.month, t.day, t.hour, t.minute);
            if (back !== (twice ? at_ms - HOUR_MS : at_ms)) wrong.push(`${oracle.zone} back from ${wall}`);
          }
    expect(wrong).toEqual([]);
  });

  it('a day more or less is the same wall clock date, across each change', () => {
    const wrong: string[] = [];
    for (const oracle of ZONES)
      for (const year of YEARS)
        for (const change_ms of changesOf(oracle, year) ?? []) {
          const noon_ms = change_ms + 12 * HOUR_MS;
          for (const days of [-2, -1, 0, 1, 2]) {
            const start_ms = addDays(noon_ms, days, oracle.zone);
            if (dayStart(start_ms, oracle.zone) !== start_ms) wrong.push(`${oracle.zone} ${start_ms}`);
            const date = wallAt(oracle, start_ms).slice(0, 10);
            if (wallAt(oracle, start_ms - 1).slice(0, 10) === date) wrong.push(`${oracle.zone} begins before ${date}`);
            const wanted = new Date(noon_ms + offsetAt(oracle, noon_ms) + days * 24 * HOUR_MS);
            if (date !== wanted.toISOString().slice(0, 10)) wrong.push(`${oracle.zone} ${date}`);
          }
          expect(wrong).toEqual([]);
        }
  });
});
