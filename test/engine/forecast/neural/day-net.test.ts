import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { createPanel, DAY_HOURS, type Panel } from '../../../../engine/features/panel.ts';
import { createPasts } from '../../../../engine/forecast/load-methods.ts';
import { openBackend } from '../../../../engine/forecast/neural/backend.ts';
import { createDayNet } from '../../../../engine/forecast/neural/day-net.ts';
import { forwardOf } from '../../../../engine/forecast/neural/forward.ts';
import { createNetwork } from '../../../../engine/forecast/neural/network.ts';
import { createNetworkTrainer, type NetworkTask } from '../../../../engine/forecast/neural/trainer.ts';
import { createRandom } from '../../../../engine/random.ts';

const WASM = join(
  dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')),
  'dist',
);
const HOUR_MS = 3_600_000;
const DAYS = 90;
const calendar = { holiday: () => false, special: () => false };

function works(change: (values: Float64Array) => void = () => {}): Panel {
  const random = createRandom(5);
  const values = Float64Array.from({ length: DAYS * DAY_HOURS }, (_, k) => {
    const [day, hour] = [Math.floor(k / DAY_HOURS), k % DAY_HOURS];
    const off = day % 7 >= 5 ? 0.3 : 1;
    return 100 + off * 60 * Math.max(0, Math.sin(((hour - 5) * Math.PI) / 14)) + 6 * random();
  });
  change(values);
  const known_ms = values.map((_, k) => (k + 1) * HOUR_MS);
  return createPanel({
    first_day: 4,
    series: [{ name: 'works', unit: 'W', values, known_ms }],
    origin: (day) => day * DAY_HOURS * HOUR_MS,
  });
}

const task = (kind: 'mlp' | 'lstm'): NetworkTask => {
  const shape = { kind, steps: kind === 'mlp' ? 1 : 6, width: 5, hidden: 7, outputs: 3 };
  const rows = 40;
  const x = Float32Array.from({ length: rows * shape.steps * shape.width }, (_, k) => Math.sin(0.7 * k));
  const y = Float32Array.from({ length: rows * shape.outputs }, (_, k) => Math.cos(0.3 * k));
  return { shape, x, y, epochs: 2, batch: 16, learning_rate: 0.01, seed: 3 };
};

describe('networks without a backend', () => {
  for (const kind of ['mlp', 'lstm'] as const)
    it(`a trained ${kind} answers in plain numbers what its backend answers`, async () => {
      await openBackend('plain', WASM);
      const { shape, x, y, ...options } = task(kind);
      const network = createNetwork(shape, 3);
      await network.train(x, y, options);
      const size = shape.steps * shape.width;
      const [theirs, ours] = [network.predict(x.subarray(0, 4 * size)), forwardOf(network.serialise())];
      for (let row = 0; row < 4; row++)
        for (const [k, value] of ours(x.subarray(row * size, (row + 1) * size)).entries())
          expect(Math.abs(value - theirs[row * shape.outputs + k]!)).toBeLessThan(1e-5);
      network.close();
    });

  it('refuses weights of another shape, and such that are no numbers', async () => {
    await openBackend('plain', WASM);
    const network = createNetwork(task('mlp').shape, 1);
    const state = network.serialise();
    network.close();
    expect(() => forwardOf({ ...state, shape: { ...state.shape, hidden: 8 } })).toThrow(/do not fit/);
    expect(() => forwardOf({ ...state, weights: state.weights.slice(1) })).toThrow(/do not fit/);
    state.weights[0]!.values[0] = NaN;
    expect(() => forwardOf(state)).toThrow(/no numbers/);
  });
});

