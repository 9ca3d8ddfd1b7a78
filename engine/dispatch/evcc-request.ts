/**
 * The shape in which evcc asks an optimizer for a schedule (github.com/evcc-io/optimizer, openapi.yaml, MIT), so that a
 * box answers in place of the cloud. Energy in Wh per step, power in W, prices per Wh, steps of `dt` seconds.
 */
export type EvccRequest = {
  strategy?: { charging_strategy?: string; discharging_strategy?: string };
  grid?: { p_max_imp?: number | null; p_max_exp?: number | null; prc_p_exc_imp?: number | null };
  batteries: EvccBattery[];
  time_series: { dt: number[]; gt: number[]; ft: number[]; p_N: number[]; p_E: number[] };
  eta_c?: number;
  eta_d?: number;
};

export type EvccBattery = {
  charge_from_grid?: boolean;
  discharge_to_grid?: boolean;
  s_capacity?: number;
  s_min: number;
  s_max: number;
  s_initial: number;
  c_min: number;
  c_max: number;
  d_max: number;
  p_a: number;
  p_demand?: number[] | null;
  s_goal?: number[] | null;
  c_priority?: number;
};

export type EvccResponse = {
  status: 'Optimal' | 'Feasible' | 'Infeasible' | 'Not Solved';
  objective_value: number | null;
  limit_violations: { grid_import_limit_exceeded: boolean; grid_export_limit_hit: boolean };
  batteries: { charging_power: number[]; discharging_power: number[]; state_of_charge: number[] }[];
  grid_import: number[];
  grid_export: number[];
  flow_direction: number[];
  grid_import_overshoot: number[];
  grid_export_overshoot: number[];
};
