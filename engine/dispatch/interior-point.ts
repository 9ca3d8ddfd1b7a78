/**
 * Mehrotra's predictor-corrector interior-point method for stage programs (S. Mehrotra, "On the implementation of a
 * primal-dual interior point method", SIAM J. Optim. 2 (1992) 575–601), with the normal equations solved along time by
 * ChainFactor. Only + − × ÷ and square roots are used and nothing looks at a clock, so the same program gives the same
 * bits on every machine.
 */
import { type ChainFactor, createChainFactor } from './chain-factor.ts';
import {
  advance,
  conclude,
  correct,
  createDirection,
  type Direction,
  ENDLESS,
  type InteriorState,
  largest,
  measurePoint,
  predict,
} from './interior-state.ts';
import type { StageProgram } from './stage-program.ts';

export type LinearSolution = {
  /** `iteration-limit`: the best point found is given; see `gap` for how far from the optimum it may be. */
  status: 'optimal' | 'iteration-limit';
  x: Float64Array;
  /** Dual of each row: what one more unit of its right-hand side costs. */
  y: Float64Array;
  objective: number;
  /** Value of the dual solution: no plan can be cheaper, up to `infeasibility`. */
  bound: number;
  /** (objective − bound) / (1 + |objective|). */
  gap: number;
  /** Largest violated row and dual row, relative to the data. */
  infeasibility: number;
  iterations: number;
  /** A point on the way, well inside the bounds, that a similar program can start from. */
  warm: InteriorPoint;
};

/** Columns, rows, and the duals of lower and upper bounds. */
export type InteriorPoint = { x: Float64Array; y: Float64Array; zl: Float64Array; zu: Float64Array };

export type InteriorOptions = {
  /** Relative gap and infeasibility to reach; 1e-8 by default. */
  tolerance?: number;
  iterations?: number;
  /** A point on the way to the solution of a similar program (`warm` of the plan one slot ago, shifted). */
  start?: InteriorPoint;
};

const TOLERANCE = 1e-8;
const ITERATIONS = 80;
/** Columns narrower than this are constants. */
const NARROW = 1e-9;
const REFINED = 0.05;
const REFINEMENTS = 4;
const STEP_BACK = 0.9995;

/** Solves a stage program. The program must be feasible: soft limits are columns with a price, made by the caller. */
export function solveInterior(program: StageProgram, options: InteriorOptions = {}): LinearSolution {
  const tolerance = options.tolerance ?? TOLERANCE;
  const scale = costScale(program);
  const state = createState(program, scale, options.start);
  const { columns, rhs } = state.program;
  const method: Method = {
    state,
    chain: createChainFactor(state.program),
    step: createDirection(columns, rhs.length),
    accurate: 1e-10 * (1 + largest(program.rhs)),
    pairs: boundsOf(state),
  };
  const sizes = { rhs: 1 + largest(program.rhs), c: 1 + largest(program.cost) / scale };
  let best: ({ merit: number } & InteriorPoint) | undefined;
  let warm: InteriorPoint | undefined;
  let iterations = 0;
  for (; iterations <= (options.iterations ?? ITERATIONS); iterations++) {
    const measure = measurePoint(state, method.step.y, sizes);
    if (!best) best = { merit: measure.merit, ...copied(state) };
    else if (measure.merit < best.merit) keep(best, state, measure.merit);
    if (!warm && measure.gap <= WARM_GAP && measure.infeasibility <= WARM_GAP) warm = copied(state);
    if (measure.merit <= tolerance || !Number.isFinite(measure.merit)) break;
    if (measure.merit > best.merit * 1e6) break;
    iterate(method, measure.complementarity);
  }
  if (best) Object.assign(state, { x: best.x, y: best.y, zl: best.zl, zu: best.zu });
  const last = measurePoint(state, method.step.y, sizes);
  warm ??= copied(state);
  const found = whole(program, state, state, scale);
  return {
    status: last.merit <= tolerance * 10 ? 'optimal' : 'iteration-limit',
    x: found.x,
    y: found.y,
    objective: last.primal * scale,
    bound: last.dual * scale,
    gap: last.gap,
    infeasibility: last.infeasibility,
    iterations,
    warm: whole(program, state, warm, scale),
  };
}

type Method = {
  state: InteriorState;
  chain: ChainFactor;
  step: Direction;
  /** Residual of a row that is as good as none. */
  accurate: number;
  /** Number of bounds. */
  pairs: number;
};

function boundsOf({ bounded }: InteriorState): number {
  let count = bounded.length;
  for (let j = 0; j < bounded.length; j++) count += bounded[j]!;
  return Math.max(1, count);
}

function copied({ x, y, zl, zu }: InteriorPoint): InteriorPoint {
  return { x: x.slice(), y: y.slice(), zl: zl.slice(), zu: zu.slice() };
}

function keep(best: { merit: number } & InteriorPoint, { x, y, zl, zu }: InteriorPoint, merit: number): void {
  best.merit = merit;
  best.x.set(x);
  best.y.set(y);
  best.zl.set(zl);
  best.zu.set(zu);
}

/** A point of the state as one of the whole program, in its own money. */
function whole(program: StageProgram, { column }: InteriorState, point: InteriorPoint, scale: number): InteriorPoint {
  const [x, zl, zu] = [program.lower.slice(), new Float64Array(program.columns), new Float64Array(program.columns)];
  for (let j = 0; j < column.length; j++) {
    const at = column[j]!;
    x[at]! += point.x[j]!;
    zl[at] = point.zl[j]! * scale;
    zu[at] = point.zu[j]! * scale;
  }
  return { x, y: scaled(point.y, scale), zl, zu };
}

