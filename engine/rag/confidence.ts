/**
 * How likely it is that the first section answers the question: a logistic regression over what retrieval and the words
 * tell, with the same weights for German and English. Fitted on the development half of the German golden set, on its
 * questions with the answering section or document taken away (so that nothing answers them), and on the questions
 * about EU acts of the tests; checked by cross-validation in which all of one question stay together. What it reaches
 * on the other half is in docs/regulation.md.
 */
import type { PassageHit } from '../ports.ts';
import { cueOf, hasAmount } from './cues.ts';
import { definesIn } from './definitions.ts';
import { matchersFor, type Weighed, type Weights } from './order.ts';
import type { Question } from './question.ts';
import { sentencesOf } from './sentences.ts';
import type { Analyzer, Analyzers } from './terms.ts';

export type { Weights } from './order.ts';

/** Above this it is answered. Lower answers more and errs more: the curve is in docs/regulation.md. */
export const LEAST_CONFIDENCE = 0.37;

const BIAS = -5.75;
const WEIGHTS: Record<FeatureName, number> = {
  named: 2.73,
  defined: 1.37,
  undefined: -1.86,
  says: -0.64,
  coverage: 0.92,
  rarest: 0.92,
  second: 0.42,
  missing: -1.01,
  head: 1.02,
  heading: 1,
  strength: 1.33,
  margin: 1.43,
  ahead: 0.94,
  same_document: 1.02,
  cue: 0.44,
  unknown_names: -1.19,
  terms: 2.69,
};

const NAMED_SCORE = 1000;
const NAMED_WITH_LAW = 3 * NAMED_SCORE;
const MOST_STRENGTH = 2;
const LOOKED_AT = 10;
/** What stands in title and heading counts for a sentence of the section too, but less. */
const HEAD_FOR_SENTENCE = 0.6;
const HEAD_FOR_PASSAGE = 0.9;
const NEAR_THE_BEST = 0.85;

/** 0…1. */
export function confidenceOf(
  question: Question,
  hits: readonly PassageHit[],
  weights: Weights,
  analyzers: Analyzers,
): number {
  const features = featuresOf(question, hits, weights, analyzers);
  if (!features) return 0;
  const logit = Object.entries(features).reduce(
    (sum, [name, value]) => sum + WEIGHTS[name as FeatureName] * value,
    BIAS,
  );
  return 1 / (1 + Math.exp(-logit));
}

export type FeatureName = keyof NonNullable<ReturnType<typeof featuresOf>>;

/** What the confidence is made of; null where the first passage cannot answer, however well the words fit. */
export function featuresOf(question: Question, hits: readonly PassageHit[], weights: Weights, analyzers: Analyzers) {
  const [first] = hits;
  if (!first || isBlocked(question, first)) return null;
  const { passage, score } = first;
  const matchers = matchersFor(question.terms, weights, analyzers);
  const weighed = matchers(passage.language);
  const near = hits.slice(0, LOOKED_AT).filter((hit) => isSameSection(first, hit));
  const others = hits.slice(0, LOOKED_AT).filter((hit) => !isSameSection(first, hit));
  const looks = near.map((hit) => look(question, hit, weighed, analyzers[passage.language]));
  const section = looks.reduce(
    (all, { found }) => higher(all, found),
    weighed.weight.map(() => 0),
  );
  const own = looks[0] as Look;
  const best = looks.reduce((a, b) => (b.sentence > a.sentence ? b : a));
  const coverage = weighed.share(section);
  const next = Math.max(
    0,
    ...others.map((hit) => {
      const there = matchers(hit.passage.language);
      return there.share(look(question, hit, there, analyzers[hit.passage.language]).found);
    }),
  );
  const isNamed = score >= NAMED_SCORE;
  const order = weighed.weight.map((_, i) => i).sort((a, b) => (weighed.weight[b] ?? 0) - (weighed.weight[a] ?? 0));
  const at = (place: number) => section[order[place] ?? -1] ?? 1;
  const total = weighed.weight.reduce((sum, one) => sum + one, 0) || 1;
  const text = near.map((hit) => `${hit.passage.document_title} ${hit.passage.section} ${hit.passage.text}`).join(' ');
  const stems = question.terms[passage.language].map(({ stem }) => stem);
  const says =
    question.kind === 'definition' &&
    near.some((hit) => definesIn(hit.passage.text, stems, analyzers[passage.language]));
  return {
    /** The question names the place. */
    named: score >= NAMED_WITH_LAW ? 1 : isNamed ? 0.75 : 0,
    /** The question asks for a term, and the law defines it; or the law does not. */
    defined: (first.named ?? 0) === 0.5 ? 1 : 0,
    undefined: question.kind === 'definition' && (first.named ?? 0) === 0 && !says ? 1 : 0,
    says: says ? 1 : 0,
    /** Share of the question's weight that the section holds. */
    coverage,
    /** The rarest words. */
    rarest: at(0),
    second: at(1),
    missing: Math.min(3, section.filter((value) => value === 0).length) / 3,
    head: own.head,
    heading: own.heading,
    /** Score by what the words could give at most, and how far the next section is behind. */
    strength: isNamed || score <= 1 ? 1 : Math.min(MOST_STRENGTH, score / total),
    margin: isNamed ? 1 : Math.max(0, marginOf(first, others)),
    ahead: isNamed ? 0.5 : coverage - next,
    same_document: sameDocument(hits),
    /** The sentence has the number or the time that is asked for, or has not. */
    cue: best.cue,
    /** Names in the question that the section does not have. */
    unknown_names: Math.min(2, unknownNames(question, text)),
    terms: Math.min(1, weighed.weight.length / 10),
  };
}

