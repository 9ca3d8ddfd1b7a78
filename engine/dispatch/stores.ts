/** Every movable device as a store of energy: what goes in, what comes out, what must be there when. */
import type {
  Battery,
  DeviceKind,
  HeatPump,
  LimitKind,
  Override,
  PlanInput,
  RunningRules,
  ShiftableLoad,
  Vehicle,
} from './site.ts';

/** One value a slot; kW at the terminals, kWh in the store. */
export type Store = {
  id: string;
  kind: DeviceKind;
  charge_kW: Float64Array;
  discharge_kW: Float64Array;
  /** While it charges at all, at least this. */
  min_kW: number;
  /** kWh stored per kW over the slot, and kWh taken out per kW given. */
  gain: Float64Array;
  drop: number;
  /** Share of the energy before the slot that is still there in it. */
  keep: Float64Array;
  /** kWh that the device's own use takes in the slot. */
  drain: Float64Array;
  lowest: Float64Array;
  highest: Float64Array;
  initial_kWh: number;
  /** For each kWh discharged at the terminals. */
  wear_per_kWh: number;
  end_value_per_kWh: number;
  /** Which limit gives way when the store is below `lowest`, and its price per kWh in each slot. */
  low_limit: LimitKind;
  low_price: number;
  charge_from_grid: boolean;
  discharge_to_grid: boolean;
  running: RunningRules | null;
  /** Per kWh charged or discharged in a slot: what makes a plan obey a person; 0 elsewhere. */
  urge_per_kWh: Float64Array;
};

/** More than any price: a person is obeyed whatever it costs. */
const URGE_PER_KWH = 100;

/** @returns the devices of a checked input in the order batteries, vehicles, heat pumps, loads. */
export function storesOf(input: PlanInput): Store[] {
  const stores = [
    ...input.batteries.map((battery) => batteryStore(battery, input)),
    ...input.vehicles.map((vehicle) => vehicleStore(vehicle, input)),
    ...input.heat_pumps.map((pump) => heatStore(pump, input)),
    ...input.loads.map((load) => loadStore(load, input)),
  ];
  for (const override of input.overrides ?? []) obey(override, stores, input);
  return stores;
}

/** Leaves the device one direction and one power in the slots that the override touches. */
function obey({ device, from_ms, to_ms, power_W }: Override, stores: readonly Store[], input: PlanInput): void {
  const store = stores.find(({ id }) => id === device);
  if (!store) return;
  const slot_ms = input.slot_min * 60_000;
  const first = Math.max(0, Math.floor((from_ms - input.from_ms) / slot_ms));
  const end = Math.min(store.keep.length, Math.ceil((to_ms - input.from_ms) / slot_ms));
  for (let t = first; t < end; t++) {
    store.charge_kW[t] = Math.min(store.charge_kW[t]!, Math.max(0, -power_W) / 1000);
    store.discharge_kW[t] = Math.min(store.discharge_kW[t]!, Math.max(0, power_W) / 1000);
    store.urge_per_kWh[t] = URGE_PER_KWH;
  }
}

const filled = (slots: number, value: number) => new Float64Array(slots).fill(value);

function emptyStore(id: string, kind: DeviceKind, { import_price, slot_min }: PlanInput): Store {
  const slots = import_price.length;
  return {
    id,
    kind,
    charge_kW: filled(slots, 0),
    discharge_kW: filled(slots, 0),
    min_kW: 0,
    gain: filled(slots, slot_min / 60),
    drop: slot_min / 60,
    keep: filled(slots, 1),
    drain: filled(slots, 0),
    lowest: filled(slots, 0),
    highest: filled(slots, 0),
    initial_kWh: 0,
    wear_per_kWh: 0,
    end_value_per_kWh: 0,
    low_limit: 'reserve',
    low_price: 0,
    charge_from_grid: true,
    discharge_to_grid: true,
    running: null,
    urge_per_kWh: filled(slots, 0),
  };
}

function batteryStore(battery: Battery, input: PlanInput): Store {
  const slots = input.import_price.length;
  const hours = input.slot_min / 60;
  const lowest = filled(slots, battery.min_kWh);
  if (battery.end_kWh !== null) lowest[slots - 1] = Math.max(battery.min_kWh, battery.end_kWh);
  return {
    ...emptyStore(battery.id, 'battery', input),
    charge_kW: filled(slots, battery.charge_W / 1000),
    discharge_kW: filled(slots, battery.discharge_W / 1000),
    gain: filled(slots, hours * battery.charge_efficiency),
    drop: hours / battery.discharge_efficiency,
    keep: filled(slots, battery.keep_per_hour ** hours),
    lowest,
    highest: filled(slots, battery.max_kWh),
    initial_kWh: battery.energy_kWh,
    wear_per_kWh: battery.degradation_per_kWh,
    end_value_per_kWh: battery.end_value_per_kWh,
    low_limit: 'reserve',
    low_price: input.soft.reserve_per_kWh,
    charge_from_grid: battery.charge_from_grid,
    discharge_to_grid: battery.discharge_to_grid,
  };
}

