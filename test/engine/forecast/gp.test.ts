import { describe, expect, it } from 'vitest';
import { factorise, packedLength, solveFactored } from '../../../engine/forecast/cholesky.ts';
import { createGp } from '../../../engine/forecast/gp.ts';
import { createRandom } from '../../../engine/random.ts';
import { describeForecastMethod } from '../../contracts/forecast-method.ts';

describeForecastMethod('a Gaussian process over 80 days', {
  create: () => createGp({ window_days: 80, hours_per_group: 3 }),
  mae: 4,
  explains_within: 1e-7,
});

describe('the Cholesky factor', () => {
  it.each([1, 2, 5, 8, 31, 64])('solves a system of %i', (n) => {
    const random = createRandom(n);
    const roots = Array.from({ length: n }, () => Float64Array.from({ length: n }, () => random() - 0.5));
    const entry = (i: number, j: number) =>
      roots[i]!.reduce((sum, value, k) => sum + value * roots[j]![k]!, 0) + (i === j ? 0.5 : 0);
    const packed = new Float64Array(packedLength(n));
    for (let i = 0, at = 0; i < n; i++) for (let j = 0; j <= i; j++) packed[at++] = entry(i, j);
    const b = Float64Array.from({ length: n }, () => random());
    const z = b.slice();
    factorise(packed, n);
    solveFactored(packed, n, z);
    for (let i = 0; i < n; i++) expect(z.reduce((sum, value, j) => sum + entry(i, j) * value, 0)).toBeCloseTo(b[i]!, 8);
  });
});
