/**
 * What no linear program can say: a store never charges and discharges in one slot even where losses would pay, the
 * site never buys to sell, some devices run at a least power or not at all, and for least times. The linear program
 * without these rules is solved first; only where its solution breaks one, the rule is added and branched on.
 */
import { type LinearSolution, solveInterior } from './interior-point.ts';
import type { MixedLimits, MixedProgram, MixedRow, MixedSolver } from './mixed-program.ts';
import type { PlanInput, PlanProof, RunningRules } from './site.ts';
import { GRID, GRID_KINDS, type SiteProgram, STORE, STORE_KINDS } from './site-program.ts';
import type { StageProgram } from './stage-program.ts';

export type Settled = { solution: LinearSolution; bound: number; method: PlanProof['method'] };

/** The declared gap of plans with yes-or-no decisions; 1e-3 is four to five times faster than 1e-4. */
export const MIXED_LIMITS: MixedLimits = { gap: 1e-3, nodes: 2000 };
/** Decisions are branched on this far ahead; further ahead they are rounded, for they will be planned again. */
const BRANCHED_SLOTS = 192;
const ROUNDS = 4;
const ON_kW = 1e-4;
/** Both directions at once below this are crumbs that carrying out leaves out at no cost. */
const BOTH_kW = 1e-3;

/** @returns the cheapest solution found that keeps the rules, and what none can be cheaper than. */
export function settle(
  input: PlanInput,
  site: SiteProgram,
  relaxed: LinearSolution,
  mixed: MixedSolver | undefined,
): Settled {
  if (!breaksRules(input, site, relaxed.x))
    return { solution: relaxed, bound: relaxed.bound, method: 'interior-point' };
  const branched = mixed ? branch(input, site, relaxed, mixed) : undefined;
  return branched ?? round(input, site, relaxed);
}

type Pair = { a: number; b: number };

/** Pairs of columns of a slot of which one must be zero, where having both could pay. */
function pairsOf(input: PlanInput, { stores, kinds, column }: SiteProgram, t: number): Pair[] {
  const pairs: Pair[] = [];
  const at = t * kinds;
  const [buy, sell] = [column[at + GRID.import]!, column[at + GRID.export]!];
  if (buy >= 0 && sell >= 0 && input.export_price[t]! > input.import_price[t]!) pairs.push({ a: buy, b: sell });
  for (let i = 0; i < stores.length; i++) {
    const store = at + GRID_KINDS + STORE_KINDS * i;
    const [a, b] = [column[store + STORE.charge]!, column[store + STORE.discharge]!];
    if (a >= 0 && b >= 0) pairs.push({ a, b });
  }
  return pairs;
}

/** Whether a solution does both of a pair where that is no crumb: with a positive price it never pays and nets out. */
function breaksPair({ a, b }: Pair, x: Float64Array): boolean {
  return x[a]! > BOTH_kW && x[b]! > BOTH_kW;
}

function breaksRules(input: PlanInput, site: SiteProgram, x: Float64Array): boolean {
  const slots = input.import_price.length;
  for (let t = 0; t < slots; t++) if (pairsOf(input, site, t).some((pair) => breaksPair(pair, x))) return true;
  return site.stores.some((store, i) => {
    if (
      store.running &&
      (store.running.min_on_min > 0 || store.running.min_off_min > 0 || store.running.max_starts !== null)
    )
      return true;
    if (store.min_kW === 0) return false;
    for (let t = 0; t < slots; t++) {
      const c = chargeColumn(site, i, t);
      if (c >= 0 && x[c]! > ON_kW && x[c]! < store.min_kW - ON_kW) return true;
    }
    return false;
  });
}

const chargeColumn = ({ column, kinds }: SiteProgram, i: number, t: number) =>
  column[t * kinds + GRID_KINDS + STORE_KINDS * i + STORE.charge]!;

function branch(input: PlanInput, site: SiteProgram, relaxed: LinearSolution, mixed: MixedSolver): Settled | undefined {
  const all = input.import_price.length;
  const slots = Math.min(all, BRANCHED_SLOTS);
  const program = mixedProgram(input, site, relaxed, slots);
  const found = mixed(program, MIXED_LIMITS);
  if (found.status === 'infeasible') return undefined;
  const x = found.x.slice(0, site.program.columns);
  const bound = Math.max(found.bound, relaxed.bound);
  const solution: LinearSolution = { ...relaxed, x, objective: found.objective, bound };
  if (slots === all) return { solution, bound, method: 'branch-and-bound' };
  const fixed = withBounds(site.program);
  fixDecisions(site, fixed, x, input, slots);
  const rest = round(input, { ...site, program: fixed }, solveInterior(fixed));
  return { ...rest, bound, method: 'branch-and-bound' };
}

/** Where energy has a negative price, or could come to have one because too much is there. */
function burningPays(input: PlanInput, site: SiteProgram, { y }: LinearSolution, t: number): boolean {
  return input.import_price[t]! < 0 || input.export_price[t]! < 0 || y[t * site.program.rows_per_slot]! < 1e-6;
}

