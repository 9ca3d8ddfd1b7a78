/** The past of a series as its regressions see it: holes filled, sums for means, and what is usual at each hour. */
import { DAY_HOURS } from '../features/panel.ts';

const WEEK_HOURS = 7 * DAY_HOURS;
const [DAYS_KEPT, WEEKS_KEPT] = [10, 5];

/** Hours are counted from the first one given. */
export type Past = {
  readonly hours: number;
  /** The value so many hours before `t`; what is not there yet is taken from a nearer day, at last from the newest. */
  back(t: number, hours: number): number;
  /** Mean of the `hours` before `end`. */
  mean(end: number, hours: number): number;
  /** What is usual at this hour of the day, and of the week. */
  ofDay(t: number): number;
  ofWeek(t: number, hours: number): number;
  add(value: number): void;
  /** Takes a measured value into what is usual, with a weight of 0 to 1. */
  follow(t: number, value: number, weight: number): void;
};

/** @param first number of the first hour, which says what hour of the day and of the week it is. */
export function createPast(first: number): Past {
  const values: number[] = [];
  const sums: number[] = [0];
  const daily = new Float64Array(DAY_HOURS).fill(NaN);
  const weekly = new Float64Array(WEEK_HOURS).fill(NaN);
  const mean = (end: number, hours: number): number => {
    const [from, to] = [Math.max(0, end - hours), Math.max(0, end)];
    return to > from ? (sums[to]! - sums[from]!) / (to - from) : (values[0] ?? 0);
  };
  return {
    get hours() {
      return values.length;
    },
    back(t, hours) {
      for (const lag of [hours, hours % DAY_HOURS === 0 ? DAY_HOURS : hours, 1])
        if (t - lag >= 0 && lag >= Math.min(hours, DAY_HOURS)) return values[t - lag]!;
      return values[0] ?? 0;
    },
    mean,
    ofDay(t) {
      const day = daily[(first + t) % DAY_HOURS]!;
      return Number.isNaN(day) ? (values[t - 1] ?? 0) : day;
    },
    ofWeek(t, hours) {
      const [week, day] = [weekly[(first + t) % WEEK_HOURS]!, daily[(first + t) % DAY_HOURS]!];
      if (!Number.isNaN(week)) return week;
      return Number.isNaN(day) ? mean(t, hours) : day;
    },
    add(value) {
      values.push(value);
      sums.push(sums.at(-1)! + value);
    },
    follow(t, value, weight) {
      move(daily, (first + t) % DAY_HOURS, value, weight / Math.min(DAYS_KEPT, 1 + t / DAY_HOURS));
      move(weekly, (first + t) % WEEK_HOURS, value, weight / Math.min(WEEKS_KEPT, 1 + t / WEEK_HOURS));
    },
  };
}

function move(means: Float64Array, at: number, value: number, rate: number): void {
  const known = means[at]!;
  means[at] = Number.isNaN(known) ? value : known + Math.min(1, rate) * (value - known);
}
