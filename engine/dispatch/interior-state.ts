/**
 * The vectors of the interior-point method, and its passes over them. A column is held as its distance to the lower
 * bound and columns without room are left out, so that a pass has no case in it: each goes over the columns once, does
 * all that can be done with them there and allocates nothing.
 */
import type { StageProgram } from './stage-program.ts';

export type InteriorState = {
  /** The columns that have room, lower bounds taken as zero. */
  program: StageProgram;
  /** Their numbers in the whole program. */
  column: Int32Array;
  c: Float64Array;
  /** Cost of the lower bounds. */
  constant: number;
  /** Distance between the bounds; `ENDLESS` without an upper one, where `bounded` is 0 rather than 1. */
  width: Float64Array;
  bounded: Float64Array;
  x: Float64Array;
  y: Float64Array;
  zl: Float64Array;
  zu: Float64Array;
  /** Inverse distances to the bounds. */
  sl: Float64Array;
  su: Float64Array;
  /** Inverse weights of the normal matrix. */
  d: Float64Array;
  /** c − Aᵀ y. */
  reduced: Float64Array;
  /** rhs − A x. */
  rp: Float64Array;
  /** What the products of distance and dual are to become, less the second-order terms. */
  tl: Float64Array;
  tu: Float64Array;
  g: Float64Array;
  left: Float64Array;
};

export type Direction = {
  x: Float64Array;
  y: Float64Array;
  zl: Float64Array;
  zu: Float64Array;
  /** Longest primal and dual steps that keep everything positive, at most 1. */
  primal: number;
  dual: number;
};

/** What a point is like. */
export type Measure = {
  primal: number;
  dual: number;
  gap: number;
  infeasibility: number;
  merit: number;
  /** Sum of the products of distances and duals. */
  complementarity: number;
};

export const ENDLESS = 1e300;
/** Keeps steps short where nothing else does, so that the normal matrix stays well conditioned (Friedlander and Orban 2012). */
const PROXIMAL = 1e-9;

export function largest(values: Float64Array): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) {
    const value = Math.abs(values[i]!);
    if (value > most) most = value;
  }
  return most;
}

export function createDirection(columns: number, rows: number): Direction {
  const array = () => new Float64Array(columns);
  return { x: array(), y: new Float64Array(rows), zl: array(), zu: array(), primal: 0, dual: 0 };
}

/** Residuals, weights and measure of the point; the predictor's right-hand side goes to `rhs`. */
export function measurePoint(state: InteriorState, rhs: Float64Array, sizes: { rhs: number; c: number }): Measure {
  const { program, c, width, bounded, x, y, zl, zu, sl, su, d, reduced, rp } = state;
  const { columns, start, row, coef } = program;
  rp.set(program.rhs);
  rhs.fill(0);
  let [primal, dual, complementarity, off] = [state.constant, state.constant, 0, 0];
  for (let i = 0; i < y.length; i++) dual += rp[i]! * y[i]!;
  let k = 0;
  for (let j = 0; j < columns; j++) {
    const value = x[j]!;
    const [lower, upper, end, from] = [zl[j]!, zu[j]!, start[j + 1]!, k];
    let rest = c[j]!;
    primal += rest * value;
    for (; k < end; k++) {
      const r = row[k]!;
      const a = coef[k]!;
      rp[r] = rp[r]! - a * value;
      rest -= a * y[r]!;
    }
    const above = width[j]! - value;
    const below_inverse = 1 / value;
    const above_inverse = bounded[j]! / above;
    const weight = 1 / (lower * below_inverse + upper * above_inverse + PROXIMAL);
    const wrong = Math.abs(rest - lower + upper);
    if (wrong > off) off = wrong;
    dual -= width[j]! * upper;
    complementarity += lower * value + upper * above;
    sl[j] = below_inverse;
    su[j] = above_inverse;
    d[j] = weight;
    reduced[j] = rest;
    const pull = weight * rest;
    for (k = from; k < end; k++) {
      const r = row[k]!;
      rhs[r] = rhs[r]! + coef[k]! * pull;
    }
  }
  for (let i = 0; i < rhs.length; i++) rhs[i] = rhs[i]! + rp[i]!;
  const gap = Math.abs(primal - dual) / (1 + Math.abs(primal));
  const infeasibility = Math.max(largest(rp) / sizes.rhs, off / sizes.c);
  return { primal, dual, gap, infeasibility, merit: Math.max(gap, infeasibility), complementarity };
}

/**
 * The predictor's primal and dual direction from its solved `y`: straight to the solution. Its second-order terms are
 * left in `tl` and `tu`.
 * @returns the sum of the products of distances and duals after its longest steps.
 */
