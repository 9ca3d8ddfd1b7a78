/** What a Gaussian process has learned: how it forecasts and explains itself. */
import type { DayBlock } from '../features/day-ahead.ts';
import { DAY_HOURS } from '../features/panel.ts';
import { CALENDAR_NAMES, type GpInput, gpInputs, inputValue, writeCalendar } from './gp-inputs.ts';
import type { Explanation } from './port.ts';
import { fitStabiliser, restored, type Stabiliser, stabilised } from './stabilise.ts';

export type GpKernel = {
  /** Length scale, in units of the weighted inputs' typical distance. */
  length: number;
  /** Share of the linear kernel beside the squared-exponential one, whose share is 1. */
  linear: number;
};

export type GpState = {
  blocks: readonly DayBlock[];
  /** Rows of the window's days, as they came. */
  rows: Float64Array[];
  day_numbers: number[];
  outputs: Stabiliser;
  /** Per hour: scale of the stabilised target, weights of the window's days, and bounds of the standardised forecast. */
  hours: { mean: number; deviation: number; alpha: Float64Array; low: number; high: number }[];
};

/** The inputs of neighbouring hours: computed from the state, not stored. */
export type GpGroup = {
  inputs: GpInput[];
  stabiliser: Stabiliser;
  mean: Float64Array;
  deviation: Float64Array;
  /** Σ weight² of the inputs: typical squared distance. */
  spread: number;
  rows: Float64Array[];
  squares: Float64Array;
};

export function groupOf(state: GpState, hour: number): GpGroup {
  const inputs = gpInputs(state.blocks, Math.min(hour, DAY_HOURS - 1));
  const columns = inputs.map((input) => Float64Array.from(state.rows, (row) => inputValue(input, row)));
  const stabiliser = fitStabiliser(columns);
  const tamed = columns.map((column, c) => column.map((value) => stabilised(stabiliser, c, value)));
  const mean = Float64Array.from(tamed, (column) => column.reduce((a, b) => a + b, 0) / column.length);
  const deviation = Float64Array.from(
    tamed,
    (column, c) => Math.sqrt(column.reduce((sum, value) => sum + (value - mean[c]!) ** 2, 0) / column.length) || 1,
  );
  const spread = inputs.reduce((sum, { weight }) => sum + weight * weight, 0);
  const group: GpGroup = { inputs, stabiliser, mean, deviation, spread, rows: [], squares: new Float64Array(0) };
  group.rows = state.rows.map((row, i) => placeOf(group, row, state.day_numbers[i]!));
  group.squares = Float64Array.from(group.rows, (row) => row.reduce((sum, value) => sum + value * value, 0));
  return group;
}

