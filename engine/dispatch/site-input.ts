/**
 * Makes the input of a plan from what is known of a site: prices, forecasts, devices and their state. What is missing is
 * named; nothing is taken as 0.
 */
import { type Fault, InvalidDataError } from '../errors.ts';
import { HOUR_MS, SLOT_MS } from '../model/time.ts';
import type { DeviceOf, PlanDevice, PlanSettings } from './plan-devices.ts';
import type {
  Battery,
  DemandTerm,
  HeatPump,
  Override,
  PlanInput,
  Reduction,
  ShiftableLoad,
  Stay,
  Vehicle,
} from './site.ts';
import { weeklySpans } from './week-times.ts';

export type SiteFacts = {
  /** Start of the first slot. */
  from_ms: number;
  time_zone: string;
  /** One value a 15-minute slot; NaN is missing. */
  import_price: Float64Array;
  export_price: Float64Array;
  /** Of the tariff; Infinity where it sets none. */
  import_limit_W: Float64Array;
  export_limit_W: Float64Array;
  load_W: Float64Array;
  /** null: the site generates nothing. */
  generation_W: Float64Array | null;
  /** Outside; only asked where there is a heat pump. */
  temperature_C: Float64Array;
  demand: readonly DemandTerm[];
  devices: readonly DeviceFact[];
  settings: PlanSettings;
  reductions: readonly Reduction[];
  overrides: readonly Override[];
};

/** `percent`: its state of charge as measured (batteries, cars) or as the plan before left it (heat); null: unknown. */
export type DeviceFact = {
  device: PlanDevice;
  percent: number | null;
  /** Whether it runs now and for how long; null: unknown, it counts as off for long. */
  running: { on: boolean; since_min: number } | null;
};

const ABSOLUTE_ZERO_C = -273.15;
const MOST_COP = 8;
/** A stored kWh is worth a little less than what is saved by it in the median slot, so that a tie is not traded. */
const KEEP_SHARE = 0.95;

/** @throws InvalidDataError that names everything that is missing */
export function siteInput(facts: SiteFacts): PlanInput {
  const { from_ms, settings } = facts;
  const faults: Fault[] = [];
  const slots = facts.import_price.length;
  const end_value = KEEP_SHARE * median(facts.import_price);
  const made = { batteries: [] as Battery[], vehicles: [] as Vehicle[], heat_pumps: [] as HeatPump[] };
  const loads: ShiftableLoad[] = [];
  for (const fact of facts.devices) {
    const { device, percent } = fact;
    if (device.kind === 'battery') {
      if (percent === null)
        faults.push({
          where: device.name,
          problem: `its state of charge is not known (meter point ${device.soc_meter})`,
        });
      else made.batteries.push(batteryOf(device, percent, end_value));
    } else if (device.kind === 'vehicle') made.vehicles.push(vehicleOf(device, percent, end_value, facts));
    else if (device.kind === 'heat-pump') made.heat_pumps.push(heatPumpOf(device, fact, end_value, facts, faults));
    else loads.push(loadOf(device, fact, facts));
  }
  need('the load forecast', facts.load_W, facts, faults);
  if (facts.generation_W) need('the generation forecast', facts.generation_W, facts, faults);
  need('the price of a kWh from the grid', facts.import_price, facts, faults);
  need('the price of a kWh fed in', facts.export_price, facts, faults);
  if (faults.length > 0) throw missing(faults);
  const bound = (limit: number | null, series: Float64Array) =>
    Array.from(series, (value) => Math.min(limit ?? Number.POSITIVE_INFINITY, value));
  return {
    from_ms,
    slot_min: 15,
    import_price: Array.from(facts.import_price),
    export_price: Array.from(facts.export_price),
    load_W: Array.from(facts.load_W, (value) => Math.max(0, value)),
    generation_W: Array.from({ length: slots }, (_, t) => Math.max(0, facts.generation_W?.[t] ?? 0)),
    curtailable: settings.curtailable,
    grid: {
      import_limit_W: bound(settings.import_limit_W, facts.import_limit_W),
      export_limit_W: bound(settings.export_limit_W, facts.export_limit_W),
    },
    demand: facts.demand,
    ...made,
    loads,
    reductions: facts.reductions,
    overrides: facts.overrides,
    soft: settings.soft,
  };
}

function need(what: string, values: Float64Array, { from_ms }: SiteFacts, faults: Fault[]): void {
  const holes = values.reduce((count, value) => count + (Number.isNaN(value) ? 1 : 0), 0);
  if (holes === 0) return;
  const first = values.findIndex(Number.isNaN);
  faults.push({
    where: what,
    problem: `is missing for ${holes} slots from ${new Date(from_ms + first * SLOT_MS).toISOString()}`,
  });
}

function missing(faults: readonly Fault[]): InvalidDataError {
  const words = faults.slice(0, 5).map(({ where, problem }) => `${where}: ${problem}`);
  return new InvalidDataError(
    `No plan can be made. ${words.join('; ')}.`,
    'Supply what is missing; nothing is assumed in its place.',
    faults,
  );
}

function batteryOf(device: DeviceOf<'battery'>, percent: number, end_value: number): Battery {
  const { capacity_kWh: capacity, degradation_per_kWh, discharge_efficiency } = device;
  return {
    id: device.id,
    capacity_kWh: capacity,
    min_kWh: (capacity * Math.min(device.reserve_percent, device.max_percent)) / 100,
    max_kWh: (capacity * device.max_percent) / 100,
    charge_W: device.charge_W,
    discharge_W: device.discharge_W,
    charge_efficiency: device.charge_efficiency,
    discharge_efficiency,
    keep_per_hour: 1,
    energy_kWh: (capacity * clamp(percent, 0, 100)) / 100,
    degradation_per_kWh,
    end_value_per_kWh: Math.max(0, end_value - degradation_per_kWh) * discharge_efficiency,
    end_kWh: null,
    charge_from_grid: device.charge_from_grid,
    discharge_to_grid: device.discharge_to_grid,
  };
}

