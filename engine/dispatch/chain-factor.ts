/**
 * The normal matrix A D Aᵀ of a stage program: block tridiagonal in time, where only stores link neighbouring slots.
 * Its Cholesky factor costs O(slots · rows³) and no fill-in arises (the Riccati recursion of model-predictive control;
 * C. V. Rao, S. J. Wright, J. B. Rawlings, "Application of interior-point methods to model predictive control", 1998).
 */
import type { StageProgram } from './stage-program.ts';

export type ChainFactor = {
  /** Assembles A D Aᵀ from the local columns and factors it. */
  factor(d: Float64Array): void;
  /** Solves in place for one right-hand side of slots · rows_per_slot values. */
  solve(rhs: Float64Array): void;
};

/** A pivot this small against its row belongs to a row without free columns: its unknown is held at zero. */
const PIVOT_MIN = 1e-14;
/** On the diagonal, so that rows that depend on each other do no harm; refinement takes its effect out again. */
const PROXIMAL = 1e-9;

export function createChainFactor(program: StageProgram): ChainFactor {
  const { slots, rows_per_slot: m, chain_rows: n } = program;
  const local = m - n;
  const places = createPlaces(program);
  const block = new Float64Array(slots * m * m);
  const link = new Float64Array(slots * n * m);
  const carry = new Float64Array(slots * n * m);
  const { first } = places;
  return {
    factor(d) {
      assemble(program, places, d, { block, link });
      for (let t = 0; t < slots; t++) {
        if (t > 0 && n > 0) {
          carryOver(block, (t - 1) * m * m, m, link, carry, t * n * m, first);
          subtractCarried(block, t * m * m, m, local, carry, t * n * m, first);
        }
        choleskyInPlace(block, t * m * m, m);
      }
    },
    solve(rhs) {
      for (let t = 0; t < slots; t++) {
        if (t > 0) forwardCarry(rhs, t, m, local, carry, first);
        forward(block, t * m * m, m, rhs, t * m);
      }
      for (let t = slots - 1; t >= 0; t--) {
        if (t < slots - 1) backwardCarry(rhs, t, m, local, carry, first);
        backward(block, t * m * m, m, rhs, t * m);
      }
    },
  };
}

type Assembled = { block: Float64Array; link: Float64Array };
type Places = {
  column: Int32Array;
  at: Int32Array;
  weight: Float64Array;
  link_from: number;
  /** First row of a slot that each chain row of the next is linked to. */
  first: Int32Array;
};

/** Where each product of two entries of a column goes: in the blocks, or (from `link_from` on) in the links. */
function createPlaces({ rows_per_slot: m, chain_rows: n, start, row, coef, columns }: StageProgram): Places {
  const first = Int32Array.from({ length: n }, (_, i) => m - n + i);
  let products = 0;
  for (let j = 0; j < columns; j++) {
    const entries = start[j + 1]! - start[j]!;
    products += (entries * (entries + 1)) / 2;
  }
  const [column, at, weight] = [new Int32Array(products), new Int32Array(products), new Float64Array(products)];
  // Blocks are filled in from the front, links from the back.
  let [front, back] = [0, products];
  for (let j = 0; j < columns; j++)
    for (let a = start[j]!, end = start[j + 1]!; a < end; a++)
      for (let b = start[j]!; b <= a; b++) {
        const low = Math.min(row[a]!, row[b]!);
        const high = Math.max(row[a]!, row[b]!);
        const t = Math.floor(low / m);
        const later = Math.floor(high / m);
        const place = later === t ? front++ : --back;
        column[place] = j;
        weight[place] = coef[a]! * coef[b]! * (a !== b && low === high ? 2 : 1);
        if (later === t) {
          at[place] = t * m * m + (high - t * m) * m + (low - t * m);
          continue;
        }
        const chain = high - later * m - (m - n);
        if (chain < 0 || later > t + 1) throw new Error(`column ${j} links slots other than by a chain row`);
        if (low - t * m < first[chain]!) first[chain] = low - t * m;
        at[place] = (later * n + chain) * m + (low - t * m);
      }
  return { column, at, weight, link_from: front, first };
}

