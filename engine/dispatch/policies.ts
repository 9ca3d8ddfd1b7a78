/** Simple rules for one store, and the prescient plan: what a plan with forecasts is measured against. */

import type { History, Policy, View } from './simulate.ts';
import { meanPeak } from './stepped-peak.ts';
import { createValueFunction, type StoreStage } from './value-function.ts';

/** The store stands still. */
export function createNoStorage(): Policy {
  return { name: 'none', decide: () => 0 };
}

/** Takes what the site generates beyond its need, and gives it back when it needs more. */
export function createSelfConsumption(): Policy {
  return { name: 'self_consumption', decide: ({ t, history }) => -history.net_kWh[t]! };
}

/** Keeps the power from the grid at a target for each month: discharges above it and charges below it. */
export function createPeakShaving(targetOf: (view: View) => number): Policy {
  return {
    name: 'shaving',
    decide: (view) => targetOf(view) * view.history.hours - view.history.net_kWh[view.t]!,
  };
}

/**
 * Charges where the price is below the day's median and discharges where it is not; charging never takes more from the
 * grid than `capOf` says (kW).
 */
export function createArbitrage(name: string, capOf: (view: View) => number): Policy {
  let [known_day, median] = [Number.NaN, 0];
  return {
    name,
    decide(view) {
      const { t, history } = view;
      if (history.day[t] !== known_day) {
        known_day = history.day[t]!;
        median = dayMedian(history, t);
      }
      const most = capOf(view) * history.hours - history.net_kWh[t]!;
      return history.price[t]! < median ? Math.max(0, Math.min(history.store.charge_kWh, most)) : -history.net_kWh[t]!;
    },
  };
}

function dayMedian({ day, price }: History, t: number): number {
  let end = t;
  while (end < day.length && day[end] === day[t]) end++;
  const sorted = price.slice(t, end).sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** What a kWh above a step's cap is taken to cost in a plan that knows the future: it never pays. */
const NEVER = 50;

/**
 * The cheapest course for who knows everything: exact by dynamic programming for given steps, and the steps of the
 * months improved one after another until none can be. Every day stays below the step of its month.
 */
export function createPrescient(history: History, end_kWh: number): Policy & { cost: number } {
  const months = [...new Set(history.month)];
  const steps = history.peaks?.steps ?? [{ up_to_kW: history.import_limit_kW, amount: 0 }];
  const chosen = new Map(months.map((month) => [month, Math.min(1, steps.length - 1)]));
  const value = createValueFunction(history.store);
  const stageOf = (t: number): StoreStage => ({
    price: history.price[t]!,
    feed_in: history.feed_in[t]!,
    net_kWh: history.net_kWh[t]!,
    cap_kWh: steps[chosen.get(history.month[t]!)!]!.up_to_kW * history.hours,
    over_price: NEVER,
  });
  const total = () => {
    value.end(end_kWh, 1000, 0);
    for (let t = history.net_kWh.length - 1; t >= 0; t--) value.back(stageOf(t));
    let cost = value.cost(history.store.initial_kWh);
    for (const step of chosen.values()) cost += steps[step]!.amount;
    return cost;
  };
  let cost = total();
  for (let improved = true; improved; ) {
    improved = false;
    for (const month of months) {
      const kept = chosen.get(month)!;
      for (const step of [kept - 1, kept + 1]) {
        if (step < 0 || step >= steps.length || chosen.get(month) !== kept) continue;
        chosen.set(month, step);
        const other = total();
        if (other < cost - 1e-9) {
          cost = other;
          improved = true;
        } else chosen.set(month, kept);
      }
    }
  }
  const course = prescientCourse(history, end_kWh, stageOf);
  return { name: 'prescient', cost, decide: ({ t }) => course[t]! };
}

/** Energy at the terminals by slot, from value functions kept at each slot's end. */
function prescientCourse(history: History, end_kWh: number, stageOf: (t: number) => StoreStage): Float64Array {
  const { store, net_kWh } = history;
  const slots = net_kWh.length;
  const course = new Float64Array(slots);
  // Functions are kept once a stretch and made again within it: a year of them would not fit.
  const stretch = Math.max(1, Math.ceil(Math.sqrt(slots)));
  const ends: ReturnType<typeof createValueFunction>[] = [];
  const value = createValueFunction(store);
  value.end(end_kWh, 1000, 0);
  for (let t = slots - 1; t >= 0; t--) {
    if ((t + 1) % stretch === 0 || t === slots - 1) {
      const kept = createValueFunction(store);
      kept.copy(value);
      ends[Math.floor(t / stretch)] = kept;
    }
    value.back(stageOf(t));
  }
  let energy = store.initial_kWh;
  for (let from = 0; from < slots; from += stretch) {
    const to = Math.min(slots, from + stretch);
    const within = Array.from({ length: to - from }, () => createValueFunction(store));
    within.at(-1)!.copy(ends[Math.floor(from / stretch)]!);
    for (let t = to - 1; t > from; t--) {
      within[t - 1 - from]!.copy(within[t - from]!);
      within[t - 1 - from]!.back(stageOf(t));
    }
    for (let t = from; t < to; t++) {
      const change = within[t - from]!.change(stageOf(t), energy);
      course[t] = change > 0 ? change / store.charge_efficiency : change * store.discharge_efficiency;
      energy = store.keep * energy + change;
    }
  }
  return course;
}

/** Mean of the largest daily peaks so far, today included. */
export const peakSoFar = ({ peaks_kW, history }: View) => meanPeak(peaks_kW, history.peaks?.count ?? 1);
