import { describe, expect, it } from 'vitest';
import {
  BOOST_DEFAULTS,
  type BoostOptions,
  boosterState,
  predictRow,
  reviveBooster,
  trainBooster,
} from '../../../../engine/forecast/trees/boost.ts';
import { explainRow } from '../../../../engine/forecast/trees/shap.ts';
import { createRandom } from '../../../../engine/random.ts';

const options = (change: Partial<BoostOptions>): BoostOptions => ({
  ...BOOST_DEFAULTS,
  loss: { kind: 'squared' },
  random: createRandom(5),
  ...change,
});

/** y = 3·[x0 > 0] + x1 + 2·[x2 in {1, 4}] + noise; x3 says nothing; x0 is missing where x1 < −0.8, and then y is 5 higher. */
function makeData(rows: number, noise: number, seed = 1) {
  const random = createRandom(seed);
  const columns = Array.from({ length: 4 }, () => new Float64Array(rows));
  const y = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const [a, b, c, d] = [2 * random() - 1, 2 * random() - 1, Math.floor(6 * random()), random()];
    const missing = b < -0.8;
    for (const [f, value] of [missing ? NaN : a, b, c, d].entries()) columns[f]![i] = value;
    y[i] = (missing ? 5 : a > 0 ? 3 : 0) + b + (c === 1 || c === 4 ? 2 : 0) + noise * (random() + random() - 1);
  }
  return { columns, y };
}

const rowOf = (columns: readonly Float64Array[], i: number) => Float64Array.from(columns, (column) => column[i]!);

describe('boosted trees', () => {
  const { columns, y } = makeData(3000, 0.2);
  const unseen = makeData(500, 0, 2);

  it.each([{ kind: 'squared' }, { kind: 'absolute' }] as const)(
    'learn steps, slopes, categories and what is missing ($kind)',
    (loss) => {
      const booster = trainBooster(columns, y, options({ loss, categorical: [2], leaves: 15, learning_rate: 0.1 }));
      let error = 0;
      for (let i = 0; i < 500; i++)
        error += Math.abs(predictRow(booster, rowOf(unseen.columns, i)) - unseen.y[i]!) / 500;
      expect(error).toBeLessThan(0.12);
      const base = [0.5, 0.5, 0, 0.5];
      const at = (change: Record<number, number>) =>
        predictRow(booster, Float64Array.from(Object.assign([...base], change)));
      expect(at({ 2: 4 }) - at({ 2: 3 })).toBeCloseTo(2, 0);
      expect(at({ 2: 77 })).toBeLessThan(at({ 2: 4 }) - 1);
      expect(at({ 0: NaN, 1: -0.9 })).toBeCloseTo(4.1, 0);
    },
  );

  it('reach the level they were asked for with pinball loss', () => {
    const wide = makeData(3000, 2, 9);
    for (const level of [0.1, 0.9]) {
      const booster = trainBooster(
        wide.columns,
        wide.y,
        options({ loss: { kind: 'pinball', level }, categorical: [2], rounds: 80 }),
      );
      const check = makeData(1000, 2, 10);
      let below = 0;
      for (let i = 0; i < 1000; i++) below += check.y[i]! < predictRow(booster, rowOf(check.columns, i)) ? 1e-3 : 0;
      expect(Math.abs(below - level)).toBeLessThan(0.05);
    }
  });

  it('are the same for the same seed, and come back bit-identical from storage', () => {
    const make = () => trainBooster(columns, y, options({ categorical: [2], rounds: 20, random: createRandom(8) }));
    const state = JSON.parse(JSON.stringify(boosterState(make())));
    expect(boosterState(make())).toEqual(state);
    const [a, b] = [make(), reviveBooster(state)];
    for (const i of [0, 100, 499])
      expect(predictRow(b, rowOf(unseen.columns, i))).toBe(predictRow(a, rowOf(unseen.columns, i)));
  });

  it('refuse targets that are no numbers, and categories beyond counting', () => {
    expect(() =>
      trainBooster(
        columns,
        y.map((value, i) => (i === 7 ? NaN : value)),
        options({}),
      ),
    ).toThrow(/finite/);
    const many = Float64Array.from({ length: 3000 }, (_, i) => i);
    expect(() => trainBooster([many], y, options({ categorical: [0] }))).toThrow(/3000 categories/);
    expect(() => trainBooster([], new Float64Array(0), options({}))).toThrow(/0 rows/);
  });

  it('a column that never varies, or is never there, is no trouble', () => {
    const odd = [...columns, new Float64Array(3000).fill(7), new Float64Array(3000).fill(NaN)];
    const booster = trainBooster(odd, y, options({ rounds: 10 }));
    expect(booster.trees.every((tree) => !tree.feature.includes(4) && !tree.feature.includes(5))).toBe(true);
  });
});

describe('Shapley values of trees', () => {
  const { columns, y } = makeData(1500, 0.2);
  const booster = trainBooster(columns, y, options({ categorical: [2], rounds: 40, leaves: 12 }));

  it('sum to the prediction within 1e-9', () => {
    for (let i = 0; i < 200; i++) {
      const row = rowOf(columns, i);
      const { base, adds } = explainRow(booster, row);
      expect(Math.abs(base + adds.reduce((a, b) => a + b, 0) - predictRow(booster, row))).toBeLessThan(1e-9);
    }
  });

  it('are those of the definition, over all subsets of features', () => {
    const one = { ...booster, trees: booster.trees.slice(0, 3), base: 0 };
    const row = rowOf(columns, 11);
    const { base, adds } = explainRow(one, row);
    const value = (given: number) => one.trees.reduce((sum, tree) => sum + conditional(tree, 0, row, given), 0);
    expect(base).toBeCloseTo(value(0), 10);
    for (let f = 0; f < 4; f++) {
      let shapley = 0;
      for (let set = 0; set < 16; set++) {
        if ((set >> f) & 1) continue;
        const size = [0, 1, 2, 3].filter((k) => (set >> k) & 1).length;
        const weight = [6, 2, 2, 6][size]! / 24;
        shapley += weight * (value(set | (1 << f)) - value(set));
      }
      expect(adds[f]!).toBeCloseTo(shapley, 10);
    }
  });
});

/** Expected value of a tree when only the features of the bit set `given` are known. */
function conditional(
  tree: ReturnType<typeof trainBooster>['trees'][number],
  node: number,
  row: Float64Array,
  given: number,
): number {
  const feature = tree.feature[node]!;
  if (feature < 0) return tree.value[node]!;
  const [left, right] = [tree.left[node]!, tree.right[node]!];
  const at = (child: number) => conditional(tree, child, row, given);
  if (((given >> feature) & 1) === 0)
    return (tree.cover[left]! * at(left) + tree.cover[right]! * at(right)) / tree.cover[node]!;
  const value = row[feature]!;
  const categories = tree.categories[node];
  const goesLeft = Number.isNaN(value)
    ? tree.missing_left[node] === 1
    : categories
      ? categories.includes(value)
      : value <= tree.threshold[node]!;
  return at(goesLeft ? left : right);
}
