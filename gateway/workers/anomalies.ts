/** Looks through the weeks of one meter point for what is unusual, off the serving thread. */
import type { Lesson } from '../../engine/anomaly/detect.ts';
import { costOfAnomaly, type Likely, likelyCauses } from '../../engine/anomaly/explain.ts';
import { type Anomaly, findAnomalies } from '../../engine/anomaly/find.ts';
import { ANOMALY_SETTINGS } from '../../engine/anomaly/settings.ts';

export type AnomalyTask = {
  /** Local hour numbers, ascending, each once. */
  hours: Float64Array;
  values: Float64Array;
  /** Per kWh, NaN where unknown; null where the series is no energy that is paid for. */
  prices: Float64Array | null;
  /** kWh that one unit of the series is in an hour; null where it is no energy. */
  kWh: number | null;
  lessons: readonly Lesson[];
};
export type FoundAnomaly = Anomaly & {
  energy_kWh: number | null;
  amount: number | null;
  causes: Likely[];
};

/** No alert before a meter was known for so long. */
const QUIET_HOURS = 14 * 24;
/** What was expected a day before knows of the anomaly itself after so many hours; the forecast of a week before does not. */
const OWN_HOURS = 24;
const CAUSES = 4;

export default function anomalies({ hours, values, prices, kWh, lessons }: AnomalyTask): FoundAnomaly[] {
  const found = findAnomalies(hours, values, lessons, { ...ANOMALY_SETTINGS, quiet_hours: QUIET_HOURS });
  return found.anomalies.map((one) => {
    const [from, to] = [one.since, (one.until ?? values.length - 1) + 1];
    const actual = values.slice(from, to);
    const expected = Float64Array.from(actual, (_, k) =>
      k < OWN_HOURS ? found.expected[from + k]! : found.expected_week[from + k]!,
    );
    const cost = kWh === null ? null : costOfAnomaly(actual, expected, prices?.slice(from, to) ?? null, kWh);
    return {
      ...one,
      energy_kWh: cost?.energy_kWh ?? null,
      amount: cost?.amount ?? null,
      causes: likelyCauses(actual, expected).slice(0, CAUSES),
    };
  });
}
