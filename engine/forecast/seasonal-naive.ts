/** `seasonal-naive/1`: what was measured at this wall-clock time a week ago; the measure every other model must beat. */
import { InvalidDataError } from '../errors.ts';
import { HOUR_MS, SLOT_MS } from '../model/time.ts';
import type { ForecastInput, ForecastModel, ForecastPoint } from '../ports.ts';
import { createLocalGrid, DAY_SLOTS, dayType, type LocalGrid, weekday } from './local-grid.ts';
import type { Explanation } from './port.ts';
import { pointQuantiles, quantileLevels } from './quantiles.ts';

const WEEKS_BACK = 4;
const DAYS_BACK = 14;
/** Errors are taken from this many days at most. */
const ERROR_DAYS = 56;

export function createSeasonalNaive(): ForecastModel {
  return { name: 'seasonal-naive/1', forecast, explain };
}

function forecast(input: ForecastInput): ForecastPoint[] {
  const grid = createLocalGrid(input);
  const levels = quantileLevels(input.quantiles);
  checkHistory(grid);
  const errorsOf = createErrors(grid, Math.ceil(input.slots / DAY_SLOTS));
  const known = (grid.days - 1) * DAY_SLOTS + grid.from_slot;
  const points: ForecastPoint[] = [];
  for (let i = 0; i < input.slots; i++) {
    const at_ms = input.from_ms + i * SLOT_MS;
    const { day, slot } = grid.placeOf(at_ms);
    const value = sameTimeEarlier(grid, day, slot, known)?.value ?? NaN;
    if (Number.isNaN(value)) throw new InvalidDataError(...tooShort(grid));
    const mean = Math.max(input.floor ?? -Infinity, value);
    points.push({
      at_ms,
      mean,
      quantiles: pointQuantiles(mean, errorsOf(day, Math.floor(slot / 4)), levels, input.floor),
    });
  }
  return points;
}

/** The value it repeats, mean of the hour. */
function explain(input: ForecastInput, at_ms: number): Explanation {
  const hour = forecast({ ...input, quantiles: [] }).filter(
    (point) => point.at_ms >= at_ms && point.at_ms < at_ms + HOUR_MS,
  );
  if (hour.length === 0)
    throw new InvalidDataError('This hour is not among those forecast.', 'Ask for one nearer to now.');
  const value = hour.reduce((sum, { mean }) => sum + mean, 0) / hour.length;
  return { base: 0, contributions: value === 0 ? [] : [{ feature: 'd-7', value, adds: value }] };
}

/** @throws InvalidDataError with less than two days: one to repeat, one to measure the error on. */
function checkHistory(grid: LocalGrid): void {
  let known = 0;
  for (const value of grid.slots) if (!Number.isNaN(value)) known++;
  if (known < 2 * DAY_SLOTS) throw new InvalidDataError(...tooShort(grid, known));
}

const tooShort = (grid: LocalGrid, known?: number): [string, string] => [
  known === undefined
    ? `Some times of day were not measured in the last ${Math.min(grid.days, DAYS_BACK)} days.`
    : `There are ${((known * SLOT_MS) / 3_600_000).toFixed(1)} hours of history; at least 48 are needed.`,
  'The forecast starts by itself once enough has been measured; importing past readings helps.',
];

type Earlier = { value: number; is_same_weekday: boolean };

/** The value a week (or two, …) before; else of the newest day of the same type, else of the newest day at all.
 * @param known place on the grid from which on nothing is known. */
function sameTimeEarlier(grid: LocalGrid, day: number, slot: number, known: number): Earlier | null {
  const at = (d: number): number => {
    const k = d * DAY_SLOTS + slot;
    return d >= 0 && k < known && k < grid.slots.length ? grid.slots[k]! : NaN;
  };
  for (let week = 1; week <= WEEKS_BACK; week++)
    if (!Number.isNaN(at(day - 7 * week))) return { value: at(day - 7 * week), is_same_weekday: true };
  const type = dayType(weekday(grid, day));
  for (const sameType of [true, false])
    for (let back = 1; back <= DAYS_BACK; back++)
      if (!Number.isNaN(at(day - back)) && (!sameType || dayType(weekday(grid, day - back)) === type))
        return { value: at(day - back), is_same_weekday: false };
  return null;
}

/**
 * Ascending errors (actual − naive) by day type and hour of day, from past days forecast `lead` days ahead in the same
 * way. Too few errors of the type are replaced by those of the hour, and these by all.
 */
function createErrors(grid: LocalGrid, lead: number): (day: number, hour: number) => Float64Array {
  const found = new Map<string, number[]>();
  const add = (key: string, error: number) => {
    const list = found.get(key);
    if (list) list.push(error);
    else found.set(key, [error]);
  };
  for (let day = Math.max(1, grid.days - ERROR_DAYS); day < grid.days; day++)
    for (let slot = 0; slot < DAY_SLOTS; slot++) {
      const actual = grid.slots[day * DAY_SLOTS + slot]!;
      if (Number.isNaN(actual)) continue;
      const earlier = sameTimeEarlier(grid, day, slot, Math.max(1, day - lead + 1) * DAY_SLOTS);
      if (earlier === null) continue;
      // A stand-in from another weekday, as in the first week, says nothing of the error of a week ago.
      const keys = earlier.is_same_weekday ? keysOf(grid, day, Math.floor(slot / 4)) : ['all'];
      for (const key of keys) add(key, actual - earlier.value);
    }
  const sorted = new Map([...found].map(([key, errors]) => [key, Float64Array.from(errors).sort()]));
  return (day, hour) => {
    const choices = keysOf(grid, day, hour).map((key) => sorted.get(key) ?? NONE);
    return choices.find((errors) => errors.length >= ENOUGH) ?? choices.at(-1)!;
  };
}

const NONE = new Float64Array(0);
const ENOUGH = 20;

/** From the narrowest group of errors to the widest. */
const keysOf = (grid: LocalGrid, day: number, hour: number): string[] => [
  `${dayType(weekday(grid, day))} ${hour}`,
  `${hour}`,
  'all',
];
