/** Asks a golden set and says how many of its questions find the section that answers. */
import type { PassageHit } from '../../../engine/ports.ts';
import { keysOfSection, referencesOf } from '../../../engine/rag/references.ts';
import type { GoldenQuestion } from '../retrieval.ts';

export type Asked = { question: GoldenQuestion; rank: number | null; ms: number; reranked: boolean };
export type Shares = { recall5: number; recall1: number };

/** Place of the first hit in the section that answers, from 1. */
export function rankOf(
  hits: readonly PassageHit[],
  { section }: GoldenQuestion,
  documents: ReadonlySet<string>,
): number | null {
  const at = hits.findIndex(({ passage }) => documents.has(passage.document) && isIn(passage.section, section));
  return at === -1 ? null : at + 1;
}

/** Sections are compared by kind and number (`§ 14a`), others by the beginning of a heading. */
function isIn(path: string, section: string | null): boolean {
  if (section === null) return true;
  const wanted = referencesOf(section).map(({ key }) => key);
  if (wanted.length === 0 && /^(?:anlage|anhang|annex)$/i.test(section.trim())) wanted.push('annex:');
  const keys = new Set(keysOfSection(path));
  if (wanted.length > 0) return wanted.some((key) => keys.has(key));
  return path
    .toLowerCase()
    .split(' > ')
    .some((heading) => heading.startsWith(section.toLowerCase()));
}

export function sharesOf(asked: readonly Asked[]): Shares {
  const share = (most: number) =>
    asked.filter(({ rank }) => rank !== null && rank <= most).length / Math.max(1, asked.length);
  return { recall5: share(5), recall1: share(1) };
}

export function classesOf(asked: readonly Asked[]): Record<string, Shares> {
  const groups = Map.groupBy(asked, ({ question }) => question.class ?? '');
  return Object.fromEntries(
    [...groups].filter(([name]) => name !== '').map(([name, group]) => [name, sharesOf(group)]),
  );
}

export function reciprocalRank(asked: readonly Asked[]): number {
  const sum = asked.reduce((total, { rank }) => total + (rank !== null && rank <= 10 ? 1 / rank : 0), 0);
  return sum / Math.max(1, asked.length);
}

export function p95(asked: readonly Asked[]): number {
  const times = asked.map(({ ms }) => ms).sort((a, b) => a - b);
  return times[Math.floor(0.95 * times.length)] ?? 0;
}
