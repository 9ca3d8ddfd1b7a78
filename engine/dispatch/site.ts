/**
 * What a plan is made from. Power in W, energy in kWh, money per kWh or kW in the site's currency, times as epoch
 * milliseconds UTC. Series have one value a slot; null is missing, and a plan is then refused by the name of what is
 * missing: it is never taken as 0.
 */
export type Series = readonly (number | null)[];

export type PlanInput = {
  /** Start of the first slot; the number of slots is that of `import_price`. */
  from_ms: number;
  slot_min: 15 | 30 | 60;
  /** What one more kWh from the grid costs, all parts included. */
  import_price: Series;
  /** What one more kWh fed in earns. */
  export_price: Series;
  /** Consumption that cannot be moved. */
  load_W: Series;
  /** Generation that would be there without curtailment. */
  generation_W: Series;
  curtailable: boolean;
  grid: GridConnection;
  demand: readonly DemandTerm[];
  batteries: readonly Battery[];
  vehicles: readonly Vehicle[];
  heat_pumps: readonly HeatPump[];
  loads: readonly ShiftableLoad[];
  /** Times in which named devices may draw only so much together (§14a EnWG). */
  reductions: readonly Reduction[];
  /** What a person has set by hand: obeyed as far as the device's energy allows. */
  overrides?: readonly Override[];
  soft: SoftPrices;
};

/** + discharges, − charges or draws, 0 stops; the device does this and nothing else in the slots that it touches. */
export type Override = { device: string; from_ms: number; to_ms: number; power_W: number };

/** null: no limit. A limit of 0 W export forbids feeding in. */
export type GridConnection = {
  import_limit_W: number | null | Series;
  export_limit_W: number | null | Series;
};

/** A charge for the largest mean power of a slot within a billing period. */
export type DemandTerm = {
  id: string;
  /** Slots of the period, as [from, to) in this plan. */
  from_slot: number;
  to_slot: number;
  per_kW: number;
  /** Largest power so far in this period; 0 only where the period has just begun. */
  realised_kW: number;
  /** Whether each slot from `from_slot` on is measured; all are where it is left out. */
  when?: readonly boolean[];
};

export type Battery = {
  id: string;
  capacity_kWh: number;
  /** Reserve that is kept; may give way at `soft.reserve_per_kWh`. */
  min_kWh: number;
  max_kWh: number;
  charge_W: number;
  discharge_W: number;
  /** 0 < efficiency ≤ 1, from the terminals to the cells and back. */
  charge_efficiency: number;
  discharge_efficiency: number;
  /** Share of the energy that is still there after an hour. */
  keep_per_hour: number;
  energy_kWh: number;
  /** Wear for each kWh discharged. */
  degradation_per_kWh: number;
  /** What a kWh left at the end is worth; energy above `end_kWh` only, where that is given. */
  end_value_per_kWh: number;
  /** Energy that must be there at the end; null: whatever pays. */
  end_kWh: number | null;
  /** Never above what the site generates itself, or never into the grid. */
  charge_from_grid: boolean;
  discharge_to_grid: boolean;
};

export type Vehicle = {
  id: string;
  capacity_kWh: number;
  energy_kWh: number;
  charge_W: number;
  /** Charging is either off or at least this (6 A for most cars); 0: anything. */
  min_charge_W: number;
  /** Power back to the site; 0: the car only charges. */
  discharge_W: number;
  charge_efficiency: number;
  discharge_efficiency: number;
  degradation_per_kWh: number;
  end_value_per_kWh: number;
  /** Times at the charger, in order. */
  stays: readonly Stay[];
};

export type Stay = {
  from_ms: number;
  to_ms: number;
  /** Energy in the battery at departure; gives way at `soft.goal_per_kWh`. */
  goal_kWh: number;
  /** Used on the road before this stay. */
  used_kWh: number;
};

/** A heat pump with the heat store behind it: a tank, or the building between its lowest and highest temperature. */
export type HeatPump = {
  id: string;
  electric_W: number;
  /** The compressor's least power while it runs; 0: it modulates down to nothing. */
  min_W: number;
  /** Heat per electricity, by slot (it falls with the cold outside). */
  cop: Series;
  heat_demand_W: Series;
  store_kWh: number;
  store_min_kWh: number;
  energy_kWh: number;
  keep_per_hour: number;
  end_value_per_kWh: number;
  running: RunningRules | null;
};

/** A load that must get its energy within windows: a washing machine, a pump, a charger of forklifts. */
export type ShiftableLoad = {
  id: string;
  power_W: number;
  /** While it runs at least this; equal to `power_W` for on/off. */
  min_W: number;
  windows: readonly { from_ms: number; to_ms: number; energy_kWh: number }[];
  running: RunningRules | null;
};

export type RunningRules = {
  min_on_min: number;
  min_off_min: number;
  /** Starts in the whole plan; null: any number. */
  max_starts: number | null;
  /** Whether it runs now, and for how long it has been so. */
  on: boolean;
  since_min: number;
};

export type Reduction = { id: string; from_ms: number; to_ms: number; limit_W: number; devices: readonly string[] };

/** What it costs to let a limit give way, per kWh. A plan prefers to break the cheapest first, and says which and when. */
export type SoftPrices = {
  import_per_kWh: number;
  export_per_kWh: number;
  goal_per_kWh: number;
  reserve_per_kWh: number;
  heat_per_kWh: number;
  load_per_kWh: number;
};

export type DeviceKind = 'battery' | 'vehicle' | 'heat-pump' | 'load';

export type Plan = {
  from_ms: number;
  slot_min: number;
  /** Grid power by slot: + is import. */
  grid_W: Float64Array;
  curtailed_W: Float64Array;
  devices: readonly DevicePlan[];
  /** What one more kWh used in the slot would cost, everything considered. */
  marginal_per_kWh: Float64Array;
  cost: PlanCost;
  /** Which limits gave way, by how much and when; empty where all hold. */
  gave_way: readonly GaveWay[];
  proof: PlanProof;
};

export type DevicePlan = {
  id: string;
  kind: DeviceKind;
  /** + is discharge, − is charge or consumption, as battery meters count. */
  power_W: Float64Array;
  /** Energy at the end of each slot. */
  energy_kWh: Float64Array;
  /** What one more kWh stored at the end of the slot is worth. */
  stored_value_per_kWh: Float64Array;
};

export type PlanCost = {
  import: number;
  export: number;
  demand: number;
  wear: number;
  /** Value of what is stored at the end; counts against the cost. */
  stored: number;
  /** import − export + demand + wear − stored: what the plan is judged by, without the prices of limits. */
  total: number;
};

export type LimitKind =
  | 'import-limit'
  | 'export-limit'
  | 'departure-goal'
  | 'reserve'
  | 'heat'
  | 'energy-window'
  | 'overfull'
  | 'reduction'
  /** A running rule or least power of a device. */
  | 'running';

export type GaveWay = {
  limit: LimitKind;
  /** The device, or `grid`. */
  id: string;
  /** [from, to) of the slots in which it gave way. */
  from_ms: number;
  to_ms: number;
  energy_kWh: number;
  /** Largest excess over a power limit; 0 for energy limits. */
  power_W: number;
};

/** How good the plan is known to be. */
export type PlanProof = {
  method: 'interior-point' | 'branch-and-bound' | 'rounding';
  /** No plan of this input costs less (prices of limits included), up to rounding. */
  bound: number;
  /** The plan's own value in the same terms. */
  objective: number;
  /** (objective − bound) / max(1, |objective|). */
  gap: number;
  iterations: number;
};
