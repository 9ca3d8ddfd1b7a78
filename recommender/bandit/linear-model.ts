/**
 * Bayesian linear regression with a normal-inverse-gamma prior (Murphy, "Machine Learning: A Probabilistic
 * Perspective", 2012, section 7.6.3), one reward at a time. The inverse of the precision is kept up to date by
 * Sherman–Morrison and made anew from the precision by Cholesky every REFACTOR_EVERY rewards; that is also when old
 * rewards lose weight (drift), so that both cost d³ only then and d² otherwise. Both matrices are symmetric: what is kept
 * up to date is the triangle below the diagonal, diagonal included; nothing reads what stands above it.
 */
import { inverseOf } from './cholesky.ts';

export const REFACTOR_EVERY = 128;

export type LinearModel = {
  dimensions: number;
  /** Precision without data is ridge · I where there is no prior from other sites. */
  ridge: number;
  /** Weight of a reward after one more reward; 1 forgets nothing. */
  discount: number;
  /** Λ = Λ₀ + Σ x xᵀ, and Λ⁻¹, row by row: their lower triangles. */
  precision: Float64Array;
  inverse: Float64Array;
  /** Λ₀ m₀ + Σ reward · x, and the mean of the weights. */
  b: Float64Array;
  weights: Float64Array;
  /** Rewards seen, discounted, and Σ of their squared one-step errors divided by (1 + xᵀΛ⁻¹x): 2 (bₙ − b₀). */
  count: number;
  residual: number;
  since_refactor: number;
  /** What the model knew before its first reward: Λ₀ (null is ridge · I) and Λ₀ m₀; null is ridge · I and 0. */
  prior: { precision: Float64Array | null; b: Float64Array } | null;
};

/** Mean of xᵀw and the factor xᵀΛ⁻¹x of its variance. */
export type Prediction = { mean: number; spread: number };

export function createLinearModel(dimensions: number, ridge: number, discount = 1): LinearModel {
  const precision = new Float64Array(dimensions * dimensions);
  const inverse = new Float64Array(dimensions * dimensions);
  for (let i = 0; i < dimensions; i++) {
    precision[i * dimensions + i] = ridge;
    inverse[i * dimensions + i] = 1 / ridge;
  }
  return {
    ...{ dimensions, ridge, discount, precision, inverse },
    b: new Float64Array(dimensions),
    weights: new Float64Array(dimensions),
    ...{ count: 0, residual: 0, since_refactor: 0, prior: null },
  };
}

/**
 * A model that starts from what `source` (all sites together) has learnt, worth at most `strength` rewards: Λ₀ is
 * ridge · I plus the source's data, weighed down to that many, and m₀ is the source's mean.
 */
export function createFromShared(source: LinearModel, strength: number): LinearModel {
  const model = createLinearModel(source.dimensions, source.ridge, source.discount);
  const weight = source.count > 0 ? Math.min(1, strength / source.count) : 0;
  if (weight === 0) return model;
  const d = source.dimensions;
  for (let i = 0; i < d * d; i++) {
    const base = model.precision[i]!;
    model.precision[i] = base + weight * (source.precision[i]! - base);
  }
  model.b = multiply(model.precision, source.weights, d);
  model.prior = { precision: model.precision.slice(), b: model.b.slice() };
  model.inverse = inverseOf(model.precision, d);
  model.weights.set(source.weights);
  return model;
}

export function predict(model: LinearModel, x: Float64Array): Prediction {
  const { dimensions: d, inverse, weights } = model;
  let mean = 0;
  let spread = 0;
  for (let i = 0; i < d; i++) {
    const xi = x[i]!;
    mean += weights[i]! * xi;
    if (xi === 0) continue;
    let row = 0;
    const at = i * d;
    for (let j = 0; j < i; j++) row += inverse[at + j]! * x[j]!;
    spread += xi * (2 * row + inverse[at + i]! * xi);
  }
  return { mean, spread: Math.max(0, spread) };
}

