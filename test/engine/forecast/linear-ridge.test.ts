import { describe, expect, it } from 'vitest';
import { addRows, createMoments, fitRidge, predict, solveCholesky } from '../../../engine/forecast/linear-ridge.ts';
import { empiricalQuantile, pointQuantiles } from '../../../engine/forecast/quantiles.ts';

describe('ridge regression', () => {
  it('solves a symmetric system', () => {
    const a = Float64Array.of(4, 0, 0, 2, 5, 0, 1, 3, 6);
    const b = Float64Array.of(4 + 4 + 3, 2 + 10 + 9, 1 + 6 + 18);
    solveCholesky(a, b, 3);
    for (const [i, value] of [1, 2, 3].entries()) expect(b[i]).toBeCloseTo(value, 10);
  });

  const x = Float64Array.of(1, 5, 7, 2, 3, 7, 3, 8, 7, 4, 1, 7, 5, 9, 7, 6, 2, 7);
  const y = Float64Array.from({ length: 6 }, (_, i) => 10 + 2 * x[i * 3]! - 3 * x[i * 3 + 1]!);
  const moments = createMoments(3);
  addRows(moments, x, y, 0, 6);

  it('without penalty it finds the line, and ignores a column that does not vary', () => {
    const line = fitRidge(moments, 0);
    expect([...line.weights].map((w) => Math.round(w * 1e6) / 1e6)).toEqual([2, -3, 0]);
    expect(predict(line, Float64Array.of(10, 10, 7), 0)).toBeCloseTo(0, 6);
  });

  it('with a penalty on one standardised column the weight shrinks by 1 / (1 + λ)', () => {
    const one = createMoments(1);
    addRows(one, Float64Array.of(1, 2, 3, 4), Float64Array.of(3, 5, 7, 9), 0, 4);
    expect(fitRidge(one, 1).weights[0]).toBeCloseTo(1, 10);
    expect(fitRidge(one, 3).weights[0]).toBeCloseTo(0.5, 10);
    expect(predict(fitRidge(one, 3), Float64Array.of(2.5), 0)).toBeCloseTo(6, 10);
  });
});

describe('empirical quantiles', () => {
  it('stand at the (n + 1) positions and end at the extremes', () => {
    const nine = Float64Array.from({ length: 9 }, (_, i) => i + 1);
    expect(empiricalQuantile(nine, 0.1)).toBeCloseTo(1, 9);
    expect(empiricalQuantile(nine, 0.5)).toBe(5);
    expect(empiricalQuantile(nine, 0.25)).toBeCloseTo(2.5, 9);
    expect(empiricalQuantile(nine, 0.999)).toBe(9);
  });

  it('never cross and respect the floor', () => {
    const levels = [0.1, 0.5, 0.9].map((level) => ({ key: String(level), level }));
    expect(pointQuantiles(1, Float64Array.of(-8, -7, 3), levels, 0)).toEqual({ '0.1': 0, '0.5': 0, '0.9': 4 });
    expect(pointQuantiles(1, new Float64Array(0), levels, 0)).toEqual({ '0.1': 1, '0.5': 1, '0.9': 1 });
  });
});
