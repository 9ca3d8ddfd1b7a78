/**
 * What a battery would have done at a site in the past under several policies, each with what was known at the time:
 * none, self-consumption, seasonal shaving, capped arbitrage, a plan with forecasts, and perfect foresight. The bill of
 * each course is the tariff's own; the simulation keeps the limits, so that no policy can cheat.
 */
import type { Random } from '../random.ts';
import {
  createArbitrage,
  createNoStorage,
  createPeakShaving,
  createPrescient,
  createSelfConsumption,
  peakSoFar,
} from './policies.ts';
import {
  bootstrapSavings,
  type History,
  type Interval,
  type Policy,
  type Simulation,
  simulate,
  type View,
} from './simulate.ts';
import { createValueFunction, type StoreStage } from './value-function.ts';

export type SimulatedStore = {
  capacity_kWh: number;
  charge_kW: number;
  discharge_kW: number;
  charge_efficiency: number;
  discharge_efficiency: number;
};

export type SiteCourse = {
  /** Hours of a slot. */
  hours: number;
  /** Consumption less generation without the battery; NaN is unknown, and its whole day is left out for all policies. */
  net_kWh: Float64Array;
  /** What was forecast for the slot a day ahead; NaN: the same slot a week before is taken instead. */
  forecast_kWh: Float64Array;
  price: Float64Array;
  feed_in: Float64Array;
  /** Numbers of the local day and month. */
  day: Int32Array;
  month: Int32Array;
  import_limit_kW: number | null;
  /** What a kW of the month's peak costs, 0 where nothing does: bounds what shaving and plans aim at. */
  per_kW: number;
  store: SimulatedStore;
};

export const POLICIES = ['none', 'self-consumption', 'shaving', 'arbitrage', 'plan', 'shuffled', 'perfect'] as const;
export type PolicyName = (typeof POLICIES)[number];

export type PolicyCourse = {
  name: PolicyName;
  grid_kWh: Float64Array;
  energy_kWh: Float64Array;
  cycles: number;
  peak_kW: number;
  daily_cost: Float64Array;
};

const HORIZON_H = 36;
const REPLAN_H = 1;
/** Day-ahead prices are known from the early afternoon of the day before; a plan uses what is known at noon. */
const PUBLISHED_H = 13;
const PEAK_STEPS = 48;

/** @param random for the shuffled control @param told after each policy: how many are done */
export function simulateSite(
  course: SiteCourse,
  names: readonly PolicyName[],
  random: Random,
  told: (done: number) => void = () => undefined,
): { courses: PolicyCourse[]; days_left_out: number } {
  const { history, left_out } = historyOf(course);
  const targets = shavingTargets(history);
  const courses = names.map((name, i): PolicyCourse => {
    const run = simulate(history, policyOf(name, course, history, targets, random));
    told(i + 1);
    return outOf(name, run, left_out);
  });
  return {
    courses,
    days_left_out: new Set(
      Array.from(left_out.keys())
        .filter((t) => left_out[t])
        .map((t) => course.day[t]),
    ).size,
  };
}

/** 95 % interval of the saving of `of` against `than`: energy by a block bootstrap over days, the rest of the bills as it is. */
export function savingInterval(than: PolicyCourse, of: PolicyCourse, saving: number, random: Random): Interval {
  const saved = than.daily_cost.map((cost, day) => cost - of.daily_cost[day]!);
  const energy = saved.reduce((sum, one) => sum + one, 0);
  const { low, high } = bootstrapSavings(saved, random);
  return { low: saving - energy + low, high: saving - energy + high };
}

function outOf(name: PolicyName, run: Simulation, left_out: Uint8Array): PolicyCourse {
  const grid_kWh = run.grid_kWh.map((kWh, t) => (left_out[t] ? Number.NaN : kWh));
  return {
    name,
    grid_kWh,
    energy_kWh: run.energy_kWh,
    cycles: run.cycles,
    peak_kW: run.peak_kW,
    daily_cost: run.daily_cost,
  };
}

