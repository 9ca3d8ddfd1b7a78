/**
 * Mehrotra's predictor-corrector interior-point method for stage programs (S. Mehrotra, "On the implementation of a
 * primal-dual interior point method", SIAM J. Optim. 2 (1992) 575–601), with the normal equations solved along time by
 * ChainFactor. Only + − × ÷ and square roots are used and nothing looks at a clock, so the same program gives the same
 * bits on every machine.
 */
import { type ChainFactor, createChainFactor } from './chain-factor.ts';
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

type State = {
  program: StageProgram;
  /** Scaled cost. */
  c: Float64Array;
  free: Uint8Array;
  x: Float64Array;
  y: Float64Array;
  zl: Float64Array;
  zu: Float64Array;
  d: Float64Array;
  dx: Float64Array;
  dzl: Float64Array;
  dzu: Float64Array;
  dy: Float64Array;
  rp: Float64Array;
  rd: Float64Array;
  /** Second-order terms of the predictor. */
  cl: Float64Array;
  cu: Float64Array;
  work: Float64Array;
  left: Float64Array;
  /** Residual of a row that is as good as none. */
  accurate: number;
};

const TOLERANCE = 1e-8;
const ITERATIONS = 80;
/** Columns narrower than this are constants. */
const NARROW = 1e-9;
const REFINED = 0.05;
const REFINEMENTS = 4;
const STEP_BACK = 0.9995;
/** Keeps steps short where nothing else does, so that the normal matrix stays well conditioned (Friedlander and Orban 2012). */
const PROXIMAL = 1e-9;

/** Solves a stage program. The program must be feasible: soft limits are columns with a price, made by the caller. */
export function solveInterior(program: StageProgram, options: InteriorOptions = {}): LinearSolution {
  const tolerance = options.tolerance ?? TOLERANCE;
  const scale = costScale(program);
  const state = createState(program, scale, options.start);
  const chain = createChainFactor(program);
  const rhs_size = 1 + largest(program.rhs);
  let best: ({ merit: number } & InteriorPoint) | undefined;
  let warm: InteriorPoint | undefined;
  let iterations = 0;
  for (; iterations <= (options.iterations ?? ITERATIONS); iterations++) {
    residuals(state);
    const measure = measured(state, rhs_size);
    if (!best || measure.merit < best.merit) best = { merit: measure.merit, ...copied(state) };
    if (!warm && measure.gap <= WARM_GAP && measure.infeasibility <= WARM_GAP) warm = copied(state);
    if (measure.merit <= tolerance || !Number.isFinite(measure.merit)) break;
    if (measure.merit > best.merit * 1e6) break;
    iterate(state, chain);
  }
  if (best) Object.assign(state, { x: best.x, y: best.y, zl: best.zl, zu: best.zu });
  residuals(state);
  const last = measured(state, rhs_size);
  warm ??= copied(state);
  for (let i = 0; i < state.y.length; i++) state.y[i]! *= scale;
  for (const values of [warm.y, warm.zl, warm.zu]) for (let i = 0; i < values.length; i++) values[i]! *= scale;
  return {
    status: last.merit <= tolerance * 10 ? 'optimal' : 'iteration-limit',
    x: state.x,
    y: state.y,
    objective: last.primal * scale,
    bound: last.dual * scale,
    gap: last.gap,
    infeasibility: last.infeasibility,
    iterations,
    warm,
  };
}

function copied({ x, y, zl, zu }: State) {
  return { x: x.slice(), y: y.slice(), zl: zl.slice(), zu: zu.slice() };
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

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) if (Math.abs(value) > most) most = Math.abs(value);
  return most;
}

function createState(program: StageProgram, scale: number, start: InteriorOptions['start']): State {
  const { columns, cost, lower, upper } = program;
  const rows = program.rhs.length;
  const array = () => new Float64Array(columns);
  const state: State = {
    program,
    c: array(),
    free: new Uint8Array(columns),
    x: array(),
    y: new Float64Array(rows),
    zl: array(),
    zu: array(),
    d: array(),
    dx: array(),
    dzl: array(),
    dzu: array(),
    dy: new Float64Array(rows),
    rp: new Float64Array(rows),
    rd: array(),
    cl: array(),
    cu: array(),
    work: array(),
    left: new Float64Array(rows),
    accurate: 1e-10 * (1 + largest(program.rhs)),
  };
  if (start) for (let i = 0; i < rows; i++) state.y[i] = start.y[i]! / scale;
  for (let j = 0; j < columns; j++) {
    state.c[j] = cost[j]! / scale;
    const [lo, hi] = [lower[j]!, upper[j]!];
    if (hi - lo < NARROW) {
      state.x[j] = lo;
      continue;
    }
    state.free[j] = 1;
    if (start) beginWarm(state, j, start, scale);
    else beginCold(state, j);
  }
  return state;
}

