/** What a LEAR has learned: how it forecasts, explains itself and is stored. */
import { InvalidDataError } from '../errors.ts';
import { DAY_HOURS } from '../features/panel.ts';
import type { Explanation, ForecasterState } from './port.ts';
import { restored, type Stabiliser, stabilised } from './stabilise.ts';

export type LearState = {
  inputs: Stabiliser;
  outputs: Stabiliser;
  /** Per hour, in stabilised units. */
  offsets: Float64Array;
  weights: Float64Array[];
  /** Mean of each stabilised regressor over the window: the base of explanations. */
  means: Float64Array;
  /** Lowest and highest stabilised value of each hour's forecast. */
  bounds: Float64Array;
};

export function forecastLear(learned: LearState, row: Float64Array): Float64Array {
  const x = row.map((value, c) => (c < learned.inputs.median.length ? stabilised(learned.inputs, c, value) : value));
  return Float64Array.from({ length: DAY_HOURS }, (_, hour) => {
    const weights = learned.weights[hour]!;
    let sum = learned.offsets[hour]!;
    for (let c = 0; c < weights.length; c++) if (weights[c] !== 0) sum += weights[c]! * x[c]!;
    return restored(learned.outputs, hour, clamp(sum, learned.bounds, hour));
  });
}

const clamp = (value: number, bounds: Float64Array, hour: number): number =>
  Math.min(bounds[2 * hour + 1]!, Math.max(bounds[2 * hour]!, value));

/**
 * Contributions are linear in stabilised units; in the target's unit each is scaled by the slope of the chord from base
 * to forecast, so that they sum to the forecast.
 */
export function explainLear(
  learned: LearState,
  names: readonly string[],
  row: Float64Array,
  hour: number,
): Explanation {
  const weights = learned.weights[hour]!;
  let base = learned.offsets[hour]!;
  for (let c = 0; c < weights.length; c++) base += weights[c]! * learned.means[c]!;
  const parts: { c: number; adds: number }[] = [];
  let sum = base;
  for (let c = 0; c < weights.length; c++) {
    if (weights[c] === 0) continue;
    const x = c < learned.inputs.median.length ? stabilised(learned.inputs, c, row[c]!) : row[c]!;
    const adds = weights[c]! * (x - learned.means[c]!);
    if (adds !== 0) parts.push({ c, adds });
    sum += adds;
  }
  const [from, to] = [base, clamp(sum, learned.bounds, hour)].map((value) => restored(learned.outputs, hour, value));
  const slope =
    Math.abs(sum - base) < 1e-9 ? learned.outputs.scale[hour]! * Math.cosh(base) : (to! - from!) / (sum - base);
  const contributions = parts
    .map(({ c, adds }) => ({ feature: names[c]!, value: row[c]!, adds: adds * slope }))
    .sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds));
  return { base: from!, contributions };
}

type Stored = {
  inputs: { median: number[]; scale: number[] };
  outputs: { median: number[]; scale: number[] };
  offsets: number[];
  /** Per hour pairs of column and weight. */
  weights: [number, number][][];
  means: number[];
  bounds: number[];
};

export function serialiseLear(method: string, trained_day: number, learned: LearState): ForecasterState {
  const scaler = ({ median, scale }: Stabiliser) => ({ median: [...median], scale: [...scale] });
  const state: Stored = {
    inputs: scaler(learned.inputs),
    outputs: scaler(learned.outputs),
    offsets: [...learned.offsets],
    weights: learned.weights.map((weights) =>
      [...weights.entries()].filter(([, weight]) => weight !== 0).map(([c, weight]) => [c, weight]),
    ),
    means: [...learned.means],
    bounds: [...learned.bounds],
  };
  return { method, trained_day, state };
}

export function reviveLear({ method, state }: ForecasterState, expected: string): LearState {
  if (method !== expected)
    throw new InvalidDataError(`This is a model of ${method}, not of ${expected}.`, 'Train the model anew.');
  const stored = state as Stored;
  const scaler = ({ median, scale }: Stored['inputs']): Stabiliser => ({
    median: Float64Array.from(median),
    scale: Float64Array.from(scale),
  });
  return {
    inputs: scaler(stored.inputs),
    outputs: scaler(stored.outputs),
    offsets: Float64Array.from(stored.offsets),
    weights: stored.weights.map((pairs) => {
      const weights = new Float64Array(stored.means.length);
      for (const [c, weight] of pairs) weights[c] = weight;
      return weights;
    }),
    means: Float64Array.from(stored.means),
    bounds: Float64Array.from(stored.bounds),
  };
}
