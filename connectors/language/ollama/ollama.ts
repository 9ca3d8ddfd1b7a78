/**
 * A language model behind an Ollama server (github.com/ollama/ollama, docs/api.md). Always streamed, always with
 * `num_ctx`, `shift: false` and `truncate: false`: without them the server cuts a long prompt in the middle and says
 * nothing.
 */
import { type ChatRequest, Ollama } from 'ollama/browser';
import { ModelError } from '../../../engine/errors.ts';
import type { Generated, HttpFetch, LanguageModel, ModelState } from '../../../engine/ports.ts';
import { withoutThoughts } from '../../../engine/rag/thoughts.ts';
import { errorOfConnection, modelError } from './faults.ts';
import { createOllamaFetch, type Deadlines } from './fetch.ts';

export type OllamaOptions = {
  /** e.g. `http://127.0.0.1:11434`. */
  url: string;
  /** e.g. `llama3.1:8b`. */
  model: string;
  context_tokens: number;
  /** Lets out only to addresses that are allowed. */
  fetch: HttpFetch;
  deadlines?: Partial<Deadlines>;
};

/** A model of 40 GB from a slow disk takes minutes until its first token. */
const DEADLINES: Deadlines = { first_ms: 600_000, idle_ms: 120_000, total_ms: 1_800_000 };
const LOOK: Deadlines = { first_ms: 3000, idle_ms: 3000, total_ms: 5000 };
/** A layer may stand still while the registry is slow; a whole model may take hours. */
const PULL: Deadlines = { first_ms: 120_000, idle_ms: 300_000, total_ms: 24 * 3_600_000 };
const SEED = 1;

export function createOllama({ url, model, context_tokens, fetch, deadlines }: OllamaOptions): LanguageModel {
  /** Runs one exchange with a client of its own, so that its fetch knows whose cancel and deadlines hold. */
  async function exchange<T>(limits: Deadlines, signal: AbortSignal, work: (client: Ollama) => Promise<T>): Promise<T> {
    let fault: ModelError | null = null;
    const onFault = (error: ModelError) => {
      fault ??= error;
    };
    const client = new Ollama({ host: url, fetch: createOllamaFetch({ fetch, deadlines: limits, signal, onFault }) });
    try {
      return await work(client);
    } catch (error) {
      throw fault ?? (error instanceof ModelError ? error : errorOfConnection(error, true));
    }
  }

  return {
    name: model,
    context_tokens,
    generate({ system, prompt, schema, most_tokens, signal }, onText) {
      const request: ChatRequest & { stream: true; shift: boolean; truncate: boolean } = {
        ...{ model, stream: true, format: { ...schema }, think: false, shift: false, truncate: false },
        messages: [
          { role: 'system', content: system },
          { role: 'user', content: prompt },
        ],
        options: { num_ctx: context_tokens, num_predict: most_tokens, temperature: 0, seed: SEED },
      };
      return exchange({ ...DEADLINES, ...deadlines }, signal, async (client) => {
        let said = '';
        let pieces = 0;
        let ended: Generated | null = null;
        for await (const piece of await client.chat(request)) {
          said += piece.message?.content ?? '';
          pieces += 1;
          onText?.(withoutThoughts(said), pieces);
          if (!piece.done) continue;
          const { prompt_eval_count: prompt_tokens = 0, eval_count: answer_tokens = pieces, done_reason } = piece;
          ended = { text: withoutThoughts(said), prompt_tokens, answer_tokens, finished: done_reason !== 'length' };
        }
        // All may have come in one piece before the cancel reached the server.
        if (signal.aborted) throw modelError('cancelled', 'The answer was stopped.');
        if (!ended) throw modelError('cut_off', 'The answer of Ollama ended before its end.');
        if (ended.text.trim() === '') throw modelError('empty', 'The language model wrote nothing.');
        return ended;
      });
    },
    async state(signal = new AbortController().signal) {
      try {
        return await exchange(LOOK, signal, async (client) =>
          stateOf(model, await client.list(), await client.version()),
        );
      } catch (error) {
        if (error instanceof ModelError && error.fault === 'cancelled') throw error;
        return { state: 'unreachable', reason: (error as Error).message, digest: null, version: null };
      }
    },
    pull: (onProgress, signal) =>
      exchange(PULL, signal, async (client) => {
        for await (const { status, completed, total } of await client.pull({ model, stream: true }))
          onProgress({ status, done_bytes: completed ?? null, total_bytes: total ?? null });
      }),
  };
}

type Listed = { models: readonly { name: string; model: string; digest: string }[] };

function stateOf(model: string, { models }: Listed, { version }: { version: string }): ModelState {
  const wanted = model.includes(':') ? model : `${model}:latest`;
  const found = models.find(({ name, model: other }) => name === wanted || other === wanted);
  if (found) return { state: 'ready', reason: null, digest: found.digest, version };
  return { state: 'missing', reason: `The server does not have ${model}.`, digest: null, version };
}
