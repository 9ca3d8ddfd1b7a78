/** Embeddings of an Ollama server (POST /api/embed), with the words before each text that the model was trained with. */
import { ConfigError, InvalidDataError, UnavailableError } from '../../engine/errors.ts';
import type { EmbeddedAs, Embedder, HttpFetch } from '../../engine/ports.ts';
import { toLengthOne } from '../../engine/rag/length-one.ts';

export type OllamaEmbedderOptions = {
  url: string;
  model: string;
  fetch: HttpFetch;
  /** Left out: those of the model, where they are known. */
  prefixes?: Record<EmbeddedAs, string>;
  timeout_ms?: number;
};

/** A model that is not loaded yet takes a while. */
const TIMEOUT_MS = 60_000;
const BATCH = 32;
const DIGEST_LETTERS = 16;
const ASK_AGAIN_MS = 60_000;
const NONE = { document: '', query: '' };
/** As their model cards say. */
const PREFIXES: readonly [name: RegExp, prefixes: Record<EmbeddedAs, string>][] = [
  [/nomic-embed-text/, { document: 'search_document: ', query: 'search_query: ' }],
  [
    /mxbai-embed|snowflake-arctic-embed(?!2)/,
    { document: '', query: 'Represent this sentence for searching relevant passages: ' },
  ],
  [/snowflake-arctic-embed2/, { document: '', query: 'query: ' }],
  [/(?:^|[/-])e5-/, { document: 'passage: ', query: 'query: ' }],
  [/embeddinggemma/, { document: 'title: none | text: ', query: 'task: search result | query: ' }],
];

export function createOllamaEmbedder({ url, model, fetch, ...options }: OllamaEmbedderOptions): Embedder {
  const prefixes = options.prefixes ?? PREFIXES.find(([name]) => name.test(model))?.[1] ?? NONE;
  let known: { digest: string; until_ms: number } | null = null;

  async function ask(path: string, body: object | null, signal?: AbortSignal): Promise<unknown> {
    const deadline = AbortSignal.timeout(options.timeout_ms ?? TIMEOUT_MS);
    const stop = signal ? AbortSignal.any([signal, deadline]) : deadline;
    const request = body
      ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), signal: stop }
      : { signal: stop };
    const response = await fetch(new URL(path, url).href, request).catch((cause: Error) => {
      if (cause.name === 'NotAllowedError') throw cause;
      throw new UnavailableError(`Ollama at ${url} does not answer (${cause.message}).`, 'Is it running?', { cause });
    });
    const text = await response.text();
    if (response.status === 404)
      throw new ConfigError(`Ollama has no model ${model}.`, `Pull it: ollama pull ${model}.`);
    if (!response.ok)
      throw new UnavailableError(`Ollama could not embed (${response.status}: ${text.slice(0, 200)}).`, 'Try again.');
    return parsed(text);
  }

  return {
    async identity() {
      if (!known || performance.now() > known.until_ms) {
        const { models = [] } = (await ask('/api/tags', null)) as { models?: { name: string; digest: string }[] };
        const found = models.find(({ name }) => name === model || name === `${model}:latest`);
        if (!found) throw new ConfigError(`Ollama has no model ${model}.`, `Pull it: ollama pull ${model}.`);
        known = { digest: found.digest.slice(0, DIGEST_LETTERS), until_ms: performance.now() + ASK_AGAIN_MS };
      }
      return `ollama ${model} ${known.digest} ${JSON.stringify(prefixes)}`;
    },
    async embed(texts, as, signal) {
      const vectors: Float32Array[] = [];
      for (let at = 0; at < texts.length; at += BATCH) {
        const input = texts.slice(at, at + BATCH).map((text) => prefixes[as] + text);
        const answer = (await ask('/api/embed', { model, input, truncate: true }, signal)) as { embeddings?: unknown };
        vectors.push(...vectorsOf(answer.embeddings, input.length));
      }
      return vectors;
    },
    async close() {},
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UnavailableError('Ollama answered with something that is no JSON.', 'Is this the address of an Ollama?');
  }
}

/** @throws InvalidDataError where they are not as many as asked, not of one length, or no numbers */
function vectorsOf(found: unknown, count: number): Float32Array[] {
  const rows = Array.isArray(found) ? (found as unknown[]) : [];
  const width = Array.isArray(rows[0]) ? rows[0].length : 0;
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length === width && row.every((cell) => Number.isFinite(cell));
  if (rows.length !== count || width === 0 || !rows.every(isRow))
    throw new InvalidDataError('The embeddings of Ollama are not what was asked for.', 'Is it an embedding model?');
  return rows.map((row) => toLengthOne(Float32Array.from(row as number[])));
}
