/**
 * One order out of two: how well the words match and how near the meaning is. Both are brought to 0…1 within the
 * candidates and added with a weight (a convex combination: Bruch, Gai and Ingber 2023, "An Analysis of Fusion
 * Functions for Hybrid Retrieval"). What the question names by its place always comes first.
 */
import type { Candidate } from './bm25.ts';

/** Share of the meaning from 0 (words only) to 1. */
export type Fused<One> = One & { score: number };

/** Above every fused score, times how exactly a place is named. */
const NAMED_SCORE = 1000;

/** Best first; `score` is 0 and more, over 1,000 for places that the question names. */
export function fuse<One extends Pick<Candidate, 'words' | 'meaning' | 'named'>>(
  candidates: readonly One[],
  weight: number,
): Fused<One>[] {
  const most = Math.max(0, ...candidates.map(({ words }) => words));
  const meanings = candidates.flatMap(({ meaning }) => (meaning === null ? [] : [meaning]));
  const [least, nearest] = [Math.min(...meanings), Math.max(...meanings)];
  const range = nearest - least;
  const fused = candidates.map((one) => {
    const words = most > 0 ? one.words / most : 0;
    const meaning = one.meaning === null ? 0 : range > 0 ? (one.meaning - least) / range : 1;
    const score = meanings.length === 0 ? one.words : (1 - weight) * words + weight * meaning;
    return { ...one, score: score + one.named * NAMED_SCORE };
  });
  return fused.sort((a, b) => b.score - a.score);
}
