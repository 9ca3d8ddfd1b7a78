/**
 * How likely it is that the first passage answers the question: a logistic regression over what retrieval and the words
 * tell. Weights and threshold were fitted on the development half of the German golden set (test/golden/german), by
 * five-fold cross-validation; what they reach on the other half is in docs/regulation.md.
 */
import type { PassageHit } from '../ports.ts';
import type { Question, SubjectTerm } from './question.ts';
import { sentencesOf } from './sentences.ts';
import type { Analyzers, Term } from './terms.ts';

/** Rarity (inverse document frequency) of the question's terms, in their order, per language. */
export type Weights = Partial<Record<'en' | 'de', readonly number[]>>;

/** Above this it is answered. Lower answers more and errs more: the curve is in docs/regulation.md. */
export const LEAST_CONFIDENCE = 0.55;
/** Everything that is asked stands in one passage, and most of it in one sentence. */
const ALL_SAID = { passage: 0.95, sentence: 0.75 };

const WEIGHTS = {
  bias: -4.53,
  /** The question names the place: 1 with its law, 0.5 without. */
  named: 1.52,
  /** Share of the question's weight that the passage holds. */
  coverage: 1.36,
  /** Whether it holds the rarest word, and the second. */
  rarest: 0.58,
  second: 0.35,
  /** Score by what the words could give at most. */
  strength: 2.01,
  /** How far the next section is behind. */
  margin: 2.31,
  /** Share of the weight in heading and title. */
  head: 1.07,
  /** Share of the first five passages that are of the same document. */
  same_document: 0.87,
  definition: -0.56,
  margin_coverage: 1.64,
  terms: 0.38,
};
/** Retrieval puts what is named by its place above this, and with its law above three times this. */
const NAMED_SCORE = 1000;
const NAMED_WITH_LAW = 3 * NAMED_SCORE;
const MOST_STRENGTH = 2;
const LOOKED_AT = 10;
const IN_COMPOUND = 0.8;
const SHORTEST_STEM = 5;
const SHORTEST_PART = 4;
const LEAST_OF_COMPOUND = 0.4;

/** 0…1. */
export function confidenceOf(
  question: Question,
  hits: readonly PassageHit[],
  weights: Weights,
  analyzers: Analyzers,
): number {
  const [first] = hits;
  if (!first || isBlocked(question, first)) return 0;
  const { passage, score } = first;
  const analyzer = analyzers[passage.language];
  const terms = question.terms[passage.language];
  const weight = weightsOf(terms, weights[passage.language]);
  const total = weight.reduce((sum, one) => sum + one, 0) || 1;
  const shareIn = (text: string) => shareOf(foundIn(terms, analyzer.terms(text)), weight);
  const title = `${passage.document_title} ${passage.section}`;
  const found = foundIn(terms, analyzer.terms(`${title} ${passage.text}`));
  const coverage = shareOf(found, weight);
  if (isAllSaid(coverage, passage.text, shareIn, title) && score < NAMED_SCORE) return Math.max(0.9, coverage);
  const order = weight.map((_, i) => i).sort((a, b) => (weight[b] ?? 0) - (weight[a] ?? 0));
  const isNamed = score >= NAMED_SCORE;
  const margin = isNamed ? 1 : marginOf(hits);
  const at = (place: number) => found[order[place] ?? -1] ?? 1;
  const logit =
    WEIGHTS.bias +
    WEIGHTS.named * (score >= NAMED_WITH_LAW ? 1 : isNamed ? 0.75 : 0) +
    WEIGHTS.coverage * coverage +
    WEIGHTS.rarest * at(0) +
    WEIGHTS.second * at(1) +
    WEIGHTS.strength * strengthOf(score, total) +
    WEIGHTS.margin * margin +
    WEIGHTS.head * shareIn(title) +
    WEIGHTS.same_document * sameDocument(hits) +
    (question.kind === 'definition' ? WEIGHTS.definition : 0) +
    WEIGHTS.margin_coverage * margin * coverage +
    WEIGHTS.terms * Math.min(1, terms.length / 10);
  return 1 / (1 + Math.exp(-logit));
}

function isAllSaid(coverage: number, text: string, shareIn: (text: string) => number, title: string): boolean {
  if (coverage < ALL_SAID.passage) return false;
  return sentencesOf(text).some(({ start, end }) => shareIn(`${title} ${text.slice(start, end)}`) >= ALL_SAID.sentence);
}

/** Fused scores are in 0…1 and say nothing of the words' own. */
function strengthOf(score: number, total: number): number {
  if (score >= NAMED_SCORE || score <= 1) return 1;
  return Math.min(MOST_STRENGTH, score / total);
}

const withoutParagraph = (section: string) => section.replace(/\s*\([^()]*\)$/, '');

/** Whether two passages are of one section. */
export function isSameSection(a: PassageHit, b: PassageHit): boolean {
  return (
    a.passage.document === b.passage.document &&
    withoutParagraph(a.passage.section) === withoutParagraph(b.passage.section)
  );
}

function marginOf(hits: readonly PassageHit[]): number {
  const [first] = hits;
  const other = hits.slice(0, LOOKED_AT).find((hit) => first && !isSameSection(first, hit));
  return first && other && first.score > 0 ? 1 - other.score / first.score : 1;
}

function sameDocument(hits: readonly PassageHit[]): number {
  const near = hits.slice(0, 5);
  return near.filter(({ passage }) => passage.document === hits[0]?.passage.document).length / 5;
}

export function weightsOf(terms: readonly SubjectTerm[], rarity: readonly number[] | undefined): number[] {
  return terms.map((term, i) => term.share * (rarity?.[i] ?? 1));
}

