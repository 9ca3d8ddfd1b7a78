import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quality } from '../../../engine/model/quality.ts';
import type { Reading } from '../../../engine/model/reading.ts';
import { LATE_MS, type Validated, validateReadings } from '../../../engine/quality/validate.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const reading = (change: Partial<Record<keyof Reading, unknown>> = {}): Reading =>
  ({ meter: 'm', quantity: 'power_W', at_ms: NOW, value: 1, quality: 0, ...change }) as Reading;
const check = (meter: string) => (meter === 'm' ? null : `There is no meter point "${meter}".`);
const validate = (...readings: Reading[]) => validateReadings(readings, NOW, check);

describe('validation at the boundary', () => {
  it('gives good readings back untouched, without a copy', () => {
    const readings = [reading(), reading({ quantity: 'import_kWh' })];
    expect(validateReadings(readings, NOW, check)).toEqual({ kept: readings, flagged: 0, rejected: [] });
    expect(validateReadings(readings, NOW, check).kept).toBe(readings);
  });

  it.each([
    ['an unknown quantity, with the list', { quantity: 'power' }, /"power" is no quantity; the box knows power_W, /],
    ['a name of Object', { quantity: 'constructor' }, /no quantity/],
    ['a foreign meter point', { meter: 'x' }, /no meter point "x"/],
    ['text', { value: '5' }, /"5", which is no number/],
    ['nothing', { value: undefined }, /missing, which is no number/],
    ['NaN', { value: Number.NaN }, /NaN/],
    ['infinity', { value: -Infinity }, /Infinity/],
    ['no time', { at_ms: Number.NaN }, /"at" is null/],
    ['seconds', { at_ms: NOW / 1000 }, /before 1990 .*not seconds/],
    ['microseconds', { at_ms: NOW * 1000 }, /after 2200/],
    ['an interval without its start', { quantity: 'import_interval_kWh' }, /"from" and "to"/],
    ['an interval that ends before it starts', { quantity: 'import_interval_kWh', from_ms: NOW }, /is not before "to"/],
    ['a gauge with a start', { from_ms: NOW - 1 }, /holds at an instant/],
  ])('rejects %s', (_what, change, problem) => {
    const { kept, rejected } = validate(reading(), reading({ at_ms: NOW - 1, ...change }));
    expect(kept).toEqual([reading()]);
    expect(rejected).toHaveLength(1);
    expect(rejected[0]).toMatchObject({ index: 1, problem: expect.stringMatching(problem) });
  });

  it('keeps what is out of plausible limits, marked', () => {
    const { kept, flagged } = validate(reading({ quantity: 'voltage_V', value: -1 }));
    expect(kept[0]!.quality).toBe(Quality.OUT_OF_RANGE);
    expect(flagged).toBe(1);
  });

  it('keeps a time more than ten minutes ahead, marked, and one within them unmarked', () => {
    const { kept } = validate(reading({ at_ms: NOW + 600_001 }), reading({ at_ms: NOW + 600_000 }));
    expect(kept.map((one) => one.quality)).toEqual([Quality.CLOCK, 0]);
  });

  it.each([3, 40])('keeps one of the same instants in a message of %i', (size) => {
    const readings = Array.from({ length: size }, (_, i) => reading({ at_ms: NOW - i, value: i }));
    const { kept, rejected } = validate(...readings, reading({ value: 0 }), reading({ at_ms: NOW - 1, value: 9 }));
    expect(kept).toEqual(readings);
    expect(rejected.map(({ index, problem }) => [index, problem])).toEqual([
      [size, expect.stringMatching(/stands twice/)],
      [size + 1, expect.stringMatching(/Number 2 .* another value/)],
    ]);
  });

  it('marks what comes months late from who tells of now, and nothing of an import', () => {
    const old = () => [reading({ at_ms: NOW - LATE_MS - 1 }), reading({ at_ms: NOW - LATE_MS })];
    const marks = ({ kept }: Validated) => kept.map(({ quality }) => quality);
    expect(marks(validateReadings(old(), NOW, check, { live: true }))).toEqual([Quality.LATE, 0]);
    expect(marks(validateReadings(old(), NOW, check))).toEqual([0, 0]);
  });

  it('loses nothing: every reading is kept or rejected, whatever comes', () => {
    const anything = fc.record({
      meter: fc.constantFrom('m', 'x'),
      quantity: fc.constantFrom('power_W', 'import_interval_kWh', 'nope'),
      at_ms: fc.oneof(fc.double(), fc.integer({ min: NOW - 3, max: NOW }), fc.constant(undefined)),
      from_ms: fc.oneof(fc.constant(undefined), fc.double()),
      value: fc.anything(),
      quality: fc.constant(0),
    });
    fc.assert(
      fc.property(fc.array(anything, { maxLength: 40 }), (list) => {
        const { kept, rejected } = validateReadings(list as Reading[], NOW, check);
        expect(kept.length + rejected.length).toBe(list.length);
        for (const { value, at_ms } of kept) expect(Number.isFinite(value) && Number.isFinite(at_ms)).toBe(true);
        expect(new Set(kept.map((one) => `${one.at_ms} ${one.quantity} ${one.meter}`)).size).toBe(kept.length);
      }),
    );
  });
});
