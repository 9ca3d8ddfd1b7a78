import { expect, it } from 'vitest';
import { areaUnderCurve, fitLogistic, logisticProbability } from '../../../../engine/forecast/classify/logistic.ts';
import { peaksOf } from '../../../../engine/forecast/classify/peak-hours.ts';
import { createRandom } from '../../../../engine/random.ts';

it('finds the weights that made the data', () => {
  const random = createRandom(5);
  const rows = 20_000;
  const x = Float64Array.from({ length: rows * 2 }, () => 2 * random() - 1);
  const y = Uint8Array.from({ length: rows }, (_, k) =>
    random() < 1 / (1 + Math.exp(-(0.5 + 2 * x[2 * k]! - x[2 * k + 1]!))) ? 1 : 0,
  );
  const fit = fitLogistic(x, y, 2, 0.01);
  expect(fit.offset).toBeCloseTo(0.5, 1);
  expect(fit.weights[0]).toBeCloseTo(2, 0);
  expect(fit.weights[1]).toBeCloseTo(-1, 0);
  expect(logisticProbability(fit, Float64Array.of(0, 0))).toBeCloseTo(1 / (1 + Math.exp(-0.5)), 1);
});

it('stays finite where one line parts the classes, and refuses a single class', () => {
  const x = Float64Array.of(-2, -1, 1, 2);
  const fit = fitLogistic(x, Uint8Array.of(0, 0, 1, 1), 1, 0.1);
  expect(Number.isFinite(fit.weights[0]!)).toBe(true);
  expect(logisticProbability(fit, Float64Array.of(2))).toBeGreaterThan(0.9);
  expect(() => fitLogistic(x, Uint8Array.of(1, 1, 1, 1), 1, 1)).toThrow('Only one class');
});

it('measures the area under the curve, ties as half', () => {
  expect(areaUnderCurve([1, 2, 3, 4], [0, 0, 1, 1])).toBe(1);
  expect(areaUnderCurve([4, 3, 2, 1], [0, 0, 1, 1])).toBe(0);
  expect(areaUnderCurve([1, 1, 1, 1], [0, 1, 0, 1])).toBe(0.5);
  expect(areaUnderCurve([1, 2, 2, 3], [0, 0, 1, 1])).toBe(0.875);
  expect(areaUnderCurve([1, 2], [1, 1])).toBeNaN();
});

it('knows the dearest hours: of equal ones the earlier; none where one is missing', () => {
  expect([...peaksOf(Float64Array.of(1, 9, 3, 9, 9, 9))!]).toEqual([0, 1, 0, 1, 1, 0]);
  expect(peaksOf(Float64Array.of(1, NaN, 3))).toBeNull();
});
