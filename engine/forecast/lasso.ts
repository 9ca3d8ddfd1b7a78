/**
 * LASSO by coordinate descent on the Gram matrix, with covariance updates and an active set (Friedman, Hastie &
 * Tibshirani 2010, Journal of Statistical Software 33(1)); penalty by an information criterion along a path (Zou, Hastie
 * & Tibshirani 2007, Annals of Statistics 35(5): the number of non-zero weights estimates the degrees of freedom).
 */

/** Moments of standardised columns and a standardised target: correlations. */
export type LassoProblem = {
  /** Number of columns and of rows behind the moments. */
  p: number;
  n: number;
  /** p × p, symmetric; a column that does not vary is all zero and gets weight 0. */
  gram: Float64Array;
  /** Correlation of each column with the target, whose variance is 1. */
  xy: Float64Array;
};

/** Weights and, for each column, its correlation with the residual; both are updated in place. */
export type LassoState = { weights: Float64Array; slack: Float64Array };

export type Criterion = 'aic' | 'aicc' | 'bic';

const MOST_SWEEPS = 60;

export function createLassoState(p: number): LassoState {
  return { weights: new Float64Array(p), slack: new Float64Array(p) };
}

/** Sets the weights and computes the correlations that belong to them under `problem`. */
export function restart({ p, gram, xy }: LassoProblem, state: LassoState, weights?: Float64Array): void {
  const { slack } = state;
  if (weights) state.weights.set(weights);
  else state.weights.fill(0);
  slack.set(xy);
  for (let k = 0; k < p; k++) {
    const weight = state.weights[k]!;
    if (weight === 0) continue;
    const base = k * p;
    for (let j = 0; j < p; j++) slack[j]! -= weight * gram[base + j]!;
  }
}

/**
 * Minimises ½·var(residual) + penalty·Σ|weight|, starting from `state`.
 * @param tolerance largest change of a weight in the last sweep, in standard deviations of the target.
 */
export function solveLasso(problem: LassoProblem, state: LassoState, penalty: number, tolerance: number): void {
  const active = new Int32Array(problem.p);
  for (let round = 0; round < 8; round++) {
    let count = 0;
    let largest = 0;
    for (let j = 0; j < problem.p; j++) {
      const change = updateOne(problem, state, penalty, j);
      if (change > largest) largest = change;
      if (state.weights[j] !== 0) active[count++] = j;
    }
    if (largest <= tolerance) return;
    for (let sweep = 0; sweep < MOST_SWEEPS; sweep++) {
      largest = 0;
      for (let a = 0; a < count; a++) {
        const change = updateOne(problem, state, penalty, active[a]!);
        if (change > largest) largest = change;
      }
      if (largest <= tolerance) break;
    }
  }
}

/** @returns by how much the weight changed. */
function updateOne({ p, gram }: LassoProblem, { weights, slack }: LassoState, penalty: number, j: number): number {
  const own = gram[j * p + j]!;
  if (own === 0) return 0;
  const old = weights[j]!;
  const pull = slack[j]! + own * old;
  const size = Math.abs(pull) - penalty;
  const next = size <= 0 ? 0 : (pull > 0 ? size : -size) / own;
  const change = next - old;
  if (change === 0) return 0;
  weights[j] = next;
  const base = j * p;
  for (let k = 0; k < p; k++) slack[k]! -= change * gram[base + k]!;
  return Math.abs(change);
}

/** Share of the target's variance that is left. */
export function residualVariance({ xy }: LassoProblem, { weights, slack }: LassoState): number {
  let explained = 0;
  for (let j = 0; j < xy.length; j++) if (weights[j] !== 0) explained += weights[j]! * (xy[j]! + slack[j]!);
  return Math.max(1e-12, 1 - explained);
}

export function countWeights({ weights }: LassoState): number {
  let count = 0;
  for (const weight of weights) if (weight !== 0) count++;
  return count;
}

export type PathOptions = {
  criterion: Criterion;
  /** Number of penalties, evenly spaced in logarithm from the smallest that leaves nothing to `ratio` of it. */
  steps: number;
  ratio: number;
  tolerance: number;
};

/** Walks down the path until the criterion has long stopped falling; leaves `state` at the best penalty, returned. */
export function choosePenalty(problem: LassoProblem, state: LassoState, options: PathOptions): number {
  restart(problem, state);
  let most = 0;
  for (const value of problem.xy) most = Math.max(most, Math.abs(value));
  if (most === 0) return 1;
  const best = { value: Infinity, penalty: most, weights: new Float64Array(problem.p), at: 0 };
  for (let step = 1; step <= options.steps; step++) {
    const penalty = most * options.ratio ** (step / options.steps);
    solveLasso(problem, state, penalty, options.tolerance);
    const value = criterionOf(problem, state, options.criterion);
    if (value < best.value) {
      Object.assign(best, { value, penalty, at: step });
      best.weights.set(state.weights);
    } else if (step - best.at > options.steps / 6) break;
  }
  restart(problem, state, best.weights);
  return best.penalty;
}

function criterionOf(problem: LassoProblem, state: LassoState, criterion: Criterion): number {
  const { n } = problem;
  // One more for the offset.
  const k = countWeights(state) + 1;
  const fit = n * Math.log(residualVariance(problem, state));
  if (criterion === 'bic') return fit + Math.log(n) * k;
  if (criterion === 'aic') return fit + 2 * k;
  return k >= n - 2 ? Infinity : fit + 2 * k + (2 * k * (k + 1)) / (n - k - 1);
}