describe('training of networks', { timeout: 60_000 }, () => {
  it('goes on with the next backend where one is not there or has no kernel, and says so', async () => {
    await openBackend('wasm', WASM);
    // As a backend that cannot: its multiplication is gone.
    const kernel = tf.getKernel('_FusedMatMul', 'wasm') ?? tf.getKernel('BatchMatMul', 'wasm');
    const taken = tf.getKernelsForBackend('wasm').filter(({ kernelName }) => /MatMul/.test(kernelName));
    for (const { kernelName } of taken) tf.unregisterKernel(kernelName, 'wasm');
    try {
      const trainer = createNetworkTrainer(['cuda', 'wasm', 'plain'], WASM);
      const made = await trainer.train(task('mlp'), () => {});
      expect(made.weights).not.toEqual([]);
      expect(made.weights.every(({ values }) => values.every(Number.isFinite))).toBe(true);
      expect(trainer.device()).toMatch(/^plain: .*not cuda: .*not wasm: .*(Kernel|MatMul)/);
    } finally {
      for (const one of taken) tf.registerKernel(one);
    }
    expect(kernel).toBeDefined();
  });

  it('says so where none is left, and ends when it is cancelled', async () => {
    const none = createNetworkTrainer(['cuda'], WASM);
    await expect(none.train(task('mlp'), () => {})).rejects.toThrow(/No backend can train networks \(cuda/);
    const trainer = createNetworkTrainer(['plain'], WASM);
    const cancelled = trainer.train(task('mlp'), () => {
      throw new Error('cancelled');
    });
    await expect(cancelled).rejects.toThrow(/^cancelled$/);
    await expect(trainer.train(task('mlp'), () => {})).resolves.toBeDefined();
  });
});

describe('deep ensembles', { timeout: 120_000 }, () => {
  const TODAY = 80;
  const options = { members: 2, seed: 1, floor: 0 } as const;
  const epochs = { mlp: 8, lstm: 1 };
  const make = async (kind: 'mlp' | 'lstm', panel: Panel) => {
    const method = createDayNet(createPasts(calendar, 'level'), { kind, ...options, epochs: epochs[kind] });
    const shares: number[] = [];
    await method.prepare(panel, TODAY, createNetworkTrainer(['wasm'], WASM), (share) => shares.push(share));
    return { method, model: method.train(panel, TODAY), shares };
  };

  for (const kind of ['mlp', 'lstm'] as const)
    it(`of ${kind}: the mean of its members with their spread, explained, and bit-identical whatever comes`, async () => {
      const panel = works();
      const { method, model, shares } = await make(kind, panel);
      expect(shares.at(-1)).toBe(1);
      const made = model.forecast(panel, TODAY);
      const view = panel.viewAt(Infinity);
      const error = (value: (hour: number) => number) =>
        made.reduce((sum, _, hour) => sum + Math.abs(value(hour) - view.value(0, TODAY, hour)) / DAY_HOURS, 0);
      expect(error((hour) => made[hour]!)).toBeLessThan(
        error((hour) => view.value(0, TODAY - 1, hour)) + (kind === 'mlp' ? 8 : 40),
      );
      const spread = model.spread!(panel, TODAY);
      expect(spread.some((value) => value > 0)).toBe(true);
      const { base, contributions } = model.explain(panel, TODAY, 11);
      expect(contributions.reduce((sum, { adds }) => sum + adds, base)).toBeCloseTo(made[11]!, 8);
      const state = JSON.parse(JSON.stringify(model.serialise()));
      const later = works((values) => values.fill(7e5, TODAY * DAY_HOURS));
      expect([...method.revive(state).forecast(later, TODAY)]).toEqual([...made]);
      // The memory takes seconds an epoch: its determinism is the trainer's, seen on the perceptron.
      const again = kind === 'mlp' ? await make(kind, later) : { model: method.revive(state) };
      expect([...again.model.forecast(later, TODAY)]).toEqual([...made]);
    });

  it('stay out where they were not prepared', () => {
    const method = createDayNet(createPasts(calendar, 'level'), { kind: 'mlp', ...options });
    expect(() => method.train(works(), TODAY)).toThrow(/was not trained/);
  });
});
