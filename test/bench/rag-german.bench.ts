/** Whether retrieval finds the section that answers a German question: by reference, compound, everyday words, tables. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { GLOSSARY } from '../../engine/rag/glossary-entries.ts';
import { createRetriever } from '../../engine/rag/retriever.ts';
import { openCorpus, TENANT } from './answers/corpus.ts';
import { figuresOf, parseQuestions, rankOf, type SectionQuestion } from './german.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'Retrieval on the German golden set: --half development|test|all (all), --questions FILE --documents DIR for another set, --verbose. Needs LUNA_BENCH_DATA without --documents.';

const GOLDEN = join(import.meta.dirname, '../golden/german/questions.jsonl');
const SHOWN = 5;

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const data = process.env.LUNA_BENCH_DATA ?? resolve(import.meta.dirname, '../../../shared/data');
  const half = options.half ?? 'all';
  const questions = parseQuestions(readFileSync(options.questions ?? GOLDEN, 'utf8')).filter(
    (one) => half === 'all' || one.half === half,
  );
  const { index } = await openCorpus(options.documents ?? join(data, 'regulation/de_law'), progress);
  const retrieve = createRetriever({ index, glossary: async () => GLOSSARY });
  const ranked: { question: SectionQuestion; rank: number | null }[] = [];
  const times: number[] = [];
  for (const question of questions) {
    const begun = performance.now();
    const { hits } = await retrieve(TENANT, question.question, { limit: 40 });
    times.push(performance.now() - begun);
    const rank = rankOf(hits, question);
    ranked.push({ question, rank });
    if (options.verbose && question.document !== null && (rank === null || rank > 1)) {
      progress(
        `${String(rank).padEnd(4)} ${question.class} ${question.question} [${question.document} ${question.section}]`,
      );
      for (const { passage, score } of hits.slice(0, SHOWN))
        progress(`       ${score.toFixed(1)} ${passage.document}: ${passage.section.slice(-80)}`);
    }
  }
  await index.close();
  times.sort((a, b) => a - b);
  const p95_ms = Math.round(100 * (times[Math.floor(0.95 * times.length)] ?? 0)) / 100;
  return { ...figuresOf(ranked), p95_ms, questions: questions.length };
}
