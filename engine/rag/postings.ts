/**
 * Which passages hold a term, and how often: per term a chain of blocks that grow (Moffat and Zobel 2007, "fixed-goal
 * block growth"), an entry being slot × 256 + count in 32 bits. New entries are appended; nothing is ever moved.
 */
import { type Column, createColumn, createPages, type Pages } from './pages.ts';

export type Postings = {
  readonly terms: number;
  /** Makes room for one more term. @returns its number */
  open(): number;
  /** Slots of a term ascend. @param count is kept up to 255 */
  append(term: number, slot: number, count: number): void;
  /** How many entries a term has, those of removed passages included. */
  lengthOf(term: number): number;
  /** Entries of a term, valid until the next call. */
  read(term: number): Uint32Array;
  stored(): StoredPostings;
};
export type StoredPostings = { heads: Int32Array; tails: Int32Array; lengths: Int32Array; pages: Uint32Array[] };

/** Slots from here on would not fit. */
export const MOST_SLOTS = 2 ** 24;
const MOST_COUNT = 255;
const PAGE = 1 << 16;
/** Entries of a term's first block, the second, …; the last size goes on. */
const CAPACITIES = [2, 6, 24, 96, 384, 1024];
const LARGEST = CAPACITIES.at(-1) ?? 0;
const NONE = -1;

export function createPostings(stored?: StoredPostings): Postings {
  const heads: Column = createColumn(stored?.heads);
  const tails: Column = createColumn(stored?.tails);
  const lengths: Column = createColumn(stored?.lengths);
  const pages: Pages<Uint32Array> = createPages(Uint32Array, PAGE, stored?.pages);
  let scratch = new Uint32Array(1024);

  /** A block is the address of the next one, then its entries. */
  function openBlock(term: number, ordinal: number): number {
    const address = pages.reserve(1 + capacity(ordinal));
    const tail = tails.get(term);
    if (tail === NONE) heads.set(term, address);
    else pages.pageOf(tail)[pages.offsetOf(tail)] = address;
    tails.set(term, address);
    return address;
  }

  return {
    get terms() {
      return heads.length;
    },
    open() {
      heads.push(NONE);
      tails.push(NONE);
      lengths.push(0);
      return heads.length - 1;
    },
    append(term, slot, count) {
      const length = lengths.get(term);
      const { ordinal, within } = placeOf(length);
      const block = within === 0 ? openBlock(term, ordinal) : tails.get(term);
      pages.pageOf(block)[pages.offsetOf(block) + 1 + within] = slot * 256 + Math.min(count, MOST_COUNT);
      lengths.set(term, length + 1);
    },
    lengthOf: (term) => lengths.get(term),
    read(term) {
      const length = lengths.get(term);
      if (scratch.length < length) scratch = new Uint32Array(2 * length);
      let block = heads.get(term);
      for (let at = 0, ordinal = 0; at < length; ordinal += 1) {
        const page = pages.pageOf(block);
        const offset = pages.offsetOf(block);
        const take = Math.min(capacity(ordinal), length - at);
        scratch.set(page.subarray(offset + 1, offset + 1 + take), at);
        at += take;
        block = page[offset] ?? NONE;
      }
      return scratch.subarray(0, length);
    },
    stored: () => ({ heads: heads.view(), tails: tails.view(), lengths: lengths.view(), pages: pages.used() }),
  };
}

function capacity(ordinal: number): number {
  return CAPACITIES[ordinal] ?? LARGEST;
}

/** Where a list of this length goes on. */
function placeOf(length: number): { ordinal: number; within: number } {
  let [ordinal, left] = [0, length];
  for (; ordinal < CAPACITIES.length && left >= capacity(ordinal); ordinal += 1) left -= capacity(ordinal);
  if (ordinal < CAPACITIES.length) return { ordinal, within: left };
  return { ordinal: ordinal + Math.floor(left / LARGEST), within: left % LARGEST };
}
