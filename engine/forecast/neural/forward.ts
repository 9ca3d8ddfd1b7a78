/**
 * What a trained network answers, computed in plain typed arrays: the same to the last bit on any machine, without a
 * backend, and at once. Training needs one (network.ts); use does not.
 */
import { InvalidDataError } from '../../errors.ts';
import type { NetworkState } from './network.ts';

/** @param x steps × width of one row. @returns its outputs. */
export type Forward = (x: Float32Array) => Float64Array;

type Matrix = { rows: number; columns: number; values: Float64Array };

/** @throws InvalidDataError where the weights are not those of the shape. */
export function forwardOf({ shape, weights }: NetworkState): Forward {
  const { kind, steps, width, hidden, outputs } = shape;
  const layers = weights.map(({ shape: [rows, columns], values }) =>
    matrixOf(columns === undefined ? 1 : rows!, columns ?? rows!, values),
  );
  const expected =
    kind === 'lstm'
      ? [width, 4 * hidden, hidden, 4 * hidden, 1, 4 * hidden, hidden, outputs, 1, outputs]
      : [steps * width, hidden, 1, hidden, hidden, hidden, 1, hidden, hidden, outputs, 1, outputs];
  const found = layers.flatMap(({ rows, columns }) => [rows, columns]);
  if (found.length !== expected.length || found.some((size, k) => size !== expected[k]))
    throw new InvalidDataError('The stored weights do not fit the network.', 'Train the model anew.');
  if (kind === 'lstm') {
    const [kernel, recurrent, bias, out, outBias] = layers as [Matrix, Matrix, Matrix, Matrix, Matrix];
    return (x) => dense(recur(x, shape, { kernel, recurrent, bias }), out, outBias);
  }
  const [a, aBias, b, bBias, out, outBias] = layers as [Matrix, Matrix, Matrix, Matrix, Matrix, Matrix];
  return (x) => dense(relu(dense(relu(dense(Float64Array.from(x), a, aBias)), b, bBias)), out, outBias);
}

function matrixOf(rows: number, columns: number, values: readonly number[]): Matrix {
  if (values.length !== rows * columns || !values.every(Number.isFinite))
    throw new InvalidDataError('The stored weights are no numbers of their shape.', 'Train the model anew.');
  return { rows, columns, values: Float64Array.from(values) };
}

/** x·W + b. */
function dense(x: Float64Array, { columns, values }: Matrix, bias: Matrix): Float64Array {
  const made = bias.values.slice();
  addProduct(made, x, columns, values);
  return made;
}

function addProduct(made: Float64Array, x: Float64Array, columns: number, values: Float64Array): void {
  for (let i = 0; i < x.length; i++) {
    const value = x[i]!;
    if (value === 0) continue;
    for (let j = 0, at = i * columns; j < columns; j++, at++) made[j]! += value * values[at]!;
  }
}

const relu = (x: Float64Array): Float64Array => x.map((value) => Math.max(0, value));
/** As the layers of TensorFlow.js have it by default for the gates. */
const gate = (value: number): number => Math.min(1, Math.max(0, 0.2 * value + 0.5));

type Cell = { kernel: Matrix; recurrent: Matrix; bias: Matrix };

/** The last state of the memory; gates in the order input, forget, new, output. */
function recur(x: Float32Array, shape: NetworkState['shape'], { kernel, recurrent, bias }: Cell): Float64Array {
  const { steps, width, hidden } = shape;
  const h = new Float64Array(hidden);
  const c = new Float64Array(hidden);
  for (let step = 0; step < steps; step++) {
    const z = dense(Float64Array.from(x.subarray(step * width, (step + 1) * width)), kernel, bias);
    addProduct(z, h, recurrent.columns, recurrent.values);
    for (let k = 0; k < hidden; k++) {
      c[k] = gate(z[hidden + k]!) * c[k]! + gate(z[k]!) * Math.tanh(z[2 * hidden + k]!);
      h[k] = gate(z[3 * hidden + k]!) * Math.tanh(c[k]!);
    }
  }
  return h;
}