/** Learns that `x` gave `reward`. */
export function learnReward(model: LinearModel, x: Float64Array, reward: number): void {
  const { dimensions: d, inverse, precision, weights, b } = model;
  const gain = multiply(inverse, x, d);
  let spread = 0;
  let mean = 0;
  for (let i = 0; i < d; i++) {
    spread += gain[i]! * x[i]!;
    mean += weights[i]! * x[i]!;
  }
  const scale = 1 / (1 + Math.max(0, spread));
  const error = reward - mean;
  for (let i = 0; i < d; i++) {
    const factor = gain[i]! * scale;
    const at = i * d;
    for (let j = 0; j <= i; j++) inverse[at + j]! -= factor * gain[j]!;
    weights[i]! += factor * error;
    b[i]! += reward * x[i]!;
  }
  addOuter(precision, x, d);
  model.count++;
  model.residual += error * error * scale;
  if (++model.since_refactor >= REFACTOR_EVERY) refactor(model);
}

/** The reward of something learnt before turned out to be `change` higher: exact but for what was forgotten since. */
export function correctReward(model: LinearModel, x: Float64Array, change: number): void {
  const gain = multiply(model.inverse, x, model.dimensions);
  for (let i = 0; i < model.dimensions; i++) {
    model.b[i]! += change * x[i]!;
    model.weights[i]! += change * gain[i]!;
  }
}

/** Appends weights that nothing is known of but their prior `means`; everything else stays as it was, bit for bit. */
export function grow(model: LinearModel, means: Float64Array): void {
  const { dimensions: before, ridge } = model;
  const d = before + means.length;
  const widened = (matrix: Float64Array, diagonal: number) => {
    const wide = new Float64Array(d * d);
    for (let i = 0; i < before; i++) wide.set(matrix.subarray(i * before, (i + 1) * before), i * d);
    for (let i = before; i < d; i++) wide[i * d + i] = diagonal;
    return wide;
  };
  const lengthened = (vector: Float64Array, tail: Float64Array) => Float64Array.of(...vector, ...tail);
  const b = means.map((mean) => ridge * mean);
  model.prior = {
    precision: model.prior?.precision ? widened(model.prior.precision, ridge) : null,
    b: lengthened(model.prior?.b ?? new Float64Array(before), b),
  };
  model.precision = widened(model.precision, ridge);
  model.inverse = widened(model.inverse, 1 / ridge);
  model.b = lengthened(model.b, b);
  model.weights = lengthened(model.weights, means);
  model.dimensions = d;
}

/** Makes the inverse and the weights anew from Λ and b, after old rewards have lost weight. */
export function refactor(model: LinearModel): void {
  forget(model, model.discount ** model.since_refactor);
}

/** Keeps the share `kept` of everything learnt; the rest gives way to the prior. */
export function forget(model: LinearModel, kept: number): void {
  const { dimensions: d, precision, b, prior, ridge } = model;
  if (kept < 1) {
    for (let i = 0; i < d; i++) {
      b[i] = kept * b[i]! + (1 - kept) * (prior?.b[i] ?? 0);
      for (let j = 0; j <= i; j++) {
        const before = prior?.precision ? prior.precision[i * d + j]! : i === j ? ridge : 0;
        precision[i * d + j] = kept * precision[i * d + j]! + (1 - kept) * before;
      }
    }
    model.count *= kept;
    model.residual *= kept;
  }
  model.inverse = inverseOf(precision, d);
  model.weights = multiply(model.inverse, b, d);
  model.since_refactor = 0;
}

/** Adds x xᵀ to the lower triangle. Rows of described advice are mostly 0, which costs nothing here. */
function addOuter(matrix: Float64Array, x: Float64Array, d: number): void {
  const filled = filledOf(x);
  for (const i of filled)
    for (const j of filled) {
      if (j > i) break;
      matrix[i * d + j]! += x[i]! * x[j]!;
    }
}

/** The product with a symmetric matrix whose lower triangle is given. */
function multiply(lower: Float64Array, x: Float64Array, d: number): Float64Array {
  const result = new Float64Array(d);
  for (const j of filledOf(x)) {
    const value = x[j]!;
    const at = j * d;
    for (let i = 0; i < j; i++) result[i]! += lower[at + i]! * value;
    for (let i = j; i < d; i++) result[i]! += lower[i * d + j]! * value;
  }
  return result;
}

/** Ascending numbers of what is not 0. */
function filledOf(x: Float64Array): number[] {
  const filled: number[] = [];
  for (let i = 0; i < x.length; i++) if (x[i] !== 0) filled.push(i);
  return filled;
}
