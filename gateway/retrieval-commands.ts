/** `luna eval retrieval`: asks the golden sets of an organisation, or brings one in from a file. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { InvalidDataError } from '../engine/errors.ts';
import type { CommandResult } from './control.ts';
import type { RetrievalEvaluation } from './services/retrieval.ts';
import type { Actor, Services } from './services.ts';

const Question = z.object({
  question: z.string().min(1).max(1000),
  document: z.string().nullable().default(null),
  section: z.string().nullable().default(null),
  class: z.string().optional(),
  half: z.enum(['development', 'test']).optional(),
});

/** `file`: JSON lines, saved as the set of its name first. */
export async function evaluateRetrieval(
  { retrieval }: Services,
  actor: Actor,
  args: Record<string, unknown>,
): Promise<CommandResult> {
  let wanted = typeof args.set === 'string' ? args.set : null;
  if (typeof args.file === 'string') {
    wanted ??= basename(args.file).replace(/\.jsonl?$/, '');
    await retrieval.saveGoldenSet(actor, wanted, parseLines(await readFile(args.file, 'utf8')));
  }
  const names = wanted ? [wanted] : (await retrieval.goldenSets(actor.tenant)).map(({ name }) => name);
  if (names.length === 0)
    return { text: 'There is no golden set yet. Give one with --file questions.jsonl.', json: { evaluations: [] } };
  const found: RetrievalEvaluation[] = [];
  for (const name of names) found.push(await retrieval.evaluate(actor.tenant, name));
  return { text: found.map(lineOf).join('\n'), json: { evaluations: found } };
}

function lineOf({
  golden_set,
  questions,
  recall5,
  recall1,
  mrr10,
  p95_ms,
  weight,
  model,
  rerank,
}: RetrievalEvaluation): string {
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
  const by = model ? `words and meaning (share ${weight}, ${model})` : 'words only';
  const again = rerank
    ? `; re-ranked ${rerank.questions} of them: first ${percent(rerank.without.recall1)} before, ${percent(rerank.with.recall1)} after, MRR ${rerank.without.mrr10.toFixed(3)} before, ${rerank.with.mrr10.toFixed(3)} after, ${rerank.late} too late, p95 ${rerank.p95_ms.toFixed(0)} ms`
    : '';
  return `${golden_set}: ${questions} questions, found among five ${percent(recall5)}, first ${percent(recall1)}, MRR ${mrr10.toFixed(3)}, p95 ${p95_ms.toFixed(1)} ms, by ${by}${again}`;
}

/** @throws InvalidDataError with the lines that are no questions */
function parseLines(text: string): z.infer<typeof Question>[] {
  const faults: { where: string; problem: string }[] = [];
  const questions = text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    const parsed = Question.safeParse(jsonOf(line));
    if (parsed.success) return [parsed.data];
    faults.push({ where: `line ${i + 1}`, problem: parsed.error.issues[0]?.message ?? 'is no question' });
    return [];
  });
  if (faults.length > 0)
    throw new InvalidDataError(
      `${faults.length} lines are no questions, the first is ${faults[0]?.where}: ${faults[0]?.problem}`,
      'Write one JSON object a line: {"question": …, "document": …, "section": …}.',
      faults.slice(0, 50),
    );
  return questions;
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
