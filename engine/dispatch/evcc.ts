/**
 * Answers evcc's charge-schedule request. Yes-or-no decisions about directions are made only where the schedule without
 * them breaks their rule, which most requests never do.
 */
import { type Fault, InvalidDataError } from '../errors.ts';
import { addDirection, buildModel, type EvccModel, mostCharge } from './evcc-model.ts';
import type { EvccRequest, EvccResponse } from './evcc-request.ts';
import type { MixedSolver } from './mixed-program.ts';

/** Money that a schedule may cost more than the best, and nodes: so that the same request has the same answer. */
const MONEY_GAP = 2e-5;
const NODES = 400;
const ROUNDS = 6;
const TINY_kWh = 1e-5;

/** @throws InvalidDataError naming every missing or impossible field. */
export function answerEvcc(request: EvccRequest, solve: MixedSolver): EvccResponse {
  checkRequest(request);
  const model = buildModel(request);
  for (let round = 0; ; round++) {
    const program = model.rows.finish();
    const limits = { gap: 1e-9, absolute_gap: MONEY_GAP / (model.unit * 1000), nodes: NODES };
    const direct = solve(program, { ...limits, direct: true });
    const found = direct.status === 'optimal' ? direct : solve(program, limits);
    if (found.status === 'infeasible') return noSchedule(model);
    const added = round < ROUNDS ? addBroken(model, found.x) : false;
    if (!added) return response(model, found.x, found.status === 'optimal');
  }
}

function checkRequest({ batteries, time_series, grid, eta_c, eta_d }: EvccRequest): void {
  const faults: Fault[] = [];
  const add = (where: string, problem: string) => faults.push({ where, problem });
  const steps = time_series.dt.length;
  if (steps === 0) add('time_series.dt', 'has no step');
  for (const [name, values] of Object.entries(time_series)) {
    if (values.length !== steps) add(`time_series.${name}`, 'All time series must have the same length');
    const bad = values.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) add(`time_series.${name}[${bad}]`, 'is missing');
  }
  if (time_series.dt.some((seconds) => !(seconds > 0))) add('time_series.dt', 'has a step of no length');
  for (const [name, value] of Object.entries({ eta_c, eta_d }))
    if (value !== undefined && !(value > 0 && value <= 1)) add(name, 'must be above 0 and at most 1');
  for (const [name, value] of Object.entries(grid ?? {}))
    if (typeof value === 'number' && !(value >= 0)) add(`grid.${name}`, 'is negative');
  batteries.forEach((battery, i) => {
    for (const name of ['s_min', 's_max', 's_initial', 'c_min', 'c_max', 'd_max'] as const)
      if (!(battery[name] >= 0)) add(`batteries[${i}].${name}`, 'is missing or negative');
    if (!Number.isFinite(battery.p_a)) add(`batteries[${i}].p_a`, 'is missing');
    const capacity = battery.s_capacity ?? Math.max(battery.s_max, battery.s_initial);
    if (battery.s_initial > capacity + 1e-6) add(`batteries[${i}].s_initial`, 'is above s_capacity');
    for (const name of ['p_demand', 's_goal'] as const) {
      const series = battery[name];
      if (series && series.length !== steps)
        add(`batteries[${i}].${name}`, 'All time series must have the same length');
    }
  });
  if (faults.length > 0)
    throw new InvalidDataError(`${faults[0]!.where}: ${faults[0]!.problem}`, 'Send what is missing.', faults);
}

/** Adds the decisions whose rule the schedule breaks: directions of the grid and of batteries. @returns whether any. */
function addBroken(model: EvccModel, x: Float64Array): boolean {
  const { request, steps, rows, hours } = model;
  let added = false;
  const flow = (columns: number[], t: number) => (columns[t] === undefined ? 0 : x[columns[t]!]!);
  for (let t = 0; t < steps; t++) {
    const into = flow(model.import_, t) + flow(model.over_import, t);
    const out = flow(model.export_, t) + flow(model.over_export, t);
    const broken =
      (into > TINY_kWh && out > TINY_kWh) ||
      request.batteries.some(
        (battery, i) =>
          (!battery.charge_from_grid && x[model.charge[i]![t]!]! > TINY_kWh && into > TINY_kWh) ||
          (!battery.discharge_to_grid && x[model.discharge[i]![t]!]! > TINY_kWh && out > TINY_kWh),
      );
    if (broken && model.direction[t] === undefined) {
      addDirection(model, t);
      added = true;
    }
    request.batteries.forEach((battery, i) => {
      const [c, d] = [model.charge[i]![t]!, model.discharge[i]![t]!];
      if (!(x[c]! > TINY_kWh && x[d]! > TINY_kWh) || model.locked[i]![t]) return;
      const way = rows.binary();
      rows.row(-Infinity, 0, [
        [d, 1],
        [way, (-battery.d_max / 1000) * hours[t]!],
      ]);
      const most = mostCharge(model, battery, t);
      rows.row(-Infinity, most, [
        [c, 1],
        [way, most],
      ]);
      model.locked[i]![t] = true;
      added = true;
    });
  }
  return added;
}

function noSchedule({ request }: EvccModel): EvccResponse {
  return {
    status: 'Infeasible',
    objective_value: null,
    limit_violations: { grid_import_limit_exceeded: false, grid_export_limit_hit: false },
    batteries: request.batteries.map(() => ({ charging_power: [], discharging_power: [], state_of_charge: [] })),
    grid_import: [],
    grid_export: [],
    flow_direction: [],
    grid_import_overshoot: [],
    grid_export_overshoot: [],
  };
}

function response(model: EvccModel, x: Float64Array, proven: boolean): EvccResponse {
  const { request, steps } = model;
  const { p_N, p_E } = request.time_series;
  const rated = request.grid?.p_max_imp != null && request.grid.prc_p_exc_imp != null;
  const wh = (column: number | undefined) =>
    column === undefined ? 0 : Math.max(0, Math.round(x[column]! * 1e9) / 1e6);
  const all = (columns: number[]) => columns.map(wh);
  const [over_import, over_export] = [all(model.over_import), all(model.over_export)];
  const drawn = all(model.import_).map((value, t) => value + (rated ? over_import[t]! : 0));
  const fed = all(model.export_);
  let worth = 0;
  for (let t = 0; t < steps; t++)
    worth += fed[t]! * p_E[t]! - (drawn[t]! + (rated ? 0 : (over_import[t] ?? 0))) * p_N[t]!;
  const batteries = request.batteries.map((_, i) => ({
    charging_power: all(model.charge[i]!),
    discharging_power: all(model.discharge[i]!),
    state_of_charge: all(model.energy[i]!),
  }));
  batteries.forEach(({ state_of_charge }, i) => {
    worth += (state_of_charge.at(-1)! - state_of_charge[0]!) * request.batteries[i]!.p_a;
  });
  if (rated) {
    const excess = over_import.reduce((most, value, t) => Math.max(most, value / model.hours[t]!), 0);
    worth -= excess * request.grid!.prc_p_exc_imp!;
  }
  return {
    status: proven ? 'Optimal' : 'Feasible',
    objective_value: worth,
    limit_violations: {
      grid_import_limit_exceeded: over_import.some((value) => value > 0.01),
      grid_export_limit_hit: over_export.some((value) => value > 0.01),
    },
    batteries,
    grid_import: drawn,
    grid_export: fed,
    flow_direction: fed.map((value, t) => (value + (over_export[t] ?? 0) > 0.01 ? 1 : 0)),
    grid_import_overshoot: over_import,
    grid_export_overshoot: over_export,
  };
}
