/** Watches one series hour by hour: how unusual is what came against what was forecast, and since when. */
import { type AlarmOptions, createAlarm } from './alarm.ts';
import { createRanks, type Ranks } from './conformal.ts';
import { createExpectations, type Expectation, type ExpectOptions } from './expect.ts';
import { createStatistics, type FaultKind, STATISTICS } from './statistics.ts';

export type DetectOptions = ExpectOptions &
  AlarmOptions & {
    /** Newest hours that an hour is compared with. */
    memory_hours: number;
    /** Hours at the start of which no alert is made. */
    quiet_hours: number;
    /** Whether hours of an open alert are what later hours are compared with. */
    learn_from_alerts: boolean;
  };

export type Verdict = {
  /** −log10 of the pooled p-value. */
  score: number;
  kind: FaultKind;
  /** Hours that the most unusual statistic looks back on: it began about then. */
  hours: number;
  errors: Expectation;
  event: 'opened' | 'worse' | 'ended' | null;
  /** Of each statistic. */
  p: readonly number[];
};

/** What a person said of an alert: hours `from` to `to` (included). */
export type Lesson = { kind: FaultKind; from: number; to: number; verdict: 'expected' | 'real' };

/** Powers of ten by which p-values of a kind are raised for each alert of it that was expected, lowered for each real one. */
const [TOLERANCE, VIGILANCE] = [0.4, 0.15];
const [MOST_TOLERANT, MOST_VIGILANT] = [1.6, 0.6];

/** How much more unusual an hour must be, by kind, after what people said. */
export function toleranceOf(lessons: readonly Lesson[], kind: FaultKind): number {
  const count = (verdict: Lesson['verdict']) =>
    lessons.filter((one) => one.kind === kind && one.verdict === verdict).length;
  return Math.max(-MOST_VIGILANT, Math.min(MOST_TOLERANT, TOLERANCE * count('expected') - VIGILANCE * count('real')));
}

/**
 * Hours are given in ascending order, numbered by local time; NaN is missing.
 * @param lessons hours of alerts that were real are nothing to compare with, nor to learn from; alerts of a kind that
 * was expected need more.
 */
export function createDetector(o: DetectOptions, lessons: readonly Lesson[] = []) {
  const tolerance = STATISTICS.map(({ kind }) => 10 ** toleranceOf(lessons, kind));
  const wrong = lessons.filter(({ verdict }) => verdict === 'real');
  const expectations = createExpectations(o);
  const statistics = createStatistics();
  const ranks: Ranks[] = STATISTICS.map(() => createRanks(o.memory_hours));
  const alarm = createAlarm(o);
  let first = NaN;
  return {
    observe(at: number, value: number): Verdict {
      if (Number.isNaN(first)) first = at;
      const learn = !wrong.some(({ from, to }) => at >= from && at <= to);
      const errors = expectations.observe(at, value, learn);
      const numbers = statistics.observe(value, errors);
      const p = ranks.map((one, k) => Math.min(1, tolerance[k]! * one.p(numbers[k]!)));
      const pooled = poolP(p);
      const score = -Math.log10(pooled);
      const most = p.indexOf(Math.min(...p));
      const event = at - first < o.quiet_hours ? null : alarm.observe(score);
      if (learn && (o.learn_from_alerts || !alarm.open)) for (const [k, one] of ranks.entries()) one.take(numbers[k]!);
      const { kind, hours } = STATISTICS[most]!;
      return { score, kind, hours, errors, event, p };
    },
  };
}

/** Harmonic mean: keeps its meaning when the p-values depend on one another (Wilson 2019, PNAS 116). */
export function poolP(p: readonly number[]): number {
  return p.length / p.reduce((sum, one) => sum + 1 / one, 0);
}
