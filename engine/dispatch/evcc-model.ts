/**
 * The model of evcc-io/optimizer (MIT, src/optimizer/optimizer.py) with its prices for broken limits. Energies are in
 * kWh and prices in multiples of the largest one, which keeps the solver's tolerances small.
 */
import type { EvccBattery, EvccRequest } from './evcc-request.ts';
import { createRowBuilder, type RowBuilder } from './row-program.ts';

/** Weight of evcc's preferences against money: they decide between schedules that cost the same, and no more. */
const PREFERENCE = 0.01;

export type EvccModel = {
  request: EvccRequest;
  steps: number;
  eta_c: number;
  eta_d: number;
  /** Hours of each step. */
  hours: number[];
  unit: number;
  rows: RowBuilder;
  import_: number[];
  export_: number[];
  over_import: number[];
  over_export: number[];
  charge: number[][];
  discharge: number[][];
  energy: number[][];
  /** Direction of a step, where it was needed: 1 is export. */
  direction: (number | undefined)[];
  locked: boolean[][];
};

/** The price that the prices of broken limits are multiples of, as evcc takes it. */
function penaltyBase({ time_series, batteries, grid }: EvccRequest): number {
  const rate =
    grid?.p_max_imp != null && grid.prc_p_exc_imp != null
      ? (grid.prc_p_exc_imp * 3600) / Math.min(...time_series.dt)
      : 0;
  return Math.max(...time_series.p_N, ...time_series.p_E, ...batteries.map(({ p_a }) => p_a), rate, 1e-4);
}

/** Builds the model of a checked request. */
export function buildModel(request: EvccRequest): EvccModel {
  const { time_series, batteries } = request;
  const steps = time_series.dt.length;
  const base = penaltyBase(request);
  const rows = createRowBuilder();
  const model: EvccModel = {
    request,
    steps,
    eta_c: request.eta_c ?? 0.95,
    eta_d: request.eta_d ?? 0.95,
    hours: time_series.dt.map((seconds) => seconds / 3600),
    unit: base,
    rows,
    import_: [],
    export_: [],
    over_import: [],
    over_export: [],
    charge: batteries.map(() => []),
    discharge: batteries.map(() => []),
    energy: batteries.map(() => []),
    direction: time_series.dt.map(() => undefined),
    locked: batteries.map(() => []),
  };
  addGrid(model);
  batteries.forEach((battery, i) => {
    addBattery(model, battery, i);
    if (battery.c_min > 0 || battery.p_demand) addLeastPower(model, battery, i);
  });
  for (let t = 0; t < steps; t++) {
    const coefs: [number, number][] = [
      [model.import_[t]!, 1],
      [model.export_[t]!, -1],
    ];
    if (model.over_import[t] !== undefined) coefs.push([model.over_import[t]!, 1]);
    if (model.over_export[t] !== undefined) coefs.push([model.over_export[t]!, -1]);
    for (let i = 0; i < batteries.length; i++) coefs.push([model.charge[i]![t]!, -1], [model.discharge[i]![t]!, 1]);
    const need = (time_series.gt[t]! - time_series.ft[t]!) / 1000;
    rows.row(need, need, coefs);
  }
  addPreferences(model);
  for (let t = 0; t < steps; t++) if (time_series.p_E[t]! > time_series.p_N[t]!) addDirection(model, t);
  return model;
}

function addGrid(model: EvccModel): void {
  const { request, steps, hours, unit, rows } = model;
  const { p_N, p_E } = request.time_series;
  const { p_max_imp, p_max_exp, prc_p_exc_imp } = request.grid ?? {};
  const rated = p_max_imp != null && prc_p_exc_imp != null;
  // The rate is for the largest excess in W; excess columns are energies of their step.
  const excess = rated ? rows.column((prc_p_exc_imp * 1000) / (unit * 1000), 0, Infinity) : -1;
  for (let t = 0; t < steps; t++) {
    const [buy, sell] = [p_N[t]! / unit, p_E[t]! / unit];
    const most_in = Math.min(mostImport(model, t), p_max_imp == null ? Infinity : (p_max_imp / 1000) * hours[t]!);
    const most_out = Math.min(mostExport(model, t), p_max_exp == null ? Infinity : (p_max_exp / 1000) * hours[t]!);
    model.import_.push(rows.column(buy, 0, most_in));
    model.export_.push(rows.column(-sell, 0, most_out));
    if (p_max_imp != null) {
      const over = rows.column(buy + (rated ? 0 : 100), 0, Infinity);
      model.over_import.push(over);
      if (rated)
        rows.row(-Infinity, 0, [
          [over, 1],
          [excess, -hours[t]!],
        ]);
    }
    if (p_max_exp != null) model.over_export.push(rows.column(100 * (1 - t * 1e-5), 0, Infinity));
  }
}

