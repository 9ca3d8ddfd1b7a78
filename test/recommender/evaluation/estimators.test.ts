import { describe, expect, it } from 'vitest';
import { InvalidDataError } from '../../../engine/errors.ts';
import { createRandom } from '../../../engine/random.ts';
import { ESTIMATORS, type EstimatorName, estimateValue } from '../../../recommender/evaluation/estimators.ts';
import { bernsteinInterval, bootstrapInterval, meanAndError } from '../../../recommender/evaluation/intervals.ts';

/** Three actions, one feature; rewards depend on both. `bias` spoils the reward model. */
function logOf(seed: number, n: number, bias = 0) {
  const random = createRandom(seed);
  const chosen = new Int32Array(n);
  const [propensities, rewards] = [new Float64Array(n), new Float64Array(n)];
  const [target, estimates] = [new Float64Array(n * 3), new Float64Array(n * 3)];
  for (let i = 0; i < n; i++) {
    const x = random();
    const means = [0.2 + 0.3 * x, 0.6 - 0.3 * x, 0.4];
    const logging = [0.7, 0.2, 0.1];
    const point = random();
    chosen[i] = point < 0.7 ? 0 : point < 0.9 ? 1 : 2;
    propensities[i] = logging[chosen[i]!]!;
    rewards[i] = Number(random() < means[chosen[i]!]!);
    target.set([0.1, 0.8, 0.1], i * 3);
    estimates.set(
      means.map((mean) => mean + bias),
      i * 3,
    );
  }
  return { actions: 3, chosen, propensities, rewards, target, estimates };
}
/** 0.1 · 0.35 + 0.8 · 0.45 + 0.1 · 0.4, over x even in 0 … 1. */
const TRUTH = 0.435;

const meanOver = (name: EstimatorName, bias: number) => {
  const values = Array.from({ length: 60 }, (_, seed) => estimateValue(logOf(seed + 1, 500, bias))[name].value);
  return values.reduce((a, b) => a + b, 0) / values.length;
};

describe('off-policy estimators', () => {
  it.each(ESTIMATORS)('%s finds the value of a policy that never ran', (name) => {
    expect(meanOver(name, 0)).toBeCloseTo(TRUTH, 1);
    expect(Math.abs(meanOver(name, 0) - TRUTH)).toBeLessThan(0.02);
  });

  it('doubly robust stays right under a wrong model, the direct method does not', () => {
    expect(Math.abs(meanOver('dr', 0.3) - TRUTH)).toBeLessThan(0.02);
    expect(Math.abs(meanOver('dm', 0.3) - TRUTH)).toBeGreaterThan(0.25);
  });

  it('agrees with the formulas on a log of two rows', () => {
    const found = estimateValue({
      actions: 2,
      chosen: Int32Array.of(0, 1),
      propensities: Float64Array.of(0.5, 0.25),
      rewards: Float64Array.of(1, 0.5),
      target: Float64Array.of(0.2, 0.8, 0.1, 0.9),
      estimates: Float64Array.of(0.6, 0.4, 0.5, 0.3),
    });
    const [w0, w1] = [0.4, 3.6];
    const [q0, q1] = [0.2 * 0.6 + 0.8 * 0.4, 0.1 * 0.5 + 0.9 * 0.3];
    expect(found.ips.value).toBeCloseTo((w0 * 1 + w1 * 0.5) / 2, 12);
    expect(found.snips.value).toBeCloseTo((w0 * 1 + w1 * 0.5) / (w0 + w1), 12);
    expect(found.dm.value).toBeCloseTo((q0 + q1) / 2, 12);
    expect(found.dr.value).toBeCloseTo((q0 + w0 * 0.4 + q1 + w1 * 0.2) / 2, 12);
    expect(found.switch_dr.value).toBeCloseTo(found.dr.value, 12);
  });

  it.each(['ips', 'snips', 'dr'] as const)(
    '%s: its 95-percent intervals hold the truth in 91 to 99 of 100 logs',
    (name) => {
      let held = 0;
      for (let seed = 0; seed < 400; seed++) {
        const { low, high } = estimateValue(logOf(1000 + seed, 400, 0.1))[name];
        held += Number(low <= TRUTH && TRUTH <= high);
      }
      expect(held / 400).toBeGreaterThan(0.91);
      expect(held / 400).toBeLessThan(0.99);
    },
  );

  it('switch-DR leaves large weights to the model', () => {
    const log = logOf(3, 2000);
    log.propensities.fill(0.001);
    const { dm, switch_dr } = estimateValue(log, { switch_above: 10 });
    expect(switch_dr.value).toBeCloseTo(dm.value, 12);
  });

  it('refuses a log without rows or with an impossible propensity', () => {
    const log = logOf(1, 10);
    expect(() => estimateValue({ ...log, propensities: new Float64Array(10) })).toThrow(InvalidDataError);
    expect(() => estimateValue({ ...log, chosen: new Int32Array(0) })).toThrow(/no logged decision/);
  });
});

describe('intervals', () => {
  const terms = Float64Array.from({ length: 200 }, (_, i) => (i * 37) % 100);

  it('the bootstrap agrees with the normal interval on a mean', () => {
    const { mean, standard_error } = meanAndError(terms);
    const statistic = (rows: Int32Array) => rows.reduce((sum, row) => sum + terms[row]!, 0) / rows.length;
    const found = bootstrapInterval(terms.length, statistic, { level: 0.95, samples: 2000, seed: 4 });
    expect(found.value).toBeCloseTo(mean, 12);
    expect(found.low).toBeCloseTo(mean - 1.96 * standard_error, 0);
    expect(found.high).toBeCloseTo(mean + 1.96 * standard_error, 0);
  });

  it('empirical Bernstein is wider than normal and narrows with n', () => {
    const few = bernsteinInterval(terms.slice(0, 50), 100, 0.95);
    const many = bernsteinInterval(terms, 100, 0.95);
    expect(few.high - few.low).toBeGreaterThan(many.high - many.low);
    expect(many.high - many.low).toBeGreaterThan(2 * 1.96 * many.standard_error);
  });
});
