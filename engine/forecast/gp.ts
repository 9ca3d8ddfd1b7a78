/**
 * `gp`: the mean of a Gaussian process with a linear and a squared-exponential kernel (Rasmussen & Williams 2006,
 * chapters 2 and 4), that is kernel ridge regression, on inputs of the day to come. It bends where LEAR is straight and
 * forgets slowly, as time is one of its inputs. Neighbouring hours share one factorisation.
 */
import { InvalidDataError } from '../errors.ts';
import { createDayRows, type DayRows, LEAR_SPEC } from '../features/day-ahead.ts';
import { DAY_HOURS, type Panel } from '../features/panel.ts';
import { factorise, packedLength, solveFactored } from './cholesky.ts';
import { explainGp, forecastGp, type GpGroup, type GpKernel, type GpState, groupOf, kernelOf } from './gp-state.ts';
import type { ForecasterState, ForecastMethod, TrainedForecaster } from './port.ts';
import { fitStabiliser, stabilised } from './stabilise.ts';

export type GpOptions = GpKernel & {
  window_days: number;
  /** It learns anew after so many days; between, the newest days come in as inputs only. */
  refit_days: number;
  /** Hours that share inputs and a factorisation; divides 24. */
  hours_per_group: number;
  /** Variance of the noise as a share of the target's. */
  noise: number;
};
const DEFAULTS: GpOptions = {
  window_days: 1092,
  refit_days: 7,
  hours_per_group: 1,
  noise: 0.1,
  length: 1,
  linear: 0.3,
};
const LEAST_DAYS = 28;

export function createGp(options: Partial<GpOptions> = {}): ForecastMethod {
  const o = { ...DEFAULTS, ...options };
  const name = `gp-${o.window_days}/1`;
  return {
    name,
    train(panel, day, previous) {
      const age = previous ? day - previous.trained_day : -1;
      if (previous?.method === name && (panelOf.get(previous) ?? panel) === panel && age >= 0 && age < o.refit_days)
        return previous;
      const made = trained(name, day, train(o, panel, day), o);
      panelOf.set(made, panel);
      return made;
    },
    revive: (state) => revive(state, name, o),
  };
}

const panelOf = new WeakMap<TrainedForecaster, Panel>();

function trained(method: string, trained_day: number, state: GpState, o: GpOptions): TrainedForecaster {
  let kept: { panel: Panel; rows: DayRows } | undefined;
  const rowsOf = (panel: Panel) => {
    if (kept?.panel !== panel) kept = { panel, rows: createDayRows(panel, LEAR_SPEC) };
    return kept.rows;
  };
  const groups = groupsOf(state, o);
  return {
    method,
    trained_day,
    forecast: (panel, day) => forecastGp(state, groups, rowsOf(panel).row(day), panel.first_day + day, o),
    explain: (panel, day, hour) =>
      explainGp(state, groups, { row: rowsOf(panel).row(day), day_number: panel.first_day + day, hour, kernel: o }),
    serialise: () => serialise(method, trained_day, state),
  };
}

function groupsOf(state: GpState, o: GpOptions): GpGroup[] {
  const centre = (g: number) => g * o.hours_per_group + Math.floor(o.hours_per_group / 2);
  return Array.from({ length: DAY_HOURS / o.hours_per_group }, (_, g) => groupOf(state, centre(g)));
}

function train(o: GpOptions, panel: Panel, day: number): GpState {
  const rows = createDayRows(panel, LEAR_SPEC);
  const view = panel.viewAt(panel.origin(day));
  const targetOf = (d: number) => Float64Array.from({ length: DAY_HOURS }, (_, hour) => view.value(0, d, hour));
  const days: number[] = [];
  for (let d = Math.max(0, day - o.window_days); d < day; d++)
    if (![...rows.row(d), ...targetOf(d)].some(Number.isNaN)) days.push(d);
  if (days.length < LEAST_DAYS)
    throw new InvalidDataError(
      `${days.length} whole days are known before the forecast; the model needs ${LEAST_DAYS}.`,
      'Import older values, or wait until enough days were measured.',
    );
  const targets = days.map(targetOf);
  const state: GpState = {
    blocks: rows.blocks,
    rows: days.map((d) => rows.row(d)),
    day_numbers: days.map((d) => panel.first_day + d),
    outputs: fitStabiliser(
      Array.from({ length: DAY_HOURS }, (_, hour) => Float64Array.from(targets, (target) => target[hour]!)),
    ),
    hours: [],
  };
  const groups = groupsOf(state, o);
  for (let hour = 0; hour < DAY_HOURS; hour++)
    state.hours.push(standardHour(Float64Array.from(targets, (t) => stabilised(state.outputs, hour, t[hour]!))));
  for (const [g, group] of groups.entries()) {
    const factor = kernelMatrix(group, o);
    factorise(factor, days.length);
    for (let hour = g * o.hours_per_group; hour < (g + 1) * o.hours_per_group; hour++)
      solveFactored(factor, days.length, state.hours[hour]!.alpha);
  }
  return state;
}

/** The target of an hour with mean 0 and variance 1, in `alpha`, where the solution will replace it. */
function standardHour(values: Float64Array) {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length) || 1;
  const alpha = values.map((value) => (value - mean) / deviation);
  const low = alpha.reduce((a, b) => Math.min(a, b), Infinity) - 0.3;
  const high = alpha.reduce((a, b) => Math.max(a, b), -Infinity) + 0.3;
  return { mean, deviation, alpha, low, high };
}

function kernelMatrix(group: GpGroup, o: GpOptions): Float64Array {
  const n = group.rows.length;
  const matrix = new Float64Array(packedLength(n));
  for (let i = 0, at = 0; i < n; i++)
    for (let j = 0; j <= i; j++, at++) matrix[at] = kernelOf(group, group.rows[i]!, j, o) + (i === j ? o.noise : 0);
  return matrix;
}

type Stored = Omit<GpState, 'rows' | 'outputs' | 'hours'> & {
  rows: number[][];
  outputs: { median: number[]; scale: number[] };
  hours: { mean: number; deviation: number; alpha: number[]; low: number; high: number }[];
};

function serialise(method: string, trained_day: number, state: GpState): ForecasterState {
  const stored: Stored = {
    blocks: state.blocks.map((block) => ({ ...block })),
    day_numbers: [...state.day_numbers],
    rows: state.rows.map((row) => [...row]),
    outputs: { median: [...state.outputs.median], scale: [...state.outputs.scale] },
    hours: state.hours.map((hour) => ({ ...hour, alpha: [...hour.alpha] })),
  };
  return { method, trained_day, state: stored };
}

function revive({ method, trained_day, state }: ForecasterState, name: string, o: GpOptions): TrainedForecaster {
  if (method !== name)
    throw new InvalidDataError(`This is a model of ${method}, not of ${name}.`, 'Train the model anew.');
  const stored = state as Stored;
  const learned: GpState = {
    blocks: stored.blocks,
    day_numbers: stored.day_numbers,
    rows: stored.rows.map((row) => Float64Array.from(row)),
    outputs: {
      median: Float64Array.from(stored.outputs.median),
      scale: Float64Array.from(stored.outputs.scale),
    },
    hours: stored.hours.map((hour) => ({ ...hour, alpha: Float64Array.from(hour.alpha) })),
  };
  return trained(method, trained_day, learned, o);
}
