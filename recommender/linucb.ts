/**
 * LinUCB with one linear model an arm (Li, Chu, Langford, Schapire: "A contextual-bandit approach to personalized
 * news article recommendation", WWW 2010, algorithm 1). The inverse is kept up to date by Sherman–Morrison, so a
 * choice and an update cost d² each.
 */

/** State of one arm: A⁻¹ (d × d, row by row) of the ridge regression, and b = Σ reward · x. */
export type Arm = { inverse: number[]; b: number[]; updates: number };
export type LinUcbState = { dimensions: number; arms: Record<string, Arm> };

export type LinUcbOptions = {
  /** Width of the confidence bound; larger explores more. */
  alpha: number;
  /** Ridge term: how strongly an arm without data is pulled to 0. */
  ridge: number;
};

export const DEFAULT_OPTIONS: LinUcbOptions = { alpha: 0.6, ridge: 1 };

/** @param dimensions length of every feature vector. */
export function createLinUcbState(dimensions: number): LinUcbState {
  return { dimensions, arms: {} };
}

/** @returns the upper confidence bound θᵀx + α √(xᵀA⁻¹x) of an arm for features `x`. */
export function upperBound(state: LinUcbState, arm: string, x: readonly number[], options = DEFAULT_OPTIONS): number {
  const model = state.arms[arm] ?? emptyArm(state.dimensions, options.ridge);
  const spread = multiply(model.inverse, x);
  let mean = 0;
  let variance = 0;
  for (let i = 0; i < x.length; i++) {
    mean += spread[i]! * model.b[i]!;
    variance += spread[i]! * x[i]!;
  }
  return mean + options.alpha * Math.sqrt(Math.max(0, variance));
}

/** @returns a new state that has learnt that `arm` under `x` gave `reward` (0 … 1). The old one stays as it was. */
export function learn(
  state: LinUcbState,
  arm: string,
  x: readonly number[],
  reward: number,
  options = DEFAULT_OPTIONS,
): LinUcbState {
  const before = state.arms[arm] ?? emptyArm(state.dimensions, options.ridge);
  const arm2: Arm = { inverse: [...before.inverse], b: [...before.b], updates: before.updates };
  learnInPlace(arm2, x, reward);
  return { ...state, arms: { ...state.arms, [arm]: arm2 } };
}

/** The same without the copy, for replays over many rounds. */
export function learnInPlace(arm: Arm, x: readonly number[], reward: number): void {
  const d = x.length;
  const spread = multiply(arm.inverse, x);
  let denominator = 1;
  for (let i = 0; i < d; i++) denominator += x[i]! * spread[i]!;
  for (let i = 0; i < d; i++) {
    const factor = spread[i]! / denominator;
    for (let j = 0; j < d; j++) arm.inverse[i * d + j]! -= factor * spread[j]!;
    arm.b[i]! += reward * x[i]!;
  }
  arm.updates++;
}

/** An arm that has seen nothing: A = ridge · I. */
export function emptyArm(dimensions: number, ridge: number): Arm {
  const inverse = new Array<number>(dimensions * dimensions).fill(0);
  for (let i = 0; i < dimensions; i++) inverse[i * dimensions + i] = 1 / ridge;
  return { inverse, b: new Array<number>(dimensions).fill(0), updates: 0 };
}

function multiply(matrix: readonly number[], x: readonly number[]): number[] {
  const d = x.length;
  const result = new Array<number>(d);
  for (let i = 0; i < d; i++) {
    let sum = 0;
    for (let j = 0; j < d; j++) sum += matrix[i * d + j]! * x[j]!;
    result[i] = sum;
  }
  return result;
}
