/** The score of the Numenta Anomaly Benchmark (Lavin & Ahmad 2015, ICMLA), standard profile. */

export type Window = { from: number; to: number };
export type NabScore = { score: number; perfect: number; none: number; hits: number; false_alarms: number };

const [FALSE_ALARM, MISS] = [0.11, 1];
const BEST = scaled(-1);

/** @param alarms rows at which an alarm is given, ascending. @param windows in rows, both ends included. */
export function nabScore(rows: number, alarms: readonly number[], windows: readonly Window[]): NabScore {
  const probation = probationOf(rows);
  const counted = windows.filter(({ to }) => to >= probation);
  const hit = new Set<Window>();
  let [score, false_alarms] = [0, 0];
  for (const row of alarms) {
    if (row < probation) continue;
    const window = counted.find(({ from, to }) => row >= from && row <= to);
    if (window) {
      if (hit.has(window)) continue;
      hit.add(window);
      score += scaled(-(window.to - row + 1) / (window.to - window.from + 1)) / BEST;
      continue;
    }
    const before = windows.findLast(({ to }) => to < row);
    const width = before ? before.to - before.from : 0;
    score += FALSE_ALARM * (before && width > 0 ? scaled((row - before.to) / width) : -1);
    false_alarms++;
  }
  score -= MISS * (counted.length - hit.size);
  return { score, perfect: counted.length, none: -counted.length, hits: hit.size, false_alarms };
}

/** Rows at the start that a detector may learn from, as NAB has it. */
export function probationOf(rows: number): number {
  return Math.min(Math.floor(0.15 * rows), 750);
}

/** 1 well before a window's end, 0 at it, −1 far behind it. */
function scaled(position: number): number {
  return position >= 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}
