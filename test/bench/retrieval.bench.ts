/** How well the embedded index finds the passages that answer a question. */
import { createEmbeddedPassages } from '../../connectors/passages/embedded/embedded.ts';
import { readObliQA, scoreRetrieval } from './obliqa.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about = "Retrieval on ObliQA's development questions: --questions N (all 2,788). Needs LUNA_BENCH_DATA.";

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const data = process.env.LUNA_BENCH_DATA;
  if (!data) {
    const skipped = 'LUNA_BENCH_DATA does not point to the benchmark data';
    progress(skipped);
    return { recall_at_10: null, map_at_10: null, query_p95_ms: null, skipped };
  }
  const { passages, questions } = readObliQA(data);
  const index = createEmbeddedPassages();
  const begun = performance.now();
  await index.add('bench', passages);
  const build_ms = Math.round(performance.now() - begun);
  const asked = questions.slice(0, Number(options.questions ?? questions.length));
  progress(`${passages.length} passages indexed in ${build_ms} ms; asking ${asked.length} questions`);
  const { recall_at_10, map_at_10, query_p95_ms } = await scoreRetrieval(index, asked);
  const rounded = (value: number) => Math.round(value * 10_000) / 10_000;
  return {
    recall_at_10: rounded(recall_at_10),
    map_at_10: rounded(map_at_10),
    query_p95_ms: rounded(query_p95_ms),
    ...{ build_ms, passages: passages.length, questions: asked.length },
  };
}
