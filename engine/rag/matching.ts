/**
 * How much of what a question asks a text holds: each telling word as it is, inside of a compound, by the parts of the
 * question's own compound, or by what the glossary says instead.
 */
import type { Otherwise } from './glossary.ts';
import type { SubjectTerm } from './question.ts';
import type { Analyzer, Term } from './terms.ts';

export type Matcher = {
  readonly terms: readonly SubjectTerm[];
  /** Per term 1 where the text has it, less where only a compound or another word for it stands there, 0 where it is missing. */
  foundIn(text: readonly Pick<Term, 'stem'>[]): number[];
};

/** What a stem of a text says of a term of the question: all of it, or the letters from `at`. */
type Relation = { term: number; whole: number; at: number; length: number };

const IN_COMPOUND = 0.8;
const BY_OTHER_WORDS = 0.8;
const BY_PARTS = 0.95;
const SHORTEST_STEM = 5;
const SHORTEST_PART = 4;
const LEAST_OF_COMPOUND = 0.4;

/** Stems have no umlauts, words have. */
const asStems = (word: string) =>
  word.replaceAll('ä', 'a').replaceAll('ö', 'o').replaceAll('ü', 'u').replaceAll('ß', 'ss');

export function createMatcher(
  terms: readonly SubjectTerm[],
  otherwise: readonly Otherwise[] = [],
  analyzer?: Analyzer,
): Matcher {
  const words = terms.map(({ word }) => asStems(word));
  const byStem = new Map(terms.map(({ stem }, i) => [stem, i]));
  /** Other words for a term, each as its stems. */
  const others = otherwise.flatMap(({ stems, others: phrases }) => {
    const meant = stems.flatMap((stem) => byStem.get(stem) ?? []);
    if (!analyzer || meant.length === 0) return [];
    return phrases
      .map((phrase) => [...new Set(analyzer.terms(phrase).map(({ stem }) => stem))])
      .filter((phrase) => phrase.length > 0)
      .map((phrase) => ({ terms: meant, phrase }));
  });
  const otherStems = new Set(others.flatMap(({ phrase }) => phrase));
  const known = new Map<string, Relation[]>();

  function relationsOf(stem: string): Relation[] {
    const before = known.get(stem);
    if (before) return before;
    const found: Relation[] = [];
    terms.forEach((term, i) => {
      if (term.stem === stem) found.push({ term: i, whole: 1, at: 0, length: 0 });
      else if (term.stem.length < SHORTEST_STEM || stem.length < SHORTEST_PART) return;
      else if (stem.includes(term.stem)) found.push({ term: i, whole: IN_COMPOUND, at: 0, length: 0 });
      else {
        const at = (words[i] ?? '').indexOf(stem);
        if (at !== -1) found.push({ term: i, whole: 0, at, length: stem.length });
      }
    });
    known.set(stem, found);
    return found;
  }

  return {
    terms,
    foundIn(text) {
      const found = terms.map(() => 0);
      const covered = terms.map((): Uint8Array | null => null);
      const said = new Set<string>();
      for (const { stem } of text) {
        if (otherStems.has(stem)) said.add(stem);
        for (const { term, whole, at, length } of relationsOf(stem)) {
          if (whole > 0) found[term] = Math.max(found[term] ?? 0, whole);
          else {
            covered[term] ??= new Uint8Array((words[term] ?? '').length);
            covered[term]?.fill(1, at, at + length);
          }
        }
      }
      covered.forEach((letters, i) => {
        if (!letters || (found[i] ?? 0) > 0) return;
        const share = letters.reduce((sum, letter) => sum + letter, 0) / letters.length;
        if (share >= LEAST_OF_COMPOUND) found[i] = BY_PARTS * share;
      });
      for (const { terms: meant, phrase } of said.size > 0 ? others : [])
        if (phrase.every((stem) => said.has(stem)))
          for (const i of meant) found[i] = Math.max(found[i] ?? 0, BY_OTHER_WORDS);
      return found;
    },
  };
}