/** A slot counts as spent at the charger only where all of it is. */
function slotsOf(from_ms: number, to_ms: number, input: PlanInput): [number, number] {
  const slot_ms = input.slot_min * 60_000;
  const slots = input.import_price.length;
  const first = Math.ceil((from_ms - input.from_ms) / slot_ms);
  const end = Math.floor((to_ms - input.from_ms) / slot_ms);
  return [Math.min(slots, Math.max(0, first)), Math.min(slots, Math.max(0, end))];
}

function vehicleStore(vehicle: Vehicle, input: PlanInput): Store {
  const slots = input.import_price.length;
  const hours = input.slot_min / 60;
  const store: Store = {
    ...emptyStore(vehicle.id, 'vehicle', input),
    gain: filled(slots, hours * vehicle.charge_efficiency),
    drop: hours / vehicle.discharge_efficiency,
    min_kW: vehicle.min_charge_W / 1000,
    highest: filled(slots, vehicle.capacity_kWh),
    initial_kWh: vehicle.energy_kWh,
    wear_per_kWh: vehicle.degradation_per_kWh,
    end_value_per_kWh: vehicle.end_value_per_kWh,
    low_limit: 'departure-goal',
    low_price: input.soft.goal_per_kWh,
  };
  const end_ms = input.from_ms + slots * input.slot_min * 60_000;
  for (const stay of vehicle.stays) {
    const [first, end] = slotsOf(stay.from_ms, stay.to_ms, input);
    store.charge_kW.fill(vehicle.charge_W / 1000, first, end);
    store.discharge_kW.fill(vehicle.discharge_W / 1000, first, end);
    if (stay.from_ms > input.from_ms && first < slots) store.drain[first]! += stay.used_kWh;
    // A departure after the plan's end is the business of a later plan; the end value speaks for it until then.
    if (stay.to_ms <= end_ms && end > 0 && stay.to_ms > input.from_ms)
      store.lowest[Math.max(first, end - 1)] = Math.min(stay.goal_kWh, vehicle.capacity_kWh);
  }
  return store;
}

function heatStore(pump: HeatPump, input: PlanInput): Store {
  const slots = input.import_price.length;
  const hours = input.slot_min / 60;
  return {
    ...emptyStore(pump.id, 'heat-pump', input),
    charge_kW: filled(slots, pump.electric_W / 1000),
    min_kW: pump.min_W / 1000,
    gain: Float64Array.from(pump.cop, (cop) => hours * cop!),
    keep: filled(slots, pump.keep_per_hour ** hours),
    drain: Float64Array.from(pump.heat_demand_W, (demand) => (hours * demand!) / 1000),
    lowest: filled(slots, pump.store_min_kWh),
    highest: filled(slots, pump.store_kWh),
    initial_kWh: pump.energy_kWh,
    end_value_per_kWh: pump.end_value_per_kWh,
    low_limit: 'heat',
    low_price: input.soft.heat_per_kWh * hours,
    running: pump.running,
  };
}

/** The store is the account of a window: empty at its start, full when the load has had its energy. */
function loadStore(load: ShiftableLoad, input: PlanInput): Store {
  const slots = input.import_price.length;
  const store: Store = {
    ...emptyStore(load.id, 'load', input),
    min_kW: load.min_W / 1000,
    keep: filled(slots, 0),
    low_limit: 'energy-window',
    low_price: input.soft.load_per_kWh,
    running: load.running,
  };
  const end_ms = input.from_ms + slots * input.slot_min * 60_000;
  for (const { from_ms, to_ms, energy_kWh } of load.windows) {
    const [first, end] = slotsOf(from_ms, to_ms, input);
    if (end <= first) continue;
    store.charge_kW.fill(load.power_W / 1000, first, end);
    store.keep.fill(1, first + 1, end);
    store.highest.fill(energy_kWh, first, end);
    // A window that goes on after the plan's end gets the part that it cannot get later.
    const after_kWh = (Math.max(0, to_ms - end_ms) / 3_600_000) * (load.power_W / 1000);
    store.lowest[end - 1] = Math.max(0, energy_kWh - after_kWh);
  }
  return store;
}
