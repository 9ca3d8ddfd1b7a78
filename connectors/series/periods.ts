/** Which period between consecutive bounds an instant falls in, as arithmetic that a database can do without a join. */

/** Bounds of equal length: instants t with from ≤ t < to lie in period `first + floor((t − from) / length)`. */
export type PeriodRun = { from: number; to: number; length: number; first: number };

/**
 * Periods as runs of equal length: the days of a year are about five runs (summer time makes two days differ).
 * @param bounds ascending, n + 1 for n periods, in any unit
 */
export function periodRuns(bounds: readonly number[]): PeriodRun[] {
  const runs: PeriodRun[] = [];
  for (let period = 0; period + 1 < bounds.length; period++) {
    const from = bounds[period]!;
    const to = bounds[period + 1]!;
    const last = runs.at(-1);
    if (last && last.length === to - from) last.to = to;
    else runs.push({ from, to, length: to - from, first: period });
  }
  return runs;
}

/**
 * The runs as an SQL expression over `column`, whose values lie between the first and the last bound; `divide` is the
 * dialect's integer division.
 */
export function periodSql(bounds: readonly number[], column: string, divide: string): string {
  const cases = periodRuns(bounds).map(
    ({ from, to, length, first }) =>
      `when ${column} < ${integer(to)} then ${first} + (${column} - ${integer(from)}) ${divide} ${integer(length)}`,
  );
  return `case ${cases.join(' ')} end`;
}

/**
 * Whole numbers as conditions on `column`: ranges where the numbers lie close together, which databases compare faster
 * than they look up a list.
 * @param ids at least one, in any order
 */
export function idsSql(ids: readonly number[], column: string): string {
  const ranges: [number, number][] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last && id <= last[1] + 1) last[1] = id;
    else ranges.push([id, id]);
  }
  if (ranges.length > MOST_RANGES) return `${column} in (${ids.map(integer).join(', ')})`;
  const conditions = ranges.map(([low, high]) =>
    low === high ? `${column} = ${integer(low)}` : `(${column} >= ${integer(low)} and ${column} <= ${integer(high)})`,
  );
  return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' or ')})`;
}

const MOST_RANGES = 4;

/** Only whole numbers ever get into SQL text. */
function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no whole number`);
  return String(value);
}

/** @returns the period whose half-open-at-the-start interval (bound, next bound] holds `at`, or −1. */
export function periodEndingAt(bounds: readonly number[], at: number): number {
  let low = 0;
  let high = bounds.length - 1;
  if (high < 1 || at <= bounds[0]! || at > bounds[high]!) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < at) low = middle;
    else high = middle;
  }
  return low;
}
