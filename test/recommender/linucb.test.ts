import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Arm, createLinUcbState, emptyArm, learn, learnInPlace, upperBound } from '../../recommender/linucb.ts';
import { createRandom } from '../../recommender/random.ts';

const digits = join(process.env.LUNA_BENCH_DATA ?? '', 'bandit', 'digits.csv.gz');

describe('LinUCB', () => {
  it('keeps the inverse of A = ridge·I + Σ x xᵀ (Sherman–Morrison)', () => {
    const vector = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(fc.array(vector, { maxLength: 20 }), (xs) => {
        const arm = emptyArm(3, 1);
        const a = [1, 0, 0, 0, 1, 0, 0, 0, 1];
        for (const x of xs) {
          learnInPlace(arm, x, 1);
          for (let i = 0; i < 9; i++) a[i]! += x[Math.floor(i / 3)]! * x[i % 3]!;
        }
        for (let i = 0; i < 3; i++)
          for (let j = 0; j < 3; j++) {
            let sum = 0;
            for (let k = 0; k < 3; k++) sum += a[i * 3 + k]! * arm.inverse[k * 3 + j]!;
            expect(sum).toBeCloseTo(i === j ? 1 : 0, 8);
          }
      }),
    );
  });

  it('raises the bound of what was rewarded and lowers that of what was not', () => {
    const x = [1, 0.5];
    const fresh = createLinUcbState(2);
    const liked = learn(fresh, 'a', x, 1);
    const disliked = learn(fresh, 'a', x, 0);
    expect(upperBound(liked, 'a', x)).toBeGreaterThan(upperBound(disliked, 'a', x));
    expect(upperBound(disliked, 'a', x)).toBeLessThan(upperBound(fresh, 'a', x));
    expect(fresh).toEqual(createLinUcbState(2));
  });

  it.skipIf(!existsSync(digits))(
    'learns the handwritten digits in one pass at least as well as the reference (loss 0.207; uniform picks 0.9)',
    () => {
      const rows = gunzipSync(readFileSync(digits))
        .toString()
        .trim()
        .split('\n')
        .map((line) => line.split(',').map(Number));
      const losses = [1, 2, 3].map((seed) => onePass(rows, seed));
      const mean = losses.reduce((a, b) => a + b, 0) / losses.length;
      expect(mean).toBeLessThan(0.207);
    },
  );
});

/** @returns the share of wrong picks over one pass in a seeded order; context is 1 and the pixels / 16. */
function onePass(rows: readonly number[][], seed: number): number {
  const random = createRandom(seed);
  const order = rows.map((row) => ({ row, key: random() })).sort((a, b) => a.key - b.key);
  const arms: Record<string, Arm> = Object.fromEntries(
    Array.from({ length: 10 }, (_, k) => [String(k), emptyArm(65, 1)]),
  );
  const state = { dimensions: 65, arms };
  let wrong = 0;
  for (const { row } of order) {
    const x = [1, ...row.slice(0, 64).map((pixel) => pixel / 16)];
    const bounds = Object.keys(arms).map((arm) => upperBound(state, arm, x, { alpha: 0.25, ridge: 1 }));
    const pick = bounds.indexOf(Math.max(...bounds));
    const reward = pick === row[64] ? 1 : 0;
    wrong += 1 - reward;
    learnInPlace(arms[String(pick)]!, x, reward);
  }
  return wrong / rows.length;
}
