/**
 * Extractive answers: one to three sentences of the best passages, each quoted verbatim, or none at all.
 * They come from the section that ranks first, where it is likely enough that it answers (confidence.ts).
 */
import type { PassageHit } from '../ports.ts';
import { confidenceOf, isSameSection, LEAST_CONFIDENCE, type Weights, yearsFirst } from './confidence.ts';
import { hasAmount, NUMBER, TIME } from './cues.ts';
import { createMatcher } from './matching.ts';
import { matchersFor, type Weighed } from './order.ts';
import type { Question } from './question.ts';
import { keysOfSection } from './references.ts';
import { sentencesOf } from './sentences.ts';
import type { Analyzer, Analyzers, Term } from './terms.ts';

export type { Weights } from './confidence.ts';

/** Hits of several searches as one list: the best of each first, no passage twice. */
export function mergeHits(lists: readonly (readonly PassageHit[])[]): PassageHit[] {
  const merged = new Map<string, PassageHit>();
  const longest = Math.max(0, ...lists.map((list) => list.length));
  for (let rank = 0; rank < longest; rank += 1) {
    for (const list of lists) {
      const hit = list[rank];
      if (hit && !merged.has(hit.passage.id)) merged.set(hit.passage.id, hit);
    }
  }
  return [...merged.values()];
}

export type Evidence = {
  hit: PassageHit;
  /** Place in the version's full text. */
  start: number;
  end: number;
  quote: string;
  score: number;
};

const MOST_SENTENCES = 3;
/** Passages whose sentences are compared. */
const CANDIDATE_PASSAGES = 12;
/** Further sentences must come this near the best one. */
const NEARLY_AS_GOOD = 0.85;
const LONGEST_QUOTE = 700;
/** A term in the heading or the title, or only inside a compound. */
const IN_HEAD = 0.9;
const CUE = { definition: 0.45, amount: 0.2, time: 0.2, who: 0.1 };

/** Sentences in the order to show them; empty where the evidence does not suffice. */
export function findEvidence(
  question: Question,
  hits: readonly PassageHit[],
  weights: Weights,
  analyzers: Analyzers,
): Evidence[] {
  const candidates = yearsFirst(question, onlyNamed(question, hits)).slice(0, CANDIDATE_PASSAGES);
  const [first] = candidates;
  if (!first || confidenceOf(question, candidates, weights, analyzers) < LEAST_CONFIDENCE) return [];
  if (question.references.length > 0 && asksForPlace(question, first, analyzers)) return opening(candidates);
  const near = candidates.filter((hit) => isSameSection(first, hit));
  const matchers = matchersFor(question.terms, weights, analyzers);
  const scored = near.flatMap((hit, rank) => {
    const { language } = hit.passage;
    return scorePassage(question, hit, rank, matchers(language), analyzers[language]);
  });
  const telling = scored.filter(({ quote }) => !missesAmount(question, quote));
  return choose(telling.length > 0 ? telling : scored);
}

export type Sufficiency = {
  sufficient: boolean;
  /** How likely it is that the first passage answers, in 0…1. */
  confidence: number;
  reason: 'no_documents' | 'no_such_place' | 'not_covered' | null;
};

/** Whether the passages say enough to try an answer at all: the place that is named is there, and what is asked is in one. */
export function sufficiencyOf(
  question: Question,
  hits: readonly PassageHit[],
  weights: Weights,
  analyzers: Analyzers,
): Sufficiency {
  const nowhere = question.references.length > 0 ? 'no_such_place' : 'no_documents';
  if (hits.length === 0) return { sufficient: false, confidence: 0, reason: nowhere };
  const candidates = yearsFirst(question, onlyNamed(question, hits));
  if (candidates.length === 0) return { sufficient: false, confidence: 0, reason: 'no_such_place' };
  const confidence = confidenceOf(question, candidates, weights, analyzers);
  const sufficient = confidence >= LEAST_CONFIDENCE;
  return { sufficient, confidence, reason: sufficient ? null : 'not_covered' };
}

/** `What does § 14a EnWG say?`: nothing is asked but the place, and at most the document is named. */
function asksForPlace({ terms }: Question, first: PassageHit | undefined, analyzers: Analyzers): boolean {
  if (!first) return false;
  const { language, document_title } = first.passage;
  const title = analyzers[language].terms(document_title);
  return createMatcher(terms[language])
    .foundIn(title)
    .every((share) => share === 1);
}

/** Where the question names a place, only that place may answer. */
function onlyNamed({ references }: Question, hits: readonly PassageHit[]): PassageHit[] {
  if (references.length === 0) return [...hits];
  const keys = new Set(references.map(({ key }) => key));
  return hits.filter(({ passage }) => keysOfSection(passage.section).some((key) => keys.has(key)));
}

function scorePassage(
  question: Question,
  hit: PassageHit,
  rank: number,
  { matcher, share }: Weighed,
  analyzer: Analyzer,
): Evidence[] {
  const { passage } = hit;
  const terms = question.terms[passage.language];
  const head = matcher
    .foundIn(analyzer.terms(`${passage.document_title} ${passage.section}`))
    .map((value) => value * IN_HEAD);
  const whole = higher(matcher.foundIn(analyzer.terms(passage.text)), head);
  const coverage = share(whole);
  // `… nach dem EnWG` names the document, not the subject.
  const inTitle = matcher.foundIn(analyzer.terms(passage.document_title));
  const subject = terms.filter((_, i) => (inTitle[i] ?? 0) < 1);
  return candidatesIn(passage.text).map(({ start, end }) => {
    const quote = passage.text.slice(start, end);
    const own = matcher.foundIn(analyzer.terms(quote));
    const said = higher(
      own,
      head.map((value) => 0.6 * value),
    );
    const score =
      0.55 * share(said) + 0.35 * coverage + 0.1 / (rank + 1) + cueOf(question, quote, { terms, subject }, analyzer);
    return { hit, start: passage.start + start, end: passage.start + end, quote, score };
  });
}