function assemble({ slots, rows_per_slot: m }: StageProgram, places: Places, d: Float64Array, out: Assembled): void {
  const { column, at, weight, link_from } = places;
  const { block, link } = out;
  block.fill(0);
  link.fill(0);
  for (let t = 0; t < slots; t++) for (let r = 0; r < m; r++) block[t * m * m + r * (m + 1)] = PROXIMAL;
  for (let k = 0; k < link_from; k++) block[at[k]!]! += weight[k]! * d[column[k]!]!;
  for (let k = link_from; k < column.length; k++) link[at[k]!]! += weight[k]! * d[column[k]!]!;
}

/** X with X · Lᵀ = link, where L is the factored block before; row i of X begins at first[i]. */
function carryOver(
  block: Float64Array,
  before: number,
  m: number,
  link: Float64Array,
  carry: Float64Array,
  at: number,
  first: Int32Array,
): void {
  for (let i = 0; i < first.length; i++) {
    const [row, from] = [at + i * m, first[i]!];
    for (let j = from; j < m; j++) {
      let sum = link[row + j]!;
      const lower = before + j * m;
      for (let k = from; k < j; k++) sum -= carry[row + k]! * block[lower + k]!;
      carry[row + j] = sum / block[lower + j]!;
    }
  }
}

function subtractCarried(
  block: Float64Array,
  at: number,
  m: number,
  local: number,
  carry: Float64Array,
  from: number,
  first: Int32Array,
): void {
  for (let i = 0; i < first.length; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = Math.max(first[i]!, first[j]!); k < m; k++)
        sum += carry[from + i * m + k]! * carry[from + j * m + k]!;
      block[at + (local + i) * m + local + j]! -= sum;
    }
}

function choleskyInPlace(a: Float64Array, at: number, m: number): void {
  for (let j = 0; j < m; j++) {
    const whole = a[at + j * m + j]!;
    let pivot = whole;
    for (let k = 0; k < j; k++) pivot -= a[at + j * m + k]! * a[at + j * m + k]!;
    const root = Math.sqrt(Math.max(pivot, PIVOT_MIN * whole));
    a[at + j * m + j] = root;
    for (let i = j + 1; i < m; i++) {
      let sum = a[at + i * m + j]!;
      for (let k = 0; k < j; k++) sum -= a[at + i * m + k]! * a[at + j * m + k]!;
      a[at + i * m + j] = sum / root;
    }
  }
}

function forward(l: Float64Array, at: number, m: number, x: Float64Array, from: number): void {
  for (let i = 0; i < m; i++) {
    let sum = x[from + i]!;
    for (let k = 0; k < i; k++) sum -= l[at + i * m + k]! * x[from + k]!;
    x[from + i] = sum / l[at + i * m + i]!;
  }
}

function backward(l: Float64Array, at: number, m: number, x: Float64Array, from: number): void {
  for (let i = m - 1; i >= 0; i--) {
    let sum = x[from + i]!;
    for (let k = i + 1; k < m; k++) sum -= l[at + k * m + i]! * x[from + k]!;
    x[from + i] = sum / l[at + i * m + i]!;
  }
}

function forwardCarry(
  x: Float64Array,
  t: number,
  m: number,
  local: number,
  carry: Float64Array,
  first: Int32Array,
): void {
  const [here, before] = [t * m + local, (t - 1) * m];
  for (let i = 0; i < first.length; i++) {
    const row = (t * first.length + i) * m;
    let sum = 0;
    for (let k = first[i]!; k < m; k++) sum += carry[row + k]! * x[before + k]!;
    x[here + i]! -= sum;
  }
}

function backwardCarry(
  x: Float64Array,
  t: number,
  m: number,
  local: number,
  carry: Float64Array,
  first: Int32Array,
): void {
  const [here, after] = [t * m, (t + 1) * m + local];
  for (let i = 0; i < first.length; i++) {
    const row = ((t + 1) * first.length + i) * m;
    const weight = x[after + i]!;
    for (let k = first[i]!; k < m; k++) x[here + k]! -= carry[row + k]! * weight;
  }
}
