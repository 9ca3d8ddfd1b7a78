/**
 * The models of Ollama that the box uses: whether they are there, which are in memory, and, where the configuration says
 * so (`ollama_pull`), the fetching of what is missing in the background. The box is useful meanwhile: it answers by
 * quotes and searches by words.
 */
import type { LoadedModel } from '../../connectors/language/ollama/loaded.ts';
import type { LanguageModel, PullProgress } from '../../engine/ports.ts';
import type { Base } from '../services.ts';

export type ModelUse = 'language' | 'embedding';
export type FetchedModel = {
  name: string;
  use: ModelUse;
  state: 'loaded' | 'ready' | 'fetching' | 'missing' | 'unreachable';
  /** In memory, where it is loaded. */
  bytes: number | null;
  /** While it is being fetched. */
  progress: PullProgress | null;
  /** Why it is not there. */
  reason: string | null;
};
export interface ModelFetchService {
  /** Never rejects. */
  models(): Promise<FetchedModel[]>;
}
export type RunningModelFetch = ModelFetchService & { start(): void; stop(): void };

export type ModelFetchDeps = Pick<Base, 'log'> & {
  wanted: readonly { use: ModelUse; model: Pick<LanguageModel, 'name' | 'state' | 'pull'> }[];
  loaded: () => Promise<LoadedModel[]>;
  /** Fetch what is missing. */
  auto: boolean;
  look_ms?: number;
  again_ms?: number;
};

/** A server that starts beside the box, or comes later, is seen by then. */
const LOOK_MS = 15_000;
/** A box without the internet asks no more often. */
const AGAIN_MS = 1_800_000;

export function createModelFetch({ log, wanted, loaded, auto, ...times }: ModelFetchDeps): RunningModelFetch {
  const { look_ms = LOOK_MS, again_ms = AGAIN_MS } = times;
  const fetching = new Map<string, PullProgress>();
  const faults = new Map<string, { reason: string; again_ms: number }>();
  const stop = new AbortController();
  let timer: NodeJS.Timeout | null = null;

  async function pull(model: (typeof wanted)[number]['model']): Promise<void> {
    fetching.set(model.name, { status: 'starting', done_bytes: null, total_bytes: null });
    log.info({ model: model.name }, 'a model is fetched in the background');
    try {
      await model.pull((progress) => fetching.set(model.name, progress), stop.signal);
      faults.delete(model.name);
      log.info({ model: model.name }, 'a model is there');
    } catch (error) {
      const reason = (error as Error).message;
      faults.set(model.name, { reason, again_ms: performance.now() + again_ms });
      if (!stop.signal.aborted) log.warn({ err: error, model: model.name }, 'a model could not be fetched');
    } finally {
      fetching.delete(model.name);
    }
  }

  /** One after the other: a slow line is not shared. */
  async function look(): Promise<void> {
    for (const { model } of wanted) {
      if (stop.signal.aborted || (faults.get(model.name)?.again_ms ?? 0) > performance.now()) continue;
      if ((await model.state(stop.signal)).state === 'missing') await pull(model);
    }
  }
  async function again(): Promise<void> {
    await look().catch((error: unknown) => {
      if (!stop.signal.aborted) log.warn({ err: error }, 'the models could not be looked after');
    });
    if (!stop.signal.aborted) timer = setTimeout(again, look_ms).unref();
  }

  return {
    async models() {
      const inMemory = await loaded().catch(() => []);
      const sizeOf = (name: string) => inMemory.find((one) => one.name === name || one.name === `${name}:latest`);
      return Promise.all(
        wanted.map(async ({ use, model }): Promise<FetchedModel> => {
          const { state, reason } = await model.state();
          const progress = fetching.get(model.name) ?? null;
          const held = sizeOf(model.name);
          return {
            ...{ name: model.name, use, progress, bytes: held?.bytes ?? null },
            state: progress ? 'fetching' : state === 'ready' && held ? 'loaded' : state,
            reason: state === 'ready' ? null : (faults.get(model.name)?.reason ?? reason),
          };
        }),
      );
    },
    start() {
      if (auto && wanted.length > 0) timer = setTimeout(again, 0).unref();
    },
    stop() {
      stop.abort();
      if (timer) clearTimeout(timer);
    },
  };
}
