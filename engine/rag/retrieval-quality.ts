/**
 * How good retrieval is on a golden set: recall, average precision and reciprocal rank of the first ten (Manning,
 * Raghavan and Schütze 2008, chapter 8), and which share of the meaning is best.
 */

export type Quality = { recall10: number; map10: number; mrr10: number };

const DEPTH = 10;

/** @param gold whether each hit, best first, is one that answers; @param total how many passages answer */
export function qualityOf(gold: readonly boolean[], total: number): Quality {
  let found = 0;
  let precision = 0;
  let first = 0;
  gold.slice(0, DEPTH).forEach((is, rank) => {
    if (!is) return;
    found += 1;
    precision += found / (rank + 1);
    first ||= 1 / (rank + 1);
  });
  const most = Math.max(1, Math.min(DEPTH, total));
  return { recall10: found / Math.max(1, total), map10: precision / most, mrr10: first };
}

export function meanQuality(each: readonly Quality[]): Quality {
  const mean = (key: keyof Quality) => each.reduce((sum, one) => sum + one[key], 0) / Math.max(1, each.length);
  return { recall10: mean('recall10'), map10: mean('map10'), mrr10: mean('mrr10') };
}

/** Shares of the meaning that are tried on a golden set; 0 is words only. */
export const WEIGHTS = [0, 0.2, 0.3, 0.4, 0.5, 0.6] as const;

/** Meanings must be better by this much, else the words alone decide. */
const WORTH = 0.002;

/** The share with the best quality; 0 where none is clearly better than words only. */
export function bestWeight(tried: readonly { weight: number; quality: number }[]): number {
  const alone = tried.find(({ weight }) => weight === 0)?.quality ?? 0;
  const [best] = [...tried].sort((a, b) => b.quality - a.quality || a.weight - b.weight);
  return best && best.quality >= alone + WORTH ? best.weight : 0;
}
