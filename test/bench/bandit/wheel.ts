/** The wheel (Riquelme, Tucker, Snoek, "Deep Bayesian bandits showdown", ICLR 2018). */

import type { Random } from '../../../engine/random.ts';
import { gaussian } from '../../../recommender/bandit/lift.ts';
import type { Task } from './tasks.ts';

export const WHEEL_ROUNDS = 10_000;

/** Points in the unit disc; beyond radius `delta` the action of the quadrant gives 50, else the first gives 1.2 and others 1. */
export function wheel(random: Random, delta: number, rounds = WHEEL_ROUNDS): Task {
  return {
    ...{ name: `wheel-${delta}`, inputs: 3, arms: 5, rounds },
    next() {
      const [x, y] = inDisc(random);
      const means = [1.2, 1, 1, 1, 1];
      if (Math.hypot(x, y) > delta) means[1 + (x > 0 ? 0 : 1) + (y > 0 ? 0 : 2)] = 50;
      return { x: [1, x, y], means, reward: (arm) => means[arm]! + 0.01 * gaussian(random) };
    },
  };
}

function inDisc(random: Random): [number, number] {
  for (;;) {
    const [x, y] = [2 * random() - 1, 2 * random() - 1];
    if (x * x + y * y <= 1) return [x, y];
  }
}