/** kWh that a step can draw or give at most while the energy goes only one way. */
function mostImport({ request, hours }: EvccModel, t: number): number {
  return (
    request.time_series.gt[t]! / 1000 +
    request.batteries.reduce((sum, { c_max }) => sum + (c_max / 1000) * hours[t]!, 0)
  );
}

function mostExport({ request, hours }: EvccModel, t: number): number {
  const { ft, gt } = request.time_series;
  const free = request.batteries.filter(({ discharge_to_grid }) => discharge_to_grid);
  const given = free.reduce((sum, { d_max }) => sum + (d_max / 1000) * hours[t]!, 0);
  // Who exports does not discharge batteries that must not feed in, so that only the surplus is left for them.
  return Math.max(0, (ft[t]! - gt[t]!) / 1000 + given);
}

function addBattery(model: EvccModel, battery: EvccBattery, i: number): void {
  const { steps, hours, unit, rows, eta_c, eta_d } = model;
  const capacity = (battery.s_capacity ?? Math.max(battery.s_max, battery.s_initial)) / 1000;
  const [low, high, initial] = [battery.s_min / 1000, battery.s_max / 1000, battery.s_initial / 1000];
  for (let t = 0; t < steps; t++) {
    const charge = rows.column(0, 0, mostCharge(model, battery, t));
    const discharge = rows.column(0, 0, (battery.d_max / 1000) * hours[t]!);
    const energy = rows.column(t === steps - 1 ? -battery.p_a / unit : 0, 0, capacity);
    model.charge[i]!.push(charge);
    model.discharge[i]!.push(discharge);
    model.energy[i]!.push(energy);
    model.locked[i]!.push(false);
    const coefs: [number, number][] = [
      [energy, 1],
      [charge, -eta_c],
      [discharge, 1 / eta_d],
    ];
    if (t > 0) coefs.push([model.energy[i]![t - 1]!, -1]);
    rows.row(t === 0 ? initial : 0, t === 0 ? initial : 0, coefs);
    if (capacity > high)
      rows.row(-Infinity, high, [
        [energy, 1],
        [rows.column(1000, 0, Infinity), -1],
      ]);
    if (low > 0)
      rows.row(low, Infinity, [
        [energy, 1],
        [rows.column(1000, 0, Infinity), 1],
      ]);
    const goal = battery.s_goal?.[t] ?? 0;
    if (t > 0 && goal > 0)
      rows.row(goal / 1000, Infinity, [
        [energy, 1],
        [rows.column(100, 0, Infinity), 1],
      ]);
  }
}

/** kWh that a battery can take in a step: none where its least power would overfill even the empty one. */
export function mostCharge({ request, hours, eta_c }: EvccModel, battery: EvccBattery, t: number): number {
  const capacity = (battery.s_capacity ?? Math.max(battery.s_max, battery.s_initial)) / 1000;
  const { ft, gt } = request.time_series;
  const others = request.batteries.reduce(
    (sum, other) => sum + (other === battery ? 0 : (other.d_max / 1000) * hours[t]!),
    0,
  );
  const own = battery.charge_from_grid ? Infinity : Math.max(0, (ft[t]! - gt[t]!) / 1000 + others);
  const most = Math.min((battery.c_max / 1000) * hours[t]!, capacity / eta_c, own);
  const isFree = battery.p_demand != null;
  return !isFree && most < (battery.c_min / 1000) * hours[t]! ? 0 : most;
}

