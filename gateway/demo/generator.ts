/**
 * A plausible small commercial site as functions of time: the same seed and instant always give the same power and
 * the same registers, so that history and live simulators continue each other without a seam, over restarts too.
 * Everything balances: grid = hall + office + chargers + other − PV − battery. Pure.
 */
import { SLOT_MS } from '../../engine/model/time.ts';
import { loadsAt } from './load-shapes.ts';
import { marketPrice, meanPrice } from './market.ts';
import { hash01 } from './noise.ts';
import { type Place, type Sky, skyAt } from './sky.ts';

/** What the demo measures. The hall's meter holds the cold store. */
export const DEMO_METERS = ['grid', 'pv', 'battery', 'hall', 'office', 'ev', 'cold'] as const;
export type DemoMeter = (typeof DEMO_METERS)[number];

/** Freiburg im Breisgau. */
export const DEMO_PLACE: Place = { latitude: 47.996, longitude: 7.849 };
export const DEMO_ZONE = 'Europe/Berlin';
/** Registers start here; nothing can be asked before. */
export const DEMO_EPOCH_MS = Date.UTC(2025, 0, 1);

const PV_PEAK_W = 60_000;
const INVERTER_W = 50_000;
const BATTERY = { capacity_kWh: 100, power_W: 50_000, reserve_kWh: 8, efficiency: 0.95 };
const HOURS_PER_SLOT = SLOT_MS / 3_600_000;
/** Above this the battery helps out, whatever the price. */
const PEAK_W = 45_000;
/** Waves within a slot that end where they began: live values move, energy per slot does not. */
const WAVES: Readonly<Partial<Record<DemoMeter, { waves: number; share: number }>>> = {
  pv: { waves: 5, share: 0.05 },
  hall: { waves: 11, share: 0.06 },
  office: { waves: 7, share: 0.05 },
  cold: { waves: 13, share: 0.08 },
};
/** Steps within a slot where the grid's direction changes and no closed form exists. */
const STEPS = 60;
/** kWh on the registers at the epoch: the meters are not new. */
const START_KWH: Readonly<Record<DemoMeter, { import: number; export: number }>> = {
  grid: { import: 184_223, export: 20_714 },
  pv: { import: 0, export: 61_900 },
  battery: { import: 21_040, export: 18_990 },
  hall: { import: 96_511, export: 0 },
  office: { import: 31_276, export: 0 },
  ev: { import: 4_871, export: 0 },
  cold: { import: 28_404, export: 0 },
};

export type DemoSite = {
  /** Signed as meter points are: grid and loads + is consumption, PV + production, battery + discharge. */
  power_W(meter: DemoMeter, at_ms: number): number;
  /** Cumulative registers, kWh. */
  import_kWh(meter: DemoMeter, at_ms: number): number;
  export_kWh(meter: DemoMeter, at_ms: number): number;
  soc_percent(at_ms: number): number;
  sky(at_ms: number): Sky;
  /** Day-ahead price of the slot, EUR/MWh. */
  price_EUR_MWh(at_ms: number): number;
};

type Knot = { power_W: Record<DemoMeter, number>; other_W: number; soc_kWh: number };
type Registers = Record<DemoMeter, { import: number; export: number }>;

/** Values are made slot by slot from the epoch on and kept (about 0.3 s for two years). */
export function createDemoSite(seed: number): DemoSite {
  const knots: Knot[] = [];
  const registers: Registers[] = [];
  const dear = createYardstick(seed);

  function reach(index: number): void {
    while (knots.length <= index + 1) {
      const i = knots.length;
      knots.push(makeKnot(seed, DEMO_EPOCH_MS + i * SLOT_MS, knots[i - 1], dear));
      registers.push(i === 0 ? structuredClone(START_KWH) : addSlot(registers[i - 1]!, seed, i - 1, knots));
    }
  }

  function place(at_ms: number): { index: number; phase: number } {
    if (!(at_ms >= DEMO_EPOCH_MS))
      throw new RangeError(`The demo site did not exist on ${new Date(at_ms).toISOString()}.`);
    const index = Math.floor((at_ms - DEMO_EPOCH_MS) / SLOT_MS);
    reach(index);
    return { index, phase: (at_ms - DEMO_EPOCH_MS) / SLOT_MS - index };
  }

  const register = (direction: 'import' | 'export') => (meter: DemoMeter, at_ms: number) => {
    const { index, phase } = place(at_ms);
    return registers[index]![meter][direction] + partEnergy(meter, seed, index, phase, knots)[direction];
  };

  return {
    power_W(meter, at_ms) {
      const { index, phase } = place(at_ms);
      return powerWithin(meter, seed, index, phase, knots);
    },
    import_kWh: register('import'),
    export_kWh: register('export'),
    soc_percent(at_ms) {
      const { index, phase } = place(at_ms);
      const [from, to] = [knots[index]!.soc_kWh, knots[index + 1]!.soc_kWh];
      return (100 * (from + (to - from) * phase)) / BATTERY.capacity_kWh;
    },
    sky: (at_ms) => skyAt(seed, DEMO_PLACE, at_ms),
    price_EUR_MWh: (at_ms) => marketPrice(seed, at_ms),
  };
}

