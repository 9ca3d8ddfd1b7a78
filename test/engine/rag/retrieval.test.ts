import { describe, expect, it } from 'vitest';
import { createEmbeddedPassages } from '../../../connectors/passages/embedded/embedded.ts';
import { createRetriever } from '../../../engine/rag/retriever.ts';
import { readObliQA, scoreRetrieval } from '../../bench/obliqa.ts';

const data = process.env.LUNA_BENCH_DATA;

describe('retrieval on real questions', () => {
  it.skipIf(!data)('finds the passages of ObliQA: recall at 10 of at least 0.77', async () => {
    const { passages, questions } = readObliQA(data ?? '');
    const index = createEmbeddedPassages();
    await index.add('bench', passages);
    // Every sixth question, spread over all: seconds instead of half a minute.
    const { recall10, map10 } = await scoreRetrieval(
      createRetriever({ index }),
      questions.filter((_, i) => i % 6 === 0),
    );
    expect(recall10).toBeGreaterThan(0.77);
    expect(map10).toBeGreaterThan(0.62);
  });
});
