/** A sample of `bench -- restore`. */
import { expect, it } from 'vitest';
import { loseAYear } from './year.ts';

it('brings back each value of each meter, and all but the last moments of what came after the backup', async () => {
  const options = { meters: 4, days: 30, every_ms: 1000, seed: 3 };
  const result = await loseAYear(options, () => {});
  expect(result.mismatched).toBe(0);
  // Readings and slots of the meters; the tables of the database come on top.
  expect(result.rows).toBeGreaterThan(2 * 4 * 30 * 96);
  // The copies of a machine that builds may be late.
  expect(result.rpo_s).toBeGreaterThan(0);
  expect(result.rpo_s).toBeLessThan(15);
}, 120_000);
