import { expect, it } from 'vitest';
import { boosterState, predictRow, reviveBooster } from '../../../../engine/forecast/trees/boost.ts';
import { FOREST_DEFAULTS, trainForest } from '../../../../engine/forecast/trees/forest.ts';
import { explainRow } from '../../../../engine/forecast/trees/shap.ts';
import { createRandom } from '../../../../engine/random.ts';

const ROWS = 1500;

function sample(seed: number) {
  const random = createRandom(seed);
  const columns = Array.from({ length: 6 }, () => Float64Array.from({ length: ROWS }, () => random()));
  // Two features matter, by a product that no line can follow; one value in twenty is missing.
  const truth = Float64Array.from(
    { length: ROWS },
    (_, k) => (columns[0]![k]! > 0.5 ? 4 : -4) * (columns[1]![k]! - 0.5),
  );
  const target = truth.map((value) => value + 0.3 * (random() - 0.5));
  for (let k = 0; k < ROWS; k += 20) columns[5]![k] = NaN;
  return { columns, target, truth, random };
}
const rowOf = (columns: readonly Float64Array[], k: number) => Float64Array.from(columns, (column) => column[k]!);

it('follows what no line can, on rows it has not seen', () => {
  const { columns, target, random } = sample(1);
  const forest = trainForest(columns, target, { ...FOREST_DEFAULTS, trees: 60, feature_share: 1, random });
  const fresh = sample(2);
  let [error, plain] = [0, 0];
  for (let k = 0; k < ROWS; k++) {
    error += Math.abs(predictRow(forest, rowOf(fresh.columns, k)) - fresh.truth[k]!);
    plain += Math.abs(fresh.truth[k]!);
  }
  expect(error / plain).toBeLessThan(0.4);
});

it('is the same for the same seed, keeps what it learned, and its Shapley values sum to what it says', () => {
  const made = () => {
    const { columns, target } = sample(3);
    return trainForest(columns, target, { ...FOREST_DEFAULTS, trees: 12, random: createRandom(9) });
  };
  const forest = made();
  expect(boosterState(made())).toEqual(boosterState(forest));
  const again = reviveBooster(JSON.parse(JSON.stringify(boosterState(forest))));
  const { columns } = sample(4);
  for (let k = 0; k < 40; k++) {
    const row = rowOf(columns, k);
    expect(predictRow(again, row)).toBe(predictRow(forest, row));
    const { base, adds } = explainRow(forest, row);
    expect(adds.reduce((sum, value) => sum + value, base)).toBeCloseTo(predictRow(forest, row), 9);
  }
});

it('refuses nothing to learn from, and stops when told to', () => {
  const { columns, target, random } = sample(1);
  const options = { ...FOREST_DEFAULTS, trees: 3, random };
  expect(() => trainForest(columns, new Float64Array(0), options)).toThrow('0 rows');
  expect(() => trainForest(columns, target.with(3, NaN), options)).toThrow('no finite number');
  const onTree = () => {
    throw new Error('enough');
  };
  expect(() => trainForest(columns, target, { ...options, onTree })).toThrow('enough');
});
