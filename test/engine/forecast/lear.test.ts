import { describe, expect, it } from 'vitest';
import { choosePenalty, countWeights, createLassoState, solveLasso } from '../../../engine/forecast/lasso.ts';
import { createLear } from '../../../engine/forecast/lear.ts';
import { createRandom } from '../../../engine/random.ts';
import { describeForecastMethod } from '../../contracts/forecast-method.ts';
import { makeMarket } from './panel-fixture.ts';

describeForecastMethod('LEAR over 70 days', {
  create: () => createLear({ window_days: 70 }),
  mae: 3.2,
  explains_within: 1e-8,
});

describe('the LASSO', () => {
  const random = createRandom(3);
  const [n, p] = [200, 12];
  const x = Array.from({ length: n }, () => Array.from({ length: p }, () => random() + random() - 1));
  for (const row of x) row[1] = row[0]! + 0.1 * row[1]!;
  const y = x.map((row) => 2 * row[0]! - row[5]! + 0.3 * (random() - 0.5));
  const unit = (values: number[]) => {
    const mean = values.reduce((a, b) => a + b, 0) / n;
    const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n);
    return values.map((value) => (value - mean) / deviation);
  };
  const columns = Array.from({ length: p }, (_, j) => unit(x.map((row) => row[j]!)));
  const target = unit(y);
  const dot = (a: number[], b: number[]) => a.reduce((sum, value, i) => sum + value * b[i]!, 0) / n;
  const problem = {
    p,
    n,
    gram: Float64Array.from({ length: p * p }, (_, k) => dot(columns[Math.floor(k / p)]!, columns[k % p]!)),
    xy: Float64Array.from(columns, (column) => dot(column, target)),
  };

  it('meets the optimality conditions: correlations with the residual are the penalty, or less where the weight is 0', () => {
    const state = createLassoState(p);
    state.slack.set(problem.xy);
    solveLasso(problem, state, 0.05, 1e-12);
    const residual = target.map(
      (value, i) => value - columns.reduce((sum, c, j) => sum + state.weights[j]! * c[i]!, 0),
    );
    for (let j = 0; j < p; j++) {
      const slack = dot(columns[j]!, residual);
      if (state.weights[j] === 0) expect(Math.abs(slack)).toBeLessThanOrEqual(0.05 + 1e-9);
      else expect(slack).toBeCloseTo(0.05 * Math.sign(state.weights[j]!), 8);
    }
    expect(countWeights(state)).toBeLessThan(p);
  });

  it('chooses a penalty that keeps what matters', () => {
    const state = createLassoState(p);
    choosePenalty(problem, state, { criterion: 'bic', steps: 40, ratio: 1e-3, tolerance: 1e-7 });
    expect(state.weights[0]! + state.weights[1]!).toBeGreaterThan(0.7);
    expect(state.weights[5]!).toBeLessThan(-0.3);
    expect(countWeights(state)).toBeLessThan(7);
  });
});

describe('LEAR', () => {
  it('slides to what it would have learned anew', () => {
    const { panel } = makeMarket(90);
    const method = createLear({
      window_days: 70,
      choose_days: 1000,
      tolerance: 1e-6,
      spec: { target_lags: [1, 7], exogenous_lags: [0] },
    });
    // The penalty and the scales stay those of the first day, so that only the sliding is looked at.
    const first = method.train(panel, 78);
    const slid = method.train(panel, 80, method.train(panel, 79, first));
    // From the same start once more: its sums went on to day 79, so it must begin anew and yet end there.
    const jumped = method.train(panel, 80, method.train(panel, 78));
    const [a, b] = [slid.forecast(panel, 80), jumped.forecast(panel, 80)];
    for (let hour = 0; hour < 24; hour++) expect(a[hour]!).toBeCloseTo(b[hour]!, 1);
  });

  it('lives with days that are missing', () => {
    const { panel } = makeMarket(100, 1, ([price]) => price!.values.fill(NaN, 24 * 70, 24 * 73));
    const method = createLear({ window_days: 70 });
    const trained = method.train(panel, 90);
    expect(trained.forecast(panel, 90).every(Number.isFinite)).toBe(true);
    // Three days ago something is missing: said by NaN, not by a number.
    expect(trained.forecast(panel, 74).some(Number.isNaN)).toBe(true);
  });
});
