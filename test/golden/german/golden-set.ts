/** The German golden set: its shape, its classes and the rule that split it once into two halves. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const CLASSES = [
  'reference',
  'compound',
  'paraphrase',
  'table',
  'definition',
  'deadline',
  'superseded',
  'unanswerable',
] as const;

export type GoldenQuestion = {
  question: string;
  /** File name without extensions; null: the documents do not say. */
  document: string | null;
  /** As the file names it ("§ 14a", "Anlage 1"); null: any section counts. */
  section: string | null;
  class: (typeof CLASSES)[number];
  half: 'development' | 'test';
};

export function readGoldenSet(): GoldenQuestion[] {
  const lines = readFileSync(join(import.meta.dirname, 'questions.jsonl'), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as GoldenQuestion);
}

const SEED = 'luna-german-1';
const order = (question: string) => createHash('sha256').update(`${SEED}:${question}`).digest('hex');

/**
 * The half of each question: within its class, in the order of the SHA-256 of seed and question, every other one.
 * Nobody chose which question is easy; nothing but the wording decides.
 */
export function splitHalves(
  questions: readonly Pick<GoldenQuestion, 'question' | 'class'>[],
): GoldenQuestion['half'][] {
  const halves = new Map<string, GoldenQuestion['half']>();
  for (const name of CLASSES) {
    const members = questions.filter((one) => one.class === name).map((one) => one.question);
    members.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    members.forEach((question, i) => {
      halves.set(question, i % 2 === 0 ? 'development' : 'test');
    });
  }
  return questions.map((one) => halves.get(one.question) ?? 'development');
}
