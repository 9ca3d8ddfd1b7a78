/** Whether the language model is there, asked at most every half minute; and its pull, one at a time. */
import { InvalidDataError } from '../../../engine/errors.ts';
import type { LanguageModel, ModelState } from '../../../engine/ports.ts';
import type { Actor, AuditService, Base } from '../../services.ts';

export type Pulling = {
  status: string;
  done_bytes: number | null;
  total_bytes: number | null;
  fault: string | null;
  running: boolean;
};
export type ModelView = { name: string; context_tokens: number } & ModelState & { pulling: Pulling | null };
export type ModelWatch = {
  state(fresh?: boolean): Promise<ModelState>;
  digest(): Promise<string | null>;
  view(): Promise<ModelView>;
  /** Begins to fetch the model; how far it is comes as events. @throws InvalidDataError where it is being fetched */
  pull(actor: Actor): Promise<void>;
  stopPull(): void;
};

const FRESH_MS = 30_000;
const TELL_EVERY_MS = 500;

/** What it is and where it stands, asked anew after half a minute. */
export function createModelState(model: LanguageModel, clock: Base['clock']) {
  let known: { at_ms: number; state: Promise<ModelState> } | null = null;
  function state(fresh = false): Promise<ModelState> {
    const now = clock.now();
    if (!known || fresh || now - known.at_ms >= FRESH_MS || now < known.at_ms)
      known = { at_ms: now, state: model.state() };
    return known.state;
  }
  return {
    state,
    digest: async () => (await state()).digest,
    forget() {
      known = null;
    },
  };
}

export function createModelWatch(
  model: LanguageModel,
  { clock, bus, log, audit }: Pick<Base, 'clock' | 'bus' | 'log'> & { audit: Pick<AuditService, 'record'> },
): ModelWatch {
  const { state, digest, forget } = createModelState(model, clock);
  let pulling: Pulling | null = null;
  let stop: AbortController | null = null;

  async function run(tenant: string, signal: AbortSignal): Promise<void> {
    let told_ms = 0;
    const tell = (progress: Omit<Pulling, 'fault' | 'running'>, running: boolean, fault: string | null) => {
      pulling = { ...progress, running, fault };
      const now = clock.now();
      if (running && now - told_ms < TELL_EVERY_MS) return;
      told_ms = now;
      const { done_bytes, total_bytes, status } = progress;
      bus.publish({ type: 'progress', tenant, task: 'model', done: done_bytes ?? 0, total: total_bytes, text: status });
    };
    try {
      await model.pull((progress) => tell(progress, true, null), signal);
      tell({ status: 'success', done_bytes: null, total_bytes: null }, false, null);
    } catch (error) {
      log.warn({ err: error, model: model.name }, 'the language model could not be pulled');
      tell({ status: 'failed', done_bytes: null, total_bytes: null }, false, (error as Error).message);
    }
    forget();
  }

  return {
    state,
    digest,
    view: async () => ({ name: model.name, context_tokens: model.context_tokens, ...(await state(true)), pulling }),
    async pull(actor) {
      if (pulling?.running)
        throw new InvalidDataError(`${model.name} is being pulled already.`, 'Wait until it is there.');
      pulling = { status: 'starting', done_bytes: null, total_bytes: null, fault: null, running: true };
      stop = new AbortController();
      await audit.record(actor, 'pull model', model.name);
      void run(actor.tenant, stop.signal);
    },
    stopPull: () => stop?.abort(),
  };
}
