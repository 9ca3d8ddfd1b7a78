import { describe, expect, it } from 'vitest';
import { createOllamaEmbedder } from '../../../connectors/embedding/ollama.ts';
import { ConfigError, InvalidDataError, UnavailableError } from '../../../engine/errors.ts';
import type { HttpFetch } from '../../../engine/ports.ts';
import { createOutbound } from '../../../gateway/outbound.ts';
import { embedderContract } from '../../contracts/embedder.ts';

const TAGS = { models: [{ name: 'nomic-embed-text:latest', digest: 'abcdef0123456789abcdef' }] };

/** Answers as a script says; `asked` holds what came. */
function scripted(answer: (path: string, body: { input: string[] }) => { status?: number; body: unknown }) {
  const asked: { path: string; body: { model: string; input: string[] } }[] = [];
  const fetch: HttpFetch = async (url, init) => {
    init?.signal?.throwIfAborted();
    const path = new URL(url).pathname;
    const body = JSON.parse(init?.body ?? '{"input":[]}');
    asked.push({ path, body });
    const { status = 200, body: given } = answer(path, body);
    const text = typeof given === 'string' ? given : JSON.stringify(given);
    return { ok: status < 300, status, headers: { get: () => null }, body: null, text: async () => text };
  };
  return { asked, embedder: createOllamaEmbedder({ url: 'http://box:11434', model: 'nomic-embed-text', fetch }) };
}

describe('embeddings of Ollama', () => {
  it('come in the order of the texts, of length 1, with the words before each that the model wants', async () => {
    const { asked, embedder } = scripted((path, { input }) =>
      path === '/api/tags' ? { body: TAGS } : { body: { embeddings: input.map((text) => [text.length, 0]) } },
    );
    const vectors = await embedder.embed(['a', 'b'], 'document');
    expect(vectors).toEqual([Float32Array.of(1, 0), Float32Array.of(1, 0)]);
    await embedder.embed(['c'], 'query');
    expect(asked.map(({ body }) => body.input)).toEqual([
      ['search_document: a', 'search_document: b'],
      ['search_query: c'],
    ]);
    expect(await embedder.identity()).toContain('nomic-embed-text abcdef0123456789');
  });

  it('are asked for in batches', async () => {
    const { asked, embedder } = scripted((_, { input }) => ({ body: { embeddings: input.map(() => [1, 1]) } }));
    expect(await embedder.embed(new Array(70).fill('x'), 'document')).toHaveLength(70);
    expect(asked.map(({ body }) => body.input.length)).toEqual([32, 32, 6]);
  });

  it.each([
    ['no such model', { status: 404, body: 'not found' }, ConfigError],
    ['a fault of the server', { status: 503, body: 'busy' }, UnavailableError],
    ['no JSON', { body: '<html>' }, UnavailableError],
    ['too few vectors', { body: { embeddings: [] } }, InvalidDataError],
    ['vectors of several lengths', { body: { embeddings: [[1], [1, 2]] } }, InvalidDataError],
    ['something that is no number', { body: { embeddings: [[null], [1]] } }, InvalidDataError],
  ])('end in a clear error for %s', async (_, answer, error) => {
    const { embedder } = scripted(() => answer);
    await expect(embedder.embed(['a', 'b'], 'query')).rejects.toThrow(error);
  });

  it('say that the server is away, or has no such model', async () => {
    const away = createOllamaEmbedder({
      url: 'http://box',
      model: 'm',
      fetch: () => Promise.reject(new Error('refused')),
    });
    await expect(away.identity()).rejects.toThrow(UnavailableError);
    const { embedder } = scripted(() => ({ body: { models: [] } }));
    await expect(embedder.identity()).rejects.toThrow(ConfigError);
  });
});

/** Words, and where they stand in 64 numbers: similar texts come near each other. */
function wordsOf(text: string): number[] {
  const vector = new Array<number>(64).fill(0);
  for (const word of text.toLowerCase().match(/\p{L}{4,}/gu) ?? [])
    vector[[...word].reduce((sum, sign) => (sum * 31 + (sign.codePointAt(0) ?? 0)) % 64, 7)]! += 1;
  return vector;
}

describe('a scripted Ollama', () => {
  embedderContract(async () => {
    const { embedder } = scripted((path, { input }) =>
      path === '/api/tags' ? { body: TAGS } : { body: { embeddings: input.map(wordsOf) } },
    );
    return { embedder, close: () => embedder.close() };
  });
});

const real = process.env.LUNA_TEST_OLLAMA_URL;
const genuine = (model: string) => {
  const outbound = createOutbound({ allowed: () => [new URL(real ?? 'http://x').hostname], answer_ms: 0 });
  const embedder = createOllamaEmbedder({ url: real ?? '', model, fetch: outbound.fetch });
  return { embedder, close: () => outbound.close() };
};

describe.skipIf(!real)('a real Ollama', () => {
  embedderContract(async () => genuine(process.env.LUNA_TEST_OLLAMA_EMBEDDING ?? 'tiny-embed'));

  it('says that it has no such model', async () => {
    const { embedder, close } = genuine('nobody-has-this');
    await expect(embedder.identity()).rejects.toThrow(ConfigError);
    await expect(embedder.embed(['a'], 'query')).rejects.toThrow(ConfigError);
    await close();
  });
});
