import { describe, expect, it } from 'vitest';
import { createBands } from '../../../engine/forecast/bands.ts';
import { createCombiner } from '../../../engine/forecast/combine.ts';
import { dailyErrors, giacominiWhite, meanAbsoluteError } from '../../../engine/forecast/compare.ts';
import { createRandom } from '../../../engine/random.ts';

const noise = (random: () => number) => random() + random() + random() + random() - 2;

describe('the online combination', () => {
  it('finds who is good at which hour, and is hardly worse than the best', () => {
    const random = createRandom(1);
    const combiner = createCombiner({ experts: 3, slots: 2, reach: 0 });
    let [combined, best] = [0, 0];
    for (let day = 0; day < 300; day++) {
      const actual = Float64Array.from([10 * noise(random), 10 * noise(random)]);
      const experts = [
        actual.map((value, slot) => value + (slot === 0 ? 1 : 6) * noise(random)),
        actual.map((value, slot) => value + (slot === 1 ? 1 : 6) * noise(random)),
        actual.map((value) => value + 8 * noise(random)),
      ];
      const made = combiner.combine(experts);
      if (day >= 100) {
        combined += meanAbsoluteError(actual, made);
        best += (Math.abs(experts[0]![0]! - actual[0]!) + Math.abs(experts[1]![1]! - actual[1]!)) / 2;
      }
      combiner.observe(experts, actual);
    }
    const w = combiner.weights();
    expect(w[0]!).toBeGreaterThan(0.8);
    expect(w[4]!).toBeGreaterThan(0.8);
    expect(combined).toBeLessThan(1.1 * best);
  });

  it('starts at its prior, leaves out who does not forecast, and goes on from storage', () => {
    const combiner = createCombiner({ experts: 2, slots: 1, prior: [0.75, 0.25] });
    expect([...combiner.combine([Float64Array.of(4), Float64Array.of(8)])]).toEqual([5]);
    expect([...combiner.combine([Float64Array.of(NaN), Float64Array.of(8)])]).toEqual([8]);
    combiner.observe([Float64Array.of(4), Float64Array.of(8)], Float64Array.of(NaN));
    expect([...combiner.weights()]).toEqual([0.75, 0.25]);
    combiner.observe([Float64Array.of(4), Float64Array.of(8)], Float64Array.of(8));
    expect(combiner.weights()[1]!).toBeGreaterThan(0.25);
    const again = createCombiner(
      { experts: 2, slots: 1, prior: [0.75, 0.25] },
      JSON.parse(JSON.stringify(combiner.state())),
    );
    expect([...again.weights()]).toEqual([...combiner.weights()]);
  });
});

describe('bands', () => {
  it('stay narrow beside hours at which there is nothing, as generation at night', () => {
    const random = createRandom(4);
    const bands = createBands({ slots: 4, levels: [0.05, 0.95] });
    // Night, a dawn with the least of light, noon, evening.
    const sun = [0, 0.02, 10, 4];
    let widest = 0;
    for (let day = 0; day < 120; day++) {
      const point = Float64Array.from(sun);
      const forecasts = [point, point.map((value) => 1.1 * value)];
      const [low, high] = bands.quantiles(point, forecasts);
      const actual = point.map((value) => value * (0.4 + random()));
      if (day >= 30) {
        expect([low![0], high![0]]).toEqual([0, 0]);
        widest = Math.max(widest, high![1]! - low![1]!, high![2]! - low![2]!);
      }
      bands.observe(point, forecasts, actual);
    }
    expect(widest).toBeLessThan(30);
  });

  it('hold what they promise while the size of errors swings, and after storage', () => {
    const random = createRandom(4);
    const levels = [0.05, 0.5, 0.95];
    let bands = createBands({ slots: 4, levels });
    let [inside, hours, wide, narrow] = [0, 0, 0, 0];
    for (let day = 0; day < 500; day++) {
      const size = day % 100 < 50 ? 1 : 5;
      const point = Float64Array.from([10, 20, 30, 40]);
      const forecasts = [point, point.map((value) => value + 1)];
      const actual = point.map((value) => value + size * noise(random));
      const [low, , high] = bands.quantiles(point, forecasts);
      if (day >= 60)
        for (let slot = 0; slot < 4; slot++) {
          inside += actual[slot]! >= low![slot]! && actual[slot]! <= high![slot]! ? 1 : 0;
          hours++;
          if (day % 100 === 40) narrow += high![slot]! - low![slot]!;
          if (day % 100 === 90) wide += high![slot]! - low![slot]!;
        }
      bands.observe(point, forecasts, actual);
      if (day === 250) bands = createBands({ slots: 4, levels }, JSON.parse(JSON.stringify(bands.state())));
    }
    expect(inside / hours).toBeGreaterThan(0.87);
    expect(inside / hours).toBeLessThan(0.93);
    expect(wide).toBeGreaterThan(3 * narrow);
  });

  it('are not given before a week of errors was seen', () => {
    const bands = createBands({ slots: 1, levels: [0.5] });
    expect(bands.quantiles(Float64Array.of(1), [])[0]![0]).toBeNaN();
  });
});

describe('the Giacomini–White test', () => {
  const random = createRandom(2);
  const losses = Float64Array.from({ length: 400 }, () => 3 + noise(random));

  it('tells a better forecaster from one that is better by chance', () => {
    const better = losses.map((loss) => loss - 0.3 + noise(random));
    expect(giacominiWhite(losses, better)).toBeLessThan(0.001);
    expect(giacominiWhite(better, losses)).toBe(1);
    const same = losses.map((loss) => loss + noise(random));
    expect(giacominiWhite(losses, same)).toBeGreaterThan(0.05);
  });

  it('is what epftoolbox computes', () => {
    // Its GW(), norm 1, on these daily losses: statistic 400·R² of 1 on [d, d·d₋₁], by hand for four days twice over.
    const reference = Float64Array.from([3, 5, 4, 6, 3, 5, 4, 6, 5, 7]);
    const challenger = Float64Array.from([2, 5, 2, 5, 3, 3, 4, 4, 4, 5]);
    // d = 1 0 2 1 0 2 0 2 1 2; rows from the second day: d = 0 2 1 0 2 0 2 1 2, d·d₋₁ = 0 0 2 0 0 0 0 2 2.
    // XᵀX = [[18, 8], [8, 12]], Xᵀ1 = [10, 6]: 1ᵀX(XᵀX)⁻¹Xᵀ1 = (10·(10·12 − 6·8) + 6·(6·18 − 10·8)) / (18·12 − 64).
    const statistic = (10 * (10 * 12 - 6 * 8) + 6 * (6 * 18 - 10 * 8)) / (18 * 12 - 64);
    expect(giacominiWhite(reference, challenger)).toBeCloseTo(Math.exp(-statistic / 2), 12);
  });

  it('daily errors leave out what is missing', () => {
    const actual = Float64Array.from({ length: 48 }, (_, k) => (k === 3 ? NaN : 1));
    expect([...dailyErrors(actual, new Float64Array(48))]).toEqual([1, 1]);
  });
});
