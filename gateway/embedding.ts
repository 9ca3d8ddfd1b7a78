/** Which embedding model the box has: a folder with ONNX, a model of Ollama, or none. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createOllamaEmbedder } from '../connectors/embedding/ollama.ts';
import { openOnnxEmbedder } from '../connectors/embedding/onnx.ts';
import { createEmbeddedPassages } from '../connectors/passages/embedded/embedded.ts';
import { createQdrantPassages } from '../connectors/passages/qdrant/qdrant.ts';
import type { Embedder, HttpFetch, LanguageModel } from '../engine/ports.ts';
import type { Config } from './config.ts';
import type { Keep } from './lifecycle.ts';
import { createOutbound } from './outbound.ts';
import { createModelRerank, RERANKED_HITS } from './services/retrieval/rerank.ts';
import { createRetrievalService, type RetrievalDeps, type RetrievalParts } from './services/retrieval.ts';

const USUAL_MODEL = 'nomic-embed-text';
/** Where Ollama listens by its own default. */
const OLLAMA_HERE = '127.0.0.1:11434';

/** A model that cannot be opened leaves search by words, and says why in the log. @returns null for none */
export async function openEmbedder(
  { embedding, home, ollama_url }: Pick<Config, 'embedding' | 'home' | 'ollama_url'>,
  { fetch, log }: { fetch: HttpFetch; log: Logger },
): Promise<Embedder | null> {
  const own = join(home, 'embedding');
  const dir = embedding.startsWith('onnx:') ? embedding.slice(5) : embedding === 'auto' && existsSync(own) ? own : null;
  if (dir !== null)
    return openOnnxEmbedder({ dir }).catch((error: Error) => {
      log.error({ err: error }, 'the embedding model cannot be opened; passages are searched by words only');
      return null;
    });
  const model = embeddingOfOllama({ embedding, home });
  if (model === null || ollama_url === null) return null;
  return createOllamaEmbedder({ url: ollama_url, model, fetch });
}

/** @returns the model that Ollama embeds with; null where another way was chosen, or none */
export function embeddingOfOllama({ embedding, home }: Pick<Config, 'embedding' | 'home'>): string | null {
  if (embedding.startsWith('ollama:')) return embedding.slice(7);
  return embedding === 'auto' && !existsSync(join(home, 'embedding')) ? USUAL_MODEL : null;
}

export type RetrievalSetting = Omit<RetrievalDeps, 'index' | 'embedder' | 'rerank'> & {
  /** Null: nothing is re-ranked. */
  model: LanguageModel | null;
  /** Names that are taken out of what goes to it. */
  people: (tenant: string) => Promise<readonly string[]>;
  config: Config;
  keep: Keep;
  /** Hosts on private networks that may be asked. */
  allowed: () => readonly string[];
};

/** The passage index that the configuration names, with the embedding model that there is. */
export async function openRetrieval({
  config,
  keep,
  allowed,
  model,
  people,
  ...deps
}: RetrievalSetting): Promise<RetrievalParts> {
  // A model that is loaded first takes a while until it answers; the connector has its own deadline.
  const outbound = keep(createOutbound({ allowed: () => [OLLAMA_HERE, ...allowed()], answer_ms: 0 }));
  const embedder = await openEmbedder(config, { fetch: outbound.fetch, log: deps.log });
  const index =
    config.passages === 'embedded'
      ? createEmbeddedPassages({
          dir: join(config.home, 'passages'),
          onFault: (error, tenant) => deps.log.warn({ err: error, tenant_id: tenant }, 'the kept index is made anew'),
        })
      : createQdrantPassages({ url: config.passages });
  const within_ms = config.language_rerank_ms;
  const rerank =
    model && within_ms > 0
      ? { order: createModelRerank({ ...deps, config, model, people }), hits: RERANKED_HITS, within_ms }
      : undefined;
  return createRetrievalService({ ...deps, index, embedder, rerank });
}
