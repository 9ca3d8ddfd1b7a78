/** On which backend networks are computed: each that loads is tried at the start with a known answer. */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { BACKENDS, type BackendName } from '../../engine/forecast/neural/backend.ts';
import { chooseBackend, type Probe } from '../../engine/forecast/neural/probe.ts';
import type { Base, Workers } from '../services.ts';
import type { ProbeTask } from '../workers/probe-backend.ts';

export interface NeuralBackends {
  /** What was tried; empty until the trial is over. */
  probes(): readonly Probe[];
  /** One sentence for people: what was chosen, and why faster ones were refused. */
  report(): string;
  /** Those that compute right, fastest first; the processor's own before the trial. */
  order(): BackendName[];
  /** Whether a graphics card was chosen. */
  isFast(): boolean;
}

/** Where Chromium puts its software graphics card (SwiftShader). */
const SOFTWARE_CARDS = [
  '/usr/lib/chromium/vk_swiftshader_icd.json',
  '/usr/lib/chromium-browser/vk_swiftshader_icd.json',
  '/opt/google/chrome/vk_swiftshader_icd.json',
];
const TIMEOUT_MS = 180_000;
/** The start of the box has better things to do. */
const DELAY_MS = 30_000;

/**
 * Tries all backends, one after another, each in a process of its own.
 * @param options `software`: WebGPU without a card is tried on a software one, which shows that the way works.
 */
export async function probeAll(
  processes: Pick<Workers, 'run'>,
  { software = false, signal }: { software?: boolean; signal?: AbortSignal } = {},
): Promise<Probe[]> {
  const ask = (task: ProbeTask): Promise<Probe> =>
    processes
      .run<Probe>('probe-backend', task, { timeout_ms: TIMEOUT_MS, ...(signal ? { signal } : {}) })
      .catch((error: unknown) => refusedBy(task, error));
  const found: Probe[] = [];
  for (const backend of BACKENDS) {
    const probe = await ask({ backend, vulkan: null });
    const without = software && backend === 'webgpu' && probe.device === null;
    const vulkan = without ? SOFTWARE_CARDS.find((file) => existsSync(file)) : undefined;
    found.push(vulkan ? await ask({ backend, vulkan }) : probe);
  }
  return found;
}

const refusedBy = ({ backend }: ProbeTask, error: unknown): Probe => ({
  ...{ backend, device: null, software: false, step_ms: null, max_rel_diff: null },
  refused: error instanceof Error ? error.message : String(error),
});

export type NeuralBackendDeps = Pick<Base, 'log' | 'metrics'> & { processes: Pick<Workers, 'run'> };

/** `start` tries them in the background; `stop` ends that. */
export function createNeuralBackends(deps: NeuralBackendDeps): NeuralBackends & { start(): void; stop(): void } {
  let probes: readonly Probe[] = [];
  const stopping = new AbortController();
  return {
    probes: () => probes,
    report: () => reportOf(probes),
    order: () => orderOf(probes),
    isFast: () => isGraphics(chooseBackend(probes).chosen),
    start() {
      setTimeout(DELAY_MS, undefined, { signal: stopping.signal, ref: false })
        .then(() => probeAll(deps.processes, { signal: stopping.signal }))
        .then((found) => {
          if (stopping.signal.aborted) return;
          probes = found;
          const { chosen } = chooseBackend(found);
          for (const { backend, device, step_ms, refused } of found)
            deps.metrics.neural_backend.set(
              {
                backend,
                device: device ?? 'none',
                state: backend === chosen?.backend ? 'chosen' : refused ? 'refused' : 'slower',
              },
              (step_ms ?? 0) / 1000,
            );
          deps.log.info({ probes: found }, reportOf(found));
        })
        .catch((error: unknown) => {
          if (!stopping.signal.aborted) deps.log.warn({ err: error }, 'the backends for networks could not be tried');
        });
    },
    stop: () => stopping.abort(),
  };
}

const isGraphics = (chosen: Probe | null): boolean =>
  chosen !== null && !chosen.software && (chosen.backend === 'cuda' || chosen.backend === 'webgpu');

/** A processor that plays a graphics card comes last. */
export function orderOf(probes: readonly Probe[]): BackendName[] {
  if (probes.length === 0) return ['wasm', 'plain'];
  const right = probes.filter(({ refused }) => refused === null);
  const cost = ({ software, step_ms }: Probe) => (software ? 1e9 : 0) + (step_ms ?? 0);
  return right.sort((a, b) => cost(a) - cost(b)).map(({ backend }) => backend);
}

/** The CUDA way is not verified until it ran on real hardware (docs/decisions/0004). */
function reportOf(probes: readonly Probe[]): string {
  if (probes.length === 0) return 'Being tried.';
  const { chosen, refused } = chooseBackend(probes);
  const what = chosen
    ? `Networks are computed by ${chosen.backend} on ${chosen.device}, ${chosen.step_ms!.toFixed(1)} ms a step.`
    : 'No backend computes right: models without networks are used.';
  const marked = probes
    .filter(({ software, refused }) => software && refused === null)
    .map(
      ({ backend, device, step_ms }) =>
        ` ${backend} works on a software card (${device}), ${step_ms!.toFixed(0)} ms a step.`,
    );
  const why = refused.map(
    ({ backend, refused }) => ` ${backend}${backend === 'cuda' ? ' (not verified)' : ''}: ${refused!.split('\n')[0]}`,
  );
  return [what, ...marked, ...why].join('');
}
