/** A sample of `bench -- restore`. */
import { expect, it } from 'vitest';
import { loseAYear } from './year.ts';

it('brings back each value of each meter, and all but the last moments of what came after the backup', async () => {
  const options = { meters: 2, days: 10, quantities: 3, every_ms: 500, seed: 3 };
  const result = await loseAYear(options, () => {});
  expect(result.mismatched).toBe(0);
  // Readings and slots of the meters; the tables of the database come on top.
  expect(result.rows).toBeGreaterThan(2 * 2 * 3 * 10 * 96);
  const { rto_s, restore_s, page_s, drain_s } = result;
  expect(Math.abs(rto_s - restore_s - page_s - drain_s)).toBeLessThan(0.1);
  expect(Math.min(restore_s, page_s, drain_s)).toBeGreaterThan(0);
  // The copies of a machine that builds may be late.
  expect(result.rpo_s).toBeGreaterThan(0);
  expect(result.rpo_s).toBeLessThan(15);
}, 120_000);
