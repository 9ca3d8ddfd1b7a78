/** A ranking as it lies in a file: lists of words, and arrays of numbers that are used as they are read. */
import type { StoredPlaces } from './named-places.ts';
import type { StoredPostings } from './postings.ts';
import type { StoredPassages } from './ranking-store.ts';
import type { StoredVectors } from './vectors.ts';

export type StoredRanking = StoredPlaces & {
  /** Terms in the order of their numbers. */
  stems: string[];
  /** Passages that hold each. */
  df: Int32Array;
  /** Words of the corpus with their stems, for compounds. */
  words: [string, string][];
  postings: StoredPostings;
  passages: StoredPassages;
  pairs: Int32Array;
  vectors: StoredVectors | null;
};
