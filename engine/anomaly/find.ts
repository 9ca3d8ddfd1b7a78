/** What was wrong in the past weeks of a series: each anomaly once, since when, and what was expected instead. */
import { createDetector, type DetectOptions, type Lesson } from './detect.ts';
import { ANOMALY_SETTINGS } from './settings.ts';
import type { FaultKind } from './statistics.ts';

export type Anomaly = {
  kind: FaultKind;
  /** Places in the hours given: where it began, where the alert opened, and the last hour of it; null: it lasts. */
  since: number;
  opened: number;
  until: number | null;
  /** Highest −log10 of the pooled p-value. */
  score: number;
};

export type Found = {
  anomalies: Anomaly[];
  /** Forecast of a day before, per hour, and its usual error. */
  expected: Float64Array;
  usual_error: Float64Array;
  /** Forecast of a week before. */
  expected_week: Float64Array;
};

/** Anomalies of a point last this long. */
const POINT_HOURS = 3;

/**
 * @param hours local hour numbers, ascending, each once. @param values the series' hours; NaN is missing.
 * @param lessons in the same hour numbers.
 */
export function findAnomalies(
  hours: ArrayLike<number>,
  values: Float64Array,
  lessons: readonly Lesson[] = [],
  settings: DetectOptions = ANOMALY_SETTINGS,
): Found {
  const detector = createDetector(settings, lessons);
  const n = values.length;
  const [expected, usual_error, expected_week] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
  const size = new Float64Array(n);
  const anomalies: Anomaly[] = [];
  let open: Anomaly | null = null;
  let last_unusual = 0;
  for (let k = 0; k < n; k++) {
    const { score, kind, hours: back, errors, event } = detector.observe(hours[k]!, values[k]!);
    expected[k] = errors.expected;
    usual_error[k] = errors.usual_error;
    expected_week[k] = errors.expected_week;
    size[k] = Number.isNaN(errors.day) ? 0 : Math.abs(errors.day);
    if (score >= settings.threshold) last_unusual = k;
    if (event === 'opened') {
      open = { kind, since: beginning(size, k, kind === 'point' ? POINT_HOURS : back), opened: k, until: null, score };
      anomalies.push(open);
    }
    // What began as a point may turn out to be a shift.
    if (event === 'worse' && open) open.kind = kind;
    if (open) open.score = Math.max(open.score, score);
    if (event === 'ended' && open) {
      open.until = last_unusual;
      open = null;
    }
  }
  return { anomalies, expected, usual_error, expected_week };
}

/** The hour from which on errors up to `end` were larger than usual, at most `back` hours before. */
function beginning(size: Float64Array, end: number, back: number): number {
  let [sum, best, since] = [0, 0, end];
  for (let k = end; k >= Math.max(0, end - back + 1); k--) {
    sum += size[k]! - 1.5;
    if (sum <= best) continue;
    best = sum;
    since = k;
  }
  return since;
}
