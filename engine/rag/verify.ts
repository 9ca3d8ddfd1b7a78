/**
 * The verifier of answers: code, not a prompt. A sentence may be shown only where its quote stands verbatim in a passage
 * of this tenant and version, every number, date, unit, reference and name of it occurs in that quote, and the words
 * that turn its sense agree. What it cannot prove it drops: a true sentence in words of its own may go, a false one may
 * not stay.
 */
import type { Passage } from '../ports.ts';
import { type Anchor, anchorsOf, isSameAnchor, UNIT_ALONE, unitsOf } from './anchors.ts';
import { isBound } from './binding.ts';
import { FUNCTION_WORDS, type Language } from './language.ts';
import { polarityFault } from './polarity.ts';
import { holdsParagraph, keysOfSection } from './references.ts';
import type { Analyzers } from './terms.ts';

/** What an answer claims about where a quote stands. */
export type CitedPlace = Pick<
  Passage,
  'document' | 'document_title' | 'version' | 'section' | 'page' | 'start' | 'end'
> & {
  /** Id of the passage. */
  passage: string;
  quote: string;
};
export type CitedSentence = { text: string; citations: readonly CitedPlace[] };

export type Fault =
  | 'no_citation'
  | 'foreign_passage'
  | 'stale_version'
  | 'wrong_place'
  | 'quote_altered'
  | 'quote_too_short'
  | 'markup'
  | 'number'
  | 'date'
  | 'unit'
  | 'reference'
  | 'name'
  | 'polarity'
  | 'unsupported';
/** `what` is the piece of the sentence that failed. */
export type Verdict = { ok: true } | { ok: false; fault: Fault; what: string };

/** Passages of this tenant that may be cited now, and the page on which an offset of them stands. */
export type Sources = {
  passage(id: string): Passage | null;
  /** Left out: the passage's own page. */
  pageOf?(passage: Passage, start: number): number | null;
};

