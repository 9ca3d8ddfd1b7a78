/**
 * In how many passages two terms follow each other, for millions of pairs in little room: a count-min sketch of two rows
 * (Cormode and Muthukrishnan 2005). It may say too many, never too few; the rows grow with what is counted.
 */
export type PairCounts = {
  /** `by` is 1, or -1 for a passage that goes. Give each pair of a passage once. */
  add(a: number, b: number, by: number): void;
  count(a: number, b: number): number;
  /** Whether it has become too full to be telling: count all anew in a larger one. */
  readonly full: boolean;
  /** Cells of a row. */
  readonly width: number;
  stored(): Int32Array;
};

const NARROWEST = 1 << 12;
const WIDEST = 1 << 22;

/** @param pairs that it should hold */
export function createPairCounts(pairs = 0, stored?: Int32Array): PairCounts {
  const width = stored ? stored.length / 2 : Math.min(WIDEST, Math.max(NARROWEST, powerOfTwo(2 * pairs)));
  const cells = stored ?? new Int32Array(2 * width);
  let total = 0;
  // Millions of cells of a file: a plain loop is ten times as fast as reduce.
  if (stored) for (let i = 0; i < width; i += 1) total += cells[i] ?? 0;
  const first = (a: number, b: number) => mixed(a, b, 0x9e3779b1) & (width - 1);
  const second = (a: number, b: number) => width + (mixed(b, a, 0x85ebca77) & (width - 1));
  return {
    add(a, b, by) {
      const [x, y] = [first(a, b), second(a, b)];
      cells[x] = (cells[x] ?? 0) + by;
      cells[y] = (cells[y] ?? 0) + by;
      total += by;
    },
    count: (a, b) => Math.min(cells[first(a, b)] ?? 0, cells[second(a, b)] ?? 0),
    get full() {
      return width < WIDEST && total > 2 * width;
    },
    width,
    stored: () => cells,
  };
}

function powerOfTwo(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}

/** The last steps of MurmurHash3, so that neighbouring numbers fall far apart. */
function mixed(a: number, b: number, seed: number): number {
  let hash = Math.imul(a ^ seed, 0xcc9e2d51) ^ Math.imul(b + seed, 0x1b873593);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
