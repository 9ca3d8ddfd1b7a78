/** Language models. Part of `engine/ports.ts`. */

/** How a language model failed; every fault ends in one of these. */
export type ModelFaultKind =
  /** Nothing listens at its address, or the name is unknown. */
  | 'unreachable'
  /** The address may not be asked, or sends on to another. */
  | 'not_allowed'
  /** The model is not on the server: it can be pulled. */
  | 'no_model'
  /** Too many requests at once. */
  | 'busy'
  /** No first piece within the deadline of a cold start. */
  | 'no_answer'
  /** It began and then said nothing for too long. */
  | 'stalled'
  /** The prompt has more tokens than the model's context. */
  | 'too_long'
  /** The request was refused for another reason. */
  | 'refused'
  /** An error of the server, before or in the middle of the answer. */
  | 'failed'
  /** The connection ended before the answer did. */
  | 'cut_off'
  /** Bytes that are no JSON lines or no UTF-8. */
  | 'garbled'
  /** An answer without content, or only thoughts. */
  | 'empty'
  /** Content that does not follow the schema. */
  | 'schema'
  | 'cancelled';

/** All methods reject with ModelError. */
export interface LanguageModel {
  /** Name with tag, e.g. `llama3.1:8b`. */
  readonly name: string;
  /** Tokens that prompt and answer may have together. */
  readonly context_tokens: number;
  /** Streams; `onText` gets the content so far as it grows, without thoughts. */
  generate(request: GenerateRequest, onText?: (text: string, tokens: number) => void): Promise<Generated>;
  /** Whether it answers now and holds the model. Rejects for nothing but `cancelled`. */
  state(signal?: AbortSignal): Promise<ModelState>;
  /** Fetches the model; resolves once it is there. */
  pull(onProgress: (progress: PullProgress) => void, signal: AbortSignal): Promise<void>;
}
export type GenerateRequest = {
  system: string;
  prompt: string;
  /** JSON schema that the content must follow. */
  schema: Readonly<Record<string, unknown>>;
  most_tokens: number;
  signal: AbortSignal;
};
export type Generated = {
  text: string;
  prompt_tokens: number;
  answer_tokens: number;
  /** False: `most_tokens` ended it. */
  finished: boolean;
};
export type ModelState = {
  state: 'ready' | 'missing' | 'unreachable';
  /** Why it is not ready, in a sentence; null where it is. */
  reason: string | null;
  /** SHA-256 of the model's files; null where it is not there. */
  digest: string | null;
  /** Of the server. */
  version: string | null;
};
export type PullProgress = { status: string; done_bytes: number | null; total_bytes: number | null };
