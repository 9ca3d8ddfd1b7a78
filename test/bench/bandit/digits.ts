/** Handwritten digits as a bandit: which class is it, and only whether the pick was right is told. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Random } from '../../../engine/random.ts';
import type { Task } from './tasks.ts';

export type Digit = { x: number[]; label: number };
export const DIGITS_FILE = 'bandit/digits.csv.gz';

export const digitsFile = (data: string | undefined): string => join(data ?? '../shared/data', DIGITS_FILE);
export const hasDigits = (data: string | undefined): boolean => existsSync(digitsFile(data));

/** Pixels from 0 to 1, in the order of the file. */
export function loadDigits(data: string | undefined): Digit[] {
  const text = gunzipSync(readFileSync(digitsFile(data))).toString();
  return text
    .trim()
    .split('\n')
    .map((line) => {
      const values = line.split(',').map(Number);
      return { x: values.slice(0, 64).map((pixel) => pixel / 16), label: values[64]! };
    });
}

export function shuffled<Row>(rows: readonly Row[], random: Random): Row[] {
  const order = [...rows];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** One pass in a seeded order; the context is 1 and the pixels. */
export function digitsTask(digits: readonly Digit[], random: Random): Task {
  const order = shuffled(digits, random);
  let at = 0;
  return {
    ...{ name: 'digits', inputs: 65, arms: 10, rounds: order.length },
    next() {
      const { x, label } = order[at++]!;
      return {
        x: [1, ...x],
        means: Array.from({ length: 10 }, (_, arm) => Number(arm === label)),
        reward: (arm) => Number(arm === label),
      };
    },
  };
}
