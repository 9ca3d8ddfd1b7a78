import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { localTime, SLOT_MS } from '../../engine/model/time.ts';
import { bandPath, linePath, niceScale, runsOf, stepPath, timeTicks } from '../../web/charts/scale.ts';

const T0 = Date.UTC(2026, 5, 17);
const range = { from_ms: T0, to_ms: T0 + 4 * SLOT_MS };
const columns = (...values: number[]) => ({ at_ms: values.map((_, i) => T0 + i * SLOT_MS), values });
const scale = { min: 0, max: 10, ticks: [0, 10] };

describe('value scale', () => {
  it('starts at zero and ends at a round tick', () => {
    expect(niceScale([84, 12], { zero: true })).toEqual({ min: 0, max: 100, ticks: [0, 25, 50, 75, 100] });
  });
  it('ends at zero where all is negative', () => {
    expect(niceScale([-3, -8], { zero: true }).max).toBe(0);
  });
  it('has both sides of zero', () => {
    const { min, max, ticks } = niceScale([-12, 31], { zero: true });
    expect([min, max]).toEqual([-20, 40]);
    expect(ticks).toContain(0);
  });
  it('stands with nothing, with nulls alone and with one value', () => {
    expect(niceScale([], { zero: true })).toEqual({ min: 0, max: 1, ticks: [0] });
    expect(niceScale([Number.NaN, Number.NaN], { zero: false })).toEqual({ min: 0, max: 1, ticks: [0] });
    expect(niceScale([0], { zero: true }).max).toBeGreaterThan(0);
    const lone = niceScale([230], { zero: false });
    expect(lone.min).toBeLessThan(230);
    expect(lone.max).toBeGreaterThan(230);
  });
  it('holds every finite value between its ends, with few and rising ticks', () => {
    const value = fc.integer({ min: -1e12, max: 1e12 }).map((number) => number / 1000);
    const values = fc.array(fc.oneof(value, fc.constant(Number.NaN)));
    fc.assert(
      fc.property(values, fc.boolean(), (numbers, zero) => {
        const { min, max, ticks } = niceScale(numbers, { zero });
        for (const value of numbers.filter(Number.isFinite)) {
          expect(value).toBeGreaterThanOrEqual(min - (max - min) * 1e-8);
          expect(value).toBeLessThanOrEqual(max + (max - min) * 1e-8);
        }
        expect(ticks.length).toBeLessThan(9);
        expect([...ticks].sort((a, b) => a - b)).toEqual(ticks);
      }),
    );
  });
});

describe('paths', () => {
  it('break where a value is missing', () => {
    expect(runsOf(columns(1, Number.NaN, 3, 4), SLOT_MS)).toEqual([
      [0, 1],
      [2, 4],
    ]);
    expect(linePath(columns(0, 10, Number.NaN, 5), range, scale, SLOT_MS)).toBe('M0 100L250 0M750 50h3');
  });
  it('break where time is missing', () => {
    const gap = { at_ms: [T0, T0 + 3 * SLOT_MS], values: [1, 1] };
    expect(runsOf(gap, SLOT_MS)).toHaveLength(2);
  });
  it('are empty for nothing and for nulls alone', () => {
    for (const nothing of [columns(), columns(Number.NaN, Number.NaN)]) {
      expect(linePath(nothing, range, scale, SLOT_MS)).toBe('');
      expect(stepPath(nothing, range, scale, SLOT_MS, true)).toBe('');
      expect(bandPath({ ...nothing, lower: nothing.values, upper: nothing.values }, range, scale, SLOT_MS)).toBe('');
    }
  });
  it('hold a step to the end of its slot', () => {
    expect(stepPath(columns(10, 5), range, scale, SLOT_MS)).toBe('M0 0H250V50H500');
  });
  it('fill steps down to zero, which may lie above', () => {
    const below = { min: -10, max: 0, ticks: [-10, 0] };
    expect(stepPath(columns(-10), range, below, SLOT_MS, true)).toBe('M0 0V100H250V0Z');
  });
  it('close a band', () => {
    const band = { at_ms: [T0, T0 + SLOT_MS], lower: [0, 5], upper: [10, 10] };
    expect(bandPath(band, range, scale, SLOT_MS)).toBe('M0 0L250 0L250 50L0 100Z');
  });
});

describe('time ticks', () => {
  const wall = (at_ms: number) => localTime(at_ms, 'Europe/Berlin');
  const hours = (from_ms: number, to_ms: number) =>
    timeTicks({ from_ms, to_ms }, wall).map((tick) => wall(tick.at_ms).hour);

  it('stand at full hours of the wall clock', () => {
    expect(hours(Date.UTC(2026, 5, 16, 22), Date.UTC(2026, 5, 17, 22))).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 0]);
  });
  it('skip what the clock skips and name what happens twice once', () => {
    const spring = hours(Date.UTC(2026, 2, 28, 23), Date.UTC(2026, 2, 29, 5));
    expect(spring).toEqual([0, 1, 3, 4, 5, 6, 7]);
    const autumn = hours(Date.UTC(2026, 9, 24, 22), Date.UTC(2026, 9, 25, 5));
    expect(autumn).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });
  it('mark every midnight of several days', () => {
    const ticks = timeTicks({ from_ms: Date.UTC(2026, 5, 10), to_ms: Date.UTC(2026, 5, 17) }, wall);
    expect(ticks.map((tick) => tick.kind)).toEqual(Array(7).fill('day'));
  });
  it('follow zones with odd offsets', () => {
    const nepal = (at_ms: number) => localTime(at_ms, 'Asia/Kathmandu');
    const ticks = timeTicks({ from_ms: T0, to_ms: T0 + 6 * 3_600_000 }, nepal);
    expect(ticks.every((tick) => nepal(tick.at_ms).minute === 0)).toBe(true);
    expect(ticks).toHaveLength(6);
  });
});
