/**
 * How large the next errors will be: log s = w·x with the recent sizes of errors and the disagreement of forecasters as
 * x, learned online by minimising the Laplace likelihood log s + |e|/s, which is convex in w, with Newton steps that
 * forget (online Newton step: Hazan, Agarwal & Kale 2007, Machine Learning 69).
 */
import { solveCholesky } from './linear-ridge.ts';

export type ScaleModel = {
  /** Expected size of each time of day's error, from the day's forecasts alone and the errors seen. */
  expect(forecasts: readonly Float64Array[]): Float64Array;
  /** Learns from a day's errors, NaN where not known, and from the forecasts made for it. */
  observe(forecasts: readonly Float64Array[], errors: Float64Array): void;
  state(): ScaleState;
};
/** Plain JSON. */
export type ScaleState = {
  fast: number[];
  slow: number[];
  day: number;
  typical: number;
  days: number;
  weights: number[];
  curvature: number[];
};

const FEATURES = 5;
/** Memory in days of the fast and the slow mean size, and of the whole day's. */
const [FAST_DAYS, SLOW_DAYS, DAY_DAYS] = [5, 40, 2];
/** A single error counts as at most so many times its expected size. */
const MOST = 5;
const FORGET = 0.998;
const START_WEIGHTS = [0, 0.25, 0.4, 0.25, 0.1];
/** Prior curvature: how firmly the start is held on to. */
const FIRMNESS = 200;

export function createScaleModel(slots: number, from?: ScaleState): ScaleModel {
  const fast = Float64Array.from(from?.fast ?? new Float64Array(slots));
  const slow = Float64Array.from(from?.slow ?? new Float64Array(slots));
  let { day, typical, days } = from ?? { day: 0, typical: 0, days: 0 };
  const weights = Float64Array.from(from?.weights ?? START_WEIGHTS);
  const curvature = Float64Array.from(
    from?.curvature ?? Array.from({ length: FEATURES * FEATURES }, (_, k) => (k % (FEATURES + 1) === 0 ? FIRMNESS : 0)),
  );

  function features(forecasts: readonly Float64Array[], slot: number): number[] {
    const floor = 0.02 * typical + 1e-9;
    const log = (value: number) => Math.log(Math.max(floor, value));
    return [1, log(fast[slot]!), log(slow[slot]!), log(day), log(spreadOf(forecasts, slot))];
  }
  const sizeAt = (x: readonly number[]) => Math.exp(x.reduce((sum, value, k) => sum + weights[k]! * value, 0));

  function expect(forecasts: readonly Float64Array[]): Float64Array {
    return Float64Array.from({ length: slots }, (_, slot) => (days === 0 ? NaN : sizeAt(features(forecasts, slot))));
  }

  function observe(forecasts: readonly Float64Array[], errors: Float64Array): void {
    const gradient = new Float64Array(FEATURES);
    if (days > 0)
      for (let slot = 0; slot < slots; slot++) {
        if (Number.isNaN(errors[slot]!)) continue;
        const x = features(forecasts, slot);
        const ratio = Math.min(MOST, Math.abs(errors[slot]!) / sizeAt(x));
        for (let i = 0; i < FEATURES; i++) {
          gradient[i]! += x[i]! * (ratio - 1);
          for (let j = 0; j < FEATURES; j++) curvature[i * FEATURES + j]! += x[i]! * x[j]! * Math.min(1, ratio);
        }
      }
    if (days > 0) step(gradient);
    follow(errors);
  }

  function step(gradient: Float64Array): void {
    solveCholesky(curvature.slice(), gradient, FEATURES);
    for (let k = 0; k < FEATURES; k++) weights[k]! += gradient[k]!;
    for (let k = 0; k < curvature.length; k++) {
      const prior = k % (FEATURES + 1) === 0 ? FIRMNESS : 0;
      curvature[k] = prior + FORGET * (curvature[k]! - prior);
    }
  }

  function follow(errors: Float64Array): void {
    const sizes = errors.map(Math.abs);
    const known = sizes.filter((size) => !Number.isNaN(size));
    if (known.length === 0) return;
    const mean = known.reduce((a, b) => a + b, 0) / known.length;
    const rate = (memory_days: number) => Math.max(1 / (days + 1), 1 / memory_days);
    day += rate(DAY_DAYS) * (mean - day);
    typical += rate(SLOW_DAYS) * (mean - typical);
    for (let slot = 0; slot < slots; slot++) {
      const size = around(sizes, slot);
      if (Number.isNaN(size)) continue;
      fast[slot]! += rate(FAST_DAYS) * (size - fast[slot]!);
      slow[slot]! += rate(SLOW_DAYS) * (size - slow[slot]!);
    }
    days++;
  }

  const state = () => ({
    fast: [...fast],
    slow: [...slow],
    day,
    typical,
    days,
    weights: [...weights],
    curvature: [...curvature],
  });
  return { expect, observe, state };
}

/** A slot's size counts twice as much as its neighbours'. */
function around(sizes: Float64Array, slot: number): number {
  let [sum, total] = [0, 0];
  for (const [at, weight] of [
    [slot - 1, 1],
    [slot, 2],
    [slot + 1, 1],
  ] as const) {
    const size = sizes[at];
    if (size === undefined || Number.isNaN(size)) continue;
    sum += weight * size;
    total += weight;
  }
  return total === 0 ? NaN : sum / total;
}

/** Mean distance of the forecasts from their mean. */
function spreadOf(forecasts: readonly Float64Array[], slot: number): number {
  const known = forecasts.map((forecast) => forecast[slot]!).filter((value) => !Number.isNaN(value));
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  return known.reduce((sum, value) => sum + Math.abs(value - mean), 0) / Math.max(1, known.length);
}