/** @returns how much dearer a slot is than its day, EUR/MWh. */
function createYardstick(seed: number): (at_ms: number) => number {
  let [day, mean] = [Number.NaN, 0];
  return (at_ms) => {
    const its_day = Math.floor(at_ms / (24 * 3_600_000));
    if (its_day !== day) [day, mean] = [its_day, meanPrice(seed, its_day)];
    return marketPrice(seed, at_ms) - mean;
  };
}

function makeKnot(seed: number, at_ms: number, before: Knot | undefined, dear: (at_ms: number) => number): Knot {
  const sky = skyAt(seed, DEMO_PLACE, at_ms);
  const { other, ...loads } = loadsAt(seed, at_ms, sky, DEMO_ZONE);
  const pv = pvPower(sky);
  const need_W = loads.hall + loads.office + loads.ev + other - pv;
  const soc_kWh = before ? nextCharge(before) : BATTERY.capacity_kWh / 2;
  const battery = batteryPower(need_W, soc_kWh, dear(at_ms)) || 0;
  return { power_W: { ...loads, pv, battery, grid: need_W - battery }, other_W: other, soc_kWh };
}

/** Losses of cells in the heat and of cables and inverter; the inverter is smaller than the modules. */
function pvPower(sky: Sky): number {
  const cell_C = sky.temperature_C + 0.028 * sky.tilted_W_m2;
  const power_W = (PV_PEAK_W * sky.tilted_W_m2 * 0.88 * (1 - 0.004 * (cell_C - 25))) / 1000;
  return Math.max(0, Math.min(INVERTER_W, power_W));
}

/** Stores surplus and cheap hours; gives it back in dear hours and against peaks. + is discharge, tapered at its ends. */
function batteryPower(need_W: number, soc_kWh: number, dear_EUR_MWh: number): number {
  const room_W = (BATTERY.capacity_kWh - soc_kWh) * 2000;
  const charged_W = Math.max(0, soc_kWh - BATTERY.reserve_kWh) * 2000;
  if (need_W < 0) return -Math.min(-need_W, BATTERY.power_W, room_W);
  const spare_W = Math.min(BATTERY.power_W / 2, PEAK_W - need_W);
  if (dear_EUR_MWh < -22 && spare_W > 0) return -Math.min(spare_W, room_W);
  const wanted_W = dear_EUR_MWh > 22 ? need_W : Math.max(0, need_W - PEAK_W);
  return Math.min(wanted_W, BATTERY.power_W, charged_W);
}

/** The power of a knot holds for its slot, as far as the charge is concerned. */
function nextCharge({ soc_kWh, power_W }: Knot): number {
  const energy_kWh = (power_W.battery * HOURS_PER_SLOT) / 1000;
  const change = energy_kWh > 0 ? energy_kWh / BATTERY.efficiency : energy_kWh * BATTERY.efficiency;
  return Math.min(BATTERY.capacity_kWh, Math.max(0, soc_kWh - change));
}

/** Straight line between the knots, plus the meter's wave. */
function powerWithin(meter: DemoMeter, seed: number, index: number, phase: number, knots: readonly Knot[]): number {
  return lineOf(meter, index, phase, knots) + waveOf(meter, seed, index, phase, knots).power_W;
}

