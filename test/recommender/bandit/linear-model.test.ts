import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../engine/random.ts';
import { inverseOf } from '../../../recommender/bandit/cholesky.ts';
import { gaussian } from '../../../recommender/bandit/lift.ts';
import {
  createFromShared,
  createLinearModel,
  type LinearModel,
  learnReward,
  predict,
  REFACTOR_EVERY,
  refactor,
} from '../../../recommender/bandit/linear-model.ts';

const number = fc.double({ min: -1, max: 1, noNaN: true });
const row = fc.record({ x: fc.array(number, { minLength: 3, maxLength: 3 }), reward: number });

/** Positions of a matrix's lower triangle, row by row: what a model keeps up to date. */
const lowerOf = (d: number): number[] =>
  Array.from({ length: d * d }, (_, at) => at).filter((at) => at % d <= Math.floor(at / d));

describe('Bayesian linear regression, one reward at a time', () => {
  it('is what the closed formula says: (ridge·I + XᵀX)⁻¹ Xᵀr, and its sum of squares', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 30 }), (rows) => {
        const model = createLinearModel(3, 0.5);
        for (const { x, reward } of rows) learnReward(model, Float64Array.from(x), reward);
        const precision = new Float64Array([0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5]);
        const b = [0, 0, 0];
        for (const { x, reward } of rows)
          for (let i = 0; i < 3; i++) {
            b[i]! += reward * x[i]!;
            for (let j = 0; j < 3; j++) precision[i * 3 + j]! += x[i]! * x[j]!;
          }
        const inverse = inverseOf(precision, 3);
        const weights = b.map((_, i) => b.reduce((sum, value, j) => sum + inverse[i * 3 + j]! * value, 0));
        for (let i = 0; i < 3; i++) expect(model.weights[i]).toBeCloseTo(weights[i]!, 9);
        for (const i of lowerOf(3)) expect(model.inverse[i]).toBeCloseTo(inverse[i]!, 9);
        // 2 (bₙ − b₀) = Σ r² − mᵀ b (Murphy 2012, equation 7.75 with m₀ = 0)
        const squares = rows.reduce((sum, { reward }) => sum + reward * reward, 0);
        expect(model.residual).toBeCloseTo(squares - b.reduce((sum, value, i) => sum + value * weights[i]!, 0), 8);
      }),
    );
  });

  it('stays accurate over 20,000 rewards whose features are nearly dependent', () => {
    const random = createRandom(5);
    const model = createLinearModel(6, 1e-3);
    for (let n = 0; n < 20_000; n++) {
      const common = gaussian(random);
      const x = Float64Array.from({ length: 6 }, () => common + 1e-3 * gaussian(random));
      learnReward(model, x, x[0]! - x[1]!);
    }
    const exact = inverseOf(model.precision, 6);
    for (const i of lowerOf(6)) expect(Math.abs(model.inverse[i]! / exact[i]! - 1)).toBeLessThan(1e-6);
    // The ridge term against 20,000 · 1e-6 in that direction.
    expect(model.weights[0]! - model.weights[1]!).toBeCloseTo((2 * 0.02) / 0.021, 1);
  });

  it('follows a reward that changed when it forgets, and averages when it does not', () => {
    const after = (discount: number) => {
      const model = createLinearModel(1, 1, discount);
      for (let n = 0; n < 10 * REFACTOR_EVERY; n++)
        learnReward(model, Float64Array.of(1), n < 5 * REFACTOR_EVERY ? 1 : 0);
      return predict(model, Float64Array.of(1));
    };
    expect(after(0.99).mean).toBeLessThan(0.05);
    expect(after(1).mean).toBeCloseTo(0.5, 2);
    expect(after(0.99).spread).toBeGreaterThan(after(1).spread);
  });

  it('falls back to its prior, not to nothing, when everything is forgotten', () => {
    const shared = createLinearModel(2, 1);
    for (let n = 0; n < 100; n++) learnReward(shared, Float64Array.of(1, n % 2), 0.8);
    const model = createFromShared({ ...shared, discount: 0.5 }, 10);
    for (let n = 0; n < REFACTOR_EVERY; n++) learnReward(model, Float64Array.of(1, 0), -1);
    const before = predict(createFromShared(shared, 10), Float64Array.of(1, 1));
    expect(predict(model, Float64Array.of(1, 1))).toEqual({
      mean: expect.closeTo(before.mean, 6),
      spread: expect.closeTo(before.spread, 6),
    });
  });

  it('starts a new site at what others have learnt, as sure as so many rewards make it', () => {
    const shared = createLinearModel(2, 1);
    for (let n = 0; n < 400; n++) learnReward(shared, Float64Array.of(1, (n % 3) / 3), 0.3 + (n % 3) / 6);
    const x = Float64Array.of(1, 0.5);
    const fresh = createFromShared(shared, 10);
    expect(predict(fresh, x).mean).toBeCloseTo(predict(shared, x).mean, 9);
    expect(predict(fresh, x).spread).toBeGreaterThan(5 * predict(shared, x).spread);
    expect(predict(fresh, x).spread).toBeLessThan(predict(createLinearModel(2, 1), x).spread);
    const learnt = (model: LinearModel) => {
      for (let n = 0; n < 40; n++) learnReward(model, x, 0);
      return predict(model, x).mean;
    };
    expect(learnt(fresh)).toBeLessThan(0.15);
  });

  it('refactors to itself', () => {
    const model = createLinearModel(3, 1);
    for (let n = 0; n < 50; n++) learnReward(model, Float64Array.of(1, n / 50, (n % 7) / 7), n % 2);
    const before = model.inverse.slice();
    refactor(model);
    for (const i of lowerOf(3)) expect(model.inverse[i]).toBeCloseTo(before[i]!, 12);
  });
});
