import { expect, it } from 'vitest';
import type { Lesson } from '../../../engine/anomaly/detect.ts';
import { costOfAnomaly, likelyCauses } from '../../../engine/anomaly/explain.ts';
import { findAnomalies } from '../../../engine/anomaly/find.ts';
import { createRandom } from '../../../engine/random.ts';

const DAYS = 70;
const FIRST = 400_008;

/** A workplace: busy in the day, quiet at night and on two days of the week, with noise. */
function workplace(seed = 1): Float64Array {
  const random = createRandom(seed);
  return Float64Array.from({ length: DAYS * 24 }, (_, k) => {
    const [day, hour] = [Math.floor((FIRST + k) / 24) % 7, (FIRST + k) % 24];
    const busy = day < 5 && hour >= 7 && hour < 18 ? 60 : 0;
    return 20 + busy * (1 + 0.1 * random()) + 3 * random();
  });
}
const hours = Float64Array.from({ length: DAYS * 24 }, (_, k) => FIRST + k);
const inHours = <Found extends { since: number }>(found: readonly Found[], from: number, to: number): Found[] =>
  found.filter(({ since }) => since >= from && since < to);

it('is quiet on weeks like those before', () => {
  const { anomalies } = findAnomalies(hours, workplace());
  expect(inHours(anomalies, 28 * 24, DAYS * 24).length).toBeLessThanOrEqual(3);
});

it.each([
  ['something that was left on', (value: number) => value + 25, 60, ['left_on']],
  ['a meter that stands still', () => 33.3, 40, ['stuck']],
  ['a supply that failed', () => 0, 10, ['outage']],
  ['a day on which nobody came', (value: number) => Math.min(value, 22), 24, ['day_off', 'less_of_all']],
] as const)('tells %s, since when and why', (_, change, lasts, causes) => {
  const values = workplace();
  // A Tuesday noon, or the morning of it, seven weeks in.
  const at = 50 * 24 + (24 - (FIRST % 24)) + (lasts === 24 ? 6 : 12);
  for (let k = at; k < at + lasts; k++) values[k] = change(values[k]!);
  const { anomalies, expected } = findAnomalies(hours, values);
  const [found] = inHours(anomalies, at - 2, at + 14);
  expect(found, JSON.stringify(anomalies)).toBeDefined();
  const likely = likelyCauses(values.subarray(at, at + lasts), expected.subarray(at, at + lasts));
  expect(causes, JSON.stringify(likely)).toContain(likely[0]!.cause);
});

it('counts energy and money against what was expected', () => {
  const [actual, expected] = [Float64Array.of(5, 7, NaN), Float64Array.of(4, 4, 4)];
  expect(costOfAnomaly(actual, expected, Float64Array.of(0.25, 0.5, 0.3), 1)).toEqual({ energy_kWh: 4, amount: 1.75 });
  expect(costOfAnomaly(actual, expected, Float64Array.of(0.2, NaN, 0.3), 1).amount).toBeNull();
  expect(costOfAnomaly(actual, expected, null, 0.001)).toEqual({ energy_kWh: 0.004, amount: null });
});

it('is taught: what was expected needs more the next time, what was real teaches nothing else', () => {
  const values = workplace(3);
  const at = 45 * 24;
  // Every second night something small runs.
  for (const day of [0, 6, 12, 18]) for (let k = 0; k < 3; k++) values[at + day * 24 + k]! += 9;
  const score = (lessons: readonly Lesson[]) =>
    Math.max(
      0,
      ...inHours(findAnomalies(hours, values, lessons).anomalies, at + 17 * 24, at + 19 * 24).map((one) => one.score),
    );
  const lesson = (verdict: Lesson['verdict']): Lesson[] =>
    (['point', 'shift', 'shape', 'drift'] as const).map((kind) => {
      return { kind, verdict, from: FIRST + at, to: FIRST + at + 2 };
    });
  const [none, expected, real] = [
    score([]),
    score([...lesson('expected'), ...lesson('expected')]),
    score(lesson('real')),
  ];
  expect(none).toBeGreaterThan(0);
  expect(expected).toBeLessThan(none);
  expect(real).toBeGreaterThanOrEqual(none);
});

it('gives the same verdicts where the past has holes, and none where nothing is known', () => {
  const values = workplace();
  values.fill(NaN, 300, 340);
  const { anomalies, expected } = findAnomalies(hours, values);
  expect([...expected.subarray(48)].every(Number.isFinite)).toBe(true);
  expect(anomalies.length).toBeLessThan(8);
  expect(findAnomalies(hours, new Float64Array(DAYS * 24).fill(NaN)).anomalies).toEqual([]);
});
