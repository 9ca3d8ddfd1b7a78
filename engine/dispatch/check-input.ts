/** Refuses what cannot be planned with, naming every fault at once. Missing is an error, never 0. */
import { type Fault, InvalidDataError } from '../errors.ts';
import type { PlanInput, RunningRules, Series } from './site.ts';

/** 30 days of quarter hours. */
const MOST_SLOTS = 30 * 96;

/** @throws InvalidDataError with one fault for each missing or impossible input. */
export function checkPlanInput(input: PlanInput): void {
  const faults: Fault[] = [];
  const slots = input.import_price.length;
  const add = (where: string, problem: string) => faults.push({ where, problem });
  if (slots === 0) add('import_price', 'there is no slot to plan for');
  if (slots > MOST_SLOTS)
    add('import_price', `${slots} slots are more than ${MOST_SLOTS}, which is 30 days of 15 minutes`);
  if (!Number.isFinite(input.from_ms)) add('from_ms', 'the start is missing');
  for (const name of ['import_price', 'export_price', 'load_W', 'generation_W'] as const)
    checkSeries(name, input[name], slots, name === 'load_W' || name === 'generation_W', add);
  for (const name of ['import_limit_W', 'export_limit_W'] as const) {
    const limit = input.grid[name];
    if (typeof limit === 'number') atLeast(`grid.${name}`, limit, 0, add);
    else if (limit !== null) checkSeries(`grid.${name}`, limit, slots, true, add);
  }
  checkDevices(input, slots, add);
  checkTerms(input, slots, add);
  for (const [name, price] of Object.entries(input.soft)) atLeast(`soft.${name}`, price, 0, add);
  if (faults.length > 0) throw refusal(faults);
}

type Add = (where: string, problem: string) => void;

function refusal(faults: Fault[]): InvalidDataError {
  const shown = faults.slice(0, 5).map(({ where, problem }) => `${where}: ${problem}`);
  const rest = faults.length > 5 ? ` (and ${faults.length - 5} more)` : '';
  return new InvalidDataError(
    `No plan can be made. ${shown.join('; ')}${rest}.`,
    'Supply what is missing or mend what is impossible; nothing is assumed in its place.',
    faults,
  );
}

function checkSeries(name: string, series: Series, slots: number, positive: boolean, add: Add): void {
  const problem = seriesProblem(name, series, slots, positive);
  if (problem) add(name, problem);
}

function seriesProblem(name: string, series: Series, slots: number, positive: boolean): string | undefined {
  if (series.length !== slots) return `has ${series.length} values for ${slots} slots`;
  const mayBeEndless = positive && name.startsWith('grid');
  for (let t = 0; t < slots; t++) {
    const value = series[t];
    if (value === null || value === undefined || Number.isNaN(value)) return `is missing in slot ${t}`;
    if (positive && !(value >= 0)) return `is negative in slot ${t} (${value})`;
    if (!Number.isFinite(value) && !mayBeEndless) return `is not finite in slot ${t}`;
  }
  return undefined;
}

function atLeast(name: string, value: number, least: number, add: Add): void {
  if (!(Number.isFinite(value) && value >= least)) add(name, `is ${value}, but must be a number of at least ${least}`);
}

function ratio(name: string, value: number, add: Add): void {
  if (!(value > 0 && value <= 1)) add(name, `is ${value}, but must be above 0 and at most 1`);
}

