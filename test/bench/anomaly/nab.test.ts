import { expect, it } from 'vitest';
import { nabScore, probationOf } from './nab.ts';

const windows = [{ from: 1000, to: 1099 }];

it('gives all for an alert at the start of a window, and takes one for a window that was missed', () => {
  // The benchmark counts the position from the row after the end: the first of 100 rows is at −1.
  expect(nabScore(5000, [1000], windows)).toMatchObject({ hits: 1, false_alarms: 0, score: 1 });
  expect(nabScore(5000, [], windows).score).toBe(-1);
  expect(nabScore(5000, [1050], windows).score).toBeCloseTo(
    (2 / (1 + Math.exp(-2.5)) - 1) / (2 / (1 + Math.exp(-5)) - 1),
    2,
  );
});

it('counts the first alert in a window only, and every one outside', () => {
  expect(nabScore(5000, [1000, 1001, 1050], windows).score).toBe(1);
  expect(nabScore(5000, [900], windows).score).toBeCloseTo(-1.11, 10);
  // Just behind a window costs little, far behind it all.
  expect(nabScore(5000, [1000, 1105], windows).score).toBeGreaterThan(0.98);
  expect(nabScore(5000, [1000, 2000], windows).score).toBeCloseTo(0.89, 10);
});

it('leaves out the probation', () => {
  expect(probationOf(2000)).toBe(300);
  expect(probationOf(100_000)).toBe(750);
  expect(nabScore(5000, [10, 1000], windows).false_alarms).toBe(0);
});
