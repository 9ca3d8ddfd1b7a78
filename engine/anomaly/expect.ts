/** What a series should be, hour by hour: forecasts made an hour, a day and a week before, learned online from its past. */
import { DAY_HOURS } from '../features/panel.ts';
import { createPast, type Past } from './past.ts';
import { createRegression, type RegressionOptions } from './regression.ts';

export type ExpectOptions = RegressionOptions;

const WEEK_HOURS = 7 * DAY_HOURS;
/** Hours between two solutions of the regressions. */
const SOLVE_HOURS = 12;

/** Errors in units of their usual size at this hour of the day, by how long before it was forecast. */
export type Expectation = {
  hour: number;
  day: number;
  week: number;
  /** Forecasts of a day and of a week before, in the series' unit, and the usual error of the former. */
  expected: number;
  expected_week: number;
  usual_error: number;
};

/** What a forecast is made of, and what weighs how much before anything was learned. */
type Lead = { inputs(past: Past, t: number): number[]; start: readonly number[] };

const LEADS: readonly Lead[] = [
  {
    inputs: (past, t) => [
      ...[1, 2, 3, 24, 25, 168, 169].map((hours) => past.back(t, hours)),
      past.ofWeek(t, 24),
      past.ofWeek(t - 1, 24),
      1,
    ],
    start: [0.8, 0, 0, 0.1, -0.08, 0.1, -0.08, 0.36, -0.2, 0],
  },
  {
    inputs: (past, t) => [
      ...[24, 48, 168, 336].map((hours) => past.back(t, hours)),
      ...[past.mean(t - 23, 24), past.mean(t - 23, WEEK_HOURS), past.ofDay(t), past.ofWeek(t, WEEK_HOURS), 1],
    ],
    start: [0.3, 0.05, 0.25, 0.1, 0, 0, 0.1, 0.2, 0],
  },
  {
    inputs: (past, t) => [
      ...[168, 336].map((hours) => past.back(t, hours)),
      ...[past.mean(t - 167, WEEK_HOURS), past.ofDay(t), past.ofWeek(t, WEEK_HOURS), 1],
    ],
    start: [0.4, 0.2, 0, 0.1, 0.3, 0],
  },
];

/** Hours are numbered by local time, so that they tell the hour of the day, and given in ascending order. */
export function createExpectations(o: ExpectOptions) {
  const models = LEADS.map(({ inputs, start }) => ({ inputs, regression: createRegression(start, o) }));
  let past: Past | undefined;
  let [first, level] = [0, NaN];

  function step(past: Past, value: number, learn: boolean): Expectation {
    const t = past.hours;
    const hour = (first + t) % DAY_HOURS;
    const made = models.map(({ inputs, regression }) => {
      const x = inputs(past, t);
      return { regression, x, expected: regression.expect(x), usual: regression.usual(hour) };
    });
    const errors = made.map(({ expected, usual }) => (t < DAY_HOURS ? NaN : (value - expected) / usual));
    const taught = learn && !Number.isNaN(value);
    past.add(taught ? value : t === 0 ? 0 : made[1]!.expected);
    if (taught && t > 0)
      for (const { regression, x, expected } of made) regression.learn(x, value, value - expected, hour);
    if (taught) past.follow(t, value, calmness(errors[1]!, o.robust));
    if (t % SOLVE_HOURS === SOLVE_HOURS - 1) for (const { regression } of models) regression.solve();
    const [, day, week] = made;
    return {
      ...{ hour: errors[0]!, day: errors[1]!, week: errors[2]! },
      ...{ expected: day!.expected, expected_week: week!.expected, usual_error: day!.usual },
    };
  }

  return {
    /**
     * @param value NaN where missing. @param learn false: what is known to be wrong teaches nothing.
     * @returns the errors; NaN where the value is.
     */
    observe(at: number, value: number, learn = true): Expectation {
      if (!past) {
        first = at;
        past = createPast(at);
      }
      // Hours that nobody gave are holes.
      while (past.hours < at - first) step(past, NaN, false);
      if (Number.isNaN(level)) level = value;
      // Small numbers keep the sums exact: all is relative to the first value.
      const made = step(past, value - level, learn);
      return { ...made, expected: made.expected + level, expected_week: made.expected_week + level };
    },
  };
}

/** Errors that are much larger than usual move what is usual less. */
function calmness(error: number, robust: number): number {
  return Number.isNaN(error) ? 1 : Math.min(1, robust / Math.max(1e-9, Math.abs(error)));
}
