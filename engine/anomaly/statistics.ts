/** Numbers that are large when something is wrong, each for one kind of fault, from the errors of forecasts. */
import type { Expectation } from './expect.ts';

export type FaultKind = 'point' | 'shift' | 'drift' | 'shape';

/** What each statistic sees, and over how many of the newest hours. */
export const STATISTICS: readonly { kind: FaultKind; hours: number; name: string }[] = [
  { kind: 'point', hours: 1, name: 'error of the forecast an hour before' },
  { kind: 'point', hours: 1, name: 'error of the forecast a day before' },
  { kind: 'shift', hours: 6, name: 'mean error over 6 hours' },
  { kind: 'shift', hours: 24, name: 'mean error over a day' },
  { kind: 'shift', hours: 72, name: 'mean error over three days' },
  { kind: 'drift', hours: 72, name: 'mean error of the forecast a week before, over three days' },
  { kind: 'drift', hours: 168, name: 'slope of the error over a week' },
  { kind: 'shape', hours: 24, name: 'spread of the errors around their mean, over a day' },
  { kind: 'shape', hours: 12, name: 'stillness over 12 hours' },
  { kind: 'shape', hours: 12, name: 'size of the hourly errors over 12 hours' },
];

const LONGEST = 168;
/** Errors count at most so many times their usual size in means, so that one spike is no shift. */
const MOST = 8;
/** Of the hours that a statistic looks back on at least this share must be known. */
const KNOWN_SHARE = 0.6;

/** Statistics hour by hour; NaN while too little is known. */
export function createStatistics() {
  const hour: number[] = [];
  const day: number[] = [];
  const week: number[] = [];
  const steps: number[] = [];
  let last = NaN;
  let usual_step = NaN;
  const keep = (list: number[], value: number) => {
    list.push(value);
    if (list.length > LONGEST) list.shift();
  };
  return {
    observe(value: number, errors: Expectation): Float64Array {
      keep(hour, errors.hour);
      keep(day, errors.day);
      keep(week, errors.week);
      const change = Math.abs(value - last);
      keep(steps, change);
      if (!Number.isNaN(change))
        usual_step = Number.isNaN(usual_step)
          ? change
          : usual_step + (Math.min(change, 6 * usual_step) - usual_step) / 336;
      if (!Number.isNaN(value)) last = value;
      return Float64Array.of(
        Math.abs(errors.hour),
        Math.abs(errors.day),
        Math.abs(meanOf(day, 6)),
        Math.abs(meanOf(day, 24)),
        Math.abs(meanOf(day, 72)),
        Math.abs(meanOf(week, 72)),
        Math.abs(slopeOf(week)),
        spreadOf(day, 24),
        usual_step / (meanOf(steps, 12, Infinity) + 0.02 * usual_step),
        meanOf(hour.map(Math.abs), 12),
      );
    },
  };
}

function meanOf(list: readonly number[], hours: number, most = MOST): number {
  if (list.length < hours) return NaN;
  let [sum, count] = [0, 0];
  for (let k = list.length - hours; k < list.length; k++) {
    const value = list[k]!;
    if (Number.isNaN(value)) continue;
    sum += Math.min(most, Math.max(-most, value));
    count++;
  }
  return count < KNOWN_SHARE * hours ? NaN : sum / count;
}

function spreadOf(list: readonly number[], hours: number): number {
  const mean = meanOf(list, hours);
  if (Number.isNaN(mean)) return NaN;
  let [sum, count] = [0, 0];
  for (let k = list.length - hours; k < list.length; k++) {
    const value = list[k]!;
    if (Number.isNaN(value)) continue;
    sum += (Math.min(MOST, Math.max(-MOST, value)) - mean) ** 2;
    count++;
  }
  return Math.sqrt(sum / count);
}

/** Change over the whole list, by least squares. */
function slopeOf(list: readonly number[]): number {
  if (list.length < LONGEST) return NaN;
  const middle = (LONGEST - 1) / 2;
  let [sum, squares, count] = [0, 0, 0];
  for (let k = 0; k < LONGEST; k++) {
    const value = list[k]!;
    if (Number.isNaN(value)) continue;
    sum += (k - middle) * Math.min(MOST, Math.max(-MOST, value));
    squares += (k - middle) ** 2;
    count++;
  }
  return count < KNOWN_SHARE * LONGEST ? NaN : (sum / squares) * LONGEST;
}