/** Days with a hole are gone through with no consumption and no price, so that nothing can be earned in them. */
function historyOf(course: SiteCourse): { history: History; left_out: Uint8Array } {
  const { net_kWh, price, feed_in, day, month, hours, store, import_limit_kW } = course;
  const broken = new Set<number>();
  net_kWh.forEach((kWh, t) => {
    if (Number.isNaN(kWh) || Number.isNaN(price[t]!) || Number.isNaN(feed_in[t]!)) broken.add(day[t]!);
  });
  const left_out = Uint8Array.from(day, (one) => (broken.has(one) ? 1 : 0));
  const known = (values: Float64Array) => values.map((value, t) => (left_out[t] ? 0 : value));
  const net = known(net_kWh);
  const most_kW = Math.max(1, ...dailyPeaks(net, day, hours));
  const history: History = {
    ...{ hours, day, month, net_kWh: net, price: known(price), feed_in: known(feed_in) },
    import_limit_kW: import_limit_kW ?? Number.POSITIVE_INFINITY,
    peaks: course.per_kW > 0 ? { count: 1, steps: pricedSteps(most_kW, course.per_kW) } : null,
    store: {
      ...{ capacity_kWh: store.capacity_kWh, keep: 1, initial_kWh: 0 },
      ...{ charge_kWh: store.charge_kW * hours, discharge_kWh: store.discharge_kW * hours },
      ...{ charge_efficiency: store.charge_efficiency, discharge_efficiency: store.discharge_efficiency },
    },
  };
  return { history, left_out };
}

/** A price per kW as steps that perfect foresight can choose among. */
function pricedSteps(most_kW: number, per_kW: number) {
  return Array.from({ length: PEAK_STEPS }, (_, k) => {
    const up_to_kW = most_kW * (0.34 + (0.66 * (k + 1)) / PEAK_STEPS);
    return { up_to_kW: k === PEAK_STEPS - 1 ? most_kW * 2 : up_to_kW, amount: up_to_kW * per_kW };
  });
}

function dailyPeaks(net_kWh: Float64Array, day: Int32Array, hours: number): number[] {
  const peaks = new Map<number, number>();
  for (const [t, kWh] of net_kWh.entries()) peaks.set(day[t]!, Math.max(peaks.get(day[t]!) ?? 0, kWh / hours));
  return [...peaks.values()];
}

function policyOf(
  name: PolicyName,
  course: SiteCourse,
  history: History,
  targets: ReadonlyMap<number, number>,
  random: Random,
): Policy {
  const target = ({ t }: View) => targets.get(history.month[t]!) ?? Number.POSITIVE_INFINITY;
  const cap =
    course.per_kW > 0 ? (view: View) => Math.max(peakSoFar(view), target(view)) : () => history.import_limit_kW;
  switch (name) {
    case 'none':
      return createNoStorage();
    case 'self-consumption':
      return createSelfConsumption();
    case 'shaving':
      return createPeakShaving(target);
    case 'arbitrage':
      return createArbitrage('arbitrage', cap);
    case 'plan':
      return createForecastPlan(course, history, cap, null);
    case 'shuffled':
      return createForecastPlan(course, history, cap, shuffledWithinDays(history.day, random));
    case 'perfect':
      return createPrescient(history, 0);
  }
}

/**
 * The lowest power that the battery could have kept in the month before (in the first month: in itself, for lack of a
 * past), which is what a person would set for the month.
 */
function shavingTargets(history: History): Map<number, number> {
  const months = [...new Set(history.month)];
  const own = new Map(months.map((month) => [month, lowestCap(history, month)]));
  return new Map(months.map((month, i) => [month, own.get(months[Math.max(0, i - 1)]!)!]));
}

function lowestCap({ net_kWh, month, hours, store }: History, wanted: number): number {
  const slots = net_kWh.filter((_, t) => month[t] === wanted);
  let [low, high] = [0, Math.max(0.001, ...slots) / hours];
  for (let k = 0; k < 30; k++) {
    const middle = (low + high) / 2;
    if (keeps(slots, middle * hours, store)) high = middle;
    else low = middle;
  }
  return high;
}

function keeps(slots: Float64Array, cap_kWh: number, store: History['store']): boolean {
  let energy = store.capacity_kWh;
  for (const kWh of slots) {
    const over = kWh - cap_kWh;
    if (over > store.discharge_kWh) return false;
    energy =
      over > 0
        ? energy - over / store.discharge_efficiency
        : Math.min(store.capacity_kWh, energy + Math.min(-over, store.charge_kWh) * store.charge_efficiency);
    if (energy < 0) return false;
  }
  return true;
}