/** A day's weighted inputs and calendar. */
export function placeOf(group: GpGroup, row: Float64Array, day_number: number): Float64Array {
  const { inputs, stabiliser, mean, deviation } = group;
  const place = new Float64Array(inputs.length + CALENDAR_NAMES.length);
  for (const [c, input] of inputs.entries())
    place[c] = (input.weight * (stabilised(stabiliser, c, inputValue(input, row)) - mean[c]!)) / deviation[c]!;
  writeCalendar(place, inputs.length, day_number);
  return place;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/** Kernel of a place with day `j` of the window. */
export function kernelOf(
  group: GpGroup,
  place: Float64Array,
  j: number,
  kernel: GpKernel,
  square = dot(place, place),
): number {
  const product = dot(place, group.rows[j]!);
  const distance = Math.max(0, square + group.squares[j]! - 2 * product);
  return (
    Math.exp(-distance / (2 * kernel.length * kernel.length * group.spread)) + (kernel.linear * product) / group.spread
  );
}

export function forecastGp(
  state: GpState,
  groups: readonly GpGroup[],
  row: Float64Array,
  day_number: number,
  kernel: GpKernel,
): Float64Array {
  const perGroup = DAY_HOURS / groups.length;
  const made = new Float64Array(DAY_HOURS);
  for (const [g, group] of groups.entries()) {
    const place = placeOf(group, row, day_number);
    const square = dot(place, place);
    const near = Float64Array.from(group.rows, (_, j) => kernelOf(group, place, j, kernel, square));
    for (let hour = g * perGroup; hour < (g + 1) * perGroup; hour++)
      made[hour] = inUnits(state, hour, dot(near, state.hours[hour]!.alpha));
  }
  return made;
}

/** From standardised units to the target's. */
function inUnits({ hours, outputs }: GpState, hour: number, value: number): number {
  const { mean, deviation, low, high } = hours[hour]!;
  return restored(outputs, hour, mean + deviation * Math.min(high, Math.max(low, value)));
}

const STEPS = 24;

/**
 * Integrated gradients (Sundararajan, Taly & Yan 2017, ICML) on the straight way from the window's mean day to this one;
 * what the sum over steps leaves over is shared in proportion, so that base and contributions sum to the forecast.
 */
export function explainGp(
  state: GpState,
  groups: readonly GpGroup[],
  asked: { row: Float64Array; day_number: number; hour: number; kernel: GpKernel },
): Explanation {
  const { row, day_number, hour, kernel } = asked;
  const group = groups[Math.floor((hour * groups.length) / DAY_HOURS)]!;
  const { alpha } = state.hours[hour]!;
  const place = placeOf(group, row, day_number);
  const middle = new Float64Array(place.length);
  for (const known of group.rows) for (let k = 0; k < middle.length; k++) middle[k]! += known[k]! / group.rows.length;
  const slopes = new Float64Array(place.length);
  for (let step = 0; step < STEPS; step++) {
    const share = (step + 0.5) / STEPS;
    addGradient(
      group,
      alpha,
      middle.map((value, k) => value + share * (place[k]! - value)),
      kernel,
      slopes,
    );
  }
  const adds = slopes.map((slope, k) => (slope / STEPS) * (place[k]! - middle[k]!));
  const valueAt = (where: Float64Array) =>
    inUnits(
      state,
      hour,
      group.rows.reduce((sum, _, j) => sum + alpha[j]! * kernelOf(group, where, j, kernel), 0),
    );
  return shareOut(group, row, adds, valueAt(middle), valueAt(place));
}

function addGradient(
  group: GpGroup,
  alpha: Float64Array,
  at: Float64Array,
  kernel: GpKernel,
  into: Float64Array,
): void {
  const scale = kernel.length * kernel.length * group.spread;
  for (const [j, known] of group.rows.entries()) {
    let distance = 0;
    for (let k = 0; k < at.length; k++) distance += (at[k]! - known[k]!) ** 2;
    const near = (alpha[j]! * Math.exp(-distance / (2 * scale))) / scale;
    const straight = (alpha[j]! * kernel.linear) / group.spread;
    for (let k = 0; k < at.length; k++) into[k]! += near * (known[k]! - at[k]!) + straight * known[k]!;
  }
}

function shareOut(group: GpGroup, row: Float64Array, adds: Float64Array, base: number, forecast: number): Explanation {
  const sum = adds.reduce((a, b) => a + b, 0);
  const size = adds.reduce((a, b) => a + Math.abs(b), 0);
  // Chord slope where the contributions agree in direction; else the gap is spread by size.
  const slope = Math.abs(sum) > 0.2 * size ? (forecast - base) / sum : 0;
  const parts =
    slope > 0
      ? adds.map((value) => value * slope)
      : adds.map((value) => value + (size === 0 ? 0 : ((forecast - base - sum) * Math.abs(value)) / size));
  const contributions = [...parts.entries()]
    .filter(([, part]) => part !== 0)
    .map(([k, part]) => {
      const input = group.inputs[k];
      return input
        ? { feature: input.name, value: inputValue(input, row), adds: part }
        : { feature: CALENDAR_NAMES[k - group.inputs.length]!, value: 1, adds: part };
    })
    .sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds));
  return { base, contributions };
}
