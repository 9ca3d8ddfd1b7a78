/** Texts as vectors whose direction is their meaning. */
import type { Closable } from './closable.ts';

/** A text of a document, or a question: some models want to be told. */
export type EmbeddedAs = 'document' | 'query';

export interface Embedder extends Closable {
  /** What vectors of other models cannot be compared with: `ollama nomic-embed-text@<digest>`, prefixes included. */
  identity(): Promise<string>;
  /** Vectors of length 1, in the order of the texts. Texts longer than the model reads are cut at its end.
   * Rejects UnavailableError when the model does not answer, ConfigError when there is no such model. */
  embed(texts: readonly string[], as: EmbeddedAs, signal?: AbortSignal): Promise<Float32Array[]>;
}
