/**
 * Plans a site: checks the input, solves its linear program along time, settles what no line can say (never charge and
 * discharge at once, least powers, running times), and carries the result out slot by slot.
 */
import { checkPlanInput } from './check-input.ts';
import { type InteriorPoint, type LinearSolution, solveInterior } from './interior-point.ts';
import type { MixedSolver } from './mixed-program.ts';
import { realise } from './realise.ts';
import { settle } from './settle.ts';
import type { Plan, PlanInput } from './site.ts';
import { BALANCE_ROW, type SiteProgram, siteProgram } from './site-program.ts';
import { type Store, storesOf } from './stores.ts';

export type PlanOptions = {
  /** The plan of the slot before, with its state: a start that saves most of the work. */
  before?: PlanState;
  /** Relative gap to reach; 3e-7 by default. */
  tolerance?: number;
  /** Branch and bound for what no line can say; without it such a plan is rounded. */
  mixed?: MixedSolver;
};

/** What the next plan can start from. */
export type PlanState = { from_ms: number; slot_min: number; site: SiteProgram; solution: LinearSolution };

const TOLERANCE = 3e-7;

/**
 * @returns the plan and the state for the next one. The same input and `before` give the same plan, bit for bit.
 * @throws InvalidDataError that names every missing or impossible input.
 */
export function planSite(input: PlanInput, options: PlanOptions = {}): { plan: Plan; state: PlanState } {
  checkPlanInput(input);
  const stores = storesOf(input);
  const site = siteProgram(input, stores);
  const tolerance = options.tolerance ?? TOLERANCE;
  const start = options.before ? shifted(options.before, input, site) : undefined;
  let solution = solveInterior(site.program, start ? { tolerance, start } : { tolerance });
  if (start && solution.status !== 'optimal') solution = solveInterior(site.program, { tolerance });
  const settled = settle(input, site, solution, options.mixed);
  const plan = assembled(input, site, settled.solution, settled.bound);
  plan.proof.method = settled.method;
  return { plan, state: { from_ms: input.from_ms, slot_min: input.slot_min, site, solution } };
}

function assembled(input: PlanInput, site: SiteProgram, solution: LinearSolution, bound: number): Plan {
  const { penalty, ...realised } = realise(input, site, solution.x);
  const slots = input.import_price.length;
  const m = site.program.rows_per_slot;
  const marginal_per_kWh = new Float64Array(slots);
  for (let t = 0; t < slots; t++) marginal_per_kWh[t] = solution.y[t * m + BALANCE_ROW]! / site.hours;
  realised.devices.forEach(({ stored_value_per_kWh }, i) => {
    for (let t = 0; t < slots; t++) stored_value_per_kWh[t] = -solution.y[t * m + site.chain_row(i)]!;
  });
  // The program prices a demand term's whole peak; a plan only what comes on top of what is realised.
  const sunk = input.demand.reduce((sum, { per_kW, realised_kW }) => sum + per_kW * realised_kW, 0);
  const objective = realised.cost.total + penalty;
  const least = bound - sunk;
  return {
    from_ms: input.from_ms,
    slot_min: input.slot_min,
    ...realised,
    marginal_per_kWh,
    proof: {
      method: 'interior-point',
      bound: least,
      objective,
      gap: (objective - least) / Math.max(1, Math.abs(objective)),
      iterations: solution.iterations,
    },
  };
}

/** The former point moved by the slots that have passed; undefined where the plans do not resemble each other. */
function shifted(before: PlanState, input: PlanInput, site: SiteProgram): InteriorPoint | undefined {
  const slot_ms = input.slot_min * 60_000;
  const by = Math.round((input.from_ms - before.from_ms) / slot_ms);
  const [old, m] = [before.site, site.program.rows_per_slot];
  const same =
    before.slot_min === input.slot_min &&
    old.kinds === site.kinds &&
    old.program.rows_per_slot === m &&
    sameStores(old.stores, site.stores);
  if (!same || by < 0 || by >= old.program.slots) return undefined;
  const [slots, old_slots] = [site.program.slots, old.program.slots];
  const { warm } = before.solution;
  const columns = () => new Float64Array(site.program.columns);
  const point: InteriorPoint = {
    x: columns(),
    y: new Float64Array(site.program.rhs.length),
    zl: columns(),
    zu: columns(),
  };
  for (let t = 0; t < slots; t++) {
    const from = Math.min(old_slots - 1, t + by);
    for (let kind = 0; kind < site.kinds; kind++) {
      const column = site.column[t * site.kinds + kind]!;
      const former = old.column[from * site.kinds + kind]!;
      if (column < 0 || former < 0) continue;
      point.x[column] = warm.x[former]!;
      point.zl[column] = warm.zl[former]!;
      point.zu[column] = warm.zu[former]!;
    }
    for (let r = 0; r < m; r++) point.y[t * m + r] = warm.y[from * m + r]!;
  }
  return point;
}

const sameStores = (a: readonly Store[], b: readonly Store[]) =>
  a.length === b.length && a.every(({ id }, i) => id === b[i]!.id);
