/** ObliQA and seeded noisy copies of it: as many passages as asked, and vectors that similar words make similar. */

import type { Passage } from '../../../engine/ports.ts';
import { toLengthOne } from '../../../engine/rag/length-one.ts';
import { createAnalyzer } from '../../../engine/rag/terms.ts';
import { createRandom, type Random } from '../../../engine/random.ts';
import { readObliQA } from '../obliqa.ts';

export const DIMENSIONS = 768;
/** Share of a copy's words that are left out, and that are exchanged. */
const LEFT_OUT = 0.05;
const EXCHANGED = 0.05;
const PASSAGES_OF_DOCUMENT = 1000;

export function scaleData(data: string, count: number, seed: number): { passages: Passage[]; questions: string[] } {
  const { passages, questions } = readObliQA(data);
  const originals = [...new Map(passages.map((one) => [one.id, one])).values()];
  const random = createRandom(seed);
  const words = originals.slice(0, 2000).flatMap(({ text }) => text.split(' '));
  const made = Array.from({ length: count }, (_, n) => {
    const original = originals[n % originals.length] as Passage;
    const document = `d${Math.floor(n / PASSAGES_OF_DOCUMENT)}`;
    const text = n < originals.length ? original.text : noisy(original.text, words, random);
    return { ...original, id: `${document}:${n}`, document, text, end: text.length };
  });
  return { passages: made, questions: questions.map(({ text }) => text) };
}

function noisy(text: string, words: readonly string[], random: Random): string {
  return text
    .split(' ')
    .flatMap((word) => {
      const drawn = random();
      if (drawn < LEFT_OUT) return [];
      return [drawn < LEFT_OUT + EXCHANGED ? (words[Math.floor(random() * words.length)] ?? word) : word];
    })
    .join(' ');
}

const DIMENSIONS_OF_TERM = 8;

/** Each term adds to some dimensions that its hash says (feature hashing), so that no model is needed. */
export function createHashingEmbedder(): (text: string) => Float32Array {
  const analyzer = createAnalyzer('en');
  return (text) => {
    const vector = new Float32Array(DIMENSIONS);
    for (const { stem } of analyzer.terms(text)) {
      let hash = 2166136261;
      for (const char of stem) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619);
      for (let i = 0; i < DIMENSIONS_OF_TERM; i += 1) {
        hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
        const at = (hash >>> 1) % DIMENSIONS;
        vector[at] = (vector[at] ?? 0) + (hash & 1 ? 1 : -1);
      }
    }
    return toLengthOne(vector);
  };
}