/** Charging is off or at least c_min, and follows the demand until the battery is full. */
function addLeastPower(model: EvccModel, battery: EvccBattery, i: number): void {
  const { steps, hours, rows } = model;
  const high = battery.s_max / 1000;
  let fullBefore: number | undefined;
  let reachable = battery.s_initial / 1000;
  for (let t = 0; t < steps; t++) {
    const [charge, energy] = [model.charge[i]![t]!, model.energy[i]![t]!];
    const least = (battery.c_min / 1000) * hours[t]!;
    const most = mostCharge(model, battery, t);
    reachable += model.eta_c * most;
    const demand = Math.min(most, (battery.p_demand?.[t] ?? 0) / 1000);
    let nearlyFull: number | undefined;
    if (demand > 0) {
      const short = rows.column(100 * (1 + (steps - t) / steps), 0, Infinity);
      const met: [number, number][] = [
        [charge, 1],
        [short, 1],
      ];
      // Full only at s_max, which takes a while; without discharging what is full stays full.
      if (reachable >= high - 1e-9) {
        const full = rows.binary();
        rows.row(-Infinity, 0, [
          [full, high],
          [energy, -1],
        ]);
        if (battery.d_max === 0 && fullBefore !== undefined)
          rows.row(0, Infinity, [
            [full, 1],
            [fullBefore, -1],
          ]);
        fullBefore = full;
        met.push([full, demand]);
      }
      rows.row(demand, Infinity, met);
      // Nearly full: within what c_min adds in a step.
      if (least > 0 && reachable >= high - least - 1e-9) {
        nearlyFull = rows.binary();
        rows.row(-Infinity, least, [
          [nearlyFull, high],
          [energy, -1],
        ]);
      }
    }
    if (least === 0 || most === 0) continue;
    const on = rows.binary();
    const lower: [number, number][] = [
      [charge, 1],
      [on, -least],
    ];
    if (nearlyFull !== undefined) lower.push([nearlyFull, least]);
    rows.row(0, Infinity, lower);
    rows.row(-Infinity, 0, [
      [charge, 1],
      [on, -most],
    ]);
  }
}

/** evcc's wishes between schedules of the same cost, as prices that are too small to cost money. */
function addPreferences(model: EvccModel): void {
  const { request, steps, hours, unit, rows } = model;
  const { charging_strategy = 'none', discharging_strategy = 'none' } = request.strategy ?? {};
  const price = (PREFERENCE * Math.min(...request.time_series.p_N)) / unit;
  const count = request.batteries.length;
  for (let t = 0; t < steps; t++) {
    const left = steps - t;
    if (charging_strategy === 'charge_before_export') rows.addCost(model.export_[t]!, price * 2e-5 * left * count);
    if (discharging_strategy === 'discharge_before_import')
      rows.addCost(model.import_[t]!, price * 5e-6 * left * count);
    request.batteries.forEach(({ c_priority = 0 }, i) => {
      rows.addCost(model.charge[i]![t]!, -price * 5e-5 * left * c_priority);
      rows.addCost(model.discharge[i]![t]!, -price * 5e-5 * left * c_priority);
    });
  }
  const sides: [boolean, number[], number[]][] = [
    [
      /demand|grid/.test(charging_strategy) && charging_strategy.startsWith('attenuate'),
      model.import_,
      model.over_import,
    ],
    [
      /feedin|grid/.test(charging_strategy) && charging_strategy.startsWith('attenuate'),
      model.export_,
      model.over_export,
    ],
  ];
  for (const [levelled, power, over] of sides) {
    if (!levelled) continue;
    const peak = rows.column(PREFERENCE * 1e-3, 0, Infinity);
    for (let t = 0; t < steps; t++) {
      const coefs: [number, number][] = [
        [power[t]!, 1 / hours[t]!],
        [peak, -1],
      ];
      if (over[t] !== undefined) coefs.push([over[t]!, 1 / hours[t]!]);
      rows.row(-Infinity, 0, coefs);
    }
  }
}

/** Decides in which direction the grid's energy goes in a step, with all that hangs on it. */
export function addDirection(model: EvccModel, t: number): void {
  const { request, rows, hours } = model;
  const [most_in, most_out] = [mostImport(model, t), mostExport(model, t)];
  const exports = rows.binary();
  model.direction[t] = exports;
  const side = (columns: number[], most: number, when: 0 | 1) => {
    if (columns[t] === undefined) return;
    if (when === 1)
      rows.row(-Infinity, 0, [
        [columns[t]!, 1],
        [exports, -most],
      ]);
    else
      rows.row(-Infinity, most, [
        [columns[t]!, 1],
        [exports, most],
      ]);
  };
  side(model.export_, most_out, 1);
  side(model.over_export, most_out, 1);
  side(model.import_, most_in, 0);
  side(model.over_import, most_in, 0);
  request.batteries.forEach((battery, i) => {
    if (!battery.charge_from_grid) side(model.charge[i]!, mostCharge(model, battery, t), 1);
    if (!battery.discharge_to_grid) side(model.discharge[i]!, (battery.d_max / 1000) * hours[t]!, 0);
  });
}
