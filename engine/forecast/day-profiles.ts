/**
 * `day-profiles/1`: a weighted mean of what similar days had at the same time: the last week, the newest days of the
 * same type, the same weekdays. Weights and bands come from how each did on the known days at the same distance. Few
 * days suffice, and it reaches thirty days ahead; it is the forecast of a young site, and the baseline for planning.
 */
import { InvalidDataError } from '../errors.ts';
import { SLOT_MS } from '../model/time.ts';
import type { ForecastInput, ForecastModel, ForecastPoint } from '../ports.ts';
import { createLocalGrid, DAY_HOURS, DAY_SLOTS, type LocalGrid, weekday } from './local-grid.ts';
import type { Explanation } from './port.ts';
import { pointQuantiles, quantileLevels } from './quantiles.ts';

/** Days whose errors decide weights and bands. */
const JUDGED_DAYS = 42;
/** A profile with 10 % less error weighs about 1.5 times as much. */
const SHARPNESS = 4;
const LEAST_DAYS = 3;
const LEADS = [1, 2, 7, 14, 30];

type Profile = { name: string; prior: number; days(grid: Days, day: number, end: number): number[] };
type Days = { isOff(day: number): boolean; weekday(day: number): number };

const back = (end: number, most: number, chosen: (day: number) => boolean, within: number): number[] => {
  const found: number[] = [];
  for (let day = end - 1; day >= Math.max(0, end - within) && found.length < most; day--)
    if (chosen(day)) found.push(day);
  return found;
};
const PROFILES: readonly Profile[] = [
  { name: 'week mean', prior: 2, days: (_, __, end) => back(end, 7, () => true, 7) },
  {
    name: 'days alike',
    prior: 2,
    days: (days, day, end) => back(end, 5, (d) => days.isOff(d) === days.isOff(day), 35),
  },
  {
    name: 'same weekday',
    prior: 1,
    days: (days, day, end) => back(end, 4, (d) => days.weekday(d) === days.weekday(day), 35),
  },
];

export function createDayProfiles(): ForecastModel {
  return { name: 'day-profiles/1', forecast, explain };
}

function daysOf(grid: LocalGrid, holidays: readonly number[]): Days {
  const known = new Set(holidays);
  const of = (day: number) => weekday(grid, day);
  return { weekday: of, isOff: (day) => of(day) === 0 || of(day) === 6 || known.has(grid.first_day + day) };
}

type Fitted = {
  grid: LocalGrid;
  /** Value of a profile at a slot of a day, from days before `end`; NaN where none is known. */
  profile(k: number, day: number, slot: number, end: number): number;
  weights: number[];
};

function fit(input: ForecastInput): Fitted {
  const grid = createLocalGrid(input);
  const days = daysOf(grid, input.holidays ?? []);
  const cache = new Map<number, Float64Array>();
  const profile = (k: number, day: number, slot: number, end: number): number => {
    const key = (day * 4096 + end) * PROFILES.length + k;
    let made = cache.get(key);
    if (!made) {
      made = meanOfDays(grid, PROFILES[k]!.days(days, day, end));
      cache.set(key, made);
    }
    return made[slot]!;
  };
  const first = Math.max(1, grid.days - 1 - JUDGED_DAYS);
  const errors = PROFILES.map(() => ({ sum: 0, count: 0 }));
  for (let day = first; day < grid.days - 1; day++)
    for (let slot = 0; slot < DAY_SLOTS; slot++) {
      const actual = grid.slots[day * DAY_SLOTS + slot]!;
      const values = PROFILES.map((_, k) => profile(k, day, slot, day));
      if (Number.isNaN(actual) || values.some(Number.isNaN)) continue;
      for (const [k, value] of values.entries()) {
        errors[k]!.sum += Math.abs(actual - value);
        errors[k]!.count++;
      }
    }
  const least = Math.min(...errors.map(({ sum }) => sum)) + 1e-9;
  // Until a week was judged the prior has the say.
  const trust = SHARPNESS * Math.min(1, errors[0]!.count / (7 * DAY_SLOTS));
  const raw = PROFILES.map(({ prior }, k) => prior * ((errors[k]!.sum + 1e-9) / least) ** -trust);
  const total = raw.reduce((a, b) => a + b, 0);
  return { grid, profile, weights: raw.map((weight) => weight / total) };
}

