/**
 * Logistic regression with a ridge penalty, by Newton steps (iteratively reweighted least squares: Hastie, Tibshirani &
 * Friedman 2009, section 4.4.1) on standardised columns.
 */
import { InvalidDataError } from '../../errors.ts';
import { solveCholesky } from '../linear-ridge.ts';

/** probability = 1 / (1 + exp(−(offset + Σ weights · x))) */
export type LogisticFit = { offset: number; weights: Float64Array };

const STEPS = 25;
const ENOUGH = 1e-8;

/**
 * @param x row-major, rows × width. @param y 0 or 1 per row. @param penalty in rows.
 * @throws InvalidDataError where only one class is there.
 */
export function fitLogistic(x: Float64Array, y: Uint8Array, width: number, penalty: number): LogisticFit {
  const rows = y.length;
  const ones = y.reduce((sum, value) => sum + value, 0);
  if (rows * width !== x.length) throw new InvalidDataError(`${x.length} values are no ${rows} rows of ${width}.`);
  if (ones === 0 || ones === rows)
    throw new InvalidDataError('Only one class is there to learn from.', 'Give days with hours of both kinds.');
  const { mean, scale } = scalesOf(x, rows, width);
  const n = width + 1;
  const z = new Float64Array(n);
  const beta = new Float64Array(n);
  beta[width] = Math.log(ones / (rows - ones));
  for (let step = 0; step < STEPS; step++) {
    const [hessian, gradient] = [new Float64Array(n * n), new Float64Array(n)];
    for (let row = 0; row < rows; row++) {
      for (let k = 0; k < width; k++) z[k] = (x[row * width + k]! - mean[k]!) * scale[k]!;
      z[width] = 1;
      const p = sigmoid(dot(beta, z));
      addRow(hessian, gradient, z, { error: y[row]! - p, weight: Math.max(1e-9, p * (1 - p)) });
    }
    for (let k = 0; k < width; k++) {
      hessian[k * n + k]! += penalty;
      gradient[k]! -= penalty * beta[k]!;
    }
    hessian[n * n - 1]! += 1e-9;
    solveCholesky(hessian, gradient, n);
    for (let k = 0; k < n; k++) beta[k]! += gradient[k]!;
    if (gradient.every((move) => Math.abs(move) < ENOUGH)) break;
  }
  const weights = beta.subarray(0, width).map((value, k) => value * scale[k]!);
  return { offset: beta[width]! - dot(weights, mean), weights };
}

/** The probability of 1 for the row at `offset`. */
export function logisticProbability(fit: LogisticFit, x: Float64Array, offset = 0): number {
  let sum = fit.offset;
  for (let k = 0; k < fit.weights.length; k++) sum += fit.weights[k]! * x[offset + k]!;
  return sigmoid(sum);
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

function addRow(
  hessian: Float64Array,
  gradient: Float64Array,
  z: Float64Array,
  { error, weight }: { error: number; weight: number },
): void {
  const n = z.length;
  for (let i = 0; i < n; i++) {
    gradient[i]! += error * z[i]!;
    const wi = weight * z[i]!;
    if (wi !== 0) for (let j = 0; j <= i; j++) hessian[i * n + j]! += wi * z[j]!;
  }
}

function scalesOf(x: Float64Array, rows: number, width: number) {
  const [mean, squares] = [new Float64Array(width), new Float64Array(width)];
  for (let row = 0; row < rows; row++)
    for (let k = 0; k < width; k++) {
      mean[k]! += x[row * width + k]! / rows;
      squares[k]! += x[row * width + k]! ** 2 / rows;
    }
  const scale = squares.map((square, k) => {
    const variance = square - mean[k]! ** 2;
    return variance > 1e-12 * square ? 1 / Math.sqrt(variance) : 0;
  });
  return { mean, scale };
}

/** Area under the receiver's curve: the chance that a 1 has a higher score than a 0; ties count half. */
export function areaUnderCurve(scores: ArrayLike<number>, y: ArrayLike<number>): number {
  const order = Array.from(scores, (_, k) => k).sort((one, other) => scores[one]! - scores[other]!);
  let [below, ones, zeros, area] = [0, 0, 0, 0];
  for (let from = 0; from < order.length; ) {
    let [to, ones_here, zeros_here] = [from, 0, 0];
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to++)
      if (y[order[to]!] === 1) ones_here++;
      else zeros_here++;
    area += ones_here * (below + zeros_here / 2);
    below += zeros_here;
    ones += ones_here;
    zeros += zeros_here;
    from = to;
  }
  return ones * zeros === 0 ? NaN : area / (ones * zeros);
}