function costScale({ cost }: StageProgram): number {
  let sum = 0;
  let count = 0;
  for (const value of cost) {
    if (value === 0) continue;
    sum += Math.abs(value);
    count++;
  }
  return count === 0 ? 1 : sum / count;
}

function createState(program: StageProgram, scale: number, start: InteriorOptions['start']): InteriorState {
  const { column, c, width, bounded, constant, roomy } = withRoom(program, scale);
  const array = () => new Float64Array(column.length);
  const rows = () => new Float64Array(program.rhs.length);
  const state: InteriorState = {
    program: roomy,
    column,
    c,
    constant,
    width,
    bounded,
    x: array(),
    y: start ? scaled(start.y, 1 / scale) : rows(),
    zl: array(),
    zu: array(),
    sl: array(),
    su: array(),
    d: array(),
    reduced: array(),
    rp: rows(),
    tl: array(),
    tu: array(),
    g: array(),
    left: rows(),
  };
  if (start) beginWarm(state, start, program.lower, scale);
  else for (let j = 0; j < column.length; j++) beginCold(state, j);
  return state;
}

function scaled(values: Float64Array, by: number): Float64Array {
  const result = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = values[i]! * by;
  return result;
}

/** The program of the columns that have room, seen from their lower bounds. */
function withRoom(program: StageProgram, scale: number) {
  const { columns, cost, lower, upper, start, row, coef } = program;
  const rhs = program.rhs.slice();
  const [column, starts] = [new Int32Array(columns), new Int32Array(columns + 1)];
  const [rows, coefs] = [new Int32Array(row.length), new Float64Array(coef.length)];
  const [c, width, bounded] = [new Float64Array(columns), new Float64Array(columns), new Float64Array(columns)];
  let [count, entries, constant] = [0, 0, 0];
  for (let j = 0; j < columns; j++) {
    const from = lower[j]!;
    const space = upper[j]! - from;
    const room = space >= NARROW;
    if (from !== 0) constant += (cost[j]! / scale) * from;
    for (let k = start[j]!, end = start[j + 1]!; k < end; k++) {
      const r = row[k]!;
      if (from !== 0) rhs[r] = rhs[r]! - coef[k]! * from;
      if (!room) continue;
      rows[entries] = r;
      coefs[entries++] = coef[k]!;
    }
    if (!room) continue;
    c[count] = cost[j]! / scale;
    width[count] = space === Infinity ? ENDLESS : space;
    bounded[count] = space === Infinity ? 0 : 1;
    column[count++] = j;
    starts[count] = entries;
  }
  return {
    column: column.subarray(0, count),
    c: c.subarray(0, count),
    width: width.subarray(0, count),
    bounded: bounded.subarray(0, count),
    constant,
    roomy: { ...program, columns: count, rhs, start: starts, row: rows, coef: coefs },
  };
}

function beginCold({ c, width, bounded, x, zl, zu }: InteriorState, j: number): void {
  x[j] = bounded[j] === 0 ? 1 : 0.5 * width[j]!;
  zl[j] = Math.max(c[j]!, 0) + 1;
  zu[j] = bounded[j] === 0 ? 0 : Math.max(-c[j]!, 0) + 1;
}

/** The former point, kept a little off the bounds, which may have moved. */
function beginWarm(
  { column, width, bounded, x, zl, zu }: InteriorState,
  start: InteriorPoint,
  lower: Float64Array,
  scale: number,
): void {
  for (let j = 0; j < column.length; j++) {
    const at = column[j]!;
    const away = Math.min(WARM_AWAY, 0.1 * width[j]!);
    x[j] = Math.min(width[j]! - away, Math.max(away, start.x[at]! - lower[at]!));
    zl[j] = Math.max(start.zl[at]! / scale, WARM_DUAL);
    zu[j] = bounded[j] === 0 ? 0 : Math.max(start.zu[at]! / scale, WARM_DUAL);
  }
}

/** Least distance to a bound (kW, kWh) and least dual of one at a warm start; the gap at which its point is taken. */
const WARM_AWAY = 1e-6;
const WARM_DUAL = 1e-6;
const WARM_GAP = 1e-2;

function iterate({ state, chain, step, accurate, pairs }: Method, complementarity: number): void {
  chain.factor(state.d);
  // Predictor: straight to the solution.
  chain.solve(step.y);
  const after = predict(state, step.y, complementarity);
  const ratio = after / Math.max(complementarity, 1e-300);
  // Corrector: towards the centre, with the predictor's second-order error taken out.
  correct(state, (ratio * ratio * ratio * complementarity) / pairs, step.y);
  solved(state, chain, step, accurate);
  advance(state, step, STEP_BACK);
}

/** Late in the method the factor loses digits: solves again for what is left of the rows, while that helps. */
function solved(state: InteriorState, chain: ChainFactor, step: Direction, accurate: number): void {
  const { rp, left } = state;
  chain.solve(step.y);
  conclude(state, step);
  const enough = Math.max(REFINED * largest(rp), accurate);
  let before = Infinity;
  for (let round = 0; round < REFINEMENTS; round++) {
    const now = largest(left);
    if (now <= enough || now > 0.5 * before) return;
    before = now;
    chain.solve(left);
    for (let i = 0; i < left.length; i++) step.y[i] = step.y[i]! + left[i]!;
    conclude(state, step);
  }
}
