/** Wrong answers, made from right ones: one piece is changed, seeded, so that what was found is found again. */

import type { CitedPlace, CitedSentence } from '../../../engine/rag/verify.ts';
import { createRandom, type Random } from '../../../engine/random.ts';

export type Mutation = { kind: string; sentence: CitedSentence };
type Mutate = (sentence: CitedSentence, random: Random, others: readonly CitedSentence[]) => CitedSentence | null;

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[Math.floor(random() * list.length)];
const digitOther = (digit: string, random: Random) => String((Number(digit) + 1 + Math.floor(random() * 9)) % 10);

const amount = (number: string) => Number(number.replace(',', '.'));

function withPlace(sentence: CitedSentence, change: (place: CitedPlace) => Partial<CitedPlace>): CitedSentence {
  const [first, ...rest] = sentence.citations;
  return { ...sentence, citations: first ? [{ ...first, ...change(first) }, ...rest] : [] };
}

function replacedAt(text: string, at: number, length: number, by: string): string {
  return text.slice(0, at) + by + text.slice(at + length);
}

/** One match of the pattern replaced by what `by` makes of it; null where there is none or nothing changes. */
function changed(
  text: string,
  pattern: RegExp,
  random: Random,
  by: (match: string) => string | undefined,
): string | null {
  const match = pick([...text.matchAll(pattern)], random);
  if (!match) return null;
  const made = by(match[0]);
  if (made === undefined || made === match[0]) return null;
  return replacedAt(text, match.index, match[0].length, made);
}
const inText =
  (pattern: RegExp, by: (match: string, random: Random) => string | undefined): Mutate =>
  (sentence, random) => {
    const text = changed(sentence.text, pattern, random, (match) => by(match, random));
    return text === null ? null : { ...sentence, text };
  };

const SWAPS: readonly (readonly [RegExp, string])[] = [
  [/\bnicht (?=\p{L})/gu, ''],
  [/\bnot /g, ''],
  [/\bmust\b/g, 'may'],
  [/\bshall\b/g, 'may'],
  [/\bmay\b/g, 'must'],
  [/\bdarf\b/g, 'muss'],
  [/\bkönnen\b/g, 'müssen'],
  [/\bat most\b/g, 'at least'],
  [/\bunless\b/g, 'and when'],
  [/\bexempt\b/g, 'liable'],
  [/\bbefreit\b/g, 'nicht befreit'],
  [/\bbeträgt\b/g, 'beträgt nicht'],
  [/\bis due\b/g, 'is not due'],
];
const UNITS: readonly (readonly [RegExp, string])[] = [
  [/\bKilowatt\b/g, 'Megawatt'],
  [/\bMegawattstunden?\b/g, 'Kilowattstunde'],
  [/\bEuro\b/g, 'Cent'],
  [/\bCent\b/g, 'Euro'],
  [/\bMonaten\b/g, 'Wochen'],
  [/\bWochen\b/g, 'Tagen'],
  [/\bweeks\b/g, 'days'],
  [/\bdays\b/g, 'hours'],
  [/\bhours\b/g, 'days'],
  [/\bEUR\b/g, 'USD'],
  [/\bkW\b/g, 'MW'],
];
const swapped =
  (pairs: readonly (readonly [RegExp, string])[]): Mutate =>
  (sentence, random) => {
    const [pattern, by] = pick(
      pairs.filter(([one]) => sentence.text.search(one) !== -1),
      random,
    ) ?? [/(?!)/g, ''];
    return inText(pattern, () => by)(sentence, random, []);
  };