/** A car that is away comes back as full as its owner says; one that is here is as full as it is measured. */
function vehicleOf(device: DeviceOf<'vehicle'>, percent: number | null, end_value: number, facts: SiteFacts): Vehicle {
  const { from_ms, time_zone } = facts;
  const { capacity_kWh: capacity, arrival_percent } = device;
  const to_ms = from_ms + facts.import_price.length * SLOT_MS;
  const part = (share: number) => (capacity * share) / 100;
  const spans = weeklySpans(
    device.stays,
    ({ weekdays, arrive, depart }) => ({ weekdays, from: arrive, to: depart }),
    from_ms,
    to_ms,
    time_zone,
  );
  const here = spans[0] !== undefined && spans[0].from_ms <= from_ms;
  const energy_kWh = part(clamp(here && percent !== null ? percent : arrival_percent, 0, 100));
  const stays = spans.map(
    ({ from_ms: arrive_ms, to_ms: depart_ms, rule }, k): Stay => ({
      ...{ from_ms: arrive_ms, to_ms: depart_ms, goal_kWh: part(rule.goal_percent) },
      used_kWh: k === 0 ? 0 : Math.max(0, part(spans[k - 1]!.rule.goal_percent - arrival_percent)),
    }),
  );
  const { id, charge_W, min_charge_W, discharge_W, charge_efficiency, discharge_efficiency, degradation_per_kWh } =
    device;
  return {
    ...{ id, capacity_kWh: capacity, energy_kWh, charge_W, min_charge_W, discharge_W, degradation_per_kWh, stays },
    ...{ charge_efficiency, discharge_efficiency },
    end_value_per_kWh: Math.max(0, end_value) * charge_efficiency * 0.5,
  };
}

function heatPumpOf(
  device: DeviceOf<'heat-pump'>,
  { percent, running }: DeviceFact,
  end_value: number,
  { temperature_C, ...facts }: SiteFacts,
  faults: Fault[],
): HeatPump {
  need('the outside temperature', temperature_C, { temperature_C, ...facts }, faults);
  const cop = Array.from(temperature_C, (outside) => copOf(device, outside));
  const mean = cop.reduce((sum, one) => sum + one, 0) / Math.max(1, cop.length);
  return {
    id: device.id,
    electric_W: device.electric_W,
    min_W: device.min_W,
    cop,
    heat_demand_W: Array.from(
      temperature_C,
      (outside) => device.heat_loss_W_per_K * Math.max(0, device.heating_below_C - outside),
    ),
    store_kWh: device.store_kWh,
    store_min_kWh: Math.min(device.store_min_kWh, device.store_kWh),
    energy_kWh: (device.store_kWh * clamp(percent ?? device.start_percent, 0, 100)) / 100,
    keep_per_hour: device.keep_per_hour,
    end_value_per_kWh: Math.max(0, end_value) / Math.max(1, mean),
    running: runningOf(device, running),
  };
}

/**
 * Heat per electricity: a share of the Carnot efficiency between outside and supply (H. Recknagel, E. Sprenger,
 * "Taschenbuch für Heizung und Klimatechnik": quality grades of 0.4 to 0.5 for air-to-water heat pumps).
 */
export function copOf(
  { supply_C, quality }: Pick<DeviceOf<'heat-pump'>, 'supply_C' | 'quality'>,
  outside_C: number,
): number {
  const lift = Math.max(10, supply_C - outside_C);
  return clamp((quality * (supply_C - ABSOLUTE_ZERO_C)) / lift, 1, MOST_COP);
}

function loadOf(device: DeviceOf<'load'>, { running }: DeviceFact, facts: SiteFacts): ShiftableLoad {
  const { from_ms, time_zone } = facts;
  const to_ms = from_ms + facts.import_price.length * SLOT_MS;
  const spans = weeklySpans(device.windows, (rule) => rule, from_ms, to_ms, time_zone);
  return {
    id: device.id,
    power_W: device.power_W,
    min_W: device.min_W ?? device.power_W,
    windows: spans.map(({ from_ms: begin_ms, to_ms: end_ms, rule }) => ({
      from_ms: Math.max(from_ms, begin_ms),
      to_ms: end_ms,
      energy_kWh: energyLeft(rule.energy_kWh, begin_ms, end_ms, from_ms, device.power_W),
    })),
    running: runningOf(device, running),
  };
}

/** Of a window that has begun the part that fits into the rest is planned: an even course is assumed so far. */
function energyLeft(kWh: number, begin_ms: number, end_ms: number, now_ms: number, power_W: number): number {
  if (begin_ms >= now_ms) return kWh;
  const share = (end_ms - now_ms) / (end_ms - begin_ms);
  return Math.min(kWh * share, (power_W / 1000) * ((end_ms - now_ms) / HOUR_MS));
}

function runningOf(
  { running }: DeviceOf<'load'> | DeviceOf<'heat-pump'>,
  state: DeviceFact['running'],
): HeatPump['running'] {
  if (!running) return null;
  return { ...running, on: state?.on ?? false, since_min: state?.since_min ?? 24 * 60 };
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

function median(values: Float64Array): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return sorted.length === 0 ? 0 : sorted[sorted.length >> 1]!;
}
