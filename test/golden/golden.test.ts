import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { CLASSES, readGoldenSet, splitHalves } from './german/golden-set.ts';

const LAWS = join(resolve(process.env.LUNA_BENCH_DATA ?? '../shared/data'), 'regulation/de_law');
const questions = readGoldenSet();
const answerable = questions.filter((one) => one.document !== null);
const count = (test: (one: (typeof questions)[number]) => boolean) => questions.filter(test).length;

/** The sections that a law file has, by its headings: "# § 14a – Title", "#### § 5 Title", "# Anlage 1 – …". */
function sectionsOf(document: string): Set<string> {
  const text = gunzipSync(readFileSync(join(LAWS, `${document}.md.gz`))).toString('utf8');
  const headings = text.matchAll(/^#+ +(§ ?\d+[a-z]*|Anlage(?: \d+[a-z]?)?)(?=\s|$)/gm);
  return new Set([...headings].map((heading) => heading[1] ?? ''));
}

describe('the German golden set', () => {
  it('has enough questions, in each class and without an answer', () => {
    expect(questions.length).toBeGreaterThanOrEqual(300);
    for (const name of CLASSES)
      expect(
        count((one) => one.class === name),
        name,
      ).toBeGreaterThanOrEqual(30);
    expect(count((one) => one.document === null)).toBeGreaterThanOrEqual(80);
  });

  it('no question twice, and those without an answer name no place', () => {
    const normal = questions.map((one) => one.question.toLowerCase().replace(/[^\p{L}\p{N}§]+/gu, ' '));
    expect(normal.filter((one, i) => normal.indexOf(one) !== i)).toEqual([]);
    expect(questions.filter((one) => (one.class === 'unanswerable') !== (one.document === null))).toEqual([]);
    expect(questions.filter((one) => one.document === null && one.section !== null)).toEqual([]);
  });

  it('was split by the rule, each class in two equal halves', () => {
    expect(questions.map((one) => one.half)).toEqual(splitHalves(questions));
    for (const name of CLASSES) {
      const ours = questions.filter((one) => one.class === name);
      const test = ours.filter((one) => one.half === 'test').length;
      expect(Math.abs(ours.length - 2 * test), name).toBeLessThanOrEqual(1);
    }
  });

  it.skipIf(!existsSync(LAWS))(
    'every document and section exists in the law files, and each law is asked about',
    () => {
      const known = new Map(
        [...new Set(answerable.map((one) => one.document ?? ''))].map((one) => [one, sectionsOf(one)]),
      );
      expect(known.size).toBe(10);
      const lost = answerable.filter((one) => one.section && !known.get(one.document ?? '')?.has(one.section));
      expect(lost).toEqual([]);
    },
  );
});