function meanOfDays(grid: LocalGrid, days: readonly number[]): Float64Array {
  return Float64Array.from({ length: DAY_SLOTS }, (_, slot) => {
    let [sum, count] = [0, 0];
    for (const day of days) {
      const value = grid.slots[day * DAY_SLOTS + slot]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
    return count === 0 ? NaN : sum / count;
  });
}

/** Profiles that are not known at this slot are left out, and the others weigh more. */
function partsOf({ profile, weights }: Fitted, day: number, slot: number, end: number) {
  const parts = PROFILES.map(({ name }, k) => ({
    feature: name,
    value: profile(k, day, slot, end),
    weight: weights[k]!,
  }));
  const known = parts.filter(({ value }) => !Number.isNaN(value));
  const total = known.reduce((sum, { weight }) => sum + weight, 0);
  return known.map((part) => ({ ...part, adds: (part.weight / total) * part.value }));
}
const sumOf = (parts: readonly { adds: number }[]): number =>
  parts.length === 0 ? NaN : parts.reduce((sum, { adds }) => sum + adds, 0);

function forecast(input: ForecastInput): ForecastPoint[] {
  const fitted = fit(input);
  const { grid } = fitted;
  checkHistory(grid);
  const levels = quantileLevels(input.quantiles);
  const end = grid.days - 1;
  const errorsAt = levels.length === 0 ? null : createErrors(fitted);
  return Array.from({ length: input.slots }, (_, i) => {
    const at_ms = input.from_ms + i * SLOT_MS;
    const { day, slot } = grid.placeOf(at_ms);
    const value = sumOf(partsOf(fitted, day, slot, end));
    if (Number.isNaN(value)) throw tooShort(grid);
    const mean = Math.max(input.floor ?? -Infinity, value);
    const errors = errorsAt?.(day - end + 1, Math.floor(slot / 4)) ?? new Float64Array(0);
    return { at_ms, mean, quantiles: pointQuantiles(mean, errors, levels, input.floor) };
  });
}

function checkHistory(grid: LocalGrid): void {
  let known = 0;
  for (const value of grid.hours) if (!Number.isNaN(value)) known++;
  if (known < LEAST_DAYS * DAY_HOURS) throw tooShort(grid);
}

const tooShort = (grid: LocalGrid) =>
  new InvalidDataError(
    `The last ${Math.min(35, grid.days)} days do not show every time of day.`,
    `At least ${LEAST_DAYS} whole days are needed; importing past readings helps.`,
  );

/** Ascending errors of forecasts so many days ahead, pooled over the hour and its neighbours. */
function createErrors(fitted: Fitted): (lead: number, hour: number) => Float64Array {
  const { grid } = fitted;
  const kept = new Map<string, Float64Array>();
  const gather = (lead: number, hour: number): Float64Array => {
    const errors: number[] = [];
    for (let day = Math.max(LEAST_DAYS, grid.days - 1 - JUDGED_DAYS); day < grid.days - 1; day++) {
      const end = Math.max(1, day - lead + 1);
      for (let slot = Math.max(0, hour * 4 - 4); slot < Math.min(DAY_SLOTS, hour * 4 + 8); slot++) {
        const actual = grid.slots[day * DAY_SLOTS + slot]!;
        const value = sumOf(partsOf(fitted, day, slot, end));
        if (!Number.isNaN(actual - value)) errors.push(actual - value);
      }
    }
    return Float64Array.from(errors).sort();
  };
  return (lead, hour) => {
    const near = LEADS.find((one) => one >= lead) ?? LEADS.at(-1)!;
    const key = `${near} ${hour}`;
    const known = kept.get(key) ?? gather(near, hour);
    kept.set(key, known);
    return known;
  };
}

function explain(input: ForecastInput, at_ms: number): Explanation {
  const fitted = fit(input);
  const { day, slot } = fitted.grid.placeOf(at_ms);
  const sums = new Map<string, { value: number; adds: number }>();
  for (let q = slot; q < slot + 4; q++)
    for (const { feature, value, adds } of partsOf(fitted, day, q, fitted.grid.days - 1)) {
      const known = sums.get(feature) ?? { value: 0, adds: 0 };
      sums.set(feature, { value: known.value + value / 4, adds: known.adds + adds / 4 });
    }
  const contributions = [...sums].map(([feature, part]) => ({ feature, ...part }));
  return { base: 0, contributions: contributions.sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds)) };
}