function lineOf(meter: DemoMeter, index: number, phase: number, knots: readonly Knot[]): number {
  // the battery follows its schedule in steps
  if (meter === 'battery') return knots[index]!.power_W.battery;
  if (meter === 'grid') {
    const { hall, office, ev, pv } = slopes(index, phase, knots);
    const other = mix(knots[index]!.other_W, knots[index + 1]!.other_W, phase);
    return hall + office + ev + other - pv - knots[index]!.power_W.battery;
  }
  return mix(knots[index]!.power_W[meter], knots[index + 1]!.power_W[meter], phase);
}

function slopes(index: number, phase: number, knots: readonly Knot[]) {
  const [from, to] = [knots[index]!.power_W, knots[index + 1]!.power_W];
  return {
    hall: mix(from.hall, to.hall, phase),
    office: mix(from.office, to.office, phase),
    ev: mix(from.ev, to.ev, phase),
    pv: mix(from.pv, to.pv, phase),
  };
}

function mix(from: number, to: number, phase: number): number {
  return from + (to - from) * phase;
}

/** `energy` is the integral of the wave over [0, phase], in W × slots; 0 at the slot's end. */
function waveOf(
  meter: DemoMeter,
  seed: number,
  index: number,
  phase: number,
  knots: readonly Knot[],
): { power_W: number; energy: number; height_W: number } {
  if (meter === 'grid') {
    const parts = (['hall', 'office', 'pv'] as const).map((part) => waveOf(part, seed, index, phase, knots));
    const [hall, office, pv] = parts as [(typeof parts)[0], (typeof parts)[0], (typeof parts)[0]];
    return {
      power_W: hall.power_W + office.power_W - pv.power_W,
      energy: hall.energy + office.energy - pv.energy,
      height_W: hall.height_W + office.height_W + pv.height_W,
    };
  }
  const wave = WAVES[meter];
  if (!wave) return { power_W: 0, energy: 0, height_W: 0 };
  const low_W = Math.min(knots[index]!.power_W[meter], knots[index + 1]!.power_W[meter]);
  const height_W = low_W * wave.share * (0.5 + hash01(seed, 51 + wave.waves, index));
  const angle = 2 * Math.PI * wave.waves;
  return {
    power_W: height_W * Math.sin(angle * phase),
    energy: (height_W * (1 - Math.cos(angle * phase))) / angle,
    height_W,
  };
}

/** Energy from the slot's start to `phase`, kWh. */
function partEnergy(meter: DemoMeter, seed: number, index: number, phase: number, knots: readonly Knot[]) {
  const start_W = lineOf(meter, index, 0, knots);
  const end_W = lineOf(meter, index, 1, knots);
  const wave = waveOf(meter, seed, index, phase, knots);
  const one_way = Math.min(start_W, end_W) > wave.height_W || Math.max(start_W, end_W) < -wave.height_W;
  if (one_way || meter !== 'grid') {
    const energy = start_W * phase + ((end_W - start_W) * phase * phase) / 2 + wave.energy;
    return directed(meter, (energy * HOURS_PER_SLOT) / 1000);
  }
  const found = { import: 0, export: 0 };
  for (let step = 0; step < phase * STEPS; step++) {
    // the mean power of the whole step holds in all of it, so that a register never goes back
    const width = Math.min(1, phase * STEPS - step) / STEPS;
    const power_W = powerWithin(meter, seed, index, (step + 0.5) / STEPS, knots);
    const energy = (power_W * width * HOURS_PER_SLOT) / 1000;
    const { import: taken, export: given } = directed(meter, energy);
    found.import += taken;
    found.export += given;
  }
  return found;
}

/** Which register energy counts on: power of generators and batteries is + when they give. */
function directed(meter: DemoMeter, energy_kWh: number): { import: number; export: number } {
  const gives = meter === 'pv' || meter === 'battery';
  const taken = gives ? -energy_kWh : energy_kWh;
  return { import: Math.max(0, taken), export: Math.max(0, -taken) };
}

function addSlot(before: Registers, seed: number, index: number, knots: readonly Knot[]): Registers {
  const after = {} as Registers;
  for (const meter of DEMO_METERS) {
    const part = partEnergy(meter, seed, index, 1, knots);
    after[meter] = { import: before[meter].import + part.import, export: before[meter].export + part.export };
  }
  return after;
}
