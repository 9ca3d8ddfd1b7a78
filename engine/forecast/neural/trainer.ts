/** Trains networks on the first backend that can: one without a kernel, or that computes nonsense, gives way to the next. */
import { UnavailableError } from '../../errors.ts';
import { type BackendName, type OpenBackend, openBackend } from './backend.ts';
import { createNetwork, type NetworkShape, type NetworkState } from './network.ts';

export type NetworkTask = {
  shape: NetworkShape;
  /** rows × steps × width, and rows × outputs. */
  x: Float32Array;
  y: Float32Array;
  epochs: number;
  batch: number;
  learning_rate: number;
  seed: number;
};

export type NetworkTrainer = {
  /** @param onEpoch throws to cancel. @throws UnavailableError where no backend can. */
  train(task: NetworkTask, onEpoch: (epoch: number) => void): Promise<NetworkState>;
  /** What computed last, as its driver calls it, and why others did not. */
  device(): string;
};

/**
 * @param backends in the order in which they are tried. @param wasm_dir folder of the binaries of WebAssembly.
 * @param open takes one into use (tests).
 */
export function createNetworkTrainer(
  backends: readonly BackendName[],
  wasm_dir: string,
  open: (name: BackendName, wasm_dir: string) => Promise<OpenBackend> = openBackend,
): NetworkTrainer {
  const left = [...backends];
  const refused: string[] = [];
  let opened: OpenBackend | null = null;

  async function tryTrain(name: BackendName, task: NetworkTask, onEpoch: (epoch: number) => void) {
    if (opened?.name !== name) opened = await open(name, wasm_dir);
    const network = createNetwork(task.shape, task.seed);
    try {
      const { x, y, shape: _shape, ...options } = task;
      await network.train(x, y, { ...options, onEpoch });
      const state = network.serialise();
      if (!state.weights.every(({ values }) => values.every(Number.isFinite)))
        throw new UnavailableError(`The backend ${name} yields weights that are no numbers.`);
      return state;
    } finally {
      network.close();
    }
  }

  return {
    async train(task, onEpoch) {
      let cancelled: { reason: unknown } | null = null;
      const told = (epoch: number) => {
        try {
          onEpoch(epoch);
        } catch (reason) {
          cancelled = { reason };
          throw reason;
        }
      };
      for (let name = left[0]; name; name = left[0])
        try {
          return await tryTrain(name, task, told);
        } catch (error) {
          if (cancelled) throw error;
          refused.push(`${name}: ${(error instanceof Error ? error.message : String(error)).split('\n')[0]}`);
          left.shift();
          opened = null;
        }
      throw new UnavailableError(`No backend can train networks (${refused.join('; ')}).`, 'Models without go on.');
    },
    device: () =>
      [opened ? `${opened.name}: ${opened.device}` : 'none', ...refused.map((why) => `not ${why}`)].join('; '),
  };
}