export function predict(state: InteriorState, dy: Float64Array, complementarity: number): number {
  const { program, width, x, zl, zu, sl, su, d, reduced, tl, tu } = state;
  const { columns, start, row, coef } = program;
  let [most, least, by_x, by_z, by_both] = [0, 0, 0, 0, 0];
  let k = 0;
  for (let j = 0; j < columns; j++) {
    let pull = -reduced[j]!;
    for (const end = start[j + 1]!; k < end; k++) pull += coef[k]! * dy[row[k]!]!;
    const move = d[j]! * pull;
    const [lower, upper] = [zl[j]!, zu[j]!];
    // Relative to the distance to the bounds: below −1 or above 1 is through them.
    const down = move * sl[j]!;
    const up = move * su[j]!;
    if (-down > most) most = -down;
    if (up > most) most = up;
    if (down > least) least = down;
    if (-up > least) least = -up;
    const lower_move = -lower * down - lower;
    const upper_move = upper * up - upper;
    by_x += move * (lower - upper);
    by_z += x[j]! * lower_move + (width[j]! - x[j]!) * upper_move;
    by_both += move * (lower_move - upper_move);
    tl[j] = -move * lower_move;
    tu[j] = move * upper_move;
  }
  const p = most > 1 ? 1 / most : 1;
  const q = 1 / (1 + least);
  return Math.max(0, complementarity + p * by_x + q * by_z + p * q * by_both);
}

/** Adds the centre to the predictor's second-order terms; right-hand side of the corrector in `rhs`. */
export function correct(state: InteriorState, target: number, rhs: Float64Array): void {
  const { program, sl, su, d, reduced, rp, tl, tu, g } = state;
  const { columns, start, row, coef } = program;
  rhs.set(rp);
  let k = 0;
  for (let j = 0; j < columns; j++) {
    const [lower, upper] = [tl[j]! + target, tu[j]! + target];
    tl[j] = lower;
    tu[j] = upper;
    const rest = reduced[j]! - lower * sl[j]! + upper * su[j]!;
    g[j] = rest;
    const pull = d[j]! * rest;
    for (const end = start[j + 1]!; k < end; k++) {
      const r = row[k]!;
      rhs[r] = rhs[r]! + coef[k]! * pull;
    }
  }
}

/** Direction and its longest steps from its solved `y`; what it leaves of the rows goes to `left`. */
export function conclude(state: InteriorState, step: Direction): void {
  const { program, zl, zu, sl, su, d, rp, tl, tu, g, left } = state;
  const { columns, start, row, coef } = program;
  const [dx, dy, dzl, dzu] = [step.x, step.y, step.zl, step.zu];
  left.set(rp);
  let [most, steepest] = [1, 1];
  let k = 0;
  for (let j = 0; j < columns; j++) {
    const [from, end] = [k, start[j + 1]!];
    let pull = -g[j]!;
    for (; k < end; k++) pull += coef[k]! * dy[row[k]!]!;
    const move = d[j]! * pull;
    for (k = from; k < end; k++) {
      const r = row[k]!;
      left[r] = left[r]! - coef[k]! * move;
    }
    const [lower, upper] = [zl[j]!, zu[j]!];
    const down = move * sl[j]!;
    const up = move * su[j]!;
    if (-down > most) most = -down;
    if (up > most) most = up;
    const lower_move = tl[j]! * sl[j]! - lower * down - lower;
    const upper_move = tu[j]! * su[j]! + upper * up - upper;
    if (-lower_move > steepest * lower) steepest = -lower_move / lower;
    if (-upper_move > steepest * upper) steepest = -upper_move / upper;
    dx[j] = move;
    dzl[j] = lower_move;
    dzu[j] = upper_move;
  }
  step.primal = 1 / most;
  step.dual = 1 / steepest;
}

/** Goes along a direction. */
export function advance(state: InteriorState, step: Direction, back: number): void {
  const { x, y, zl, zu } = state;
  const [dx, dy, dzl, dzu] = [step.x, step.y, step.zl, step.zu];
  const p = step.primal === 1 ? 1 : back * step.primal;
  const q = step.dual === 1 ? 1 : back * step.dual;
  for (let j = 0; j < x.length; j++) {
    x[j] = x[j]! + p * dx[j]!;
    zl[j] = zl[j]! + q * dzl[j]!;
    zu[j] = zu[j]! + q * dzu[j]!;
  }
  for (let i = 0; i < y.length; i++) y[i] = y[i]! + q * dy[i]!;
}
