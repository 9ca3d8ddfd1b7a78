/** Terms that a law defines, looked up as places are: `Was ist ein Aggregator?` finds `2. Aggregatoren …` of § 3. */
import type { Passage } from '../ports.ts';
import { isAsking } from './question.ts';
import type { ReferenceKey } from './references.ts';
import { sentencesOf } from './sentences.ts';
import type { Analyzer } from './terms.ts';

const DEFINING_SECTION = /begriffsbestimmung|begriffsdefinition|\bbegriffe\b|definition|interpretation/i;
/** Marker of a list item, opening quotes. */
const MARKER = /^(?:\(\w{1,4}\)\s*)?(?:\d{1,3}[a-z]{0,2}[.)]\s*)?[‘’“”„"'«]?\s*/;
const LONGEST_TERM = 4;
const ASKS =
  /^(?:what (?:is|are) (?:an? |the )?|what does .{1,60} mean|how is .{1,60} defined|define |who is (?:an? )?|was (?:ist|sind|heißt|bedeutet|bedeuten|meint|versteht|gehört|zählt|gilt als) |wer (?:ist|gilt als) |wie (?:ist|sind|wird|werden|definiert|definierte) .{1,90}|definition |bedeutung |begriff )/i;
const SEVERAL = /\b(?:zwischen|between|und|and|im (?:sinne|\p{L}+recht))\b/iu;
/** Words of such questions that are no part of the term. */
const BESIDE = new Set(
  'unterschied zwischen definition bedeutung begriff begriffe recht rechts gesetz gesetzes verordnung sinn sinne genau eigentlich difference between meaning act regulation directive gehört zählt definierte definiert'.split(
    ' ',
  ),
);

/** Each of the first words of a defining passage may be the end of the term: `defined:active customer`. */
export function definitionKeys({ section, text }: Passage, analyzer: Analyzer): ReferenceKey[] {
  if (!DEFINING_SECTION.test(section)) return [];
  return text.split('\n').flatMap((line) => {
    const stems = analyzer.terms(line.replace(MARKER, '').slice(0, 120)).map(({ stem }) => stem);
    return Array.from({ length: Math.min(LONGEST_TERM, stems.length) }, (_, i) => keyOf(stems.slice(0, i + 1)));
  });
}

/** What to look up for a question that asks what a term means, most words first; empty for other questions. */
export function definitionsAsked(question: string, analyzer: Analyzer): ReferenceKey[][] {
  if (!ASKS.test(question.trim())) return [];
  const words = analyzer
    .terms(question.replace(/§+\s*\d+\w*/g, ' '))
    .filter(({ word }) => !isAsking(word) && !BESIDE.has(word) && word.length > 1);
  const stems = words.map(({ stem }) => stem);
  const lengths = Array.from({ length: Math.min(LONGEST_TERM, stems.length) }, (_, i) => i + 1).reverse();
  const several = SEVERAL.test(question);
  return lengths.map((length) => {
    // What is asked for comes first: of `Inbetriebnahme einer Anlage` not the plant.
    const starts = several ? stems.slice(0, stems.length - length + 1) : stems.slice(0, 1);
    return starts.map((_, at) => keyOf(stems.slice(at, at + length)));
  });
}

/** `Grundversorger nach Absatz 1 ist jeweils …`, `‘balancing’ means …`: what comes before the verb. */
const SUBJECT = /^(.{2,90}?)\s(?:ist|sind|means?|is|are|bezeichnet|bedeutet)\s/s;
const LONGEST_SUBJECT = 5;

/** Whether a sentence of the text says what the term with these stems is. */
export function definesIn(text: string, stems: readonly string[], analyzer: Analyzer): boolean {
  if (stems.length === 0) return false;
  return sentencesOf(text).some(({ start, end }) => {
    const subject = SUBJECT.exec(text.slice(start, end).replace(MARKER, ''))?.[1];
    if (subject === undefined) return false;
    const first = analyzer.terms(subject).slice(0, Math.max(LONGEST_SUBJECT, stems.length));
    return stems.every((stem) => first.some((term) => term.stem === stem));
  });
}

function keyOf(stems: readonly string[]): ReferenceKey {
  return `defined:${stems.join(' ')}`;
}
