/**
 * Small networks for forecasts, by TensorFlow.js: a multi-layer perceptron, or a long short-term memory (Hochreiter &
 * Schmidhuber 1997) over a window. Trained by Adam (Kingma & Ba 2015) on squared errors. The same seed, data and backend
 * give the same weights; the backend must be in use (backend.ts).
 */
import * as tf from '@tensorflow/tfjs-core';
import * as layers from '@tensorflow/tfjs-layers';
import { InvalidDataError } from '../../errors.ts';
import { createRandom } from '../../random.ts';

export type NetworkShape = {
  kind: 'mlp' | 'lstm';
  /** Steps of the window, and values at each. */
  steps: number;
  width: number;
  hidden: number;
  outputs: number;
};

export type TrainingOptions = {
  epochs: number;
  batch: number;
  learning_rate: number;
  seed: number;
  /** After each epoch, with its mean loss; for progress. */
  onEpoch?: (epoch: number, loss: number) => void;
  /** Ends the training after the batch under way: it rejects with the signal's reason. */
  signal?: AbortSignal;
};

/** Plain JSON. */
export type NetworkState = { shape: NetworkShape; weights: { shape: number[]; values: number[] }[] };

export type Network = {
  readonly shape: NetworkShape;
  /** @param x rows × steps × width. @param y rows × outputs. @returns the mean loss of each epoch. */
  train(x: Float32Array, y: Float32Array, options: TrainingOptions): Promise<number[]>;
  /** @returns rows × outputs. */
  predict(x: Float32Array): Float32Array;
  serialise(): NetworkState;
  /** Frees the memory of the backend. */
  close(): void;
};

const PREDICTED_AT_ONCE = 1024;
/** Gradients are cut at this length, so that one spike of a price does not undo an epoch. */
const LONGEST_GRADIENT = 1;

export function createNetwork(shape: NetworkShape, seed: number): Network {
  return networkOf(shape, modelOf(shape, seed));
}

/** @throws InvalidDataError where the weights are not those of the shape. */
export function reviveNetwork({ shape, weights }: NetworkState): Network {
  const model = modelOf(shape, 0);
  const tensors = weights.map((one) => tf.tensor(one.values, one.shape));
  try {
    model.setWeights(tensors);
  } catch {
    throw new InvalidDataError('The stored weights do not fit the network.', 'Train the model anew.');
  } finally {
    tf.dispose(tensors);
  }
  return networkOf(shape, model);
}

function modelOf({ kind, steps, width, hidden, outputs }: NetworkShape, seed: number): layers.LayersModel {
  const start = (n: number) => layers.initializers.glorotUniform({ seed: seed * 16 + n });
  const model = layers.sequential();
  if (kind === 'lstm')
    model.add(
      layers.layers.lstm({
        inputShape: [steps, width],
        units: hidden,
        kernelInitializer: start(1),
        // Orthogonal matrices would need a decomposition that not every backend has.
        recurrentInitializer: start(2),
      }),
    );
  else {
    model.add(layers.layers.flatten({ inputShape: [steps, width] }));
    model.add(layers.layers.dense({ units: hidden, activation: 'relu', kernelInitializer: start(1) }));
    model.add(layers.layers.dense({ units: hidden, activation: 'relu', kernelInitializer: start(2) }));
  }
  model.add(layers.layers.dense({ units: outputs, kernelInitializer: start(3) }));
  return model;
}

function networkOf(shape: NetworkShape, model: layers.LayersModel): Network {
  const size = shape.steps * shape.width;
  const rowsIn = (x: Float32Array) => {
    if (x.length % size !== 0)
      throw new InvalidDataError(`${x.length} values are no rows of ${shape.steps} × ${shape.width}.`);
    return x.length / size;
  };
  return {
    shape,
    train: (x, y, options) => train(model, shape, { x, y, rows: rowsIn(x) }, options),
    predict(x) {
      const rows = rowsIn(x);
      const made = new Float32Array(rows * shape.outputs);
      for (let from = 0; from < rows; from += PREDICTED_AT_ONCE) {
        const to = Math.min(rows, from + PREDICTED_AT_ONCE);
        const part = tf.tidy(() => {
          const input = tf.tensor3d(x.subarray(from * size, to * size), [to - from, shape.steps, shape.width]);
          return (model.apply(input) as tf.Tensor).dataSync();
        });
        made.set(part as Float32Array, from * shape.outputs);
      }
      return made;
    },
    serialise: () => ({
      shape,
      weights: model.getWeights().map((one) => ({ shape: [...one.shape], values: Array.from(one.dataSync()) })),
    }),
    close: () => model.dispose(),
  };
}

type Rows = { x: Float32Array; y: Float32Array; rows: number };

async function train(
  model: layers.LayersModel,
  shape: NetworkShape,
  { x, y, rows }: Rows,
  o: TrainingOptions,
): Promise<number[]> {
  if (y.length !== rows * shape.outputs || rows === 0)
    throw new InvalidDataError(`${rows} rows have ${y.length} targets; each needs ${shape.outputs}.`);
  const optimiser = tf.train.adam(o.learning_rate);
  const random = createRandom(o.seed);
  const order = Uint32Array.from({ length: rows }, (_, k) => k);
  const losses: number[] = [];
  try {
    for (let epoch = 0; epoch < o.epochs; epoch++) {
      shuffle(order, random);
      let sum = 0;
      for (let from = 0; from < rows; from += o.batch) {
        o.signal?.throwIfAborted();
        const chosen = order.subarray(from, Math.min(rows, from + o.batch));
        sum += chosen.length * (await step(model, optimiser, shape, gather(x, y, chosen, shape)));
      }
      losses.push(sum / rows);
      o.onEpoch?.(epoch, sum / rows);
    }
  } finally {
    optimiser.dispose();
  }
  return losses;
}

function shuffle(order: Uint32Array, random: () => number): void {
  for (let k = order.length - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    [order[k], order[other]] = [order[other]!, order[k]!];
  }
}

function gather(x: Float32Array, y: Float32Array, chosen: Uint32Array, { steps, width, outputs }: NetworkShape): Rows {
  const size = steps * width;
  const [rows_x, rows_y] = [new Float32Array(chosen.length * size), new Float32Array(chosen.length * outputs)];
  for (const [k, row] of chosen.entries()) {
    rows_x.set(x.subarray(row * size, (row + 1) * size), k * size);
    rows_y.set(y.subarray(row * outputs, (row + 1) * outputs), k * outputs);
  }
  return { x: rows_x, y: rows_y, rows: chosen.length };
}

/** @returns the mean squared error of the batch before the step. */
async function step(
  model: layers.LayersModel,
  optimiser: tf.Optimizer,
  shape: NetworkShape,
  { x, y, rows }: Rows,
): Promise<number> {
  const loss = tf.tidy(() => {
    const input = tf.tensor3d(x, [rows, shape.steps, shape.width]);
    const target = tf.tensor2d(y, [rows, shape.outputs]);
    const { value, grads } = tf.variableGrads(() =>
      tf.mean<tf.Scalar>(tf.squaredDifference(model.apply(input, { training: true }) as tf.Tensor, target)),
    );
    const names = Object.keys(grads);
    const length = tf.sqrt(names.map((name) => tf.sum(tf.square(grads[name]!))).reduce((a, b) => tf.add(a, b)));
    const share = tf.div(LONGEST_GRADIENT, tf.maximum(length, LONGEST_GRADIENT));
    optimiser.applyGradients(Object.fromEntries(names.map((name) => [name, tf.mul(grads[name]!, share)])));
    return value;
  });
  const [value] = await loss.data();
  loss.dispose();
  return value!;
}
