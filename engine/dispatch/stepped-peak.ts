/**
 * Demand charges in steps (Norwegian effektledd): the mean of the month's largest daily peaks falls into a step, and the
 * step has its amount. For one store a month is planned exactly under each step's cap, and the cheapest step is taken.
 */
import {
  bestChange,
  emptySegments,
  type Segments,
  type StoreLimits,
  type StoreStage,
  stageCost,
  valueAt,
} from './value-function.ts';
import { type Chance, createValueGrid, type ValueGrid } from './value-grid.ts';

export type PeakSteps = {
  /** The mean of so many largest peaks of different days is what counts. */
  count: number;
  steps: readonly { up_to_kW: number; amount: number }[];
};

/** The mean of the `count` largest. */
export function meanPeak(daily_kW: readonly number[], count: number): number {
  const largest = [...daily_kW].sort((a, b) => b - a).slice(0, count);
  return largest.length === 0 ? 0 : largest.reduce((sum, kW) => sum + kW, 0) / largest.length;
}

/** @returns the amount of the step that a mean peak falls into; the last step has no end. */
export function stepAmount({ steps }: PeakSteps, mean_kW: number): number {
  return (steps.find(({ up_to_kW }) => mean_kW <= up_to_kW + 1e-9) ?? steps.at(-1)!).amount;
}

/**
 * Most power from now to the month's end so that the mean peak stays within a step; null where it is already above.
 * `days_left` counts today.
 */
