import { describe, expect, it } from 'vitest';
import { quietUntil } from '../../../engine/alerts/quiet.ts';

const ZONE = 'Europe/Berlin';
const at = (text: string) => Date.parse(text);
const night = { from_min: 22 * 60, to_min: 6 * 60 };

describe('quiet hours', () => {
  it.each([
    ['2026-03-10T20:59:59Z', null],
    ['2026-03-10T21:00:00Z', '2026-03-11T05:00:00Z'],
    ['2026-03-11T02:00:00Z', '2026-03-11T05:00:00Z'],
    ['2026-03-11T05:00:00Z', null],
  ])('over midnight, in the time of the site: %s', (now, end) => {
    expect(quietUntil(at(now), night, ZONE)).toBe(end === null ? null : at(end));
  });

  it('within one day', () => {
    const noon = { from_min: 12 * 60, to_min: 13 * 60 + 30 };
    expect(quietUntil(at('2026-07-01T10:30:00Z'), noon, ZONE)).toBe(at('2026-07-01T11:30:00Z'));
    expect(quietUntil(at('2026-07-01T11:30:00Z'), noon, ZONE)).toBeNull();
  });

  it.each([
    ['spring, seven hours of quiet', '2026-03-28T21:00:00Z', '2026-03-29T04:00:00Z'],
    ['autumn, nine hours of quiet', '2026-10-24T20:00:00Z', '2026-10-25T05:00:00Z'],
  ])('end by the wall clock when it changes: %s', (_, start, end) => {
    expect(quietUntil(at(start) - 1, night, ZONE)).toBeNull();
    for (let now = at(start); now < at(end); now += 15 * 60_000) expect(quietUntil(now, night, ZONE)).toBe(at(end));
    expect(quietUntil(at(end), night, ZONE)).toBeNull();
  });

  it('do not begin again in the hour that the wall clock shows twice', () => {
    const early = { from_min: 22 * 60, to_min: 2 * 60 + 30 };
    // 02:30 summer time is 00:30 UTC; the clock then goes back from 03:00 to 02:00 at 01:00 UTC.
    expect(quietUntil(at('2026-10-25T00:29:00Z'), early, ZONE)).toBe(at('2026-10-25T00:30:00Z'));
    expect(quietUntil(at('2026-10-25T00:31:00Z'), early, ZONE)).toBeNull();
    expect(quietUntil(at('2026-10-25T01:10:00Z'), early, ZONE)).toBeNull();
  });

  it('end at the change when it skips their end', () => {
    const early = { from_min: 22 * 60, to_min: 2 * 60 + 30 };
    expect(quietUntil(at('2026-03-29T00:59:00Z'), early, ZONE)).toBe(at('2026-03-29T01:30:00Z'));
  });
});
