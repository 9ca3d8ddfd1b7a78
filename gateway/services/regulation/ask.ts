/** From a question to an answer whose every sentence was found again, letter by letter, in the text it is quoted from. */
import { InvalidDataError } from '../../../engine/errors.ts';
import type { PassageHit, PassageIndex, PassageQuery } from '../../../engine/ports.ts';
import { type Evidence, findEvidence, mergeHits, sufficiencyOf, type Weights } from '../../../engine/rag/answer.ts';
import { type Question, readQuestion, searchTexts } from '../../../engine/rag/question.ts';
import { type Analyzers, createAnalyzers } from '../../../engine/rag/terms.ts';
import { pageOf, type StoredText } from '../../document-text.ts';
import type { Answer, Citation } from '../../services.ts';

const LONGEST_QUESTION = 1000;
const HITS = 40;
const NEAREST = 5;
const LANGUAGES = ['en', 'de'] as const;

/** The text of a version, or null where it cannot be had. */
export type TextOf = (document: string, version: string, reader?: string | null) => Promise<StoredText | null>;

/** @throws InvalidDataError for an empty or very long question. */
export function checkQuestion(question: string): string {
  const text = question.replace(/\p{Cc}+/gu, ' ').trim();
  if (text === '') throw new InvalidDataError('The question is empty.', 'Ask a whole sentence, or name a section.');
  if (text.length > LONGEST_QUESTION)
    throw new InvalidDataError(
      `The question has ${text.length} characters; at most ${LONGEST_QUESTION} are read.`,
      'Ask a shorter one.',
    );
  return text;
}

/** @throws InvalidDataError for what is no day of the calendar. */
export function checkDay(day: string | null | undefined): string | null {
  if (day === null || day === undefined || day === '') return null;
  const isDay = /^\d{4}-\d{2}-\d{2}$/.test(day) && new Date(`${day}T00:00:00Z`).toJSON()?.startsWith(day);
  if (!isDay) throw new InvalidDataError(`"${day.slice(0, 40)}" is no day.`, 'Write it as 2023-06-30.');
  return day;
}

export type Retrieved = { hits: PassageHit[]; weights: Weights };
type Index = Pick<PassageIndex, 'search' | 'rarity' | 'otherwise'>;

/** What is near the question, best first, and how telling its words are. */
export async function retrieve(
  index: Index,
  tenant: string,
  question: Question,
  { versions, by_words = false }: { versions?: PassageQuery['versions'] | undefined; by_words?: boolean } = {},
): Promise<Retrieved> {
  const only = { ...(versions ? { versions } : {}), ...(by_words ? { weight: 0 } : {}) };
  const texts = searchTexts(question).map((text) => ({ text, ...only }));
  const hits = mergeHits(await Promise.all(texts.map((query) => index.search(tenant, query, HITS))));
  return { hits, weights: await weigh(tenant, question, index) };
}

export type Answerer = (tenant: string, text: string, textOf: TextOf) => Promise<Answer>;

export function createAnswerer(index: Index, analyzers: Analyzers = createAnalyzers()): Answerer {
  return async (tenant, text, textOf) => {
    const question = readQuestion(text, analyzers);
    const { hits, weights } = await retrieve(index, tenant, question);
    const evidence = findEvidence(question, hits, weights, analyzers);
    const sentences: Answer['sentences'] = [];
    for (const one of evidence) {
      const citation = await cite(one, textOf);
      if (citation) sentences.push({ text: citation.quote.replace(/\s+/g, ' ').trim(), citations: [citation] });
    }
    const status = sentences.length > 0 ? 'answered' : 'abstained';
    const sure = hits.length > 0 ? { confidence: sufficiencyOf(question, hits, weights, analyzers).confidence } : {};
    return { status, ...sure, sentences, nearest: hits.slice(0, NEAREST).map(nearestOf) };
  };
}

async function weigh(tenant: string, question: Question, index: Index): Promise<Weights> {
  const weights: Weights = {};
  for (const language of LANGUAGES) {
    const words = question.terms[language].map(({ word }) => word);
    const found = await index.rarity?.(tenant, words, language);
    if (found) weights[language] = found;
    const otherwise = await index.otherwise?.(tenant, question.text, language);
    if (otherwise) weights.otherwise = { ...weights.otherwise, [language]: otherwise };
  }
  return weights;
}

/** Null unless the quote stands verbatim at its place in the version's text. */
export async function cite({ hit, start, end, quote }: Evidence, textOf: TextOf): Promise<Citation | null> {
  const { document, document_title, version, section } = hit.passage;
  const stored = await textOf(document, version, hit.passage.reader);
  if (!stored || quote.trim() === '' || stored.text.slice(start, end) !== quote) return null;
  return { document, document_title, version, page: pageOf(stored, start), section, quote, start, end };
}

export function nearestOf({ passage, score }: PassageHit): Answer['nearest'][number] {
  const { document, document_title, version, page, section, text } = passage;
  return { document, document_title, version, page, section, text, score: Math.round(score * 1000) / 1000 };
}
