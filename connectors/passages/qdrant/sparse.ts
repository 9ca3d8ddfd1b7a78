/**
 * Passages and questions as sparse vectors for BM25: Qdrant multiplies their product with each token's inverse document
 * frequency (modifier `idf`), so a passage carries the saturated counts and a question the weights.
 */
import { createHash } from 'node:crypto';
import type { Passage } from '../../../engine/ports.ts';
import { detectLanguage, type Language } from '../../../engine/rag/language.ts';
import { keysOfSection, referencesOf } from '../../../engine/rag/references.ts';
import { createAnalyzers } from '../../../engine/rag/terms.ts';

export type Sparse = { indices: number[]; values: number[] };

const K1 = 0.9;
const B = 0.7;
/** Terms of a usual passage: a sparse vector must be made without knowing the others. */
const USUAL_TERMS = 120;
/** A German word this long may be a compound, whose ends are words of their own. */
const COMPOUND_LETTERS = 10;
const PART_LETTERS = 5;
const PART_WEIGHT = 0.4;
/** A question in one language finds passages of the other only by names and numbers. */
const OTHER_LANGUAGE_WEIGHT = 0.5;
/** Above every score of words: what the question names comes first. */
const REFERENCE_WEIGHT = 1000;
const LANGUAGES: readonly Language[] = ['en', 'de'];

export function createSparse() {
  const analyzers = createAnalyzers();

  /** The beginnings and ends of a long German word, as stems; those that are no words match nothing. */
  function partsOf(word: string, language: Language): Set<string> {
    const parts = new Set<string>();
    if (language !== 'de' || word.length < COMPOUND_LETTERS) return parts;
    for (let at = PART_LETTERS; at <= word.length - PART_LETTERS; at++) {
      // A linking s belongs to neither part.
      for (const part of [word.slice(0, at), word.slice(0, at).replace(/s$/, ''), word.slice(at)])
        parts.add(analyzers.de.stem(part));
    }
    return parts;
  }

  return {
    ofPassage({ document_title, section, text, language }: Passage): Sparse {
      const terms = analyzers[language].terms(`${document_title} ${section} ${text}`);
      const counts = new Map<string, number>();
      const parts = new Set<string>();
      for (const { stem, word } of terms) {
        counts.set(stem, (counts.get(stem) ?? 0) + 1);
        for (const part of partsOf(word, language)) parts.add(part);
      }
      const weights = new Map<string, number>();
      const length = 1 - B + (B * terms.length) / USUAL_TERMS;
      for (const [stem, count] of counts)
        weights.set(`${language}:${stem}`, (count * (K1 + 1)) / (count + K1 * length));
      for (const part of parts) weights.set(`${language} part:${part}`, 1);
      for (const key of keysOfSection(section)) weights.set(`ref:${key}`, 1);
      return vectorOf(weights);
    },

    ofQuestion(question: string): Sparse {
      const asked = detectLanguage(question);
      const weights = new Map<string, number>();
      for (const language of LANGUAGES) {
        const share = language === asked ? 1 : OTHER_LANGUAGE_WEIGHT;
        const add = (token: string, weight: number) =>
          weights.set(token, Math.max(weights.get(token) ?? 0, weight * share));
        for (const { stem, word } of analyzers[language].terms(question)) {
          add(`${language}:${stem}`, 1);
          if (language === 'de') add(`de part:${stem}`, PART_WEIGHT);
          for (const part of partsOf(word, language)) {
            add(`${language}:${part}`, PART_WEIGHT);
            add(`${language} part:${part}`, PART_WEIGHT * PART_WEIGHT);
          }
        }
      }
      for (const { key } of referencesOf(question)) weights.set(`ref:${key}`, REFERENCE_WEIGHT);
      return vectorOf(weights);
    },
  };
}

/** Tokens become numbers of 32 bits; of two that fall together the weightier counts. */
function vectorOf(weights: ReadonlyMap<string, number>): Sparse {
  const byIndex = new Map<number, number>();
  for (const [token, weight] of weights) {
    const index = createHash('sha256').update(token).digest().readUInt32LE();
    byIndex.set(index, Math.max(byIndex.get(index) ?? 0, weight));
  }
  return { indices: [...byIndex.keys()], values: [...byIndex.values()] };
}
