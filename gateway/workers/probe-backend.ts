/** Tries one backend for networks in a process of its own: a driver that crashes takes nothing with it. */
import type { BackendName } from '../../engine/forecast/neural/backend.ts';
import { type Probe, probeBackend } from '../../engine/forecast/neural/probe.ts';
import { wasmFolder } from './wasm-folder.ts';

export type ProbeTask = {
  backend: BackendName;
  /** Manifest of a software graphics card for Vulkan; null: the hardware's own driver. */
  vulkan: string | null;
};

export default function probe({ backend, vulkan }: ProbeTask): Promise<Probe> {
  // Read by the loader of Vulkan when the backend loads it.
  if (vulkan !== null) process.env.VK_ICD_FILENAMES = vulkan;
  return probeBackend(backend, wasmFolder(), () => performance.now());
}