function beginCold({ program, c, x, zl, zu }: State, j: number): void {
  const [lo, hi] = [program.lower[j]!, program.upper[j]!];
  x[j] = hi === Infinity ? lo + 1 : 0.5 * (lo + hi);
  zl[j] = Math.max(c[j]!, 0) + 1;
  zu[j] = hi === Infinity ? 0 : Math.max(-c[j]!, 0) + 1;
}

/** The former point, kept a little off the bounds, which may have moved. */
function beginWarm({ program, x, zl, zu }: State, j: number, start: InteriorPoint, scale: number): void {
  const [lo, hi] = [program.lower[j]!, program.upper[j]!];
  const away = hi === Infinity ? WARM_AWAY : Math.min(WARM_AWAY, 0.1 * (hi - lo));
  x[j] = Math.min(hi - away, Math.max(lo + away, start.x[j]!));
  zl[j] = Math.max(start.zl[j]! / scale, WARM_DUAL);
  zu[j] = hi === Infinity ? 0 : Math.max(start.zu[j]! / scale, WARM_DUAL);
}

/** Least distance to a bound (kW, kWh) and least dual of one at a warm start; the gap at which its point is taken. */
const WARM_AWAY = 1e-6;
const WARM_DUAL = 1e-6;
const WARM_GAP = 3e-2;

/** rp = rhs − A x, rd = c − Aᵀ y − zl + zu. */
function residuals({ program, x, y, zl, zu, c, free, rp, rd }: State): void {
  const { columns, start, row, coef, rhs } = program;
  rp.set(rhs);
  for (let j = 0; j < columns; j++) {
    const value = x[j]!;
    let reduced = c[j]!;
    const end = start[j + 1]!;
    for (let k = start[j]!; k < end; k++) {
      const [r, a] = [row[k]!, coef[k]!];
      rp[r]! -= a * value;
      reduced -= a * y[r]!;
    }
    rd[j] = free[j] === 1 ? reduced - zl[j]! + zu[j]! : 0;
  }
}

function measured({ program, c, x, y, zl, zu, free, rp, rd }: State, rhs_size: number) {
  const { columns, lower, upper, start, row, coef, rhs } = program;
  let [primal, dual] = [0, 0];
  for (let i = 0; i < rhs.length; i++) dual += rhs[i]! * y[i]!;
  for (let j = 0; j < columns; j++) {
    primal += c[j]! * x[j]!;
    if (free[j] === 1) {
      dual += lower[j]! * zl[j]! - (upper[j] === Infinity ? 0 : upper[j]! * zu[j]!);
      continue;
    }
    let reduced = c[j]!;
    for (let k = start[j]!; k < start[j + 1]!; k++) reduced -= coef[k]! * y[row[k]!]!;
    dual += reduced * x[j]!;
  }
  const gap = Math.abs(primal - dual) / (1 + Math.abs(primal));
  const infeasibility = Math.max(largest(rp) / rhs_size, largest(rd) / (1 + largest(c)));
  return { primal, dual, gap, infeasibility, merit: Math.max(gap, infeasibility) };
}

function iterate(state: State, chain: ChainFactor): void {
  const { program, x, zl, zu, d, free, cl, cu, dx, dzl, dzu } = state;
  const { columns, lower, upper } = program;
  let [complementarity, pairs] = [0, 0];
  for (let j = 0; j < columns; j++) {
    if (free[j] === 0) continue;
    const below = x[j]! - lower[j]!;
    let weight = zl[j]! / below;
    complementarity += zl[j]! * below;
    pairs++;
    if (upper[j] !== Infinity) {
      const above = upper[j]! - x[j]!;
      weight += zu[j]! / above;
      complementarity += zu[j]! * above;
      pairs++;
    }
    d[j] = 1 / (weight + PROXIMAL);
  }
  const mu = complementarity / Math.max(1, pairs);
  chain.factor(d);
  // Predictor: straight to the solution.
  cl.fill(0);
  cu.fill(0);
  direction(state, chain, 0, false);
  const [reach_p, reach_d] = reaches(state);
  let after = 0;
  for (let j = 0; j < columns; j++) {
    if (free[j] === 0) continue;
    after += (x[j]! + reach_p * dx[j]! - lower[j]!) * (zl[j]! + reach_d * dzl[j]!);
    if (upper[j] !== Infinity) after += (upper[j]! - x[j]! - reach_p * dx[j]!) * (zu[j]! + reach_d * dzu[j]!);
  }
  const ratio = after / Math.max(complementarity, 1e-300);
  const sigma = ratio * ratio * ratio;
  // Corrector: towards the centre, with the predictor's second-order error taken out.
  for (let j = 0; j < columns; j++) {
    cl[j] = dx[j]! * dzl[j]!;
    cu[j] = -dx[j]! * dzu[j]!;
  }
  direction(state, chain, sigma * mu, true);
  advance(state);
}

