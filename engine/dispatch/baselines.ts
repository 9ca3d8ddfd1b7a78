/**
 * What a site would pay without a plan: cars charge when they come, heat is made when it is needed, loads run at the
 * begin of their window, and batteries stand still or follow a simple rule. Counted like a plan, on the same forecasts.
 */
import { demandCostOf } from './realise.ts';
import type { Battery, HeatPump, PlanCost, PlanInput, ShiftableLoad, Vehicle } from './site.ts';

export const RULES = ['none', 'self-consumption', 'cheap-hours', 'peak-shaving'] as const;
export type RuleName = (typeof RULES)[number];
export type Baseline = { name: RuleName; cost: PlanCost; grid_W: Float64Array; battery_W: Float64Array };

/** @returns one course for each rule, without battery first */
export function baselines(input: PlanInput): Baseline[] {
  const fixed = withoutPlan(input);
  const names = input.batteries.length > 0 ? RULES : RULES.slice(0, 1);
  return names.map((name) => course(input, fixed, name));
}

/** Consumption less generation with the devices as they come, and what is stored in the end, in money. */
type Fixed = { net_kW: Float64Array; stored: number };

function withoutPlan(input: PlanInput): Fixed {
  const net_kW = Float64Array.from(input.import_price, (_, t) => (input.load_W[t]! - input.generation_W[t]!) / 1000);
  let stored = 0;
  for (const vehicle of input.vehicles) stored += chargeOnArrival(vehicle, input, net_kW);
  for (const pump of input.heat_pumps) stored += heatAsNeeded(pump, input, net_kW);
  for (const load of input.loads) runAtOnce(load, input, net_kW);
  return { net_kW, stored };
}

function chargeOnArrival(vehicle: Vehicle, input: PlanInput, net_kW: Float64Array): number {
  const [slot_ms, hours] = [input.slot_min * 60_000, input.slot_min / 60];
  let [energy, k] = [vehicle.energy_kWh, -1];
  for (let t = 0; t < net_kW.length; t++) {
    const at_ms = input.from_ms + t * slot_ms;
    const here = vehicle.stays.findIndex(({ from_ms, to_ms }) => at_ms >= from_ms && at_ms + slot_ms <= to_ms);
    if (here < 0) continue;
    if (here > k)
      energy = Math.max(0, energy - vehicle.stays.slice(k + 1, here + 1).reduce((sum, one) => sum + one.used_kWh, 0));
    k = here;
    const missing = Math.max(0, vehicle.stays[here]!.goal_kWh - energy) / vehicle.charge_efficiency / hours;
    const charge_kW = Math.min(vehicle.charge_W / 1000, missing);
    net_kW[t]! += charge_kW;
    energy += charge_kW * hours * vehicle.charge_efficiency;
  }
  return energy * vehicle.end_value_per_kWh;
}

function heatAsNeeded(pump: HeatPump, input: PlanInput, net_kW: Float64Array): number {
  const hours = input.slot_min / 60;
  const wanted = Math.max(pump.store_min_kWh, Math.min(pump.store_kWh, pump.energy_kWh));
  let energy = pump.energy_kWh;
  for (let t = 0; t < net_kW.length; t++) {
    const before = energy * pump.keep_per_hour ** hours - (pump.heat_demand_W[t]! / 1000) * hours;
    const kW = Math.min(pump.electric_W / 1000, Math.max(0, wanted - before) / hours / pump.cop[t]!);
    energy = before + kW * hours * pump.cop[t]!;
    net_kW[t]! += kW;
  }
  return energy * pump.end_value_per_kWh;
}

function runAtOnce(load: ShiftableLoad, input: PlanInput, net_kW: Float64Array): void {
  const [slot_ms, hours] = [input.slot_min * 60_000, input.slot_min / 60];
  for (const window of load.windows) {
    let left = window.energy_kWh;
    for (let t = 0; t < net_kW.length && left > 1e-9; t++) {
      const at_ms = input.from_ms + t * slot_ms;
      if (at_ms < window.from_ms || at_ms + slot_ms > window.to_ms) continue;
      const kW = Math.min(load.power_W / 1000, left / hours);
      net_kW[t]! += kW;
      left -= kW * hours;
    }
  }
}

