/** Which passages a question should find, by the section that its golden set names, and how often they are found. */
import type { PassageHit } from '../../engine/ports.ts';
import { keysOfSection, referencesOf } from '../../engine/rag/references.ts';

export type SectionQuestion = {
  question: string;
  /** File name without extensions; null: the documents do not say. */
  document: string | null;
  /** null: any section counts. */
  section: string | null;
  class?: string;
  half?: string;
};

/** One JSON object a line. @throws Error with the line that is none */
export function parseQuestions(text: string): SectionQuestion[] {
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      const { question, document = null, section = null, ...rest } = JSON.parse(line) as SectionQuestion;
      if (typeof question !== 'string') throw new Error('no question');
      return [{ ...rest, question, document, section }];
    } catch (error) {
      throw new Error(`line ${i + 1} is no question: ${(error as Error).message}`);
    }
  });
}

/** Whether the passage stands in the section that answers. Sections are compared by kind and number. */
export function isGold({ passage }: PassageHit, { document, section }: SectionQuestion): boolean {
  if (passage.document !== document) return false;
  if (section === null) return true;
  const wanted = referencesOf(section).map(({ key }) => key);
  if (wanted.length === 0 && /^(?:anlage|anhang|annex)$/i.test(section.trim())) wanted.push('annex:');
  const keys = new Set(keysOfSection(passage.section));
  if (wanted.length > 0) return wanted.some((key) => keys.has(key));
  return passage.section
    .toLowerCase()
    .split(' > ')
    .some((heading) => heading.startsWith(section.toLowerCase()));
}

/** Place of the first passage that answers, from 1; null where none of the hits does. */
export function rankOf(hits: readonly PassageHit[], question: SectionQuestion): number | null {
  const at = hits.findIndex((hit) => isGold(hit, question));
  return at === -1 ? null : at + 1;
}

/** `recall5`, `recall1`, and both for each class; `test_…` for that half where the questions have halves. */
export function figuresOf(
  ranked: readonly { question: SectionQuestion; rank: number | null }[],
): Record<string, number> {
  const answerable = ranked.filter(({ question }) => question.document !== null);
  const test = answerable.filter(({ question }) => question.half === 'test');
  return { ...figures('', answerable), ...(test.length > 0 ? figures('test_', test) : {}) };
}

function figures(
  prefix: string,
  ranked: readonly { question: SectionQuestion; rank: number | null }[],
): Record<string, number> {
  const share = (rows: typeof ranked, most: number) =>
    Math.round((10_000 * rows.filter(({ rank }) => rank !== null && rank <= most).length) / Math.max(1, rows.length)) /
    10_000;
  const classes = [...new Set(ranked.flatMap(({ question }) => question.class ?? []))].sort();
  const found = { [`${prefix}recall5`]: share(ranked, 5), [`${prefix}recall1`]: share(ranked, 1) };
  for (const name of classes) {
    const rows = ranked.filter(({ question }) => question.class === name);
    found[`${prefix}recall1_${name}`] = share(rows, 1);
    found[`${prefix}recall5_${name}`] = share(rows, 5);
  }
  return found;
}