const PASSED: Verdict = { ok: true };
const failed = (fault: Fault, what: string): Verdict => ({ ok: false, fault, what });
const SHORTEST_QUOTE = 12;
/** Share of a sentence's telling words that its quote and its place must hold. */
const LEAST_SUPPORT = 0.8;
const SHORTEST_PART = 5;
/** Markup, addresses of the web and signs without width have no place in a sentence of an answer. */
const MARKUP = /[<>`]|!\[|\]\(|\b(?:https?|javascript|data|file):|\[\[|\p{Cf}|(?![\n\t])\p{Cc}/iu;

export function verifySentence({ text, citations }: CitedSentence, sources: Sources, analyzers: Analyzers): Verdict {
  if (citations.length === 0 || text.trim() === '') return failed('no_citation', text);
  for (const citation of citations) {
    const verdict = verifyCitation(citation, sources);
    if (!verdict.ok) return verdict;
  }
  const passages = citations.flatMap(({ passage }) => sources.passage(passage) ?? []);
  return verifyWords(text, citations.map(({ quote }) => quote).join('\n'), passages, analyzers);
}

/** The quote stands where it says, letter by letter, and nothing about its place is made up. */
export function verifyCitation(citation: CitedPlace, sources: Sources): Verdict {
  const passage = sources.passage(citation.passage);
  if (!passage || passage.document !== citation.document) return failed('foreign_passage', citation.passage);
  if (passage.version !== citation.version) return failed('stale_version', citation.version);
  const { quote, start, end } = citation;
  const inside = start >= passage.start && end <= passage.end && end > start;
  if (!inside || passage.text.slice(start - passage.start, end - passage.start) !== quote)
    return failed('quote_altered', quote);
  if (quote.trim().length < Math.min(SHORTEST_QUOTE, passage.text.trim().length))
    return failed('quote_too_short', quote);
  const page = sources.pageOf ? sources.pageOf(passage, start) : passage.page;
  const right =
    citation.section === passage.section &&
    citation.document_title === passage.document_title &&
    citation.page === page;
  return right ? PASSED : failed('wrong_place', `${citation.document_title}, ${citation.section}, ${citation.page}`);
}

/** Whether a sentence says no more than its span does. */
export function verifyWords(text: string, span: string, passages: readonly Passage[], analyzers: Analyzers): Verdict {
  const [sentence, source] = [plain(text), plain(span)];
  if (source.includes(sentence) && sentence !== '') return wholeWords(sentence, source);
  if (MARKUP.test(text)) return failed('markup', text);
  const language = passages[0]?.language ?? 'en';
  const place = passages.map(({ document_title, section }) => `${document_title} ${section}`).join(' ');
  const unnumbered = withoutAnchors(sentence, language);
  const checks = [
    () => verifyAnchors(sentence, source, passages),
    () => verifyUnits(sentence, source),
    () => verifyNames(unnumbered, `${source} ${place}`, analyzers[language]),
    () => verifySense(sentence, source),
    () => verifySupport(unnumbered, `${source} ${place}`, analyzers[language]),
  ];
  for (const check of checks) {
    const verdict = check();
    if (!verdict.ok) return verdict;
  }
  return PASSED;
}

function plain(text: string): string {
  return text.normalize('NFC').replace(/\s+/g, ' ').trim();
}

/** Words copied in one piece say what the source says, unless the piece leaves out what turns its sense round. */
function wholeWords(sentence: string, source: string): Verdict {
  const at = source.indexOf(sentence);
  const cut = /[\p{L}\p{N}]$/u.test(source.slice(0, at)) && /^[\p{L}\p{N}]/u.test(sentence);
  const cutBehind = /^[\p{L}\p{N}]/u.test(source.slice(at + sentence.length)) && /[\p{L}\p{N}]$/u.test(sentence);
  if (cut || cutBehind) return failed('quote_altered', sentence);
  // `20` of `20,50` is another number.
  const before = /\d[.,]$/.test(source.slice(0, at)) && /^\d/.test(sentence);
  const behind = /^[.,/]\d/.test(source.slice(at + sentence.length)) && /\d$/.test(sentence);
  if (before || behind) return failed('number', sentence);
  return verifySense(sentence, source);
}

function verifySense(sentence: string, source: string): Verdict {
  const sense = polarityFault(sentence, source);
  return sense ? failed('polarity', sense) : PASSED;
}

// ── Numbers, dates and references ──────────────────────────────────────────────────────────────────────────────

function verifyAnchors(sentence: string, source: string, passages: readonly Passage[]): Verdict {
  const language = passages[0]?.language ?? 'en';
  const own = anchorsOf(sentence, language);
  const wanted = own.filter((anchor) => !isOwnPlace(anchor, passages));
  const there = anchorsOf(source, language);
  const title = passages.map(({ document_title }) => document_title).join(' ');
  let from = 0;
  for (const anchor of wanted) {
    const word = sentence.slice(anchor.start, anchor.end);
    // `2019/943` names the document.
    if (anchor.key.includes('/') && title.includes(anchor.key)) continue;
    const at = there.findIndex((other, i) => i >= from && isSameAnchor(anchor, other));
    if (at === -1) return failed(anchor.kind, word);
    from = at + 1;
    if (!isBound(anchor, { sentence, source, own, there })) return failed(anchor.kind, word);
  }
  return PASSED;
}

/** The reference to the very place that is quoted (`Nach § 14a Abs. 1 …`). */
function isOwnPlace({ kind, key, detail }: Anchor, passages: readonly Passage[]): boolean {
  return (
    kind === 'reference' &&
    passages.some(
      ({ section, text }) =>
        keysOfSection(section).includes(key) && (detail === null || holdsParagraph(section, text, detail)),
    )
  );
}

// ── Units, names and words ─────────────────────────────────────────────────────────────────────────────────────

function verifyUnits(sentence: string, source: string): Verdict {
  const there = unitsOf(source);
  const missing = [...unitsOf(sentence)].find((unit) => !there.has(unit));
  return missing === undefined ? PASSED : failed('unit', missing);
}

type Words = Analyzers['de'];

/** Numbers, references and units were compared by their values. */
function withoutAnchors(text: string, language: Language): string {
  let rest = text;
  for (const { start, end } of anchorsOf(text, language))
    rest = rest.slice(0, start) + ' '.repeat(end - start) + rest.slice(end);
  return rest.replace(UNIT_ALONE, ' ');
}

/** Words written large name somebody or something: each must be in the source, its heading or its title. */
function verifyNames(sentence: string, source: string, analyzer: Words): Verdict {
  const stems = stemsOf(source, analyzer);
  for (const [word] of sentence.matchAll(/(?<![\p{L}\p{N}])\p{L}*\p{Lu}[\p{L}\p{N}]*(?:-[\p{L}\p{N}]+)*/gu)) {
    const lower = word.toLowerCase();
    if (FUNCTION_WORDS[analyzer.language].has(lower)) continue;
    const isAcronym = /\p{Lu}.*\p{Lu}/u.test(word) && !word.includes('-');
    if (isAcronym ? !holdsWord(source, word) : !isIn(lower, stems, analyzer)) return failed('name', word);
  }
  return PASSED;
}

function holdsWord(source: string, word: string): boolean {
  return new RegExp(`(?<![\\p{L}\\p{N}])${RegExp.escape(word)}(?:s|es|-)?(?![\\p{L}\\p{N}])`, 'u').test(source);
}

function verifySupport(sentence: string, source: string, analyzer: Words): Verdict {
  const terms = analyzer.terms(sentence).filter(({ word }) => word.length > 2);
  const stems = stemsOf(source, analyzer);
  const missing = terms.filter(({ word }) => !isIn(word, stems, analyzer));
  const enough = terms.length > 0 && terms.length - missing.length >= LEAST_SUPPORT * terms.length;
  return enough ? PASSED : failed('unsupported', missing.map(({ word }) => word).join(' '));
}

function stemsOf(text: string, analyzer: Words): ReadonlySet<string> {
  return new Set(analyzer.terms(text).map(({ stem }) => stem));
}

/** The word, each part of it where a hyphen joins some, or a compound that holds it. */
function isIn(word: string, stems: ReadonlySet<string>, analyzer: Words): boolean {
  return word.split('-').every((part) => {
    const stem = analyzer.stem(part);
    if (stems.has(stem) || FUNCTION_WORDS[analyzer.language].has(part)) return true;
    return (
      stem.length >= SHORTEST_PART && [...stems].some((other) => other.length > stem.length && other.includes(stem))
    );
  });
}
