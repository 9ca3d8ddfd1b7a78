import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openBackend } from '../../../../engine/forecast/neural/backend.ts';
import { createNetwork, reviveNetwork } from '../../../../engine/forecast/neural/network.ts';
import { revivePriceNet, trainPriceNet } from '../../../../engine/forecast/neural/price-net.ts';
import { chooseBackend, type Probe, probeBackend } from '../../../../engine/forecast/neural/probe.ts';

const manifest = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json');
const WASM_DIR = join(dirname(manifest), 'dist');

describe('backends for networks', { timeout: 60_000 }, () => {
  it.each(['plain', 'wasm'] as const)('%s computes the known answer', async (backend) => {
    const probe = await probeBackend(backend, WASM_DIR, () => performance.now());
    expect(probe).toMatchObject({ backend, refused: null, software: false });
    expect(probe.max_rel_diff).toBeLessThan(1e-4);
    expect(probe.step_ms).toBeGreaterThan(0);
  });

  it('one that is not there is refused with the reason, and nothing else happens', async () => {
    const probe = await probeBackend('cuda', WASM_DIR, () => 0);
    expect(probe).toMatchObject({ device: null, step_ms: null });
    expect(probe.refused).toContain('The backend cuda is not there');
  });

  it('the fastest that computes right is chosen; a software card only where nothing else is left', () => {
    const probe = (backend: Probe['backend'], step_ms: number, more: Partial<Probe> = {}): Probe => {
      return { backend, device: 'x', software: false, step_ms, max_rel_diff: 1e-7, refused: null, ...more };
    };
    const wrong = probe('webgpu', 0.1, { max_rel_diff: 0.2, refused: 'it computes something else' });
    const soft = probe('webgpu', 0.1, { software: true });
    expect(chooseBackend([wrong, probe('wasm', 2), probe('plain', 9)])).toMatchObject({
      chosen: { backend: 'wasm' },
      refused: [wrong],
    });
    expect(chooseBackend([soft, probe('plain', 9)]).chosen?.backend).toBe('plain');
    expect(chooseBackend([soft]).chosen).toBe(soft);
    expect(chooseBackend([wrong]).chosen).toBeNull();
  });
});

describe('networks', { timeout: 120_000 }, () => {
  const wave = Float64Array.from({ length: 40 * 24 }, (_, k) => 50 + 20 * Math.sin((2 * Math.PI * k) / 24) + (k % 7));
  const options = { epochs: 2, batch: 256, learning_rate: 0.01, seed: 3, first_hour: 0 };

  it('learn: the loss falls; stored and revived they forecast the same to the last bit', async () => {
    await openBackend('wasm', WASM_DIR);
    const { net, losses } = await trainPriceNet(wave, 36 * 24, options);
    expect(losses[1]).toBeLessThan(losses[0]!);
    const at = Array.from({ length: 96 }, (_, k) => 36 * 24 + k);
    const made = net.forecast(wave, at, 0);
    const again = revivePriceNet(JSON.parse(JSON.stringify(net.serialise()))).forecast(wave, at, 0);
    expect([...again]).toEqual([...made]);
    net.close();
  });

  it('the same seed gives the same weights, another one others; training can be ended', async () => {
    await openBackend('wasm', WASM_DIR);
    const shape = { kind: 'mlp', steps: 4, width: 2, hidden: 8, outputs: 1 } as const;
    const x = Float32Array.from({ length: 64 * 8 }, (_, k) => Math.sin(k));
    const y = Float32Array.from({ length: 64 }, (_, k) => Math.cos(k));
    const weights = async (seed: number) => {
      const network = createNetwork(shape, seed);
      await network.train(x, y, { epochs: 2, batch: 16, learning_rate: 0.01, seed });
      return JSON.stringify(network.serialise());
    };
    const first = await weights(1);
    expect(await weights(1)).toBe(first);
    expect(await weights(2)).not.toBe(first);
    const ended = AbortSignal.abort(new Error('enough'));
    await expect(
      createNetwork(shape, 1).train(x, y, { epochs: 1, batch: 16, learning_rate: 0.01, seed: 1, signal: ended }),
    ).rejects.toThrow('enough');
  });

  it('refuse what does not fit', async () => {
    await openBackend('wasm', WASM_DIR);
    const state = createNetwork({ kind: 'mlp', steps: 2, width: 2, hidden: 4, outputs: 1 }, 1).serialise();
    expect(() => reviveNetwork({ ...state, shape: { ...state.shape, hidden: 5 } })).toThrow('do not fit');
    expect(() => createNetwork(state.shape, 1).predict(new Float32Array(7))).toThrow('no rows of 2 × 2');
  });
});
