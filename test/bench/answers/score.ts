/** How good answers are, held against a golden set by code that shares nothing with the code that answers. */
import { keysOfSection, referencesOf } from '../../../engine/rag/references.ts';
import { createAnswerer } from '../../../gateway/services/regulation/ask.ts';
import type { Answer, Citation } from '../../../gateway/services.ts';
import { type Corpus, TENANT } from './corpus.ts';
import { createFinding } from './finding.ts';

export type Golden = { question: string; document: string | null; section: string | null };
export type Scored = {
  question: string;
  answerable: boolean;
  answered: boolean;
  /** The first citation stands in the gold section. */
  right: boolean;
  invalid_citations: number;
  /** How sure the answer is of itself, in 0…1. */
  confidence: number;
  ms: number;
  answer: Answer;
};

export async function scoreAnswers(
  corpus: Corpus,
  golden: readonly Golden[],
  progress: (done: number) => void = () => {},
): Promise<Scored[]> {
  const answerFrom = createAnswerer(createFinding(corpus.index));
  const scored: Scored[] = [];
  for (const { question, document, section } of golden) {
    const begun = performance.now();
    const answer = await answerFrom(TENANT, question, async (name) => corpus.texts.get(name) ?? null);
    const ms = performance.now() - begun;
    const citations = answer.sentences.flatMap((sentence) => sentence.citations);
    const [first] = citations;
    scored.push({
      ...{ question, answerable: document !== null, answered: answer.status === 'answered', answer, ms },
      right: document !== null && first !== undefined && isAt(first, document, section),
      invalid_citations: citations.filter((citation) => !isValid(corpus, citation)).length,
      confidence: answer.confidence ?? 0,
    });
    progress(scored.length);
  }
  return scored;
}

function isAt(citation: Citation, document: string, section: string | null): boolean {
  if (citation.document !== document) return false;
  if (section === null) return true;
  const keys = referencesOf(section).map(({ key }) => key);
  const wanted = keys.length > 0 ? keys : /^anlage$/i.test(section.trim()) ? ['annex:'] : [];
  const headings = citation.section.split(' > ').map((heading) => heading.toLowerCase());
  return wanted.length > 0
    ? wanted.some((key) => keysOfSection(citation.section).includes(key))
    : headings.some((heading) => heading.startsWith(section.toLowerCase()));
}

/** The quote stands letter by letter where it says, in the text that was read, inside a passage of that section. */
function isValid({ texts, passages }: Corpus, { document, section, quote, start, end }: Citation): boolean {
  const text = texts.get(document)?.text;
  if (!text || quote.trim() === '' || text.slice(start, end) !== quote) return false;
  return [...passages.values()].some(
    (passage) =>
      passage.document === document && passage.section === section && passage.start <= start && passage.end >= end,
  );
}

export type Figures = {
  invalid_citations: number;
  answered_correct_pct: number;
  answered_unanswerable_pct: number;
  abstained_answerable_pct: number;
};

export function figuresOf(scored: readonly Scored[]): Figures {
  const percent = (part: number, of: number) => (of === 0 ? 0 : Math.round((1000 * part) / of) / 10);
  const answerable = scored.filter((one) => one.answerable);
  const not = scored.filter((one) => !one.answerable);
  const answered = answerable.filter((one) => one.answered);
  return {
    invalid_citations: scored.reduce((sum, one) => sum + one.invalid_citations, 0),
    answered_correct_pct: percent(answered.filter(({ right }) => right).length, answered.length),
    answered_unanswerable_pct: percent(not.filter((one) => one.answered).length, not.length),
    abstained_answerable_pct: percent(answerable.length - answered.length, answerable.length),
  };
}
