/**
 * Demand charges in steps (Norwegian effektledd): the mean of the month's largest daily peaks falls into a step, and the
 * step has its amount. For one store a month is planned exactly under each step's cap, and the cheapest step is taken.
 */
import { createValueFunction, type StoreLimits, type StoreStage, type ValueFunction } from './value-function.ts';

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

/** Slots of one month within a plan. */
export type MonthSpan = { from: number; to: number };

type Course = readonly Omit<StoreStage, 'cap_kWh' | 'over_price'>[];

export type SteppedPlan = {
  limits: StoreLimits;
  peaks: PeakSteps;
  hours: number;
  /** Possible courses: slot 0 is the same in all, for it is known. */
  courses: readonly Course[];
  months: readonly MonthSpan[];
  /** Of the running month. */
  past_kW: readonly number[];
  today_kW: number;
  days_left: number;
  /** What a kWh above the cap is taken to cost in a plan. */
  over_price: number;
  /** A higher step is gone up to only where it saves this much more than it costs: one cannot go back. */
  hesitation: number;
  end: { wanted_kWh: number; short_price: number };
};

export type SteppedDecision = { change_kWh: number; step: number; cost: number };

/** @returns the change of stored energy in slot 0, and the step aimed at. */
export function decideStepped(plan: SteppedPlan, energy_kWh: number): SteppedDecision {
  const { peaks, months, courses } = plan;
  const [first, ...later] = months;
  const steps = laterSteps(plan, courses[0]!, later);
  const after = courses.map((course) => laterMonths(plan, course, later, steps));
  const [mean, option] = [createValueFunction(plan.limits), createValueFunction(plan.limits)];
  let best: SteppedDecision = { change_kWh: 0, step: -1, cost: Infinity };
  let tried = 0;
  for (let k = 0; k < peaks.steps.length && tried < 2; k++) {
    const { up_to_kW, amount } = peaks.steps[k]!;
    const last = k === peaks.steps.length - 1;
    const cap_kW =
      capOfStep(up_to_kW, plan.past_kW, plan.today_kW, plan.days_left, peaks.count) ?? (last ? up_to_kW : null);
    if (cap_kW === null) continue;
    const stage = (course: Course, t: number): StoreStage => ({
      ...course[t]!,
      cap_kWh: cap_kW * plan.hours,
      over_price: plan.over_price,
    });
    const values = courses.map((course, i) => {
      const value = createValueFunction(plan.limits);
      value.copy(after[i]!);
      for (let t = first!.to - 1; t >= 1; t--) value.back(stage(course, t));
      return value;
    });
    mean.average(values);
    option.copy(mean);
    const now = stage(courses[0]!, 0);
    option.back(now);
    const cost = option.cost(energy_kWh) + amount + (tried > 0 ? plan.hesitation : 0);
    tried++;
    if (cost < best.cost) best = { change_kWh: mean.change(now, energy_kWh), step: k, cost };
  }
  return best;
}

/** The months after the running one, each under its step of `steps`. */
function laterMonths(
  plan: SteppedPlan,
  course: Course,
  months: readonly MonthSpan[],
  steps: readonly number[],
): ValueFunction {
  const value = createValueFunction(plan.limits);
  value.end(plan.end.wanted_kWh, plan.end.short_price, 0);
  for (let k = months.length - 1; k >= 0; k--) backMonth(plan, course, months[k]!, steps[k]!, value);
  return value;
}

function backMonth(
  plan: SteppedPlan,
  course: Course,
  { from, to }: MonthSpan,
  step: number,
  value: ValueFunction,
): void {
  const cap_kWh = plan.peaks.steps[step]!.up_to_kW * plan.hours;
  for (let t = to - 1; t >= from; t--) value.back({ ...course[t]!, cap_kWh, over_price: plan.over_price });
}

/** The cheapest step of each later month, last month first, seen on one course. */
function laterSteps(plan: SteppedPlan, course: Course, months: readonly MonthSpan[]): number[] {
  const steps = months.map(() => 0);
  const value = createValueFunction(plan.limits);
  value.end(plan.end.wanted_kWh, plan.end.short_price, 0);
  const [option, kept] = [createValueFunction(plan.limits), createValueFunction(plan.limits)];
  for (let k = months.length - 1; k >= 0; k--) {
    let least = Infinity;
    for (let step = 0; step < Math.min(3, plan.peaks.steps.length); step++) {
      option.copy(value);
      backMonth(plan, course, months[k]!, step, option);
      const cost = option.cost(plan.end.wanted_kWh) + plan.peaks.steps[step]!.amount;
      if (cost >= least) continue;
      least = cost;
      steps[k] = step;
      kept.copy(option);
    }
    value.copy(kept);
  }
  return steps;
}