function course(input: PlanInput, { net_kW, stored }: Fixed, name: RuleName): Baseline {
  const hours = input.slot_min / 60;
  const grid_kW = net_kW.slice();
  const battery_kW = new Float64Array(net_kW.length);
  const cost: PlanCost = { import: 0, export: 0, demand: 0, wear: 0, stored, total: 0 };
  const cap_kW = name === 'peak-shaving' ? shavingTarget(input, net_kW) : capOf(input);
  for (const battery of input.batteries) {
    const wish = wishOf(name, input, cap_kW);
    let energy = battery.energy_kWh;
    for (let t = 0; t < grid_kW.length; t++) {
      const flow_kW = allowed(battery, wish(t, grid_kW[t]!), energy, grid_kW[t]!, hours);
      energy = battery.keep_per_hour ** hours * energy + stepOf(battery, flow_kW, hours);
      grid_kW[t]! += flow_kW;
      battery_kW[t]! -= flow_kW;
      cost.wear += Math.max(0, -flow_kW) * hours * battery.degradation_per_kWh;
    }
    cost.stored += energy * battery.end_value_per_kWh;
  }
  const grid_W = grid_kW.map((kW) => kW * 1000);
  grid_kW.forEach((kW, t) => {
    if (kW > 0) cost.import += kW * hours * input.import_price[t]!;
    else cost.export -= kW * hours * input.export_price[t]!;
  });
  cost.demand = demandCostOf(input, grid_W);
  cost.total = cost.import - cost.export + cost.demand + cost.wear - cost.stored;
  return { name, cost, grid_W, battery_W: battery_kW.map((kW) => kW * 1000) };
}

const stepOf = (battery: Battery, flow_kW: number, hours: number) =>
  hours * (flow_kW > 0 ? flow_kW * battery.charge_efficiency : flow_kW / battery.discharge_efficiency);

/** + charges. A rule never feeds the grid from the battery and never goes below the reserve. */
function allowed(battery: Battery, wanted_kW: number, energy: number, net_kW: number, hours: number): number {
  if (wanted_kW > 0) {
    const room_kW = Math.max(0, battery.max_kWh - energy) / battery.charge_efficiency / hours;
    const surplus_kW = battery.charge_from_grid ? Number.POSITIVE_INFINITY : Math.max(0, -net_kW);
    return Math.min(wanted_kW, battery.charge_W / 1000, room_kW, surplus_kW);
  }
  const held_kW = (Math.max(0, energy - battery.min_kWh) * battery.discharge_efficiency) / hours;
  return -Math.min(-wanted_kW, battery.discharge_W / 1000, held_kW, Math.max(0, net_kW));
}

function wishOf(name: RuleName, input: PlanInput, cap_kW: number): (t: number, net_kW: number) => number {
  if (name === 'none') return () => 0;
  if (name === 'self-consumption') return (_, net_kW) => -net_kW;
  if (name === 'peak-shaving') return (_, net_kW) => cap_kW - net_kW;
  const cheap = cheapSlots(input);
  return (t, net_kW) => (cheap[t] ? Math.max(0, cap_kW - net_kW) : -net_kW);
}

/** Below the median of its 24 hours. */
function cheapSlots({ import_price, slot_min }: PlanInput): boolean[] {
  const day = Math.round(1440 / slot_min);
  return import_price.map((price, t) => {
    const first = Math.floor(t / day) * day;
    const sorted = import_price.slice(first, first + day).toSorted((a, b) => a! - b!);
    return price! < sorted[sorted.length >> 1]!;
  });
}

/** Power above which charging would cost a peak: what is billed anyway, within the connection. */
function capOf({ demand, grid }: PlanInput): number {
  const limit = grid.import_limit_W;
  const least_W =
    typeof limit === 'number' ? limit : limit ? Math.min(...limit.map((one) => one!)) : Number.POSITIVE_INFINITY;
  const billed =
    demand.length > 0 ? Math.max(...demand.map(({ realised_kW }) => realised_kW)) : Number.POSITIVE_INFINITY;
  return Math.min(least_W / 1000, billed);
}

/** The mean of the course, or what is billed anyway: a rule that knows no future aims at no more. */
function shavingTarget(input: PlanInput, net_kW: Float64Array): number {
  const mean = net_kW.reduce((sum, kW) => sum + Math.max(0, kW), 0) / Math.max(1, net_kW.length);
  const billed = input.demand.length > 0 ? Math.max(...input.demand.map(({ realised_kW }) => realised_kW)) : 0;
  return Math.max(mean, billed);
}
