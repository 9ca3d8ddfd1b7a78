/** What people say, and what the law says instead: expansions of a question, as data that admins change. */
import type { Language } from './language.ts';
import { placesOf } from './law-names.ts';
import type { Analyzer, Analyzers, Term } from './terms.ts';

export type GlossaryEntry = {
  /** As people say it, e.g. `Netzentgeltreduzierung`. */
  lay: string;
  /** As laws say it, e.g. `reduziertes Netzentgelt`. */
  legal: readonly string[];
  language: Language;
};

export type Glossary = {
  /** Entries that speak of something in the question. */
  otherwise(question: string, language: Language): Otherwise[];
  /** What else says what the question says. A term of the law finds what people say too. */
  expansions(question: string, language: Language): string[];
};

const MOST_EXPANSIONS = 24;
/** A lay word may stand inside a longer one: `Wallboxbetreiber`. */
const SHORTEST_INSIDE = 6;

type Side = { stems: string[]; word: string | null; others: readonly string[] };

/** What of a question an entry speaks of, and what may stand for it. */
export type Otherwise = { stems: readonly string[]; others: readonly string[] };

export function createGlossary(entries: readonly GlossaryEntry[], analyzers: Analyzers): Glossary {
  const sides: Record<Language, Side[]> = { en: [], de: [] };
  const times = new Map<string, number>();
  for (const { legal } of entries) for (const one of legal) times.set(one, (times.get(one) ?? 0) + 1);
  for (const { lay, legal, language } of entries) {
    const analyzer = analyzers[language];
    const word = /\s/.test(lay.trim()) ? null : lay.trim().toLowerCase();
    sides[language].push({ stems: stemsOf(lay, analyzer), word, others: legal });
    // What the law says may be said otherwise in an older text or a guide; what many words stand for is none of them.
    for (const one of legal)
      if (times.get(one) === 1) sides[language].push({ stems: stemsOf(one, analyzer), word: null, others: [lay] });
  }
  function otherwise(question: string, language: Language): Otherwise[] {
    const terms = analyzers[language].terms(question);
    return sides[language].flatMap(({ others, ...side }) => {
      const stems = placeOf(side, terms);
      return stems.length > 0 ? [{ stems, others }] : [];
    });
  }
  return {
    otherwise,
    expansions(question, language) {
      return [...new Set(otherwise(question, language).flatMap(({ others }) => others))].slice(0, MOST_EXPANSIONS);
    },
  };
}

/** Glossaries of entries that were seen before: the same array is read once. */
export function createGlossaryReader(analyzers: Analyzers): (entries: readonly GlossaryEntry[]) => Glossary {
  const known = new WeakMap<readonly GlossaryEntry[], Glossary>();
  return (entries) => {
    const made = known.get(entries) ?? createGlossary(entries, analyzers);
    known.set(entries, made);
    return made;
  };
}

/** The stems of the question that a side stands for; empty where it is not there. */
function placeOf({ stems, word }: Omit<Side, 'others'>, question: readonly Term[]): string[] {
  if (stems.length === 0) return [];
  const asked = question.map(({ stem }) => stem);
  if (placesOf(stems, asked).length > 0) return stems;
  const [only = ''] = stems;
  if (word === null || stems.length > 1) return [];
  const within = question.find(
    (term) =>
      (only.length >= SHORTEST_INSIDE && term.stem.includes(only)) ||
      (word.length >= SHORTEST_INSIDE && term.word.includes(word)),
  );
  return within ? [within.stem] : [];
}

function stemsOf(text: string, analyzer: Analyzer): string[] {
  return analyzer.terms(text).map(({ stem }) => stem);
}
