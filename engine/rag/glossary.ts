/** What people say, and what the law says instead: expansions of a question, as data that admins change. */
import type { Language } from './language.ts';
import { placesOf } from './law-names.ts';
import type { Analyzer, Analyzers } from './terms.ts';

export type GlossaryEntry = {
  /** As people say it, e.g. `Netzentgeltreduzierung`. */
  lay: string;
  /** As laws say it, e.g. `reduziertes Netzentgelt`. */
  legal: readonly string[];
  language: Language;
};

export type Glossary = {
  /** What else says what the question says. A term of the law finds what people say too. */
  expansions(question: string, language: Language): string[];
};

const MOST_EXPANSIONS = 16;
/** A lay word may stand inside a longer one: `Wallboxbetreiber`. */
const SHORTEST_INSIDE = 6;

type Side = { stems: string[]; others: readonly string[]; inside: boolean };

export function createGlossary(entries: readonly GlossaryEntry[], analyzers: Analyzers): Glossary {
  const sides: Record<Language, Side[]> = { en: [], de: [] };
  for (const { lay, legal, language } of entries) {
    const analyzer = analyzers[language];
    sides[language].push({ stems: stemsOf(lay, analyzer), others: legal, inside: !/\s/.test(lay.trim()) });
    // What the law says may be said otherwise in an older text or a guide.
    for (const one of legal) sides[language].push({ stems: stemsOf(one, analyzer), others: [lay], inside: false });
  }
  return {
    expansions(question, language) {
      const stems = stemsOf(question, analyzers[language]);
      const found = sides[language].filter((side) => isIn(side, stems)).flatMap(({ others }) => others);
      return [...new Set(found)].slice(0, MOST_EXPANSIONS);
    },
  };
}

function isIn({ stems, inside }: Side, question: readonly string[]): boolean {
  if (stems.length === 0) return false;
  if (placesOf(stems, question).length > 0) return true;
  const [only = ''] = stems;
  return inside && stems.length === 1 && only.length >= SHORTEST_INSIDE && question.some((stem) => stem.includes(only));
}

function stemsOf(text: string, analyzer: Analyzer): string[] {
  return analyzer.terms(text).map(({ stem }) => stem);
}
