/** Inputs of `gp`: what matters for one time of day, taken from a day's row, each with a weight in the distance. */
import type { DayBlock } from '../features/day-ahead.ts';
import { DAY_HOURS } from '../features/panel.ts';

/** One input: an hour of a block, or a statistic over its 24. */
export type GpInput = {
  name: string;
  /** First column of the block in the day's row. */
  at: number;
  take: number | 'mean' | 'min' | 'max';
  /** Larger: nearness in this input counts for more. */
  weight: number;
};

type Rule = { take: 'hour' | 'before' | 'after' | 'last' | 'evening' | 'mean' | 'min' | 'max'; weight: number };

/** Chosen by judgement on the years before the test spans, the same for all markets. */
const TARGET_RULES: Record<number, Rule[]> = {
  1: [
    { take: 'hour', weight: 1 },
    { take: 'before', weight: 0.5 },
    { take: 'after', weight: 0.5 },
    { take: 'last', weight: 1 },
    { take: 'evening', weight: 0.5 },
    { take: 'min', weight: 0.5 },
    { take: 'max', weight: 0.5 },
    { take: 'mean', weight: 1 },
  ],
  2: [
    { take: 'hour', weight: 0.7 },
    { take: 'mean', weight: 0.5 },
  ],
  3: [{ take: 'hour', weight: 0.5 }],
  7: [
    { take: 'hour', weight: 0.7 },
    { take: 'mean', weight: 0.5 },
  ],
};
const EXOGENOUS_RULES: Record<number, Rule[]> = {
  0: [
    { take: 'hour', weight: 1.5 },
    { take: 'before', weight: 0.5 },
    { take: 'after', weight: 0.5 },
    { take: 'mean', weight: 1 },
    { take: 'min', weight: 0.5 },
    { take: 'max', weight: 0.5 },
  ],
  1: [
    { take: 'hour', weight: 0.7 },
    { take: 'mean', weight: 0.5 },
    { take: 'last', weight: 0.3 },
  ],
  7: [
    { take: 'hour', weight: 0.5 },
    { take: 'mean', weight: 0.3 },
  ],
};

/** @param hour time of day, 0–23. */
export function gpInputs(blocks: readonly DayBlock[], hour: number): GpInput[] {
  const hours = { hour, before: Math.max(0, hour - 1), after: Math.min(23, hour + 1), last: 23, evening: 22 };
  return blocks.flatMap(({ name, series, lag, at }) =>
    ((series === 0 ? TARGET_RULES : EXOGENOUS_RULES)[lag] ?? []).map(({ take, weight }) => {
      const place = take === 'mean' || take === 'min' || take === 'max' ? take : hours[take];
      return { name: `${name} d-${lag} ${typeof place === 'number' ? `h${place}` : place}`, at, take: place, weight };
    }),
  );
}

/** NaN where an hour it needs is missing. */
export function inputValue({ at, take }: GpInput, row: Float64Array): number {
  if (typeof take === 'number') return row[at + take]!;
  let result = take === 'mean' ? 0 : row[at]!;
  for (let hour = 0; hour < DAY_HOURS; hour++) {
    const value = row[at + hour]!;
    if (take === 'mean') result += value / DAY_HOURS;
    else result = take === 'min' ? Math.min(result, value) : Math.max(result, value);
  }
  return result;
}

const YEAR_DAYS = 365.25;
export const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
export const CALENDAR_NAMES = [...WEEKDAYS, 'season (sine)', 'season (cosine)', 'time'];
const [WEEKDAY_WEIGHT, SEASON_WEIGHT, TIME_WEIGHT] = [1.5, 0.7, 1];

/** Weekday, season, and time itself, through which old days count less. @param day_number days since 1970-01-01. */
export function writeCalendar(into: Float64Array, at: number, day_number: number): void {
  const phase = (2 * Math.PI * day_number) / YEAR_DAYS;
  into[at + ((((day_number + 4) % 7) + 7) % 7)] = WEEKDAY_WEIGHT;
  into[at + 7] = SEASON_WEIGHT * Math.sin(phase);
  into[at + 8] = SEASON_WEIGHT * Math.cos(phase);
  into[at + 9] = (TIME_WEIGHT * day_number) / 365;
}