const MUTATIONS: Readonly<Record<string, Mutate>> = {
  'swapped digit': inText(/\d/g, digitOther),
  'digits turned round': inText(/(?<!\d)\d{2,4}(?!\d)/g, (match) => [...match].reverse().join('')),
  'number of the same quote': (sentence, random) => {
    const numbers = sentence.citations[0]?.quote.match(/\d+(?:[.,]\d+)?/g) ?? [];
    return inText(/\d+(?:[.,]\d+)?/g, (match) =>
      pick(
        numbers.filter((one) => amount(one) !== amount(match)),
        random,
      ),
    )(sentence, random, []);
  },
  'wrong § in the sentence': inText(
    /(?<=(?:§|Article|Section) ?)\d+/g,
    (match, random) => `${Number(match) + 1 + Math.floor(random() * 9)}`,
  ),
  'wrong § of the quote': (sentence, random) =>
    withPlace(sentence, ({ section }) => ({
      section: changed(section, /\d+/g, random, (match) => String(Number(match) + 1)) ?? `${section} (9)`,
    })),
  'section of another': (sentence, random, others) => {
    const section = pick(others, random)?.citations[0]?.section;
    return section === undefined || section === sentence.citations[0]?.section
      ? null
      : withPlace(sentence, () => ({ section }));
  },
  'foreign id': (sentence, random) =>
    withPlace(sentence, ({ passage }) => ({ passage: `${pick(['other', 'x', ''], random)}${passage}` })),
  'id of another passage': (sentence, random, others) => {
    const passage = pick(others, random)?.citations[0]?.passage;
    return passage === undefined || passage === sentence.citations[0]?.passage
      ? null
      : withPlace(sentence, () => ({ passage }));
  },
  'altered quote': (sentence, random) =>
    withPlace(sentence, ({ quote }) => ({
      quote: changed(quote, /\p{L}|\d/gu, random, (sign) => (sign === 'x' ? 'y' : 'x')) ?? `${quote}x`,
    })),
  'altered quote and sentence alike': (sentence, random) => {
    const quote = changed(sentence.citations[0]?.quote ?? '', /\d/g, random, (digit) => digitOther(digit, random));
    return quote === null ? null : { ...withPlace(sentence, () => ({ quote })), text: quote };
  },
  'quote with a word less': (sentence, random) =>
    withPlace(sentence, ({ quote }) => ({
      quote: changed(quote, / \p{L}+(?= )/gu, random, () => '') ?? quote.slice(1),
    })),
  'moved quote': (sentence, random) =>
    withPlace(sentence, ({ start, end }) => {
      const by = 1 + Math.floor(random() * 5);
      return { start: start + by, end: end + by };
    }),
  'stale version': (sentence, random) => withPlace(sentence, () => ({ version: pick(['1', '3', '', '2.0'], random)! })),
  'other document': (sentence) => withPlace(sentence, ({ document }) => ({ document: `${document}2` })),
  'wrong title': (sentence) =>
    withPlace(sentence, ({ document_title }) => ({ document_title: `${document_title} 2019` })),
  'wrong page': (sentence) => withPlace(sentence, ({ page }) => ({ page: (page ?? 0) + 1 })),
  'no quote': (sentence) => ({ ...sentence, citations: [] }),
  'sense turned round': swapped(SWAPS),
  'wrong unit': swapped(UNITS),
  'wrong name': inText(
    /(?<=\p{L} )(?:Bundesnetzagentur|Storwatt|Lieferanten|Kleinanlagen|Unternehmen)\b/gu,
    () => 'Tesla',
  ),
  'sentence of another quote': (sentence, random, others) => {
    const other = pick(others, random);
    if (!other || other.citations[0]?.passage === sentence.citations[0]?.passage) return null;
    return { ...sentence, text: other.text };
  },
};
export const MUTATION_KINDS = Object.keys(MUTATIONS);

/** So many of them, all kinds in turn. `sentences` are right ones. */
export function* mutationsOf(sentences: readonly CitedSentence[], count: number, seed: number): Generator<Mutation> {
  const random = createRandom(seed);
  for (let made = 0, tried = 0; made < count; tried += 1) {
    const kind = MUTATION_KINDS[tried % MUTATION_KINDS.length]!;
    const sentence = pick(sentences, random);
    const mutated = sentence && MUTATIONS[kind]!(sentence, random, sentences);
    if (!mutated || JSON.stringify(mutated) === JSON.stringify(sentence)) continue;
    made += 1;
    yield { kind, sentence: mutated };
  }
}