/** The program of a site with its decisions in the first `slots` slots as binaries. */
export function mixedProgram(
  input: PlanInput,
  site: SiteProgram,
  relaxed: LinearSolution,
  slots: number,
): MixedProgram {
  const rows: MixedRow[] = [];
  let binaries = 0;
  const base = site.program;
  const binary = () => base.columns + binaries++;
  const most = largestPower(base);
  for (let t = 0; t < slots; t++)
    for (const { a, b } of pairsOf(input, site, t)) {
      if (a !== site.column[t * site.kinds + GRID.import]! && !burningPays(input, site, relaxed, t)) continue;
      const z = binary();
      rows.push({ lower: -Infinity, upper: 0, columns: [a, z], coefs: [1, -Math.min(base.upper[a]!, most)] });
      const limit = Math.min(base.upper[b]!, most);
      rows.push({ lower: -Infinity, upper: limit, columns: [b, z], coefs: [1, limit] });
    }
  site.stores.forEach((store, i) => {
    if (store.min_kW === 0 && !store.running) return;
    const on: number[] = [];
    for (let t = 0; t < slots; t++) {
      const c = chargeColumn(site, i, t);
      const z = binary();
      on.push(z);
      if (c < 0) {
        rows.push({ lower: 0, upper: 0, columns: [z], coefs: [1] });
        continue;
      }
      rows.push({ lower: -Infinity, upper: 0, columns: [c, z], coefs: [1, -base.upper[c]!] });
      if (store.min_kW > 0) rows.push({ lower: 0, upper: Infinity, columns: [c, z], coefs: [1, -store.min_kW] });
    }
    if (store.running) runningRows(store.running, on, input.slot_min, binary, rows);
  });
  return { base, binaries, rows };
}

function runningRows(
  rules: RunningRules,
  on: readonly number[],
  slot_min: number,
  binary: () => number,
  rows: MixedRow[],
): void {
  const least_on = Math.ceil(rules.min_on_min / slot_min);
  const least_off = Math.ceil(rules.min_off_min / slot_min);
  const start = on.map(() => binary());
  for (let t = 0; t < on.length; t++) {
    // A start is where it was off and is on: start ≥ on − on before.
    if (t === 0) rows.push({ lower: rules.on ? -1 : 0, upper: Infinity, columns: [start[0]!, on[0]!], coefs: [1, -1] });
    else rows.push({ lower: 0, upper: Infinity, columns: [start[t]!, on[t]!, on[t - 1]!], coefs: [1, -1, 1] });
    if (least_on > 1) {
      const recent = start.slice(Math.max(0, t - least_on + 1), t + 1);
      rows.push({ lower: -Infinity, upper: 0, columns: [...recent, on[t]!], coefs: [...recent.map(() => 1), -1] });
    }
    if (least_off > 1 && t >= least_off) {
      const recent = start.slice(t - least_off + 1, t + 1);
      rows.push({
        lower: -Infinity,
        upper: 1,
        columns: [...recent, on[t - least_off]!],
        coefs: [...recent.map(() => 1), 1],
      });
    } else if (least_off > 1 && rules.on) {
      const recent = start.slice(0, t + 1);
      rows.push({ lower: -Infinity, upper: 0, columns: recent, coefs: recent.map(() => 1) });
    }
  }
  if (rules.max_starts !== null)
    rows.push({ lower: 0, upper: rules.max_starts, columns: start, coefs: start.map(() => 1) });
  // What it has begun it goes on with until its least time is over.
  const since = Math.floor(rules.since_min / slot_min);
  const held = (rules.on ? least_on : least_off) - since;
  for (let t = 0; t < Math.min(on.length, held); t++)
    rows.push({ lower: +rules.on, upper: +rules.on, columns: [on[t]!], coefs: [1] });
}

/** More than any column can need: what all loads and devices draw or give together. */
function largestPower({ upper, rhs }: StageProgram): number {
  let [most, fixed] = [0, 0];
  for (const value of upper) if (value !== Infinity && value > most) most = value;
  for (const value of rhs) if (Math.abs(value) > fixed) fixed = Math.abs(value);
  return 10 * (most + fixed + 1);
}

function withBounds(program: StageProgram): StageProgram {
  return { ...program, lower: program.lower.slice(), upper: program.upper.slice() };
}

/** Holds the decisions of `x` in the first slots: what is off stays off, what runs keeps its least power. */
function fixDecisions(
  site: SiteProgram,
  program: StageProgram,
  x: Float64Array,
  input: PlanInput,
  slots: number,
): void {
  for (let t = 0; t < slots; t++) {
    for (const { a, b } of pairsOf(input, site, t)) program.upper[x[a]! >= x[b]! ? b : a] = 0;
    site.stores.forEach((store, i) => {
      const c = chargeColumn(site, i, t);
      if (c < 0 || (store.min_kW === 0 && !store.running)) return;
      if (x[c]! > store.min_kW / 2 + ON_kW) program.lower[c] = Math.min(store.min_kW, program.upper[c]!);
      else program.upper[c] = 0;
    });
  }
}

/** Takes for each broken rule the side that the solution leans to, and solves again. */
function round(input: PlanInput, site: SiteProgram, relaxed: LinearSolution): Settled {
  const program = withBounds(site.program);
  let solution = relaxed;
  for (let k = 0; k < ROUNDS; k++) {
    let changed = false;
    for (let t = 0; t < input.import_price.length; t++)
      for (const pair of pairsOf(input, site, t)) {
        if (!breaksPair(pair, solution.x)) continue;
        program.upper[solution.x[pair.a]! >= solution.x[pair.b]! ? pair.b : pair.a] = 0;
        changed = true;
      }
    if (!changed) break;
    const next = solveInterior(program);
    if (next.infeasibility > 1e-4) break;
    solution = next;
  }
  return { solution, bound: relaxed.bound, method: 'rounding' };
}
