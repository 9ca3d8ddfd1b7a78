/**
 * A plan as the devices will carry it out: decisions are taken one slot after another, kept within what the device and
 * its energy allow, and the grid takes what is left. So the balance holds exactly whatever the solver's last digits
 * say, and every broken limit is seen here, not believed.
 */
import type { DevicePlan, GaveWay, LimitKind, PlanCost, PlanInput } from './site.ts';
import { GRID, GRID_KINDS, measures, type SiteProgram, STORE, STORE_KINDS, touched } from './site-program.ts';
import type { Store } from './stores.ts';

export type Realised = {
  grid_W: Float64Array;
  curtailed_W: Float64Array;
  devices: DevicePlan[];
  cost: PlanCost;
  gave_way: GaveWay[];
  /** What the limits that gave way cost at their prices. */
  penalty: number;
};

/** Below this a device is off: solvers leave crumbs. */
const OFF_kW = 5e-5;
const CRUMB_kWh = 1e-3;
/** A limit is broken by more than this. */
const SLACK_kWh = 1e-3;
const SLACK_kW = 1e-3;

/** Carries the decisions of a solution out. */
export function realise(input: PlanInput, site: SiteProgram, x: Float64Array): Realised {
  const slots = input.import_price.length;
  const runs = site.stores.map((store, i) => runStore(store, i, site, x));
  const grid_W = new Float64Array(slots);
  const curtailed_W = new Float64Array(slots);
  for (let t = 0; t < slots; t++) {
    let net_kW = (input.load_W[t]! - input.generation_W[t]!) / 1000;
    for (const { power_W } of runs) net_kW -= power_W[t]! / 1000;
    const column = site.column[t * site.kinds + GRID.curtail]!;
    let curtail_kW = column < 0 || x[column]! < OFF_kW ? 0 : x[column]!;
    const over_kW = -net_kW - curtail_kW - site.limits.export_kW[t]!;
    if (input.curtailable && over_kW > 0) curtail_kW += over_kW;
    curtail_kW = Math.min(curtail_kW, input.generation_W[t]! / 1000);
    curtailed_W[t] = curtail_kW * 1000;
    grid_W[t] = (net_kW + curtail_kW) * 1000;
  }
  const gave_way = brokenLimits(input, site, runs, grid_W);
  gave_way.penalty -= urged(site, runs);
  return {
    grid_W,
    curtailed_W,
    devices: runs.map(({ power_W, energy_kWh }, i) => ({
      id: site.stores[i]!.id,
      kind: site.stores[i]!.kind,
      power_W,
      energy_kWh,
      stored_value_per_kWh: new Float64Array(slots),
    })),
    cost: costOf(input, site, runs, grid_W),
    ...gave_way,
  };
}

/** What obeying people counts for in the program. */
function urged({ stores, hours }: SiteProgram, runs: readonly Run[]): number {
  let sum = 0;
  runs.forEach(({ power_W }, i) => {
    stores[i]!.urge_per_kWh.forEach((urge, t) => {
      sum += urge * (Math.abs(power_W[t]!) / 1000) * hours;
    });
  });
  return sum;
}

type Run = { power_W: Float64Array; energy_kWh: Float64Array };

function runStore(store: Store, i: number, site: SiteProgram, x: Float64Array): Run {
  const slots = store.keep.length;
  const [power_W, energy_kWh] = [new Float64Array(slots), new Float64Array(slots)];
  let energy = store.initial_kWh;
  for (let t = 0; t < slots; t++) {
    const at = t * site.kinds + GRID_KINDS + STORE_KINDS * i;
    const [c, d] = [site.column[at + STORE.charge]!, site.column[at + STORE.discharge]!];
    const before = store.keep[t]! * energy - store.drain[t]!;
    const [gain, drop] = [store.gain[t]!, store.drop];
    let [charge, discharge] = oneWay(c < 0 ? 0 : x[c]!, d < 0 ? 0 : x[d]!, store, t);
    // Crumbs left out before are made up for while the device runs anyway, so that they do not add up.
    const behind = plannedEnergy(i, t, site, x) - (before + gain * charge - drop * discharge);
    if (charge >= OFF_kW && gain > 0) charge = Math.max(0, charge + behind / gain);
    else if (discharge >= OFF_kW) discharge = Math.max(0, discharge - behind / drop);
    const charged = fitted(charge, gain > 0 ? (store.highest[t]! - before) / gain : Infinity, store.charge_kW[t]!);
    const floor = store.kind === 'heat-pump' ? -Infinity : Math.min(store.lowest[t]!, before);
    const discharged = fitted(discharge, (before - Math.max(0, floor)) / drop, store.discharge_kW[t]!);
    energy = before + gain * charged - drop * discharged;
    // The solver's last digits are no debt.
    if (energy < 0 && energy > -CRUMB_kWh) energy = 0;
    // A car that drove further than its battery was believed to reach arrives empty, not below.
    if (store.kind !== 'heat-pump') energy = Math.max(0, energy);
    energy_kWh[t] = energy;
    power_W[t] = (discharged - charged) * 1000;
  }
  return { power_W, energy_kWh };
}

function plannedEnergy(i: number, t: number, site: SiteProgram, x: Float64Array): number {
  const at = t * site.kinds + GRID_KINDS + STORE_KINDS * i;
  const value = (kind: number) => {
    const column = site.column[at + kind]!;
    return column < 0 ? 0 : x[column]!;
  };
  return value(STORE.energy) - value(STORE.short) + value(STORE.over);
}

/** Within [0, room] and the device's limit; crumbs are off. */
function fitted(kW: number, room: number, most: number): number {
  const within = Math.min(kW, Math.max(0, room), most);
  return within < OFF_kW ? 0 : within;
}