export function capOfStep(
  up_to_kW: number,
  past_kW: readonly number[],
  today_kW: number,
  days_left: number,
  count: number,
): number | null {
  const meanWith = (cap: number) => {
    const days = [...past_kW, Math.max(today_kW, cap)];
    for (let day = 1; day < Math.min(days_left, count); day++) days.push(cap);
    return meanPeak(days, count);
  };
  if (meanWith(0) > up_to_kW + 1e-9) return null;
  let [low, high] = [0, count * up_to_kW + today_kW];
  // A little below the step's end, so that the last digit of a sum oversteps nothing; what is there already is allowed.
  const most = Math.max(up_to_kW - 1e-6, meanWith(0) + 1e-12);
  const within = (cap: number) => meanWith(cap) <= most;
  if (within(high)) return high;
  for (let k = 0; k < 50; k++) {
    const middle = (low + high) / 2;
    if (within(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Slots of one month within a plan, and the share of the whole month that they are. */
export type MonthSpan = { from: number; to: number; share: number };

type Course = readonly Omit<StoreStage, 'cap_kWh' | 'over_price'>[];

export type SteppedPlan = {
  limits: StoreLimits;
  peaks: PeakSteps;
  hours: number;
  /** Possible courses: slot 0 is the same in all, for it is known. */
  courses: readonly Course[];
  /** What consumption in slot `t` may be of what a course says, seen only when the slot comes. Weights sum to 1. */
  spread: (t: number) => readonly { factor: number; weight: number }[];
  months: readonly MonthSpan[];
  /** Of the running month. */
  past_kW: readonly number[];
  today_kW: number;
  days_left: number;
  /** What a kWh above the cap is taken to cost in a plan. */
  over_price: number;
  end: { wanted_kWh: number; short_price: number };
};

export type SteppedDecision = { change_kWh: number; step: number; cost: number };

/** Steps above the lowest possible one that a plan looks at. */
const STEPS = 3;

/** @returns the change of stored energy in slot 0, and the step aimed at. */
export function decideStepped(plan: SteppedPlan, energy_kWh: number): SteppedDecision {
  const { peaks, months, courses, limits } = plan;
  const grid = createValueGrid(limits);
  const options = openSteps(plan);
  const means = options.map(() => grid.create());
  const of = options.map(() => grid.create());
  const later = Array.from({ length: Math.min(STEPS, peaks.steps.length) }, () => grid.create());
  for (const course of courses) {
    laterMonths(plan, grid, course, later);
    for (const value of of) grid.copy(value, later[0]!);
    options.forEach(({ cap_kWh }, k) => {
      for (let t = months[0]!.to - 1; t >= 1; t--) backSlot(plan, grid, course, t, cap_kWh, of[k]!);
      grid.add(means[k]!, of[k]!, 1 / courses.length);
    });
  }
  // Whoever stays below a step today can still go up tomorrow.
  for (let k = options.length - 2; k >= 0; k--)
    grid.orElse(means[k]!, means[k + 1]!, options[k + 1]!.amount - options[k]!.amount);
  let best: SteppedDecision = { change_kWh: 0, step: -1, cost: Infinity };
  options.forEach(({ step, cap_kWh, amount }, k) => {
    const [change_kWh, cost] = firstSlot(plan, means[k]!, cap_kWh, energy_kWh);
    if (cost + amount < best.cost) best = { change_kWh, step, cost: cost + amount };
  });
  return best;
}

type OpenStep = { step: number; cap_kWh: number; amount: number };

/** The steps that the running month can still end in, from the lowest one on; there is always the last. */
function openSteps({ peaks, past_kW, today_kW, days_left, hours }: SteppedPlan): OpenStep[] {
  const open = peaks.steps.flatMap(({ up_to_kW, amount }, step): OpenStep[] => {
    const cap = capOfStep(up_to_kW, past_kW, today_kW, days_left, peaks.count);
    return cap === null ? [] : [{ step, cap_kWh: cap * hours, amount }];
  });
  const last = peaks.steps.at(-1)!;
  if (open.length === 0)
    open.push({ step: peaks.steps.length - 1, cap_kWh: last.up_to_kW * hours, amount: last.amount });
  return open.slice(0, STEPS);
}

function firstSlot(plan: SteppedPlan, value: Segments, cap_kWh: number, energy_kWh: number): [number, number] {
  const { limits, over_price, courses } = plan;
  const stage = { ...courses[0]![0]!, cap_kWh, over_price };
  const [pieces, net] = [emptySegments(), stage.net_kWh];
  stageCost(stage, limits, pieces);
  const out = Math.min(limits.discharge_kWh, Math.max(0, net)) / limits.discharge_efficiency;
  const held = limits.keep * energy_kWh;
  const change = bestChange(value, pieces, out, held, limits.capacity_kWh);
  const sum = net + (change > 0 ? change / limits.charge_efficiency : change * limits.discharge_efficiency);
  const grid = Math.max(0, sum);
  const cost = stage.price * grid + stage.feed_in * Math.min(0, sum) + over_price * Math.max(0, grid - cap_kWh);
  return [change, cost + valueAt(value, held + change)];
}

function backSlot(
  { over_price, spread }: SteppedPlan,
  grid: ValueGrid,
  course: Course,
  t: number,
  cap_kWh: number,
  value: Segments,
): void {
  const stage = course[t]!;
  const { net_kWh, price, feed_in } = stage;
  const chances = spread(t).map(
    ({ factor, weight }): Chance => ({
      ...{ price, feed_in, cap_kWh, over_price, weight },
      net_kWh: net_kWh > 0 ? factor * net_kWh : net_kWh,
    }),
  );
  grid.back(value, chances);
}

/** Leaves in `later[0]` the cost from the running month's end on, each later month under the step that is cheapest. */
function laterMonths(plan: SteppedPlan, grid: ValueGrid, course: Course, later: readonly Segments[]): void {
  const { peaks, months, hours, end } = plan;
  grid.end(later[0]!, end.wanted_kWh, end.short_price);
  for (let m = months.length - 1; m >= 1; m--) {
    const { from, to, share } = months[m]!;
    later.forEach((value, k) => {
      if (k > 0) grid.copy(value, later[0]!);
    });
    later.forEach((value, k) => {
      for (let t = to - 1; t >= from; t--) backSlot(plan, grid, course, t, peaks.steps[k]!.up_to_kW * hours, value);
    });
    const amount = (k: number) => share * peaks.steps[k]!.amount;
    for (let k = later.length - 2; k >= 0; k--) grid.orElse(later[k]!, later[k + 1]!, amount(k + 1) - amount(k));
    later[0]!.start += amount(0);
  }
}
