/**
 * Which run is live for a series and horizon, from the scores of unseen days alone. A challenger goes live only where it
 * won; a live one whose error leaves its band for a set time is rolled back. Pure: the same scores give the same verdict.
 */
import { createRandom } from '../random.ts';
import type { DayScore } from './box/model-port.ts';
import { comparePaired, LEAST_PAIRED_DAYS, type PairedResult } from './paired.ts';

export type ScoredRun = {
  id: string;
  recipe: string;
  /** Scores of days that it had not seen: of the backtest, then live. Ascending in `day`. */
  backtest: readonly DayScore[];
  live: readonly DayScore[];
};

export type ContestState = {
  champion: string;
  former: string | null;
  pinned: boolean;
  /** Local day from which on the champion was live. */
  since_day: number;
  /** Runs that were rolled back: they do not come back by themselves. */
  barred: readonly string[];
};

export type Verdict =
  | { act: 'keep'; out_hours: number; band: number | null; waiting: { run: string; result: PairedResult } | null }
  | { act: 'promote'; run: string; result: PairedResult }
  | { act: 'roll back'; run: string; out_hours: number; band: number };

/** Hours in a row with an error above the band before a champion goes. */
export const ROLLBACK_HOURS = 24;
const SIGNIFICANCE = 0.05;
/** The band's end: mean and so many standard deviations of the backtest's daily errors, and at least this factor. */
const DEVIATIONS = 3;
const LEAST_FACTOR = 1.5;
/** A run of the champion's own recipe, learned from newer days, needs this many live days on which it was better. */
const RENEWAL_DAYS = 7;
/** A day with fewer known hours says too little. */
const LEAST_HOURS = 4;

/** The largest daily error that is usual for a run; null where its backtest is too short to say. */
export function errorBand({ backtest }: Pick<ScoredRun, 'backtest'>): number | null {
  if (backtest.length < 5) return null;
  const mean = backtest.reduce((sum, { mae }) => sum + mae, 0) / backtest.length;
  const variance = backtest.reduce((sum, { mae }) => sum + (mae - mean) ** 2, 0) / backtest.length;
  return Math.max(LEAST_FACTOR * mean, mean + DEVIATIONS * Math.sqrt(variance));
}

/** Hours in a row, up to now, on days whose error was above the band. Days from `since_day` on count. */
export function hoursOut(run: ScoredRun, since_day: number): number {
  const band = errorBand(run);
  if (band === null) return 0;
  let hours = 0;
  const days = run.live.filter(({ day, hours: known }) => day >= since_day && known >= LEAST_HOURS);
  for (const score of [...days].reverse()) {
    if (score.mae <= band) break;
    hours += score.hours;
  }
  return hours;
}

/** Errors of two runs on the days that both were scored on. */
export function pairedDays(a: ScoredRun, b: ScoredRun, of: 'all' | 'live' = 'all'): [Float64Array, Float64Array] {
  const scoresOf = (run: ScoredRun) => (of === 'live' ? run.live : [...run.backtest, ...run.live]);
  const known = new Map(scoresOf(b).map((score) => [score.day, score]));
  const pairs = scoresOf(a).flatMap(({ day, mae, hours }) => {
    const other = known.get(day);
    return other && other.hours === hours && hours >= LEAST_HOURS ? [[mae, other.mae] as const] : [];
  });
  return [Float64Array.from(pairs, ([one]) => one), Float64Array.from(pairs, ([, two]) => two)];
}

export function compareRuns(champion: ScoredRun, challenger: ScoredRun, seed: number): PairedResult | null {
  const of = champion.recipe === challenger.recipe ? 'live' : 'all';
  const [a, b] = pairedDays(champion, challenger, of);
  if (a.length >= LEAST_PAIRED_DAYS) return comparePaired(a, b, createRandom(seed));
  const gain = a.reduce((sum, loss, k) => sum + loss - b[k]!, 0) / Math.max(1, a.length);
  return a.length === 0 ? null : { days: a.length, gain, dm_p: 1, low: Number.NEGATIVE_INFINITY, high: Infinity };
}

/** @param seed of the bootstrap. */
export function judgeRuns(state: ContestState, runs: readonly ScoredRun[], seed: number): Verdict {
  const champion = runs.find(({ id }) => id === state.champion);
  if (!champion) return { act: 'keep', out_hours: 0, band: null, waiting: null };
  const [band, out_hours] = [errorBand(champion), hoursOut(champion, state.since_day)];
  const former = runs.find(({ id }) => id === state.former);
  if (!state.pinned && band !== null && former && out_hours >= ROLLBACK_HOURS && wasBetter(former, champion, state))
    return { act: 'roll back', run: former.id, out_hours, band };
  const open = runs.filter(({ id }) => id !== champion.id && !state.barred.includes(id));
  const results = open.flatMap((run) => {
    const result = compareRuns(champion, run, seed);
    return result && hasWon(champion, run, result) ? [{ run: run.id, result }] : [];
  });
  const best = results.reduce<(typeof results)[number] | null>(
    (a, b) => (a && a.result.gain >= b.result.gain ? a : b),
    null,
  );
  if (best && !state.pinned) return { act: 'promote', ...best };
  return { act: 'keep', out_hours, band, waiting: best };
}

function hasWon(champion: ScoredRun, challenger: ScoredRun, { gain, dm_p, low, days }: PairedResult): boolean {
  if (champion.recipe === challenger.recipe) return days >= RENEWAL_DAYS && gain > 0;
  return gain > 0 && dm_p < SIGNIFICANCE && low > 0;
}

/** Where the world has changed for all, going back helps nobody: the former must have done better meanwhile. */
function wasBetter(former: ScoredRun, champion: ScoredRun, { since_day }: ContestState): boolean {
  const since = (run: ScoredRun): ScoredRun => ({ ...run, live: run.live.filter(({ day }) => day >= since_day) });
  const [a, b] = pairedDays(since(champion), since(former), 'live');
  return a.length > 0 && b.reduce((x, y) => x + y, 0) < a.reduce((x, y) => x + y, 0);
}
