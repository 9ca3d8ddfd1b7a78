/**
 * Where networks are computed: CUDA, WebGPU, WebAssembly or plain JavaScript, all by TensorFlow.js. One backend at a time
 * is in use in a thread. Those that need a driver or a native library are loaded when they are asked for.
 */
import '@tensorflow/tfjs-backend-cpu';
// Brings the gradients.
import '@tensorflow/tfjs-layers';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { UnavailableError } from '../../errors.ts';

/** Fastest first, where their hardware is there. */
export const BACKENDS = ['cuda', 'webgpu', 'wasm', 'plain'] as const;
export type BackendName = (typeof BACKENDS)[number];

export type OpenBackend = {
  name: BackendName;
  /** What computes, as its driver calls it. */
  device: string;
  /** A processor that plays a graphics card. */
  software: boolean;
};

const REGISTERED: Readonly<Record<BackendName, string>> = {
  cuda: 'tensorflow',
  webgpu: 'webgpu',
  wasm: 'wasm',
  plain: 'cpu',
};

/**
 * Takes a backend into use in this thread.
 * @param wasm_dir folder of the binaries of WebAssembly. @throws UnavailableError with the reason where it does not load.
 */
export async function openBackend(name: BackendName, wasm_dir: string): Promise<OpenBackend> {
  // No advice on the console.
  tf.enableProdMode();
  const found = await loaders[name](wasm_dir);
  const registered = REGISTERED[name];
  const taken = await tf.setBackend(registered).catch((error: unknown) => {
    throw unavailable(name, error);
  });
  await tf.ready();
  // It falls back to the processor without a word where something is missing.
  if (!taken || tf.getBackend() !== registered)
    throw new UnavailableError(`The backend ${name} does not start; ${tf.getBackend()} would compute instead.`);
  return { name, ...found };
}

function unavailable(name: BackendName, error: unknown): UnavailableError {
  const reason = error instanceof Error ? error.message : String(error);
  return new UnavailableError(`The backend ${name} is not there: ${reason.split('\n')[0]}`);
}

type Loader = (wasm_dir: string) => Promise<{ device: string; software: boolean }>;
const loaders: Readonly<Record<BackendName, Loader>> = {
  cuda: loadCuda,
  webgpu: loadWebGpu,
  wasm: async (wasm_dir) => {
    setWasmPaths(wasm_dir.endsWith('/') ? wasm_dir : `${wasm_dir}/`);
    return { device: 'processor (WebAssembly)', software: false };
  },
  plain: async () => ({ device: 'processor (JavaScript)', software: false }),
};

/** Only in images that bring it: it is no dependency of ours (docs/decisions/0004). */
async function loadCuda() {
  const name = '@tensorflow/tfjs-node-gpu';
  await import(name).catch((error: unknown) => {
    throw unavailable('cuda', error);
  });
  return { device: 'CUDA', software: false };
}

type Adapter = { info: { vendor: string; description: string; device: string; isFallbackAdapter?: boolean } };
type Gpu = { requestAdapter(options?: object): Promise<Adapter | null> };
type Dawn = { create(options: string[]): Gpu; globals: object };

async function loadWebGpu() {
  try {
    const dawn = 'webgpu';
    const { create, globals } = (await import(dawn)) as Dawn;
    Object.assign(globalThis, globals);
    const gpu = create([]);
    const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
    if (!adapter) throw new Error('no adapter; a graphics card with a Vulkan, Metal or D3D12 driver is needed');
    Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
    const backend = '@tensorflow/tfjs-backend-webgpu';
    await import(backend);
    const { vendor, description, device, isFallbackAdapter = false } = adapter.info;
    const software = isFallbackAdapter || /swiftshader|llvmpipe|software/i.test(`${description} ${device}`);
    return { device: [vendor, description || device].filter(Boolean).join(' '), software };
  } catch (error) {
    throw unavailable('webgpu', error);
  }
}
