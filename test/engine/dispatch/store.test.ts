import { describe, expect, it } from 'vitest';
import { earned, planMarketDay } from '../../../engine/dispatch/arbitrage.ts';
import { createNoStorage, createPrescient } from '../../../engine/dispatch/policies.ts';
import { bootstrapSavings, type History, simulate } from '../../../engine/dispatch/simulate.ts';
import { capOfStep, meanPeak, stepAmount } from '../../../engine/dispatch/stepped-peak.ts';
import { createValueFunction, valueAt } from '../../../engine/dispatch/value-function.ts';
import { createValueGrid } from '../../../engine/dispatch/value-grid.ts';
import { seeded } from '../../bench/dispatch/random-site.ts';

const STORE = {
  capacity_kWh: 4,
  charge_kWh: 2,
  discharge_kWh: 2,
  charge_efficiency: 0.9,
  discharge_efficiency: 0.9,
  keep: 1,
};

describe('one store', () => {
  it('has an exact value function: no course on a fine grid is cheaper', () => {
    const random = seeded(3);
    const stages = Array.from({ length: 4 }, () => ({
      price: random(),
      feed_in: 0,
      net_kWh: 2 * random(),
      cap_kWh: 2,
      over_price: 1,
    }));
    const value = createValueFunction(STORE);
    value.end(1, 5, 0);
    for (const stage of [...stages].reverse()) value.back(stage);
    const cheapest = (t: number, energy: number): number => {
      if (t === stages.length) return 5 * Math.max(0, 1 - energy);
      const { price, net_kWh, cap_kWh, over_price } = stages[t]!;
      let best = Infinity;
      for (let flow = -2; flow <= 2.0001; flow += 0.2) {
        const after = energy + (flow > 0 ? flow * 0.9 : flow / 0.9);
        const grid = net_kWh + flow;
        if (after < -1e-9 || after > 4 + 1e-9 || grid < -1e-9) continue;
        const cost = price * grid + over_price * Math.max(0, grid - cap_kWh);
        best = Math.min(best, cost + cheapest(t + 1, after));
      }
      return best;
    };
    const coarse = cheapest(0, 2);
    expect(value.cost(2)).toBeLessThanOrEqual(coarse + 1e-9);
    expect(value.cost(2)).toBeGreaterThan(coarse - 0.3);
  });

  it('knows on a grid the mean over what a slot may be, and the cheaper of two ways on', () => {
    const random = seeded(7);
    const grid = createValueGrid(STORE, 8);
    const [value, dear] = [grid.create(), grid.create()];
    grid.end(value, 2, 5);
    grid.end(dear, 4, 5);
    const exact = (net_kWh: number, energy: number) => {
      const after = createValueFunction(STORE);
      after.end(2, 5, 0);
      after.back({ ...stage, net_kWh });
      return after.cost(energy);
    };
    const stage = { price: random(), feed_in: 0, cap_kWh: 1, over_price: 3 };
    grid.back(value, [
      { ...stage, net_kWh: 0.4, weight: 0.75 },
      { ...stage, net_kWh: 1.8, weight: 0.25 },
    ]);
    for (const energy of [0, 1, 2.5, 4])
      expect(valueAt(value, energy)).toBeCloseTo(0.75 * exact(0.4, energy) + 0.25 * exact(1.8, energy), 9);
    const both = grid.create();
    grid.copy(both, value);
    grid.orElse(both, dear, -14);
    for (const energy of [0, 1, 2, 3, 4])
      expect(valueAt(both, energy)).toBeLessThanOrEqual(
        Math.min(valueAt(value, energy), valueAt(dear, energy) - 14) + 1e-9,
      );
    expect([...both.slope]).toEqual([...both.slope].sort((a, b) => a - b));
  });

  it('simulates what the prescient plan promised, to the last digit', () => {
    const random = seeded(5);
    const slots = 96;
    const history: History = {
      hours: 1,
      net_kWh: Float64Array.from({ length: slots }, () => 2 * random()),
      price: Float64Array.from({ length: slots }, () => 0.1 + random()),
      feed_in: new Float64Array(slots),
      day: Int32Array.from({ length: slots }, (_, t) => Math.floor(t / 24)),
      month: Int32Array.from({ length: slots }, (_, t) => Math.floor(t / 48)),
      import_limit_kW: 20,
      peaks: {
        count: 2,
        steps: [
          { up_to_kW: 1, amount: 1 },
          { up_to_kW: 3, amount: 4 },
          { up_to_kW: 20, amount: 9 },
        ],
      },
      store: { ...STORE, initial_kWh: 2 },
    };
    const prescient = createPrescient(history, 2);
    const result = simulate(history, prescient);
    expect(result.bill).toBeLessThanOrEqual(prescient.cost + 1e-6);
    expect(result.bill).toBeLessThan(simulate(history, createNoStorage()).bill);
    expect(result.energy_kWh.at(-1)).toBeGreaterThan(2 - 1e-6);
    const saved = simulate(history, createNoStorage()).daily_cost.map((cost, d) => cost - result.daily_cost[d]!);
    const { low, high } = bootstrapSavings(saved, seeded(1));
    const sum = saved.reduce((total, value) => total + value, 0);
    expect(low).toBeLessThanOrEqual(sum + 1e-9);
    expect(high).toBeGreaterThanOrEqual(low);
  });

  it('knows the power that a step still allows', () => {
    expect(meanPeak([1, 5, 3, 4], 3)).toBe(4);
    expect(capOfStep(5, [], 0, 31, 3)).toBeCloseTo(5, 4);
    expect(capOfStep(5, [5, 5, 5], 5, 10, 3)).toBeCloseTo(5, 4);
    expect(capOfStep(5, [7, 2, 2], 0, 10, 3)).toBeCloseTo(4, 4);
    expect(capOfStep(5, [8, 8, 8], 0, 10, 3)).toBeNull();
    expect(
      stepAmount(
        {
          count: 3,
          steps: [
            { up_to_kW: 2, amount: 83 },
            { up_to_kW: 5, amount: 147 },
          ],
        },
        2.1,
      ),
    ).toBe(147);
  });

  it('earns on a market day from empty to empty, also at negative prices', () => {
    const market = { power: 1, capacity: 2, charge_efficiency: 0.95, discharge_efficiency: 0.95 };
    const prices = [10, -20, -30, 50, 40, 5];
    const day = planMarketDay(prices, market);
    for (let t = 0; t < prices.length; t++) expect(Math.min(day.charge[t]!, day.discharge[t]!)).toBeLessThan(1e-5);
    const stored = day.charge.reduce((sum, c, t) => sum + 0.95 * c - day.discharge[t]! / 0.95, 0);
    expect(stored).toBeCloseTo(0, 5);
    expect(earned(day, prices)).toBeGreaterThan(50 + 30 + 20);
  });
});