/** Permutes the slots of each day: what is forecast has the right amounts at the wrong times. */
function shuffledWithinDays(day: Int32Array, random: Random): Int32Array {
  const order = Int32Array.from(day, (_, t) => t);
  for (let from = 0; from < day.length; ) {
    let to = from;
    while (to < day.length && day[to] === day[from]) to++;
    for (let t = to - 1; t > from; t--) {
      const other = from + Math.floor(random() * (t - from + 1));
      [order[t], order[other]] = [order[other]!, order[t]!];
    }
    from = to;
  }
  return order;
}

/**
 * A new plan each hour over the next 36, exact for one store (value-function.ts). It knows published prices only: those
 * of the day, and of the next one in the afternoon; beyond, those of the day before.
 * @param order the control: where the forecast of a slot is taken from
 */
function createForecastPlan(
  course: SiteCourse,
  history: History,
  capOf: (view: View) => number,
  order: Int32Array | null,
): Policy {
  const { hours, price, feed_in, net_kWh, day, store } = history;
  const [ahead, step] = [Math.round(HORIZON_H / hours), Math.max(1, Math.round(REPLAN_H / hours))];
  const perDay = Math.round(24 / hours);
  const value = createValueFunction(store);
  const kept = Array.from({ length: step }, () => createValueFunction(store));
  const dayFirst = new Map<number, number>();
  day.forEach((one, t) => {
    if (!dayFirst.has(one)) dayFirst.set(one, t);
  });
  const knownUntil = (t: number) => {
    const first = dayFirst.get(day[t]!)!;
    const days = (t - first) * hours >= PUBLISHED_H ? 2 : 1;
    return dayFirst.get(day[t]! + days) ?? day.length;
  };
  const expected = (s: number): number => {
    const from = order ? order[s]! : s;
    const told = course.forecast_kWh[from]!;
    if (!Number.isNaN(told)) return told;
    return net_kWh[from - 7 * perDay] ?? net_kWh[from - perDay] ?? 0;
  };
  const stageOf = (s: number, known_until: number, cap_kW: number): StoreStage => {
    let from = order ? order[s]! : s;
    while (from >= known_until) from -= perDay;
    const dear = Math.max(0, price[Math.max(0, from)]!);
    return {
      price: dear,
      feed_in: Math.min(dear, Math.max(0, feed_in[Math.max(0, from)]!)),
      net_kWh: expected(s),
      cap_kWh: Math.min(1e9, cap_kW * hours),
      over_price: course.per_kW > 0 ? course.per_kW / hours : 0,
    };
  };
  let planned = -1;
  return {
    name: order ? 'shuffled' : 'plan',
    decide(view) {
      const { t, energy_kWh } = view;
      const cap_kW = capOf(view);
      if (planned < 0 || t >= planned + step) {
        planned = t;
        const end = Math.min(net_kWh.length, t + ahead);
        const until = knownUntil(t);
        // What is left in the end is worth a little less than what the cheapest known slot costs.
        const known = Array.from(price.subarray(t, Math.min(end, until)), (one) => Math.max(0, one));
        value.end(0, 0, 0.9 * Math.min(...known) * store.discharge_efficiency);
        // What follows a slot is known when the slots behind it are gone through; at the very end it is the end.
        for (const after of kept) after.copy(value);
        for (let s = end - 1; s > t; s--) {
          if (s - t < step) kept[s - t]!.copy(value);
          value.back(stageOf(s, until, cap_kW));
        }
        kept[0]!.copy(value);
      }
      // Price and building of the slot itself are known; the control is told wrong ones here too.
      const now = stageOf(t, t + 1, cap_kW);
      const stage = order ? stageOf(t, knownUntil(t), cap_kW) : { ...now, net_kWh: net_kWh[t]! };
      const change = kept[t - planned]!.change(stage, energy_kWh);
      return change > 0 ? change / store.charge_efficiency : change * store.discharge_efficiency;
    },
  };
}
