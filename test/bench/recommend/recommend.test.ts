/** A sample of the bench `recommend`. */
import { describe, expect, it } from 'vitest';
import { layoutOf, MOST_DIMENSIONS, MOST_KINDS } from '../../../recommender/bandit/described-rows.ts';
import { measureTimes } from './times.ts';
import { countInfeasible } from './walk.ts';

describe('a decision of the shipped policy', () => {
  it('never shows what cannot be done (2,000 of a million fuzzed contexts)', () => {
    const { chosen, infeasible } = countInfeasible(3, 2000);
    expect(chosen).toBeGreaterThan(1000);
    expect(infeasible).toBe(0);
  }, 120_000);

  it('takes milliseconds among 50 actions of 64 features, and its state stays small', () => {
    const { median_ms, update_median_ms, state_MB } = measureTimes(1, 300);
    // Medians: how busy the machine is must not decide.
    expect(median_ms).toBeLessThan(20);
    expect(update_median_ms).toBeLessThan(10);
    expect(state_MB).toBeLessThan(6);
  }, 120_000);

  it('keeps within its dimensions, however many features and kinds there are', () => {
    for (const [moment, own] of [
      [6, 5],
      [32, 32],
      [400, 60],
    ] as const) {
      const { common, block } = layoutOf(moment, own);
      expect(common + MOST_KINDS * block).toBeLessThanOrEqual(Math.max(MOST_DIMENSIONS, common + MOST_KINDS));
    }
  });
});
