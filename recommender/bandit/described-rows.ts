/**
 * The row of numbers that a model of described advice learns from: its own features, shared by all kinds, and a block for
 * its kind with an offset and the moment's features (a hybrid linear model: Li, Chu, Langford, Schapire, WWW 2010,
 * section 3.2, with ridge regression over both parts at once).
 */

/** Standard deviations that the prior gives each part, rewards lying in 0 … 1. */
export type RowScales = { own: number; kind: number; moment: number };

/** With this many kinds the rows stay within MOST_DIMENSIONS: a decision among 50 takes milliseconds. */
export const MOST_KINDS = 24;
export const MOST_DIMENSIONS = 512;

export type RowLayout = {
  /** Length of the part that all kinds share: 1 and the advice's own features. */
  common: number;
  /** Length of a kind's block: its offset and as many of the moment's features as there is room for. */
  block: number;
};

/** @param moment length of the context. @param own length of a candidate's features. */
export function layoutOf(moment: number, own: number): RowLayout {
  const common = 1 + own;
  const room = Math.floor((MOST_DIMENSIONS - common) / MOST_KINDS);
  return { common, block: Math.max(1, Math.min(1 + moment, room)) };
}

/** @param kind number of the kind, or null for one that has no block: the row ends before it. */
export function rowOf(
  { common, block }: RowLayout,
  scales: RowScales,
  moment: readonly number[],
  own: readonly number[],
  kind: number | null,
  length: number,
): Float64Array {
  const row = new Float64Array(length);
  row[0] = 1;
  for (let i = 0; i < own.length; i++) row[1 + i] = scales.own * own[i]!;
  if (kind === null) return row;
  const at = common + kind * block;
  row[at] = scales.kind;
  for (let i = 1; i < block; i++) row[at + i] = scales.moment * moment[i - 1]!;
  return row;
}
