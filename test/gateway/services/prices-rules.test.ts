import { describe, expect, it } from 'vitest';
import { SLOT_MS } from '../../../engine/model/time.ts';
import { acceptedSlots, byDay, rankOf } from '../../../gateway/services/prices/merge.ts';
import { nextPoll, staleSince } from '../../../gateway/services/prices/schedule.ts';

const at = (text: string) => Date.parse(text);
const MINUTE_MS = 60_000;

describe('when to ask for prices', () => {
  const known = (until: string | null, area = 'DE-LU') => ({
    area,
    market: 'day-ahead' as const,
    known_until_ms: until === null ? null : at(until),
  });
  const minutesUntil = (next_ms: number, now: string) => (next_ms - at(now)) / MINUTE_MS;

  it('waits for publication, 12:45 market time with jitter, while today is known', () => {
    const now = '2026-06-14T05:00Z';
    expect(nextPoll(known('2026-06-14T22:00Z'), at(now), 3, 0)).toBe(at('2026-06-14T10:45Z'));
    expect(nextPoll(known('2026-06-14T22:00Z'), at(now), 3, 0.5)).toBe(at('2026-06-14T10:47Z'));
    // winter time
    expect(nextPoll(known('2026-01-14T23:00Z'), at('2026-01-14T05:00Z'), 0, 0)).toBe(at('2026-01-14T11:45Z'));
  });

  it('asks each few minutes, ever slower, until tomorrow is complete', () => {
    const now = '2026-06-14T11:00Z';
    const pauses = [0, 1, 3, 6, 30].map((tries) =>
      minutesUntil(nextPoll(known('2026-06-14T22:00Z'), at(now), tries, 0.5), now),
    );
    expect(pauses[0]).toBeCloseTo(3);
    expect(pauses).toEqual(pauses.toSorted((a, b) => a - b));
    expect(pauses.at(-1)).toBe(20);
    expect(nextPoll(known('2026-06-15T22:00Z'), at(now), 0, 0)).toBe(at('2026-06-15T10:45Z'));
  });

  it('asks at once and again where nothing is known', () => {
    expect(minutesUntil(nextPoll(known(null), at('2026-06-14T05:00Z'), 0, 0.5), '2026-06-14T05:00Z')).toBeCloseTo(3);
  });

  it('asks ERCOT hourly and real-time markets each 5 to 15 minutes', () => {
    const now = at('2026-06-14T19:20Z');
    expect(nextPoll(known('2026-06-15T05:00Z', 'HB_HOUSTON'), now, 5, 0)).toBe(at('2026-06-14T20:00Z'));
    for (const random of [0, 0.999])
      for (const tries of [0, 9]) {
        const next = nextPoll({ ...known(null, 'HB_HOUSTON'), market: 'real-time' }, now, tries, random);
        expect(next - now).toBeGreaterThanOrEqual(5 * MINUTE_MS);
        expect(next - now).toBeLessThanOrEqual(15 * MINUTE_MS);
      }
  });

  it('knows since when prices are stale', () => {
    expect(staleSince(known('2026-06-15T22:00Z'), at('2026-06-14T20:00Z'))).toBeNull();
    expect(staleSince(known('2026-06-14T22:00Z'), at('2026-06-14T12:00Z'))).toBeNull();
    // tomorrow was due at 12:45
    expect(staleSince(known('2026-06-14T22:00Z'), at('2026-06-14T20:00Z'))).toBe(at('2026-06-14T10:45Z'));
    expect(staleSince(known('2026-06-12T22:00Z'), at('2026-06-14T08:00Z'))).toBe(at('2026-06-12T22:00Z'));
    expect(staleSince(known(null), at('2026-06-14T08:00Z'))).toBeNull();
  });
});

describe('whose prices are stored', () => {
  const order = ['energy-charts', 'awattar', 'smard'];
  const stored = (values: number[], ...sources: string[]) => ({
    currency: 'EUR',
    vat_included: false,
    at_ms: Float64Array.from(values, (_, i) => i * SLOT_MS),
    values: Float64Array.from(values),
    sources,
    fetched_ms: 0,
  });
  const offer = (source: string, ...values: (number | null)[]) => ({
    source,
    slots: values.map((value, i) => ({ at_ms: i * SLOT_MS, value })),
  });
  const accepted = (offered: ReturnType<typeof offer>, known: ReturnType<typeof stored>) =>
    acceptedSlots(offered, known, order).map(({ at_ms, value }) => [at_ms / SLOT_MS, value]);

  it('ranks sources as configured, a loaded table above all, blanks below', () => {
    const ranks = ['csv', 'energy-charts', 'awattar', 'smard', 'unheard', 'none'].map((name) => rankOf(name, order));
    expect(ranks).toEqual(ranks.toSorted((a, b) => a - b));
    expect(new Set(ranks).size).toBe(6);
  });

  it('lets the better source overwrite the lesser and itself', () => {
    expect(accepted(offer('energy-charts', 1, 2), stored([8, 9], 'awattar'))).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(accepted(offer('awattar', 1, 2), stored([8, 9], 'awattar'))).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it('lets the lesser only fill holes, in a day that has a better price anywhere', () => {
    expect(accepted(offer('awattar', 1, 2, 3), stored([8, Number.NaN], 'energy-charts'))).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect(accepted(offer('awattar', 1), stored([8], 'awattar', 'energy-charts'))).toEqual([]);
    expect(accepted(offer('energy-charts', 1), stored([8], 'csv'))).toEqual([]);
  });

  it('never puts a null over a price', () => {
    expect(accepted(offer('energy-charts', null, null), stored([8], 'smard'))).toEqual([[1, null]]);
  });

  it('cuts at local midnight, on the day of the clock change too', () => {
    const from_ms = at('2026-10-24T22:00Z');
    const slots = Array.from({ length: 101 }, (_, i) => ({ at_ms: from_ms + i * SLOT_MS, value: i }));
    expect(byDay(slots, 'Europe/Berlin').map((day) => day.slots.length)).toEqual([100, 1]);
  });
});
