/**
 * Simulated bandit tasks on which the parameters of the default policy are chosen, so that none is ever chosen on the
 * rows of a bench: classes with several shapes each (accept or not), rare corners where one action pays far more, and
 * smooth chances of acceptance such as people have.
 */

import type { Random } from '../../../engine/random.ts';
import { gaussian } from '../../../recommender/bandit/lift.ts';

/** One round: the context, the expected reward of each action, and a draw of the reward that one of them gives. */
export type Round = { x: number[]; means: number[]; reward(arm: number): number };
export type Task = { name: string; inputs: number; arms: number; rounds: number; next(): Round };

export type TaskFamily = (random: Random) => Task;

export const TASK_FAMILIES: readonly TaskFamily[] = [
  (random) => clusters(random, { inputs: 48, arms: 8, shapes: 4, spread: 0.17, rounds: 1500 }),
  (random) => clusters(random, { inputs: 24, arms: 12, shapes: 2, spread: 0.14, rounds: 1500 }),
  (random) => corners(random, { size: 0.3, jackpot: 30, rounds: 4000 }),
  (random) => corners(random, { size: 0.6, jackpot: 60, rounds: 4000 }),
  (random) => islands(random, { radius: 0.2, jackpot: 40, rounds: 4000 }),
  (random) => smooth(random, { inputs: 12, arms: 6, rounds: 1500 }),
];

/** Points around prototypes in the unit cube; the reward is 1 for the class of the prototype, 3 % of answers are flipped. */
export function clusters(
  random: Random,
  options: { inputs: number; arms: number; shapes: number; spread: number; rounds: number },
): Task {
  const { inputs, arms, shapes, spread, rounds } = options;
  const vector = (make: () => number) => Array.from({ length: inputs }, make);
  // Shapes of one class share half of their pixels.
  const prototypes = Array.from({ length: arms }, () => {
    const common = vector(() => pixel(random));
    return Array.from({ length: shapes }, () => common.map((v) => (random() < 0.5 ? v : pixel(random))));
  });
  return {
    ...{ name: `clusters-${inputs}x${arms}`, inputs: inputs + 1, arms, rounds },
    next() {
      const label = Math.floor(random() * arms);
      const shape = prototypes[label]![Math.floor(random() * shapes)]!;
      const x = [1, ...shape.map((v) => Math.min(1, Math.max(0, v + spread * gaussian(random))))];
      const means = Array.from({ length: arms }, (_, arm) => (arm === label ? 0.97 : 0.03));
      return { x, means, reward: (arm) => Number(random() < means[arm]!) };
    },
  };
}

const pixel = (random: Random): number => (random() < 0.5 ? 0.15 * random() : random());

/** A square with a jackpot for one action in each of some corners, and small differences between actions elsewhere. */
export function corners(random: Random, options: { size: number; jackpot: number; rounds: number }): Task {
  const { size, jackpot, rounds } = options;
  const arms = 6;
  const best = Math.floor(random() * arms);
  const owners = Array.from({ length: 4 }, () => Math.floor(random() * arms));
  return {
    ...{ name: `corners-${size}`, inputs: 3, arms, rounds },
    next() {
      const [u, v] = [2 * random() - 1, 2 * random() - 1];
      const inside = Math.abs(u) > 1 - size && Math.abs(v) > 1 - size;
      const corner = (u > 0 ? 1 : 0) + (v > 0 ? 2 : 0);
      const means = Array.from({ length: arms }, (_, arm) =>
        inside && arm === owners[corner] ? jackpot : arm === best ? 1.3 : 1,
      );
      return { x: [1, u, v], means, reward: (arm) => means[arm]! + 0.05 * gaussian(random) };
    },
  };
}

/** As corners, but the jackpots lie on round islands anywhere in the square: nothing straight finds them. */
export function islands(random: Random, options: { radius: number; jackpot: number; rounds: number }): Task {
  const { radius, jackpot, rounds } = options;
  const arms = 5;
  const best = Math.floor(random() * arms);
  const places = Array.from({ length: 5 }, () => ({
    u: 1.6 * random() - 0.8,
    v: 1.6 * random() - 0.8,
    owner: Math.floor(random() * arms),
  }));
  return {
    ...{ name: `islands-${radius}`, inputs: 3, arms, rounds },
    next() {
      const [u, v] = [2 * random() - 1, 2 * random() - 1];
      const island = places.find((place) => Math.hypot(u - place.u, v - place.v) < radius);
      const means = Array.from({ length: arms }, (_, arm) =>
        arm === island?.owner ? jackpot : arm === best ? 1.2 : 1,
      );
      return { x: [1, u, v], means, reward: (arm) => means[arm]! + 0.02 * gaussian(random) };
    },
  };
}

/** Chances of acceptance that depend smoothly on the context, with curves and products. */
export function smooth(random: Random, options: { inputs: number; arms: number; rounds: number }): Task {
  const { inputs, arms, rounds } = options;
  const draw = () => Array.from({ length: inputs }, () => (1.5 * gaussian(random)) / Math.sqrt(inputs));
  const weights = Array.from({ length: arms }, () => ({ line: draw(), curve: draw(), bias: gaussian(random) - 0.5 }));
  return {
    ...{ name: `smooth-${inputs}x${arms}`, inputs: inputs + 1, arms, rounds },
    next() {
      const x = Array.from({ length: inputs }, () => random());
      const means = weights.map(({ line, curve, bias }) => {
        const straight = dot(line, x) * 2 - sum(line);
        return 1 / (1 + Math.exp(-2 * (straight + Math.sin(3 * dot(curve, x)) + bias)));
      });
      return { x: [1, ...x], means, reward: (arm) => Number(random() < means[arm]!) };
    },
  };
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((total, v, i) => total + v * b[i]!, 0);