function higher(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => Math.max(value, b[i] ?? 0));
}

/** Sentences; a line that only names what the next one says (`1. Bilanzkreis`) goes with it. */
function candidatesIn(text: string): { start: number; end: number }[] {
  const sentences = sentencesOf(text);
  const names = sentences.map(({ start, end }) => isName(text.slice(start, end)));
  return sentences.flatMap((sentence, i) => {
    if (names[i - 1]) return [];
    let last = i;
    while (names[last] && last + 1 < sentences.length) last += 1;
    return [trimmed(text, { start: sentence.start, end: sentences[last]?.end ?? sentence.end })];
  });
}

function isName(piece: string): boolean {
  return piece.length < 90 && !/[.!?;,]$/.test(piece.replace(/^(?:\(?\w{1,4}[.)])\s*/, ''));
}

/** Long lists are cut at a pause. */
function trimmed(text: string, { start, end }: { start: number; end: number }): { start: number; end: number } {
  if (end - start <= LONGEST_QUOTE) return { start, end };
  const piece = text.slice(start, start + LONGEST_QUOTE);
  const pause = Math.max(
    piece.lastIndexOf('; '),
    piece.lastIndexOf('.\n'),
    piece.lastIndexOf(';\n'),
    piece.lastIndexOf(', '),
  );
  const cut = pause > LONGEST_QUOTE / 2 ? pause + 1 : piece.lastIndexOf(' ');
  return { start, end: start + (cut > 0 ? cut : LONGEST_QUOTE) };
}

const ACTOR = /\b(?:shall|must|may|hat|haben|ist|sind|muss|müssen|kann|obliegt)\b/i;
/** A definition that only points to another. */
const ELSEWHERE = /\bas defined in\b|\bim Sinne (?:des|der|von) (?:§|Art)/i;
const DEFINES = /^[^\p{L}]{0,12}.{0,6}?$/u;

/** All terms, and those that the document's title does not have. */
type Asked = { terms: readonly Term[]; subject: readonly Term[] };

function cueOf({ kind }: Question, quote: string, asked: Asked, analyzer: Analyzer): number {
  if (kind === 'amount') return NUMBER.test(quote) ? CUE.amount : 0;
  if (kind === 'time') return TIME.test(quote) ? CUE.time : 0;
  if (kind === 'who') return ACTOR.test(quote) ? CUE.who : 0;
  if (kind !== 'definition' || !definesSubject(quote, asked, analyzer)) return 0;
  return ELSEWHERE.test(quote) ? CUE.definition / 2 : CUE.definition;
}

/** A sentence without any number tells no amount, however well its words fit. */
function missesAmount({ kind }: Question, quote: string): boolean {
  return kind === 'amount' && !hasAmount(quote);
}

/** `‘active customer’ means …`, `Bilanzkreis: …`, `4. Bilanzkreis` and its text below, `A battery is …`. */
function definesSubject(quote: string, { terms, subject: asked }: Asked, analyzer: Analyzer): boolean {
  const stems = new Set(terms.map(({ stem }) => stem));
  const needed = asked.length > 0 ? asked : terms;
  if (stems.size === 0) return false;
  const end =
    /(?:[’'”"“)]\s*)?(?:\s(?:means?|bezeichnet|bedeutet|ist|sind|is|are|im Sinne|--)\b|:|\n|\s[–—-]{1,2}\s)/.exec(
      quote.slice(0, 200),
    );
  if (!end) return false;
  const subject = quote.slice(0, end.index).replace(/^\s*\(?\w{1,4}[.)]\s*/, '');
  const named = analyzer.terms(subject);
  if (DEFINES.test(subject) || named.length === 0) return false;
  const inSubject = named.filter(({ stem }) => stems.has(stem)).length;
  const met = needed.filter(({ stem }) => named.some((term) => term.stem === stem)).length;
  return inSubject === named.length && met >= 0.6 * needed.length;
}

/** The best sentences, no two nearly the same; those of one passage in the order of its text. */
function choose(evidence: readonly Evidence[]): Evidence[] {
  const sorted = [...evidence].sort((a, b) => b.score - a.score);
  const best = sorted[0];
  if (!best) return [];
  const chosen: Evidence[] = [];
  for (const one of sorted) {
    if (chosen.length >= MOST_SENTENCES || one.score < NEARLY_AS_GOOD * best.score) break;
    if (!chosen.some((other) => isSame(other, one))) chosen.push(one);
  }
  return chosen;
}

function isSame(a: Evidence, b: Evidence): boolean {
  const short = (text: string) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}]+/gu, '')
      .slice(0, 120);
  return short(a.quote) === short(b.quote);
}

/** `What does § 14a say?`: the beginning of that place in the best matching document. */
function opening(hits: readonly PassageHit[]): Evidence[] {
  const first = hits[0]?.passage;
  if (!first) return [];
  const same = hits.filter(
    ({ passage }) =>
      passage.document === first.document && passage.section.split(' (')[0] === first.section.split(' (')[0],
  );
  const hit = same.reduce((a, b) => (b.passage.start < a.passage.start && b.score >= hits[0]!.score - 1 ? b : a));
  return candidatesIn(hit.passage.text)
    .slice(0, MOST_SENTENCES)
    .map(({ start, end }) => ({
      hit,
      start: hit.passage.start + start,
      end: hit.passage.start + end,
      quote: hit.passage.text.slice(start, end),
      score: hit.score,
    }));
}
