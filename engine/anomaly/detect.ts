/** Watches one series hour by hour: how unusual is what came against what was forecast, and since when. */
import { type AlarmOptions, createAlarm } from './alarm.ts';
import { createRanks, type Ranks } from './conformal.ts';
import { createExpectations, type ExpectOptions } from './expect.ts';
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
  /** In the series' unit, from the forecast of a day before, and its usual error. */
  expected: number;
  usual_error: number;
  event: 'opened' | 'worse' | 'ended' | null;
  /** Of each statistic. */
  p: readonly number[];
};

/** Hours are given in ascending order, numbered from the epoch; NaN is missing. */
export function createDetector(o: DetectOptions) {
  const expectations = createExpectations(o);
  const statistics = createStatistics();
  const ranks: Ranks[] = STATISTICS.map(() => createRanks(o.memory_hours));
  const alarm = createAlarm(o);
  let first = NaN;
  return {
    observe(at: number, value: number): Verdict {
      if (Number.isNaN(first)) first = at;
      const errors = expectations.observe(at, value);
      const numbers = statistics.observe(value, errors);
      const p = ranks.map((one, k) => one.p(numbers[k]!));
      const pooled = poolP(p);
      const score = -Math.log10(pooled);
      const most = p.indexOf(Math.min(...p));
      const event = at - first < o.quiet_hours ? null : alarm.observe(score);
      if (o.learn_from_alerts || !alarm.open) for (const [k, one] of ranks.entries()) one.take(numbers[k]!);
      const { kind, hours } = STATISTICS[most]!;
      return { score, kind, hours, expected: errors.expected, usual_error: errors.usual_error, event, p };
    },
  };
}

/** Harmonic mean: keeps its meaning when the p-values depend on one another (Wilson 2019, PNAS 116). */
export function poolP(p: readonly number[]): number {
  return p.length / p.reduce((sum, one) => sum + 1 / one, 0);
}