/** Newton direction for complementarity `target`, in dx, dy, dzl, dzu. */
function direction(state: State, chain: ChainFactor, target: number, exact: boolean): void {
  const { program, x, zl, zu, d, free, cl, cu, dx, dzl, dzu, dy, rp, rd, work } = state;
  const { columns, lower, upper, start, row, coef } = program;
  dy.set(rp);
  for (let j = 0; j < columns; j++) {
    if (free[j] === 0) continue;
    let push = (target - cl[j]!) / (x[j]! - lower[j]!) - zl[j]!;
    if (upper[j] !== Infinity) push -= (target - cu[j]!) / (upper[j]! - x[j]!) - zu[j]!;
    const g = rd[j]! - push;
    work[j] = g;
    const step = d[j]! * g;
    for (let k = start[j]!, end = start[j + 1]!; k < end; k++) dy[row[k]!]! += coef[k]! * step;
  }
  chain.solve(dy);
  primalStep(state);
  if (exact) refine(state, chain);
  for (let j = 0; j < columns; j++) {
    if (free[j] === 0) continue;
    const step = dx[j]!;
    const below = x[j]! - lower[j]!;
    dzl[j] = (target - cl[j]! - zl[j]! * step) / below - zl[j]!;
    if (upper[j] !== Infinity) dzu[j] = (target - cu[j]! + zu[j]! * step) / (upper[j]! - x[j]!) - zu[j]!;
  }
}

/** dx = D (Aᵀ dy − g), with g in `work`. */
function primalStep({ program, d, free, dx, dy, work }: State): void {
  const { columns, start, row, coef } = program;
  for (let j = 0; j < columns; j++) {
    if (free[j] === 0) continue;
    let pull = -work[j]!;
    for (let k = start[j]!, end = start[j + 1]!; k < end; k++) pull += coef[k]! * dy[row[k]!]!;
    dx[j] = d[j]! * pull;
  }
}

/** Late in the method the factor loses digits: solves again for what is left of the rows, while that helps. */
function refine(state: State, chain: ChainFactor): void {
  const { program, rp, dx, dy, left } = state;
  const { columns, start, row, coef } = program;
  const enough = Math.max(REFINED * largest(rp), state.accurate);
  let before = Infinity;
  for (let round = 0; round < REFINEMENTS; round++) {
    left.set(rp);
    for (let j = 0; j < columns; j++) {
      const value = dx[j]!;
      if (value === 0) continue;
      for (let k = start[j]!, end = start[j + 1]!; k < end; k++) left[row[k]!]! -= coef[k]! * value;
    }
    const now = largest(left);
    if (now <= enough || now > 0.5 * before) return;
    before = now;
    chain.solve(left);
    for (let i = 0; i < dy.length; i++) dy[i]! += left[i]!;
    primalStep(state);
  }
}

/** Longest primal and dual step that keeps everything positive, at most 1. */
function reaches({ program, x, zl, zu, dx, dzl, dzu, free }: State): [number, number] {
  const { columns, lower, upper } = program;
  let [p, q] = [1, 1];
  for (let j = 0; j < columns; j++) {
    if (free[j] === 0) continue;
    const step = dx[j]!;
    if (step < 0) {
      const room = (lower[j]! - x[j]!) / step;
      if (room < p) p = room;
    } else if (step > 0 && upper[j] !== Infinity) {
      const room = (upper[j]! - x[j]!) / step;
      if (room < p) p = room;
    }
    if (dzl[j]! < 0 && -zl[j]! > q * dzl[j]!) q = -zl[j]! / dzl[j]!;
    if (dzu[j]! < 0 && upper[j] !== Infinity && -zu[j]! > q * dzu[j]!) q = -zu[j]! / dzu[j]!;
  }
  return [p, q];
}

function advance(state: State): void {
  const { program, x, y, zl, zu, dx, dy, dzl, dzu, free } = state;
  const [p, q] = reaches(state);
  const [step, dual_step] = [p === 1 ? 1 : STEP_BACK * p, q === 1 ? 1 : STEP_BACK * q];
  for (let j = 0; j < program.columns; j++) {
    if (free[j] === 0) continue;
    x[j]! += step * dx[j]!;
    zl[j]! += dual_step * dzl[j]!;
    if (program.upper[j] !== Infinity) zu[j]! += dual_step * dzu[j]!;
  }
  for (let i = 0; i < y.length; i++) y[i]! += dual_step * dy[i]!;
}
