/**
 * `lear`: the LASSO-estimated autoregressive model of day-ahead prices (Uniejewski, Nowotarski & Weron 2016, Energies
 * 9(8); Lago et al. 2021, Applied Energy 293, 116983): for each hour one LASSO on prices of the days before and on
 * day-ahead forecasts, all stabilised by asinh, learned anew each day on a window of the newest days.
 *
 * What makes it cheap: all 24 hours share one Gram matrix; from day to day the window slides by one row added and one
 * taken away, and each LASSO starts from yesterday's weights. Scales and penalties are chosen anew every `choose_days`.
 */
import { InvalidDataError } from '../errors.ts';
import { createDayRows, type DayAheadSpec, type DayRows, LEAR_SPEC } from '../features/day-ahead.ts';
import { DAY_HOURS, type Panel } from '../features/panel.ts';
import { addRow, addRows, createGram, type Gram, standardise, standardiseTarget } from './gram.ts';
import {
  type Criterion,
  choosePenalty,
  createLassoState,
  type LassoProblem,
  type LassoState,
  restart,
  solveLasso,
} from './lasso.ts';
import { explainLear, forecastLear, type LearState, reviveLear, serialiseLear } from './lear-state.ts';
import type { ForecastMethod, TrainedForecaster } from './port.ts';
import { fitStabiliser, type Stabiliser, stabilised } from './stabilise.ts';

export type LearOptions = {
  /** Length of the window in days; shorter where less is known. */
  window_days: number;
  criterion: Criterion;
  /** Scales and penalties are chosen anew after so many days. */
  choose_days: number;
  /** Steps of the path of penalties, and the last as a share of the first. */
  steps: number;
  ratio: number;
  tolerance: number;
  spec: DayAheadSpec;
};
const DEFAULTS: LearOptions = {
  window_days: 1092,
  criterion: 'aicc',
  choose_days: 7,
  steps: 40,
  ratio: 3e-3,
  tolerance: 2e-4,
  spec: LEAR_SPEC,
};
const LEAST_DAYS = 28;

export function createLear(options: Partial<LearOptions> = {}): ForecastMethod {
  const chosen = { ...DEFAULTS, ...options };
  const name = `lear-${chosen.window_days}/1`;
  return {
    name,
    train: (panel, day, previous) => train(chosen, name, panel, day, previous),
    revive: (state) => {
      const learned = reviveLear(state, name);
      return trained(name, state.trained_day, createRowSource(chosen.spec), learned, null);
    },
  };
}

/** What sliding needs beside the weights; is not stored. */
type Carried = {
  panel: Panel;
  chosen_day: number;
  /** Stabilised rows of the window, oldest first, and their days. */
  xs: Float64Array[];
  ys: Float64Array[];
  days: number[];
  gram: Gram;
  lassos: LassoState[];
  penalties: Float64Array;
};
const carriedOf = new WeakMap<TrainedForecaster, Carried & { rows: DayRows; learned: LearState }>();

type RowSource = (panel: Panel) => DayRows;

/** Keeps the rows of the panel asked last. */
function createRowSource(spec: DayAheadSpec, first?: { panel: Panel; rows: DayRows }): RowSource {
  let kept = first;
  return (panel) => {
    if (kept?.panel !== panel) kept = { panel, rows: createDayRows(panel, spec) };
    return kept.rows;
  };
}

function train(o: LearOptions, name: string, panel: Panel, day: number, previous?: TrainedForecaster) {
  const before = previous && carriedOf.get(previous);
  const usable = before?.panel === panel && previous!.trained_day <= day ? before : undefined;
  const rows = usable?.rows ?? createDayRows(panel, o.spec);
  const fresh = !usable || day - usable.chosen_day >= o.choose_days;
  const learned = fresh ? scalesOf(o, panel, rows, day) : { ...usable.learned };
  const carried = fresh ? gather(o, panel, rows, day, learned) : usable;
  if (!fresh) {
    slide(o, panel, rows, previous!.trained_day, day, learned, carried);
    // Its sums moved on: who trains from it once more begins anew.
    carriedOf.delete(previous!);
  }
  fit(o, learned, carried, fresh);
  return trained(name, day, createRowSource(o.spec, { panel, rows }), learned, { ...carried, rows, learned });
}

function trained(
  method: string,
  trained_day: number,
  rowsOf: RowSource,
  learned: LearState,
  carried: (Carried & { rows: DayRows; learned: LearState }) | null,
): TrainedForecaster {
  const made: TrainedForecaster = {
    method,
    trained_day,
    forecast: (panel, day) => forecastLear(learned, rowsOf(panel).row(day)),
    explain: (panel, day, hour) => explainLear(learned, rowsOf(panel).names, rowsOf(panel).row(day), hour),
    serialise: () => serialiseLear(method, trained_day, learned),
  };
  if (carried) carriedOf.set(made, carried);
  return made;
}

const whole = (values: Float64Array): boolean => !values.some(Number.isNaN);

