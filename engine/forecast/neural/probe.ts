/**
 * A training step with a known answer: tells whether a backend computes what it should, and how fast. Compared are the
 * gradients, by which weights move: the weights themselves would hide an error of theirs.
 */
import * as tf from '@tensorflow/tfjs-core';
import { type BackendName, openBackend } from './backend.ts';

export type Probe = {
  backend: BackendName;
  /** null where it does not load; `refused` says why. */
  device: string | null;
  /** A processor that plays a graphics card: it shows that the way works, and is never the fast one. */
  software: boolean;
  /** Time of a training step, the best of several. */
  step_ms: number | null;
  /** Largest difference to the known answer, relative to the largest value of it. */
  max_rel_diff: number | null;
  refused: string | null;
};

/** More than this is another answer. */
export const PARITY = 1e-4;
const [ROWS, INPUTS, HIDDEN] = [64, 24, 32];
const RATE = 0.1;
const TRIES = 5;
/** A processor that plays a graphics card is slow whatever it does. */
const SOFTWARE_TRIES = 2;

type Weights = { a: Float64Array; b: Float64Array };

/** Numbers without chance: the same on every machine. */
const wave = (n: number, by: number): Float64Array =>
  Float64Array.from({ length: n }, (_, k) => Math.sin(by * (k + 1)));

const known = {
  x: wave(ROWS * INPUTS, 0.7),
  y: wave(ROWS, 1.3),
  a: wave(INPUTS * HIDDEN, 0.37),
  b: wave(HIDDEN, 0.53),
};

/** Gradients of the mean squared error of tanh(x·A)·b: by hand, in float64. */
export function knownGradients(): Weights {
  const [a, b] = [known.a.map((value) => 0.3 * value), known.b.map((value) => 0.3 * value)];
  const [da, db] = [new Float64Array(a.length), new Float64Array(b.length)];
  const h = new Float64Array(HIDDEN);
  for (let row = 0; row < ROWS; row++) {
    let made = 0;
    for (let j = 0; j < HIDDEN; j++) {
      let sum = 0;
      for (let i = 0; i < INPUTS; i++) sum += known.x[row * INPUTS + i]! * a[i * HIDDEN + j]!;
      h[j] = Math.tanh(sum);
      made += h[j]! * b[j]!;
    }
    const error = (2 * (made - known.y[row]!)) / ROWS;
    for (let j = 0; j < HIDDEN; j++) {
      db[j]! += error * h[j]!;
      const back = error * b[j]! * (1 - h[j]! * h[j]!);
      for (let i = 0; i < INPUTS; i++) da[i * HIDDEN + j]! += back * known.x[row * INPUTS + i]!;
    }
  }
  return { a: da, b: db };
}

/** The same on the backend in use, and a step down them, whose weights it gives back as well. */
function backendStep(): { a: tf.Tensor; b: tf.Tensor; moved: tf.Tensor } {
  return tf.tidy(() => {
    const x = tf.tensor2d(Float32Array.from(known.x), [ROWS, INPUTS]);
    const y = tf.tensor2d(Float32Array.from(known.y), [ROWS, 1]);
    const a = tf.tensor2d(
      Float32Array.from(known.a, (value) => 0.3 * value),
      [INPUTS, HIDDEN],
    );
    const b = tf.tensor2d(
      Float32Array.from(known.b, (value) => 0.3 * value),
      [HIDDEN, 1],
    );
    const loss = (a: tf.Tensor, b: tf.Tensor) =>
      tf.mean<tf.Scalar>(tf.square(tf.sub(tf.matMul(tf.tanh(tf.matMul(x, a)), b), y)));
    const [da, db] = tf.grads(loss)([a, b]) as [tf.Tensor, tf.Tensor];
    return { a: da, b: db, moved: tf.sub(a, tf.mul(da, RATE)) };
  });
}

/**
 * Takes the backend into use and tries it. @param now_ms a clock. Never throws: what is not there, or computes something
 * else, is refused with the reason.
 */
export async function probeBackend(backend: BackendName, wasm_dir: string, now_ms: () => number): Promise<Probe> {
  const nothing = { backend, device: null, software: false, step_ms: null, max_rel_diff: null };
  try {
    const { device, software } = await openBackend(backend, wasm_dir);
    let step_ms = Infinity;
    let difference = 0;
    const answer = knownGradients();
    for (let n = 0; n < (software ? SOFTWARE_TRIES : TRIES); n++) {
      const began = now_ms();
      const made = backendStep();
      const [a, b] = [await made.a.data(), await made.b.data(), await made.moved.data()];
      step_ms = Math.min(step_ms, now_ms() - began);
      tf.dispose([made.a, made.b, made.moved]);
      difference = Math.max(difference, furthest(a, answer.a), furthest(b, answer.b));
    }
    const refused = difference <= PARITY ? null : `it computes something else: ${difference.toExponential(1)} away`;
    return { backend, device, software, step_ms, max_rel_diff: difference, refused };
  } catch (error) {
    return { ...nothing, refused: error instanceof Error ? error.message : String(error) };
  }
}

function furthest(made: ArrayLike<number>, answer: Float64Array): number {
  const largest = answer.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return answer.reduce((most, value, k) => Math.max(most, Math.abs(value - made[k]!)), 0) / largest;
}

/** The fastest that computes right; a processor that plays a graphics card only where nothing else is left. */
export function chooseBackend(probes: readonly Probe[]): { chosen: Probe | null; refused: Probe[] } {
  const right = probes.filter(({ refused }) => refused === null);
  const order = (probe: Probe) => (probe.software ? 1e9 : 0) + probe.step_ms!;
  const [chosen = null] = [...right].sort((one, other) => order(one) - order(other));
  return { chosen, refused: probes.filter((probe) => probe !== chosen && probe.refused !== null) };
}