export function shareOf(found: readonly number[], weights: readonly number[]): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total === 0 ? 0 : found.reduce((sum, value, i) => sum + value * (weights[i] ?? 0), 0) / total;
}

/** Per term of the question 1 where the text has it, less where only a compound shares it, 0 where it is missing. */
export function foundIn(terms: readonly Term[], text: readonly Term[]): number[] {
  const stems = new Set(text.map(({ stem }) => stem));
  return terms.map(({ stem, word }) => (stems.has(stem) ? 1 : IN_COMPOUND * sharedLetters(stem, word, stems)));
}

/** Stems have no umlauts, words have. */
const asStems = (word: string) =>
  word.replaceAll('ä', 'a').replaceAll('ö', 'o').replaceAll('ü', 'u').replaceAll('ß', 'ss');

function sharedLetters(stem: string, written: string, stems: ReadonlySet<string>): number {
  if (stem.length < SHORTEST_STEM) return 0;
  const word = asStems(written);
  const covered = new Uint8Array(word.length);
  for (const other of stems) {
    if (other.length < SHORTEST_PART) continue;
    if (other.includes(stem)) return 1;
    const at = word.indexOf(other);
    if (at !== -1) covered.fill(1, at, at + other.length);
  }
  const share = covered.reduce((sum, letter) => sum + letter, 0) / word.length;
  return share >= LEAST_OF_COMPOUND ? share : 0;
}

// ── What no share of words makes up for ────────────────────────────────────────────────────────────────────────

export const NUMBER =
  /\d[\d., {2}]*\s*(?:%|‰|[€$£]|Prozent|percent|per cent|Euro|Cent|EUR|ct|[kMGT]?W(?:h|p)?\b|kV|V\b|Kilo|Mega|Giga|Tonnen|tonnes|times|Mal\b|hours|Stunden|minutes|Minuten|days|Tagen?\b|weeks|Wochen|months|Monaten?\b|years|Jahren?\b)/i;
export const NUMBER_WORD =
  /\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|half|twice|zero|null|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|hälfte|doppelte)\b/i;
/** Names of laws that stand alone: `KWKG`, `Anreizregulierungsverordnung`. */
const LAW =
  /(?<![\p{L}-])(?:\p{Lu}\p{L}*\p{Lu}\p{L}*[GVO]|\p{Lu}\p{L}+(?:gesetz|verordnung|ordnung)\p{L}*|\p{Lu}\p{L}+ (?:Act|Regulation|Directive))(?![\p{L}-])/u;
/** Years that say which edition is meant, not what it is about. */
const EDITION =
  /(?:Fassung|Stand|Rechtslage|Version|edition|\p{Lu}\p{L}*\p{Lu})\p{L}*\s*\(?(?:von |vom |aus |bis |Ende |of )*(?:19|20)\d\d/gu;
/** A moment that a law does not know. */
const NOW =
  /\b(?:kommenden?|letzten?|nächsten?|vergangenen?|diese[ms]?|aktuellen?) jahr|\b(?:next|last|this|current) year\b|derzeit|momentan|unserer branche|our industry/i;

/** The place, law, year or number that is asked for is not there, however well the words fit. */
function isBlocked({ text, kind, references }: Question, { passage, score }: PassageHit): boolean {
  if (references.length > 0 && score < NAMED_SCORE && !isInSection(references, passage.section)) return true;
  if (references.length > 0 && score >= NAMED_SCORE && score < NAMED_WITH_LAW && LAW.test(text)) return true;
  const said = `${passage.document_title} ${passage.section} ${passage.text}`;
  if (namedIn(text).some((one) => !said.toLowerCase().includes(one)) && !/\bbis (?:ende )?20/i.test(text)) return true;
  if (kind !== 'amount') return false;
  return NOW.test(text) || (!NUMBER.test(passage.text) && !NUMBER_WORD.test(passage.text));
}

/** Years, counted things (`Modul 3`) and ordinals (`vierte Regulierungsperiode`) that the question names. */
function namedIn(text: string): string[] {
  const rest = text.replace(EDITION, '');
  const years = rest.match(/\b(?:19|20)\d\d\b/g) ?? [];
  const counted = [...rest.matchAll(/\b(?:Modul|Stufe|Phase|Klasse|Tier|Zone|Module|Stage|Class) \d+\b/g)].map(
    ([one]) => one,
  );
  const ordinals = [
    ...rest.matchAll(/(?<!\p{L})((?:zweite|dritte|vierte|fünfte|sechste|siebte|achte)[nrs]?)(?=\s+\p{Lu})/gu),
  ];
  return [...years, ...counted, ...ordinals.map(([, one = '']) => one.slice(0, 5))].map((one) => one.toLowerCase());
}

/** Passages that hold the year that is asked for come first, in their order. */
export function yearsFirst(question: Question, hits: readonly PassageHit[]): PassageHit[] {
  const years = question.text.replace(EDITION, '').match(/\b(?:19|20)\d\d\b/g) ?? [];
  if (years.length === 0 || (hits[0]?.score ?? 0) >= NAMED_SCORE) return [...hits];
  const near = hits.slice(0, LOOKED_AT);
  const has = ({ passage }: PassageHit) => years.every((year) => `${passage.section} ${passage.text}`.includes(year));
  return [...near.filter(has), ...near.filter((hit) => !has(hit)), ...hits.slice(LOOKED_AT)];
}

/** Indexes other than ours give no bonus to what is named. */
function isInSection(references: Question['references'], section: string): boolean {
  const text = section.toLowerCase();
  return references.some(({ key }) => text.includes(key.slice(key.indexOf(':') + 1)));
}
