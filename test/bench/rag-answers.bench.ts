/** Answers without a language model on a golden set: whether the quotes stand, say the right thing, and are missing where they should be. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readGoldenSet } from '../golden/german/golden-set.ts';
import { openCorpus } from './answers/corpus.ts';
import { curveOf, svgOf } from './answers/curve.ts';
import { figuresOf, type Golden, scoreAnswers } from './answers/score.ts';
import type { BenchOptions, BenchResult } from './options.ts';

export const about =
  'Answers on the German golden set: --half test|development|all (test), or --questions FILE --documents PATH; --verbose; --curve FILE.svg (risk against coverage). Needs LUNA_BENCH_DATA without --documents.';

export async function run(options: BenchOptions, progress: (line: string) => void): Promise<BenchResult> {
  const data = process.env.LUNA_BENCH_DATA ?? resolve(import.meta.dirname, '../../../shared/data');
  const golden = questionsOf(options);
  const corpus = await openCorpus(options.documents ?? join(data, 'regulation/de_law'), progress);
  const scored = await scoreAnswers(corpus, golden);
  if (options.verbose) for (const one of scored) progress(line(one));
  if (options.curve) writeFileSync(options.curve, svgOf(curveOf(scored), `${scored.length} questions`));
  const times = scored.map(({ ms }) => ms).sort((a, b) => a - b);
  return {
    ...figuresOf(scored),
    ...{ questions: scored.length, answered: scored.filter(({ answered }) => answered).length },
    p95_ms: Math.round((times[Math.floor(0.95 * times.length)] ?? 0) * 10) / 10,
  };
}

function questionsOf(options: BenchOptions): Golden[] {
  const half = options.half ?? 'test';
  if (!options.questions) return readGoldenSet().filter((one) => half === 'all' || one.half === half);
  return readFileSync(options.questions, 'utf8')
    .split('\n')
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text) as Golden);
}

function line({
  question,
  answerable,
  answered,
  right,
  confidence,
  answer,
}: Awaited<ReturnType<typeof scoreAnswers>>[number]): string {
  const verdict = answerable ? (right ? 'right' : answered ? 'WRONG' : 'abstained') : answered ? 'FALSE' : 'none';
  const first = answer.sentences[0]?.citations[0];
  return `${verdict.padEnd(9)} ${confidence.toFixed(2)} ${question} → ${first ? `${first.document} ${first.section.slice(-40)}: ${first.quote.slice(0, 80)}` : answer.nearest[0]?.section.slice(-60)}`;
}
