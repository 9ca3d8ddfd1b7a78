/** A seeded sample of the bench `modbus`. */
import { describe, expect, it } from 'vitest';
import { runTrial } from './trial.ts';

describe('60 Modbus devices on 6 gateways', () => {
  it('hold one second, give no wrong value through faults, and come back by themselves', {
    timeout: 60_000,
  }, async () => {
    const faults = [
      ...(['previous under this number', 'repeats itself', 'late', 'garbage'] as const),
      ...(['wrong transaction', 'dropped peer'] as const),
    ];
    const sizes = { gateways: 6, units: 10, period_s: 1, seed: 3, hold_s: 2, rounds: 1, fault_s: 2, dead_s: 1, faults };
    const result = await runTrial(sizes, () => undefined);
    expect(result).toMatchObject({ devices: 60, gateways: 6, wrong_values: 0 });
    expect(result.rate_held_pct).toBeGreaterThan(85);
    expect(result.recovery_max_s).toBeLessThan(20);
  });

  it('a dead device takes little of the rate of the nine beside it', { timeout: 60_000 }, async () => {
    const sizes = { gateways: 1, units: 10, period_s: 0.25, seed: 5, hold_s: 1, rounds: 0, fault_s: 0, dead_s: 6 };
    const result = await runTrial(sizes, () => undefined);
    expect(result).toMatchObject({ devices: 10, wrong_values: 0 });
    // The full bench counts a minute at one second; here the two long tries at the beginning weigh more.
    expect(result.neighbour_cost_pct).toBeLessThan(50);
  });
});
