/**
 * What a series should be, hour by hour: forecasts made an hour, a day and a week before, by regressions that learn
 * online from its own past (weighted least squares with forgetting, held near a plain start; errors that are much larger
 * than usual teach less, so that a fault does not become what is usual: Huber 1964).
 */
import { DAY_HOURS } from '../features/panel.ts';
import { solveCholesky } from '../forecast/linear-ridge.ts';

const WEEK_HOURS = 7 * DAY_HOURS;
/** Hours between two solutions of the regressions. */
const SOLVE_HOURS = 12;

export type ExpectOptions = {
  /** Share of what was learned that is left an hour later. */
  forget: number;
  /** Hours of evidence that the start is worth. */
  firmness: number;
  /** Errors above so many times the usual count less. */
  robust: number;
};

/** Errors in units of their usual size at this time of day; by lead. */
export type Expectation = { hour: number; day: number; week: number; expected: number; usual_error: number };

type Model = {
  /** Regressors of hour `t`, and what weighs how much before anything was learned. */
  inputs: (t: number) => number[];
  weights: Float64Array;
  start: Float64Array;
  gram: Float64Array;
  moments: Float64Array;
  sizes: Float64Array;
  size: number;
  seen: number;
};

/** Hours are numbered by the caller (epoch hours); they are given in ascending order. */
export function createExpectations(o: ExpectOptions) {
  /** Values by hour since the first, holes filled with what was expected. */
  const values: number[] = [];
  const hourly = new Float64Array(DAY_HOURS).fill(NaN);
  const weekly = new Float64Array(WEEK_HOURS).fill(NaN);
  let [first, level] = [NaN, NaN];

  const back = (t: number, hours: number): number => {
    // What is not there yet is taken from the same hour of a nearer day, at last from the newest.
    for (const lag of [hours, hours % DAY_HOURS === 0 ? DAY_HOURS : hours, 1])
      if (t - lag >= 0 && lag >= Math.min(hours, DAY_HOURS)) return values[t - lag]!;
    return values[0] ?? 0;
  };
  const sums: number[] = [0];
  const meanOf = (end: number, hours: number) => {
    const [from, to] = [Math.max(0, end - hours), Math.max(0, end)];
    return to > from ? (sums[to]! - sums[from]!) / (to - from) : (values[0] ?? 0);
  };
  const usualOf = (t: number, hours: number) => {
    const week = weekly[(first + t) % WEEK_HOURS]!;
    const day = hourly[(first + t) % DAY_HOURS]!;
    return Number.isNaN(week) ? (Number.isNaN(day) ? meanOf(t, hours) : day) : week;
  };
  const dayOf = (t: number) => {
    const day = hourly[(first + t) % DAY_HOURS]!;
    return Number.isNaN(day) ? (values[t - 1] ?? 0) : day;
  };
  const models = [
    createModel(
      (t) => [
        back(t, 1),
        back(t, 2),
        back(t, 3),
        back(t, 24),
        back(t, 25),
        back(t, 168),
        back(t, 169),
        usualOf(t, 24),
        usualOf(t - 1, 24),
        1,
      ],
      [0.8, 0, 0, 0.1, -0.08, 0.1, -0.08, 0.36, -0.2, 0],
    ),
    createModel(
      (t) => [
        back(t, 24),
        back(t, 48),
        back(t, 168),
        back(t, 336),
        meanOf(t - 23, 24),
        meanOf(t - 23, WEEK_HOURS),
        dayOf(t),
        usualOf(t, WEEK_HOURS),
        1,
      ],
      [0.3, 0.05, 0.25, 0.1, 0, 0, 0.1, 0.2, 0],
    ),
    createModel(
      (t) => [back(t, 168), back(t, 336), meanOf(t - 167, WEEK_HOURS), dayOf(t), usualOf(t, WEEK_HOURS), 1],
      [0.4, 0.2, 0, 0.1, 0.3, 0],
    ),
  ] as const;

  function solve(model: Model): void {
    const n = model.start.length;
    const a = model.gram.slice();
    const b = model.moments.slice();
    for (let i = 0; i < n; i++) {
      // Held near the start: the more, the less was seen.
      const hold = (o.firmness * (model.gram[i * n + i]! + 1e-9)) / Math.max(1, model.seen) + 1e-9;
      a[i * n + i]! += hold;
      b[i]! += hold * model.start[i]!;
    }
    solveCholesky(a, b, n);
    if (b.every(Number.isFinite)) model.weights = b;
  }

  function learn(model: Model, x: readonly number[], value: number, error: number, slot: number): void {
    const n = x.length;
    const usual = sizeOf(model, slot);
    const weight = Number.isNaN(usual) ? 1 : Math.min(1, (o.robust * usual) / Math.max(1e-12, Math.abs(error)));
    for (let i = 0; i < n; i++) {
      model.moments[i] = o.forget * model.moments[i]! + weight * x[i]! * value;
      for (let j = 0; j <= i; j++) {
        const sum = o.forget * model.gram[i * n + j]! + weight * x[i]! * x[j]!;
        model.gram[i * n + j] = sum;
        model.gram[j * n + i] = sum;
      }
    }
    model.seen = o.forget * model.seen + weight;
    const size = Number.isNaN(usual) ? Math.abs(error) : Math.min(Math.abs(error), 2 * o.robust * usual);
    model.size += (size - model.size) / Math.min(WEEK_HOURS, model.seen + 1);
    const known = model.sizes[slot]!;
    model.sizes[slot] = Number.isNaN(known) ? size : known + (size - known) / Math.min(12, 2 + model.seen / DAY_HOURS);
  }

  function sizeOf(model: Model, slot: number): number {
    if (model.seen < 2) return NaN;
    const n = DAY_HOURS;
    const around = [slot - 1, slot, slot + 1].map((k) => model.sizes[(k + n) % n]!);
    const known = around.map((size) => (Number.isNaN(size) ? model.size : size));
    const local = (known[0]! + 2 * known[1]! + known[2]!) / 4;
    return 0.6 * local + 0.4 * model.size + 1e-9;
  }

  return {
    /** @param value NaN where missing. @returns the errors; NaN where the value is. */
    observe(at: number, value: number): Expectation {
      if (Number.isNaN(first)) first = at;
      const t = at - first;
      // Hours that nobody gave are holes.
      while (values.length < t) step(values.length, NaN);
      if (Number.isNaN(level)) level = value;
      // Small numbers keep the sums exact: all is relative to the first value.
      const made = step(t, value - level);
      return { ...made, expected: made.expected + level };
    },
  };

  function step(t: number, value: number): Expectation {
    const slot = (first + t) % DAY_HOURS;
    const made = models.map((model) => {
      const x = model.inputs(t);
      const expected = x.reduce((sum, input, k) => sum + input * model.weights[k]!, 0);
      return { model, x, expected, usual: sizeOf(model, slot) };
    });
    const errors = made.map(({ expected, usual }) => (t < DAY_HOURS ? NaN : (value - expected) / usual));
    const known = !Number.isNaN(value);
    const kept = known ? value : t === 0 ? 0 : made[1]!.expected;
    values.push(kept);
    sums.push(sums.at(-1)! + kept);
    if (known && t > 0) for (const { model, x, expected } of made) learn(model, x, value, value - expected, slot);
    if (known) follow(t, value, errors[1]!);
    if (t % SOLVE_HOURS === SOLVE_HOURS - 1) for (const model of models) solve(model);
    const [hour, day, week] = errors as [number, number, number];
    return { hour, day, week, expected: made[1]!.expected, usual_error: made[1]!.usual };
  }

  /** Means of the same hour of day and of week, which a fault moves less. */
  function follow(t: number, value: number, error: number): void {
    const calm = Number.isNaN(error) ? 1 : Math.min(1, o.robust / Math.max(1e-9, Math.abs(error)));
    const at = first + t;
    move(hourly, at % DAY_HOURS, value, calm / Math.min(10, 1 + t / DAY_HOURS));
    move(weekly, at % WEEK_HOURS, value, calm / Math.min(5, 1 + t / WEEK_HOURS));
  }
}

function move(means: Float64Array, at: number, value: number, rate: number): void {
  const known = means[at]!;
  means[at] = Number.isNaN(known) ? value : known + Math.min(1, rate) * (value - known);
}

function createModel(inputs: (t: number) => number[], start: readonly number[]): Model {
  const n = start.length;
  return {
    inputs,
    weights: Float64Array.from(start),
    start: Float64Array.from(start),
    gram: new Float64Array(n * n),
    moments: new Float64Array(n),
    sizes: new Float64Array(DAY_HOURS).fill(NaN),
    size: 0,
    seen: 0,
  };
}