/** The 24 values of a target day as known when `day` is forecast. */
function targetOf(panel: Panel, of: number, day: number): Float64Array {
  const view = panel.viewAt(panel.origin(day));
  return Float64Array.from({ length: DAY_HOURS }, (_, hour) => view.value(0, of, hour));
}

/** Days of the window of which everything is known. */
function windowDays(o: LearOptions, panel: Panel, rows: DayRows, day: number): number[] {
  const days: number[] = [];
  for (let d = Math.max(0, day - o.window_days); d < day; d++)
    if (whole(rows.row(d)) && whole(targetOf(panel, d, day))) days.push(d);
  if (days.length >= LEAST_DAYS) return days;
  throw new InvalidDataError(
    `${days.length} whole days are known before the forecast; the model needs ${LEAST_DAYS}.`,
    'Import older values, or wait until enough days were measured.',
  );
}

function scalesOf(o: LearOptions, panel: Panel, rows: DayRows, day: number): LearState {
  const days = windowDays(o, panel, rows, day);
  const inputs = fitStabiliser(
    Array.from({ length: rows.dummies_from }, (_, c) => Float64Array.from(days, (d) => rows.row(d)[c]!)),
  );
  const targets = days.map((d) => targetOf(panel, d, day));
  const outputs = fitStabiliser(
    Array.from({ length: DAY_HOURS }, (_, hour) => Float64Array.from(targets, (target) => target[hour]!)),
  );
  return {
    inputs,
    outputs,
    offsets: new Float64Array(DAY_HOURS),
    weights: [],
    means: new Float64Array(rows.width),
    bounds: new Float64Array(2 * DAY_HOURS),
  };
}

function stabilisedRow(inputs: Stabiliser, row: Float64Array): Float64Array {
  const x = row.slice();
  for (let c = 0; c < inputs.median.length; c++) x[c] = stabilised(inputs, c, x[c]!);
  return x;
}

function gather(o: LearOptions, panel: Panel, rows: DayRows, day: number, learned: LearState): Carried {
  const days = windowDays(o, panel, rows, day);
  const xs = days.map((d) => stabilisedRow(learned.inputs, rows.row(d)));
  const ys = days.map((d) => targetOf(panel, d, day).map((value, hour) => stabilised(learned.outputs, hour, value)));
  const gram = createGram(rows.width, DAY_HOURS);
  addRows(gram, xs, ys);
  const lassos = Array.from({ length: DAY_HOURS }, () => createLassoState(rows.width));
  return { panel, chosen_day: day, xs, ys, days, gram, lassos, penalties: new Float64Array(DAY_HOURS) };
}

function slide(
  o: LearOptions,
  panel: Panel,
  rows: DayRows,
  from: number,
  day: number,
  learned: LearState,
  carried: Carried,
): void {
  for (let d = from; d < day; d++) {
    const [row, target] = [rows.row(d), targetOf(panel, d, day)];
    if (!whole(row) || !whole(target)) continue;
    carried.days.push(d);
    carried.xs.push(stabilisedRow(learned.inputs, row));
    carried.ys.push(target.map((value, hour) => stabilised(learned.outputs, hour, value)));
    addRow(carried.gram, carried.xs.at(-1)!, carried.ys.at(-1)!, 1);
  }
  while (carried.days[0]! < day - o.window_days) {
    carried.days.shift();
    addRow(carried.gram, carried.xs.shift()!, carried.ys.shift()!, -1);
  }
}

function fit(o: LearOptions, learned: LearState, carried: Carried, choose: boolean): void {
  const { gram, lassos, penalties } = carried;
  const columns = standardise(gram);
  learned.means = columns.mean;
  learned.weights = [];
  learned.offsets = new Float64Array(DAY_HOURS);
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    const target = standardiseTarget(gram, hour, columns);
    const problem: LassoProblem = { p: gram.p, n: gram.rows, gram: columns.matrix, xy: target.xy };
    const lasso = lassos[hour]!;
    if (choose) penalties[hour] = choosePenalty(problem, lasso, o);
    else restart(problem, lasso, lasso.weights.slice());
    solveLasso(problem, lasso, penalties[hour]!, o.tolerance);
    const weights = new Float64Array(gram.p);
    let offset = target.mean;
    for (let c = 0; c < gram.p; c++) {
      if (lasso.weights[c] === 0) continue;
      weights[c] = (lasso.weights[c]! * target.deviation) / columns.deviation[c]!;
      offset -= weights[c]! * columns.mean[c]!;
    }
    learned.weights.push(weights);
    learned.offsets[hour] = offset;
  }
  learned.bounds = boundsOf(carried.ys);
}

/** A forecast may leave the range of the window by its half, not more: sinh makes small excesses large. */
function boundsOf(ys: readonly Float64Array[]): Float64Array {
  const bounds = new Float64Array(2 * DAY_HOURS);
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    let [low, high] = [Infinity, -Infinity];
    for (const y of ys) {
      low = Math.min(low, y[hour]!);
      high = Math.max(high, y[hour]!);
    }
    bounds[2 * hour] = low - 0.25 * (high - low);
    bounds[2 * hour + 1] = high + 0.25 * (high - low);
  }
  return bounds;
}
