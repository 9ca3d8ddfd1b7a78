/**
 * What a store would have done under a policy: any history, slot by slot, each decision taken with what was known then.
 * The simulation, not the policy, keeps the limits of store and grid, so that no policy can cheat.
 */
import { meanPeak, type PeakSteps, stepAmount } from './stepped-peak.ts';
import type { StoreLimits } from './value-function.ts';

export type History = {
  /** Hours of a slot. */
  hours: number;
  /** Consumption less generation, by slot. */
  net_kWh: Float64Array;
  /** Per kWh from and to the grid. */
  price: Float64Array;
  feed_in: Float64Array;
  /** Number of the local day and month of each slot; equal numbers are the same day and month. */
  day: Int32Array;
  month: Int32Array;
  import_limit_kW: number;
  peaks: PeakSteps | null;
  /** Cost of power in a month from its daily peaks, where it has no steps; null: none. */
  store: StoreLimits & { initial_kWh: number };
};

export type View = {
  t: number;
  energy_kWh: number;
  /** Daily peaks of the month so far, the last of them today's, in kW. */
  peaks_kW: readonly number[];
  history: History;
};

/** @returns energy at the terminals in the slot: + charges, − discharges. What is too much is cut off. */
export type Policy = { name: string; decide(view: View): number };

export type Simulation = {
  policy: string;
  bill: number;
  energy_cost: number;
  demand_cost: number;
  /** Energy discharged through the year, in fillings of the store. */
  cycles: number;
  peak_kW: number;
  grid_kWh: Float64Array;
  energy_kWh: Float64Array;
  /** Cost of energy by day, for the bootstrap. */
  daily_cost: Float64Array;
};

export function simulate(history: History, policy: Policy): Simulation {
  const { store, net_kWh, price, feed_in, day, month, hours } = history;
  const slots = net_kWh.length;
  const [grid_kWh, energy_kWh] = [new Float64Array(slots), new Float64Array(slots)];
  const daily_cost = new Float64Array(slots === 0 ? 0 : day[slots - 1]! - day[0]! + 1);
  let [energy, energy_cost, demand_cost, discharged, peak_kW] = [store.initial_kWh, 0, 0, 0, 0];
  let peaks: number[] = [];
  for (let t = 0; t < slots; t++) {
    if (t === 0 || day[t] !== day[t - 1]) {
      if (t > 0 && month[t] !== month[t - 1]) {
        demand_cost += demandOf(history, peaks);
        peaks = [];
      }
      peaks.push(0);
    }
    const wanted = policy.decide({ t, energy_kWh: energy, peaks_kW: peaks, history });
    const flow = allowed(history, t, energy, wanted);
    energy = store.keep * energy + (flow > 0 ? flow * store.charge_efficiency : flow / store.discharge_efficiency);
    energy = Math.min(store.capacity_kWh, Math.max(0, energy));
    discharged += Math.max(0, -flow);
    const grid = net_kWh[t]! + flow;
    const cost = grid > 0 ? grid * price[t]! : grid * feed_in[t]!;
    energy_cost += cost;
    daily_cost[day[t]! - day[0]!]! += cost;
    peaks[peaks.length - 1] = Math.max(peaks.at(-1)!, grid / hours);
    peak_kW = Math.max(peak_kW, grid / hours);
    grid_kWh[t] = grid;
    energy_kWh[t] = energy;
  }
  demand_cost += demandOf(history, peaks);
  const cycles = store.capacity_kWh > 0 ? discharged / store.discharge_efficiency / store.capacity_kWh : 0;
  const bill = energy_cost + demand_cost;
  return { policy: policy.name, bill, energy_cost, demand_cost, cycles, peak_kW, grid_kWh, energy_kWh, daily_cost };
}

function demandOf({ peaks }: History, daily_kW: readonly number[]): number {
  return peaks && daily_kW.length > 0 ? stepAmount(peaks, meanPeak(daily_kW, peaks.count)) : 0;
}

/** What store and grid allow of a wish: no more than fits, no feeding in from the store, no more than the connection. */
function allowed(
  { store, net_kWh, import_limit_kW, hours }: History,
  t: number,
  energy: number,
  wanted: number,
): number {
  const held = store.keep * energy;
  if (!(Math.abs(wanted) > 0)) return 0;
  if (wanted > 0) {
    const room = Math.max(0, (store.capacity_kWh - held) / store.charge_efficiency);
    const grid = Math.max(0, import_limit_kW * hours - net_kWh[t]!);
    return Math.min(wanted, store.charge_kWh, room, grid);
  }
  const stored = held * store.discharge_efficiency;
  return -Math.min(-wanted, store.discharge_kWh, stored, Math.max(0, net_kWh[t]!));
}

export type Interval = { low: number; high: number };

/**
 * Interval of the sum of daily savings by the moving-block bootstrap over whole days (H. R. Künsch, "The jackknife and
 * the bootstrap for general stationary observations", Ann. Statist. 17 (1989)), which keeps weeks together.
 * @param random uniform numbers in [0, 1), seeded by the caller
 */
export function bootstrapSavings(saved: Float64Array, random: () => number, block_days = 7, samples = 1000): Interval {
  const days = saved.length;
  if (days === 0) return { low: 0, high: 0 };
  const block = Math.min(block_days, days);
  const sums = new Float64Array(samples);
  for (let s = 0; s < samples; s++) {
    let drawn = 0;
    while (drawn < days) {
      const from = Math.floor(random() * (days - block + 1));
      for (let k = 0; k < block && drawn < days; k++, drawn++) sums[s]! += saved[from + k]!;
    }
  }
  sums.sort();
  return { low: sums[Math.floor(0.025 * samples)]!, high: sums[Math.floor(0.975 * samples)]! };
}
