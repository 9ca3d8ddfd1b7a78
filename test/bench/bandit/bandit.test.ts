/** Samples of the advice benches: what they promise on a few seeds. The data stay outside the repository. */
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../../engine/random.ts';
import { createShippedPolicy } from '../../../recommender/bandit/default-policy.ts';
import { digitsTask, hasDigits, loadDigits } from './digits.ts';
import { addErrors, evaluateOnce, makeWorld, noErrors } from './off-policy.ts';
import { meanOf, playTask } from './play.ts';
import { TASK_FAMILIES } from './tasks.ts';
import { wheel } from './wheel.ts';

const data = process.env.LUNA_BENCH_DATA;

describe('the shipped advice policy', () => {
  it.skipIf(!hasDigits(data))(
    'reads digits from accept and dismiss alone, with its floor (loss at most 0.17)',
    () => {
      const task = digitsTask(loadDigits(data), createRandom(1));
      const play = playTask(createShippedPolicy(task.inputs), task, 1_000_001);
      expect(play.regret / play.rounds).toBeLessThan(0.17);
      expect(play.min_propensity).toBeCloseTo(0.002, 9);
    },
    120_000,
  );

  it('finds the rim of the wheel in 2,000 rounds', () => {
    const task = wheel(createRandom(1), 0.5, 2000);
    const play = playTask(createShippedPolicy(task.inputs), task, 2);
    expect(play.regret / play.uniform_regret).toBeLessThan(0.12);
  }, 120_000);

  it('beats even chances on every kind of simulated task', () => {
    for (const family of TASK_FAMILIES) {
      const task = family(createRandom(5));
      const play = playTask(createShippedPolicy(task.inputs), { ...task, rounds: 300 }, 6);
      expect([task.name, play.regret < 0.9 * play.uniform_regret]).toEqual([task.name, true]);
    }
  }, 120_000);
});

describe.skipIf(!hasDigits(data))('off-policy evaluation on digits', () => {
  it('is close to the truth, doubly robust closer than the model alone', () => {
    const digits = loadDigits(data);
    const errors = noErrors();
    const world = makeWorld(digits, 1);
    for (const log of [0, 1]) addErrors(errors, evaluateOnce(world, 10_000 + log), world.truth);
    expect(meanOf(errors.dr)).toBeLessThan(0.04);
    expect(meanOf(errors.dr)).toBeLessThan(meanOf(errors.dm));
  }, 120_000);
});
