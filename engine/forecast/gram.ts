/** Sums of products over a sliding window of rows, shared by all targets that are regressed on the same columns. */

export type Gram = {
  readonly p: number;
  readonly targets: number;
  rows: number;
  /** Σ x, Σ x·xᵀ (lower triangle), Σ y, Σ y², and Σ x·y per target at [target × p + column]. */
  readonly x: Float64Array;
  readonly xx: Float64Array;
  readonly y: Float64Array;
  readonly yy: Float64Array;
  readonly xy: Float64Array;
};

export function createGram(p: number, targets: number): Gram {
  const zeros = (n: number) => new Float64Array(n);
  return {
    p,
    targets,
    rows: 0,
    x: zeros(p),
    xx: zeros(p * p),
    y: zeros(targets),
    yy: zeros(targets),
    xy: zeros(p * targets),
  };
}

/** Adds (`sign` 1) or takes away (−1) a row. Many rows at once are added faster by `addFour`. */
export function addRow(gram: Gram, x: Float64Array, y: Float64Array, sign: 1 | -1): void {
  const { p, xx } = gram;
  addTargets(gram, x, y, sign);
  for (let i = 0; i < p; i++) {
    const value = sign * x[i]!;
    if (value === 0) continue;
    const base = i * p;
    for (let j = 0; j <= i; j++) xx[base + j]! += value * x[j]!;
  }
}

/** Adds rows four at a time: a quarter of the traffic to the sums. */
export function addRows(gram: Gram, xs: readonly Float64Array[], ys: readonly Float64Array[]): void {
  const { p, xx } = gram;
  let k = 0;
  for (; k + 4 <= xs.length; k += 4) {
    const [a, b, c, d] = [xs[k]!, xs[k + 1]!, xs[k + 2]!, xs[k + 3]!];
    for (let q = 0; q < 4; q++) addTargets(gram, xs[k + q]!, ys[k + q]!, 1);
    for (let i = 0; i < p; i++) {
      const [ai, bi, ci, di] = [a[i]!, b[i]!, c[i]!, d[i]!];
      const base = i * p;
      for (let j = 0; j <= i; j++) xx[base + j]! += ai * a[j]! + bi * b[j]! + ci * c[j]! + di * d[j]!;
    }
  }
  for (; k < xs.length; k++) addRow(gram, xs[k]!, ys[k]!, 1);
}

function addTargets(gram: Gram, x: Float64Array, y: Float64Array, sign: 1 | -1): void {
  const { p, targets, xy } = gram;
  gram.rows += sign;
  for (let i = 0; i < p; i++) gram.x[i]! += sign * x[i]!;
  for (let t = 0; t < targets; t++) {
    const value = sign * y[t]!;
    gram.y[t]! += value;
    gram.yy[t]! += value * y[t]!;
    const base = t * p;
    for (let i = 0; i < p; i++) xy[base + i]! += value * x[i]!;
  }
}

/** Correlations among the columns, and the means and standard deviations (0 where a column does not vary). */
export type Standardised = { matrix: Float64Array; mean: Float64Array; deviation: Float64Array };

export function standardise(gram: Gram): Standardised {
  const { p, rows: n, x, xx } = gram;
  const [mean, deviation, inverse] = [new Float64Array(p), new Float64Array(p), new Float64Array(p)];
  for (let i = 0; i < p; i++) {
    mean[i] = x[i]! / n;
    const square = xx[i * p + i]! / n;
    const variance = square - mean[i]! * mean[i]!;
    deviation[i] = variance > 1e-9 * square ? Math.sqrt(variance) : 0;
    inverse[i] = deviation[i] === 0 ? 0 : 1 / deviation[i]!;
  }
  const matrix = new Float64Array(p * p);
  for (let i = 0; i < p; i++)
    for (let j = 0; j <= i; j++) {
      const value = inverse[i]! * inverse[j]! * (xx[i * p + j]! / n - mean[i]! * mean[j]!);
      matrix[i * p + j] = value;
      matrix[j * p + i] = value;
    }
  return { matrix, mean, deviation };
}

/** Correlation of every column with one target, and the target's mean and standard deviation. */
export function standardiseTarget(gram: Gram, target: number, { mean, deviation }: Standardised) {
  const { p, rows: n } = gram;
  const yMean = gram.y[target]! / n;
  const yDeviation = Math.sqrt(Math.max(0, gram.yy[target]! / n - yMean * yMean));
  const xy = new Float64Array(p);
  if (yDeviation > 0)
    for (let i = 0; i < p; i++)
      if (deviation[i]! > 0) xy[i] = (gram.xy[target * p + i]! / n - mean[i]! * yMean) / (deviation[i]! * yDeviation);
  return { xy, mean: yMean, deviation: yDeviation };
}
