/** Measurements of finding and answering as rows of the page, and golden sets as people paste them. */
import type { EvalFigure, EvalRun } from '../../../../web/pages/admin/regulation.ts';
import type { Ui } from '../../../../web/ui.ts';
import type { EvalResult } from '../../../services/answers/evaluate.ts';
import type { GoldenQuestion, RetrievalEvaluation } from '../../../services/retrieval.ts';

/** Points that a share may fall between two measurements without a word. */
const WORSE = 0.05;

/** @param results newest first. */
export function answerRuns(results: readonly EvalResult[], { t }: Ui): EvalRun[] {
  return results.map((result, i) => {
    const isSame = (one: EvalResult) =>
      one.model_version === result.model_version && one.question_set === result.question_set;
    const before = results.slice(i + 1).find(isSame);
    return {
      ...{ id: `answers-${result.id}`, kind: 'answers', at_ms: result.at.getTime(), questions: result.questions },
      set: t(`eval.set_${result.question_set}`),
      version: result.model_version === 'extractive' ? t('eval.quotes') : result.model_version,
      figures: figuresOf(result),
      dropped: fell((before?.right_pct ?? 0) / 100, result.right_pct === null ? null : result.right_pct / 100),
    };
  });
}

/** @param results newest first. */
export function findingRuns(results: readonly RetrievalEvaluation[]): EvalRun[] {
  return results.map((result, i) => {
    const before = results.slice(i + 1).find(({ golden_set }) => golden_set === result.golden_set);
    const byClass = (['reference', 'compound'] as const).flatMap((name) => {
      const shares = result.classes[name];
      return shares ? share(`recall1_${name}`, shares.recall1, true, name === 'reference' ? 1 : 0.9) : [];
    });
    return {
      ...{ id: `finding-${result.id}`, kind: 'retrieval', at_ms: result.at_ms, questions: result.questions },
      ...{ set: result.golden_set, version: result.model, dropped: fell(before?.recall5 ?? 0, result.recall5) },
      figures: [
        ...share('recall5', result.recall5, true, 0.85),
        ...share('recall1', result.recall1, true, null),
        ...byClass,
        ...share('ann_recall', result.ann_recall, true, null),
        // Held against the same questions without it.
        ...share('recall1_reranked', result.rerank?.with.recall1 ?? null, true, result.rerank?.without.recall1 ?? null),
        { name: 'p95_ms', value: result.p95_ms, kind: 'ms', more_is_better: null, bound: null },
      ],
    };
  });
}

function fell(before: number, now: number | null): boolean {
  return now !== null && before - now >= WORSE;
}

function figuresOf(result: EvalResult): EvalFigure[] {
  const of = (pct: number | null) => (pct === null ? null : pct / 100);
  return [
    ...share('answered_correct', of(result.right_pct), true, 0.85),
    ...share('grounding', of(result.grounding_pct), true, 0.9),
    ...share('unsupported', of(result.unsupported_pct), false, 0.01),
    ...share('abstain_rate', of(result.abstained_pct), null, null),
    { name: 'p95_ms', value: result.p95_ms, kind: 'ms', more_is_better: null, bound: null },
  ];
}

/** Nothing where it was not measured. */
function share(name: string, value: number | null, more_is_better: boolean | null, bound: number | null): EvalFigure[] {
  return value === null ? [] : [{ name, value, kind: 'share', more_is_better, bound }];
}

/** One JSON object a line; empty lines are left out. */
export function parseGoldenSet(text: string): { questions: GoldenQuestion[] } | { bad_line: number } {
  const questions: GoldenQuestion[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const question = questionOf(line);
    if (!question) return { bad_line: i + 1 };
    questions.push(question);
  }
  return { questions };
}

function questionOf(line: string): GoldenQuestion | null {
  try {
    const read: unknown = JSON.parse(line);
    if (typeof read !== 'object' || read === null) return null;
    const { question, document = null, section = null, class: kind, half } = read as Record<string, unknown>;
    const isName = (value: unknown): value is string | null => value === null || typeof value === 'string';
    if (typeof question !== 'string' || question.trim() === '' || !isName(document) || !isName(section)) return null;
    return {
      ...{ question, document, section },
      ...(typeof kind === 'string' ? { class: kind } : {}),
      ...(half === 'development' || half === 'test' ? { half } : {}),
    };
  } catch {
    return null;
  }
}
