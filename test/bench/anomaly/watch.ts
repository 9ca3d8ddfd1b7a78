/** Rows at which the product's detector gives an alert. */
import { createDetector } from '../../../engine/anomaly/detect.ts';
import { ANOMALY_SETTINGS } from '../../../engine/anomaly/settings.ts';

const HOUR_MS = 3_600_000;

/** @param at_ms of each row, ascending. Rows of an hour are averaged; its alert is given at the last of them. */
export function alarmRows(at_ms: readonly number[], values: readonly number[]): number[] {
  const detector = createDetector(ANOMALY_SETTINGS);
  const alarms: number[] = [];
  for (let from = 0; from < at_ms.length; ) {
    const hour = Math.floor(at_ms[from]! / HOUR_MS);
    let [to, sum, count] = [from, 0, 0];
    for (; to < at_ms.length && Math.floor(at_ms[to]! / HOUR_MS) === hour; to++) {
      if (Number.isNaN(values[to]!)) continue;
      sum += values[to]!;
      count++;
    }
    const { event } = detector.observe(hour, count === 0 ? NaN : sum / count);
    if (event === 'opened' || event === 'worse') alarms.push(to - 1);
    from = to;
  }
  return alarms;
}