type Look = {
  found: number[];
  head: number;
  /** Share of the heading's own words that the question has. */
  heading: number;
  sentence: number;
  cue: number;
};

function look(question: Question, { passage }: PassageHit, weighed: Weighed, analyzer: Analyzer): Look {
  const { matcher, share } = weighed;
  const head = matcher.foundIn(analyzer.terms(`${passage.document_title} ${passage.section}`));
  const whole = matcher.foundIn(analyzer.terms(passage.text));
  const sentences = sentencesOf(passage.text).map(({ start, end }) => {
    const text = passage.text.slice(start, end);
    const own = matcher.foundIn(analyzer.terms(text));
    const said = share(own.map((value, i) => Math.max(value, HEAD_FOR_SENTENCE * (head[i] ?? 0))));
    return { said, cue: cueOf(question.kind, text) };
  });
  const most = Math.max(0, ...sentences.map(({ said }) => said));
  const telling = sentences.filter(({ said }) => said >= NEAR_THE_BEST * most);
  return {
    found: whole.map((value, i) => Math.max(value, HEAD_FOR_PASSAGE * (head[i] ?? 0))),
    head: share(head),
    heading: askedOf(passage.section, question, weighed, analyzer),
    sentence: most,
    cue: Math.max(-1, ...telling.map(({ cue }) => cue)),
  };
}

function askedOf(section: string, { text }: Question, { matcher }: Weighed, analyzer: Analyzer): number {
  const heading = analyzer.terms(section.slice(section.lastIndexOf(' > ') + 1)).filter(({ word }) => !/\d/.test(word));
  if (heading.length === 0) return 0;
  const asked = text.toLowerCase();
  const stems = new Set(matcher.terms.map(({ stem }) => stem));
  return heading.filter(({ stem, word }) => stems.has(stem) || asked.includes(word)).length / heading.length;
}

function higher(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => Math.max(value, b[i] ?? 0));
}

/** Whether two passages are of one section. What stands before the first section (recitals) stands alone. */
export function isSameSection(a: PassageHit, b: PassageHit): boolean {
  if (a.passage.document !== b.passage.document) return false;
  const section = withoutParagraph(a.passage.section);
  return section === '' ? a.passage.id === b.passage.id : section === withoutParagraph(b.passage.section);
}

function withoutParagraph(section: string): string {
  return section.replace(/\s*\([^()]*\)$/, '');
}

function marginOf(first: PassageHit, others: readonly PassageHit[]): number {
  const next = Math.max(0, ...others.map(({ score }) => score));
  return first.score > 0 ? 1 - next / first.score : 1;
}

function sameDocument(hits: readonly PassageHit[]): number {
  const near = hits.slice(0, 5);
  return near.filter(({ passage }) => passage.document === hits[0]?.passage.document).length / 5;
}

const ACRONYM = /(?<![\p{L}\p{N}])(?=\p{L}*\p{Lu}\p{L}*\p{Lu})\p{L}[\p{L}\p{N}]{1,14}/gu;
/** English writes only names with a capital. */
const NAME = /(?<=[\p{Ll},] )\p{Lu}\p{L}{2,}/gu;

function unknownNames({ text, language }: Question, said: string): number {
  const found = said.toLowerCase();
  const names = [...text.matchAll(ACRONYM), ...(language === 'en' ? text.matchAll(NAME) : [])].map(([one]) => one);
  return [...new Set(names)].filter((one) => !found.includes(one.toLowerCase())).length;
}

// ── What no share of words makes up for ────────────────────────────────────────────────────────────────────────

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
  return NOW.test(text) || !hasAmount(passage.text);
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
