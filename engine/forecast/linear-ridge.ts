/** Ridge regression in closed form (Hoerl & Kennard 1970): normal equations of standardised columns, Cholesky. */

/** Sums over rows from which a fit for any penalty follows; rows can be added in blocks. */
export type Moments = {
  width: number;
  rows: number;
  /** Sums of the columns x and of y, of the products x·xᵀ (width × width) and x·y. */
  x: Float64Array;
  xx: Float64Array;
  xy: Float64Array;
  y: number;
};

/** value = offset + Σ weights · x */
export type LinearFit = { offset: number; weights: Float64Array };

export function createMoments(width: number): Moments {
  const [x, xy, xx] = [new Float64Array(width), new Float64Array(width), new Float64Array(width * width)];
  return { width, rows: 0, x, xx, xy, y: 0 };
}

/** Adds rows `from` to `to` (exclusive) of the row-major matrix `x` and their targets. */
export function addRows(m: Moments, x: Float64Array, y: Float64Array, from: number, to: number): void {
  const w = m.width;
  for (let row = from; row < to; row++) {
    const base = row * w;
    const target = y[row]!;
    m.y += target;
    m.rows++;
    for (let i = 0; i < w; i++) {
      const xi = x[base + i]!;
      m.x[i]! += xi;
      m.xy[i]! += xi * target;
      for (let j = 0; j <= i; j++) m.xx[i * w + j]! += xi * x[base + j]!;
    }
  }
}

/**
 * Fits with penalty `lambda` per row on standardised columns; the offset is not penalised. A column that does not vary
 * gets weight 0.
 */
export function fitRidge(m: Moments, lambda: number): LinearFit {
  const { width: w, rows: n } = m;
  const scale = new Float64Array(w);
  for (let i = 0; i < w; i++) {
    const variance = m.xx[i * w + i]! / n - (m.x[i]! / n) ** 2;
    const noise = 1e-10 * (m.xx[i * w + i]! / n);
    scale[i] = variance > noise ? 1 / Math.sqrt(variance) : 0;
  }
  const a = new Float64Array(w * w);
  const b = new Float64Array(w);
  for (let i = 0; i < w; i++) {
    b[i] = scale[i]! * (m.xy[i]! / n - (m.x[i]! / n) * (m.y / n));
    for (let j = 0; j <= i; j++)
      a[i * w + j] = scale[i]! * scale[j]! * (m.xx[i * w + j]! / n - (m.x[i]! / n) * (m.x[j]! / n));
    a[i * w + i]! += scale[i] === 0 ? 1 : lambda;
  }
  solveCholesky(a, b, w);
  let offset = m.y / n;
  for (let i = 0; i < w; i++) {
    b[i]! *= scale[i]!;
    offset -= b[i]! * (m.x[i]! / n);
  }
  return { offset, weights: b };
}

/** Solves a·z = b in place (b becomes z); `a` is symmetric positive definite, only its lower part is read. */
export function solveCholesky(a: Float64Array, b: Float64Array, n: number): void {
  for (let i = 0; i < n; i++)
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j]!;
      for (let k = 0; k < j; k++) sum -= a[i * n + k]! * a[j * n + k]!;
      // The floor keeps columns that repeat one another from dividing by zero.
      a[i * n + j] = i === j ? Math.sqrt(Math.max(sum, 1e-12)) : sum / a[j * n + j]!;
    }
  for (let i = 0; i < n; i++) {
    let sum = b[i]!;
    for (let k = 0; k < i; k++) sum -= a[i * n + k]! * b[k]!;
    b[i] = sum / a[i * n + i]!;
  }
  for (let i = n - 1; i >= 0; i--) {
    let sum = b[i]!;
    for (let k = i + 1; k < n; k++) sum -= a[k * n + i]! * b[k]!;
    b[i] = sum / a[i * n + i]!;
  }
}

export function predict({ offset, weights }: LinearFit, x: Float64Array, row: number): number {
  let sum = offset;
  for (let i = 0; i < weights.length; i++) sum += weights[i]! * x[row * weights.length + i]!;
  return sum;
}