function checkDevices(input: PlanInput, slots: number, add: Add): void {
  const ids = new Set<string>(['grid']);
  for (const device of [...input.batteries, ...input.vehicles, ...input.heat_pumps, ...input.loads]) {
    if (ids.has(device.id)) add(device.id, 'this name is used twice');
    ids.add(device.id);
  }
  for (const b of input.batteries) {
    numbers(b.id, b, ['capacity_kWh', 'min_kWh', 'max_kWh', 'charge_W', 'discharge_W', 'energy_kWh'], add);
    ratio(`${b.id}.charge_efficiency`, b.charge_efficiency, add);
    ratio(`${b.id}.discharge_efficiency`, b.discharge_efficiency, add);
    ratio(`${b.id}.keep_per_hour`, b.keep_per_hour, add);
    numbers(b.id, b, ['degradation_per_kWh'], add);
    if (!Number.isFinite(b.end_value_per_kWh)) add(`${b.id}.end_value_per_kWh`, 'is missing');
    if (b.min_kWh > b.max_kWh || b.max_kWh > b.capacity_kWh)
      add(b.id, 'min_kWh ≤ max_kWh ≤ capacity_kWh does not hold');
    if (b.energy_kWh > b.capacity_kWh * 1.0001) add(`${b.id}.energy_kWh`, 'is more than the capacity');
    if (b.end_kWh !== null && !(b.end_kWh >= 0 && b.end_kWh <= b.max_kWh))
      add(`${b.id}.end_kWh`, 'is outside 0 … max_kWh');
  }
  for (const v of input.vehicles) {
    numbers(
      v.id,
      v,
      ['capacity_kWh', 'energy_kWh', 'charge_W', 'min_charge_W', 'discharge_W', 'degradation_per_kWh'],
      add,
    );
    ratio(`${v.id}.charge_efficiency`, v.charge_efficiency, add);
    ratio(`${v.id}.discharge_efficiency`, v.discharge_efficiency, add);
    if (!Number.isFinite(v.end_value_per_kWh)) add(`${v.id}.end_value_per_kWh`, 'is missing');
    if (v.min_charge_W > v.charge_W) add(`${v.id}.min_charge_W`, 'is more than charge_W');
    if (v.energy_kWh > v.capacity_kWh * 1.0001) add(`${v.id}.energy_kWh`, 'is more than the capacity');
    v.stays.forEach((stay, k) => {
      if (!(stay.from_ms < stay.to_ms)) add(`${v.id}.stays[${k}]`, 'does not end after it begins');
      if (k > 0 && stay.from_ms < v.stays[k - 1]!.to_ms)
        add(`${v.id}.stays[${k}]`, 'begins before the one before it ends');
      numbers(`${v.id}.stays[${k}]`, stay, ['goal_kWh', 'used_kWh'], add);
      if (stay.goal_kWh > v.capacity_kWh * 1.0001) add(`${v.id}.stays[${k}].goal_kWh`, 'is more than the capacity');
    });
  }
  for (const h of input.heat_pumps) {
    numbers(h.id, h, ['electric_W', 'min_W', 'store_kWh', 'store_min_kWh', 'energy_kWh'], add);
    ratio(`${h.id}.keep_per_hour`, h.keep_per_hour, add);
    checkSeries(`${h.id}.cop`, h.cop, slots, true, add);
    checkSeries(`${h.id}.heat_demand_W`, h.heat_demand_W, slots, true, add);
    if (h.store_min_kWh > h.store_kWh) add(`${h.id}.store_min_kWh`, 'is more than store_kWh');
    if (h.min_W > h.electric_W) add(`${h.id}.min_W`, 'is more than electric_W');
    if (!Number.isFinite(h.end_value_per_kWh)) add(`${h.id}.end_value_per_kWh`, 'is missing');
    checkRunning(h.id, h.running, add);
  }
  for (const l of input.loads) {
    numbers(l.id, l, ['power_W', 'min_W'], add);
    if (l.min_W > l.power_W) add(`${l.id}.min_W`, 'is more than power_W');
    l.windows.forEach((window, k) => {
      if (!(window.from_ms < window.to_ms)) add(`${l.id}.windows[${k}]`, 'does not end after it begins');
      if (k > 0 && window.from_ms < l.windows[k - 1]!.to_ms)
        add(`${l.id}.windows[${k}]`, 'begins before the one before it ends');
      numbers(`${l.id}.windows[${k}]`, window, ['energy_kWh'], add);
    });
    checkRunning(l.id, l.running, add);
  }
}

function checkRunning(id: string, rules: RunningRules | null, add: Add): void {
  if (!rules) return;
  numbers(`${id}.running`, rules, ['min_on_min', 'min_off_min', 'since_min'], add);
  if (rules.max_starts !== null) atLeast(`${id}.running.max_starts`, rules.max_starts, 0, add);
}

function numbers<T extends object>(id: string, owner: T, names: readonly (keyof T & string)[], add: Add): void {
  for (const name of names) atLeast(`${id}.${name}`, owner[name] as number, 0, add);
}

function checkTerms(input: PlanInput, slots: number, add: Add): void {
  for (const term of input.demand) {
    numbers(`demand ${term.id}`, term, ['per_kW', 'realised_kW', 'from_slot'], add);
    if (!(term.to_slot > term.from_slot && term.to_slot <= slots)) add(`demand ${term.id}`, 'lies outside the plan');
  }
  const known = new Set(
    [...input.batteries, ...input.vehicles, ...input.heat_pumps, ...input.loads].map(({ id }) => id),
  );
  for (const { device, from_ms, to_ms, power_W } of input.overrides ?? []) {
    if (!known.has(device)) add('override', `names ${device}, which is no device`);
    if (!(from_ms < to_ms)) add(`override of ${device}`, 'does not end after it begins');
    if (!Number.isFinite(power_W)) add(`override of ${device}`, 'has no power');
  }
  for (const reduction of input.reductions) {
    atLeast(`reduction ${reduction.id}.limit_W`, reduction.limit_W, 0, add);
    for (const id of reduction.devices)
      if (!known.has(id)) add(`reduction ${reduction.id}`, `names ${id}, which is no device`);
    if (!(reduction.from_ms < reduction.to_ms)) add(`reduction ${reduction.id}`, 'does not end after it begins');
  }
}
