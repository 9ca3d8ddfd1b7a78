/** A training step with a known answer on every backend that loads. */
import { chooseBackend } from '../../engine/forecast/neural/probe.ts';
import { probeAll } from '../../gateway/services/neural-backends.ts';
import { createTaskProcesses } from '../../gateway/workers/process.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = 'a training step with a known answer on CUDA, WebGPU, WebAssembly and plain JavaScript';

export async function run(_: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const processes = createTaskProcesses();
  try {
    const probes = await probeAll(processes, { software: true });
    for (const probe of probes) progress(JSON.stringify(probe));
    return {
      ...Object.fromEntries(
        probes.flatMap(({ backend, device, software, step_ms, max_rel_diff, refused }) => [
          [`${backend}_step_ms`, step_ms === null ? null : Math.round(step_ms * 1000) / 1000],
          [`${backend}_max_rel_diff`, max_rel_diff === null ? null : Number(max_rel_diff.toPrecision(3))],
          [`${backend}_device`, device],
          [`${backend}_software`, software],
          [`${backend}_refused`, refused],
        ]),
      ),
      chosen: chooseBackend(probes).chosen?.backend ?? null,
    };
  } finally {
    await processes.close();
  }
}
