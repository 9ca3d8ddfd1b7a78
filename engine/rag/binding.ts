/** To which words of its source a number belongs. */
import { type Anchor, isSameAnchor } from './anchors.ts';
import { turnsSense } from './polarity.ts';

/** A sentence and its source, and the numbers, dates and references of each. */
export type Around = { sentence: string; source: string; own: readonly Anchor[]; there: readonly Anchor[] };

/**
 * Where the source holds several numbers of a kind, the right one must be taken: the words around it must be those that
 * the sentence says. `15 EUR per meter` is not in `12 EUR per meter and 15 EUR per gateway`.
 */
export function isBound(anchor: Anchor, around: Around): boolean {
  const { sentence, source, there } = around;
  const partners = partnersOf(anchor, sentence, around.own);
  const rivals = there.filter((other) => {
    const isRival = other.kind === anchor.kind && other.key !== anchor.key;
    const unlike = anchor.detail !== null && other.detail !== null && other.detail !== anchor.detail;
    // `110 bis 190 Euro` in both is one thing.
    const isRange = partners.includes(other.key) && partnersOf(other, source, there).includes(anchor.key);
    return isRival && !unlike && !isRange;
  });
  return rivals.length === 0 || isInBestPart(anchor, around) || isNeeded(anchor, around);
}

/** Keys of the anchors that a range joins to this one. */
function partnersOf({ start, end }: Anchor, text: string, all: readonly Anchor[]): string[] {
  return all
    .filter((other) => isRange(text, other.end, start) || isRange(text, end, other.start))
    .map(({ key }) => key);
}

function isRange(text: string, from: number, to: number): boolean {
  return to > from && to - from < 12 && /^\s*(?:bis|to|–|-)(?:\s+zu)?\s*$/i.test(text.slice(from, to));
}

const PARTS = /[.;:,()](?=\s|$)|\s(?:und|oder|sowie|bzw\.|and|or)\s/giu;

/** The part of the source that shares most words with the sentence is one, and holds the anchor. */
function isInBestPart(anchor: Anchor, { sentence, source, there }: Around): boolean {
  const rest = new Set(wordsOf(sentence.slice(0, anchor.start) + sentence.slice(anchor.end)));
  let start = 0;
  const parts: { start: number; end: number; shared: number }[] = [];
  for (const { index } of [...source.matchAll(PARTS), { index: source.length }]) {
    const shared = new Set(wordsOf(source.slice(start, index)).filter((word) => rest.has(word))).size;
    parts.push({ start, end: index, shared });
    start = index;
  }
  const turning = [...rest].filter(turnsSense);
  const able = parts.filter((part) => {
    const words = new Set(wordsOf(source.slice(part.start, part.end)));
    return turning.every((word) => words.has(word));
  });
  const most = Math.max(...able.map(({ shared }) => shared));
  const best = able.filter(({ shared }) => shared === most);
  const [only] = best;
  if (best.length !== 1 || !only) return false;
  const inside = there.filter((other) => other.start >= only.start && other.end <= only.end);
  return (
    inside.some((other) => isSameAnchor(anchor, other)) &&
    !inside.some((other) => other.kind === anchor.kind && other.key !== anchor.key && other.detail === anchor.detail)
  );
}

/** Without the anchor fewer words of the sentence stand in the source's order (longest common subsequence). */
function isNeeded(anchor: Anchor, { sentence, source }: Around): boolean {
  const theirs = wordsOf(source);
  const before = wordsOf(sentence.slice(0, anchor.start));
  const own = wordsOf(sentence.slice(anchor.start, anchor.end));
  const after = wordsOf(sentence.slice(anchor.end));
  const rest = [...before, ...after];
  const all = [...before, ...own, ...after];
  const shared = commonLength(all, theirs);
  const isIn = (place: number) => commonLength(all.toSpliced(place, 1), theirs) === shared - 1;
  const turning = all.flatMap((word, place) => (turnsSense(word) ? [place] : []));
  return (
    shared === commonLength(rest, theirs) + own.length &&
    shared >= 0.8 * all.length &&
    turning.every((place) => isIn(place))
  );
}

function wordsOf(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}§%€$]+(?:[.,/]\p{N}+)*/gu) ?? []).slice(0, 400);
}

function commonLength(a: readonly string[], b: readonly string[]): number {
  let row = new Uint16Array(b.length + 1);
  for (const word of a) {
    const next = new Uint16Array(b.length + 1);
    for (let j = 1; j <= b.length; j += 1)
      next[j] = word === b[j - 1] ? row[j - 1]! + 1 : Math.max(row[j]!, next[j - 1]!);
    row = next;
  }
  return row[b.length]!;
}
