/** The box's Ollama: the model that writes answers, and what it holds of the models that the box uses. */
import { readLoaded } from '../connectors/language/ollama/loaded.ts';
import { createOllama } from '../connectors/language/ollama/ollama.ts';
import type { Config } from './config.ts';
import { embeddingOfOllama } from './embedding.ts';
import type { Keep } from './lifecycle.ts';
import { createOutbound } from './outbound.ts';
import type { ModelFetchDeps } from './services/model-fetch.ts';

/** Where Ollama listens by default. */
const OLLAMA_HERE = '127.0.0.1:11434';

/** Lets out to its own default on this machine, to public addresses, and to private ones that an admin allowed. */
export function openOllama(config: Config, keep: Keep, allowed: () => readonly string[]) {
  const { ollama_url: url, language_model, language_context: context_tokens } = config;
  const wanted: ModelFetchDeps['wanted'][number][] = [];
  if (url === null) return { model: null, wanted, loaded: async () => [], auto: false };
  // Deadlines are the connector's: a model may take minutes until its first word.
  const { fetch } = keep(createOutbound({ allowed: () => [OLLAMA_HERE, ...allowed()], answer_ms: 0 }));
  const named = (model: string) => createOllama({ url, model, context_tokens, fetch });
  const model = named(language_model);
  const embedding = embeddingOfOllama(config);
  wanted.push({ use: 'language', model });
  if (embedding !== null) wanted.push({ use: 'embedding', model: named(embedding) });
  return { model, wanted, loaded: () => readLoaded(url, fetch), auto: config.ollama_pull };
}