/** Never both in one slot: what goes in and out at once is left out, with the same energy stored. */
function oneWay(charge: number, discharge: number, store: Store, t: number): [number, number] {
  if (charge <= 0 || discharge <= 0) return [Math.max(0, charge), Math.max(0, discharge)];
  const stored = store.gain[t]! * charge - store.drop * discharge;
  return stored >= 0 ? [stored / store.gain[t]!, 0] : [0, -stored / store.drop];
}

function costOf(input: PlanInput, site: SiteProgram, runs: readonly Run[], grid_W: Float64Array): PlanCost {
  const { hours, stores } = site;
  const cost = { import: 0, export: 0, demand: 0, wear: 0, stored: 0, total: 0 };
  for (let t = 0; t < grid_W.length; t++) {
    const kWh = (grid_W[t]! / 1000) * hours;
    if (kWh > 0) cost.import += kWh * input.import_price[t]!;
    else cost.export -= kWh * input.export_price[t]!;
  }
  cost.demand = demandCostOf(input, grid_W);
  runs.forEach(({ power_W, energy_kWh }, i) => {
    const { wear_per_kWh, end_value_per_kWh } = stores[i]!;
    let discharged = 0;
    for (const power of power_W) discharged += Math.max(0, power);
    cost.wear += (discharged / 1000) * hours * wear_per_kWh;
    cost.stored += energy_kWh.at(-1)! * end_value_per_kWh;
  });
  cost.total = cost.import - cost.export + cost.demand + cost.wear - cost.stored;
  return cost;
}

/** What the peaks of a course cost beyond what is realised. */
export function demandCostOf({ demand }: Pick<PlanInput, 'demand'>, grid_W: ArrayLike<number>): number {
  let cost = 0;
  for (const term of demand) {
    let peak = term.realised_kW;
    for (let t = term.from_slot; t < term.to_slot; t++) if (measures(term, t)) peak = Math.max(peak, grid_W[t]! / 1000);
    cost += term.per_kW * (peak - term.realised_kW);
  }
  return cost;
}

type Broken = Pick<Realised, 'gave_way' | 'penalty'>;

function brokenLimits(input: PlanInput, site: SiteProgram, runs: readonly Run[], grid_W: Float64Array): Broken {
  const { hours, stores, limits } = site;
  const gave_way: GaveWay[] = [];
  let penalty = 0;
  const slots = grid_W.length;
  const note = (limit: LimitKind, id: string, price: number, overAt: (t: number) => number, isPower: boolean) => {
    let open: GaveWay | undefined;
    for (let t = 0; t < slots; t++) {
      const over = overAt(t);
      penalty += Math.max(0, over) * price * (isPower ? hours : 1);
      if (!(over > (isPower ? SLACK_kW : SLACK_kWh))) {
        open = undefined;
        continue;
      }
      const from_ms = input.from_ms + t * input.slot_min * 60_000;
      if (!open) {
        open = { limit, id, from_ms, to_ms: from_ms, energy_kWh: 0, power_W: 0 };
        gave_way.push(open);
      }
      open.to_ms = from_ms + input.slot_min * 60_000;
      if (isPower) open.energy_kWh += over * hours;
      else open.energy_kWh = Math.max(open.energy_kWh, over);
      if (isPower) open.power_W = Math.max(open.power_W, over * 1000);
    }
  };
  const { soft } = input;
  note('import-limit', 'grid', soft.import_per_kWh, (t) => grid_W[t]! / 1000 - limits.import_kW[t]!, true);
  note('export-limit', 'grid', soft.export_per_kWh, (t) => -grid_W[t]! / 1000 - limits.export_kW[t]!, true);
  runs.forEach(({ energy_kWh }, i) => {
    const store = stores[i]!;
    note(store.low_limit, store.id, store.low_price, (t) => store.lowest[t]! - energy_kWh[t]!, false);
    const broken = brokenRunning(store, runs[i]!.power_W, input.slot_min);
    note('running', store.id, 0, (t) => broken[t]!, true);
    note('overfull', store.id, store.low_price, (t) => energy_kWh[t]! - store.highest[t]!, false);
  });
  for (const reduction of input.reductions) {
    const [from, to] = touched(reduction.from_ms, reduction.to_ms, input);
    const members = runs.filter((_, i) => reduction.devices.includes(stores[i]!.id));
    const drawn = (t: number) => members.reduce((sum, { power_W }) => sum + Math.max(0, -power_W[t]!) / 1000, 0);
    note('reduction', reduction.id, 0, (t) => (t >= from && t < to ? drawn(t) - reduction.limit_W / 1000 : 0), true);
  }
  return { gave_way: gave_way.sort((a, b) => a.from_ms - b.from_ms), penalty };
}

/** kW by slot in which a device runs below its least power, or although (or not although) its running rules forbid it. */
function brokenRunning({ running, min_kW }: Store, power_W: Float64Array, slot_min: number): Float64Array {
  const broken = new Float64Array(power_W.length);
  const drawn = power_W.map((power) => Math.max(0, -power) / 1000);
  drawn.forEach((kW, t) => {
    if (kW > 0 && kW < min_kW - 0.002) broken[t] = min_kW - kW;
  });
  if (!running) return broken;
  let [on, lasted, starts] = [running.on, running.since_min, 0];
  drawn.forEach((kW, t) => {
    if (kW > 0 !== on) {
      const least = on ? running.min_on_min : running.min_off_min;
      if (!on) starts++;
      const tooOften = !on && running.max_starts !== null && starts > running.max_starts;
      if (lasted < least || tooOften) broken[t] = Math.max(kW, drawn[t - 1] ?? 0, min_kW, 0.01);
      [on, lasted] = [!on, 0];
    }
    lasted += slot_min;
  });
  return broken;
}
