/** From text to the terms that are indexed and searched: lower case, without function words, stemmed (Snowball). */
import snowball from 'snowball-stemmers';
import { FUNCTION_WORDS, type Language } from './language.ts';

export type Term = {
  stem: string;
  /** The word in lower case, as it stands in the text. */
  word: string;
};

export type Analyzer = {
  readonly language: Language;
  /** Terms in the order of the text; function words are left out. */
  terms(text: string): Term[];
  stem(word: string): string;
};

/** One per language; it remembers stems, so it is kept where many texts are read. */
export type Analyzers = Record<Language, Analyzer>;

const NAMES = { en: 'english', de: 'german' } as const;
/** Letters and digits; decimals and numbers like 14a or 3.2.1 stay one word. */
const WORD = /[\p{L}\p{N}]+(?:[.,]\p{N}+)*/gu;
const STEM_CACHE = 200_000;

export function createAnalyzers(): Analyzers {
  return { en: createAnalyzer('en'), de: createAnalyzer('de') };
}

export function createAnalyzer(language: Language): Analyzer {
  const stemmer = snowball.newStemmer(NAMES[language]);
  const stop = FUNCTION_WORDS[language];
  const cache = new Map<string, string>();

  function stem(word: string): string {
    const known = cache.get(word);
    if (known !== undefined) return known;
    const made = /\p{N}/u.test(word) ? word.replaceAll(',', '.') : stemmer.stem(word);
    if (cache.size >= STEM_CACHE) cache.clear();
    cache.set(word, made);
    return made;
  }

  return {
    language,
    stem,
    terms(text) {
      const found: Term[] = [];
      for (const [word] of text.toLowerCase().matchAll(WORD)) {
        if (!stop.has(word)) found.push({ stem: stem(word), word });
      }
      return found;
    },
  };
}
