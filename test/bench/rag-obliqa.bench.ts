/** How well the embedded index finds the passages that answer the questions of ObliQA, by words and with embeddings. */
import { createEmbeddedPassages } from '../../connectors/passages/embedded/embedded.ts';
import type { Passage } from '../../engine/ports.ts';
import { bestWeight, WEIGHTS } from '../../engine/rag/retrieval-quality.ts';
import { createRetriever } from '../../engine/rag/retriever.ts';
import { cachedEmbedder } from './cached-embedder.ts';
import { type GoldQuestion, readObliQA, scoreRetrieval } from './obliqa.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'Retrieval on ObliQA: --split dev, --sample N (every one), --embedder onnx:DIR (with meanings; --cache DIR keeps vectors), --questions FILE --documents PATH for others of the same shape. Needs LUNA_BENCH_DATA without those.';

const TENANT = 'bench';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const data = process.env.LUNA_BENCH_DATA;
  if (!data && !(options.questions && options.documents)) {
    const skipped = 'LUNA_BENCH_DATA does not point to the benchmark data';
    return { recall10: null, map10: null, mrr10: null, p95_ms: null, skipped };
  }
  if ((options.split ?? 'dev') !== 'dev') throw new Error(`there is no split "${options.split}": give dev`);
  const read = readObliQA(data ?? '', options);
  const passages = [...new Map(read.passages.map((one) => [one.id, one])).values()];
  const questions = read.questions.slice(0, Number(options.sample ?? read.questions.length));
  progress(`${passages.length} passages, ${questions.length} questions`);
  if (options.embedder) return withMeaning(options.embedder, options, passages, questions, progress);
  const index = createEmbeddedPassages();
  await index.add(TENANT, passages);
  const retrieve = createRetriever({ index });
  return { ...rounded(await scoreRetrieval(retrieve, questions)), ...sizes(passages, questions) };
}

/** The weight is chosen on the even questions; the odd ones are reported too. */
async function withMeaning(
  name: string,
  options: BenchOptions,
  passages: readonly Passage[],
  questions: readonly GoldQuestion[],
  progress: (line: string) => void,
): Promise<BenchResult> {
  const embedder = await cachedEmbedder(name, options.cache, progress);
  const vectors = await embedder.embed(
    passages.map(({ text }) => text),
    'document',
  );
  await embedder.embed(
    questions.map(({ text }) => text),
    'query',
  );
  const index = createEmbeddedPassages();
  await index.add(TENANT, passages, { vectors });
  const with_ = (weight: number) => createRetriever({ index, embedder: () => embedder, weight: async () => weight });
  const [chosen, other] = [questions.filter((_, i) => i % 2 === 0), questions.filter((_, i) => i % 2 === 1)];
  const tried: { weight: number; quality: number }[] = [];
  for (const weight of WEIGHTS) {
    const { recall10, map10 } = await scoreRetrieval(with_(weight), chosen);
    tried.push({ weight, quality: (recall10 + map10) / 2 });
    progress(`weight ${weight}: recall ${recall10.toFixed(4)}, map ${map10.toFixed(4)} on one half`);
  }
  const weight = bestWeight(tried);
  const all = rounded(await scoreRetrieval(with_(weight), questions));
  const half = rounded(await scoreRetrieval(with_(weight), other));
  await embedder.close();
  const halves = { half_recall10: half.recall10 ?? null, half_map10: half.map10 ?? null };
  return { ...all, ...halves, weight, ...sizes(passages, questions) };
}

function rounded(scores: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(scores).map(([name, value]) => [name, Math.round(value * 10_000) / 10_000]));
}

function sizes(passages: readonly Passage[], questions: readonly GoldQuestion[]): Record<string, number> {
  return { passages: passages.length, questions: questions.length };
}
