/**
 * Hourly series on local days, each value with the instant at which it became known. Models never get the values
 * themselves, only a `View` as of an instant, which answers NaN for what was not known then: a feature cannot leak.
 */
import { InvalidDataError } from '../errors.ts';

export const DAY_HOURS = 24;
const DAY_MS = DAY_HOURS * 3_600_000;

/** Values at [day × 24 + hour], NaN where missing. */
export type HourlySeries = {
  readonly name: string;
  readonly unit: string;
  readonly values: Float64Array;
  /** Epoch ms from which on the value of the same index was known; its length is that of `values`. */
  readonly known_ms: Float64Array;
};

/** Not exported: panels and views cannot be made elsewhere. */
const made = Symbol('made');

/** Several series on the same days; what it holds is reached through `viewAt` alone. */
export type Panel = {
  readonly [made]: 'panel';
  readonly days: number;
  /** Local day number (days since 1970-01-01) of day 0. */
  readonly first_day: number;
  readonly names: readonly string[];
  readonly units: readonly string[];
  /** Instant at which the forecast of `day` is made; also defined for days after the last. */
  origin(day: number): number;
  viewAt(at_ms: number): View;
};

/** What was known at `at_ms`. Only `Panel.viewAt` makes one. */
export type View = {
  readonly [made]: 'view';
  readonly at_ms: number;
  /** NaN where missing, outside of the panel, or not known yet. */
  value(series: number, day: number, hour: number): number;
};

export type PanelOptions = {
  first_day: number;
  series: readonly HourlySeries[];
  /** Instant at which the forecast of a day is made. */
  origin: (day: number) => number;
};

/** @throws InvalidDataError where the series differ in length, or are not of whole days. */
export function createPanel({ first_day, series, origin }: PanelOptions): Panel {
  const length = series[0]?.values.length ?? 0;
  for (const { name, values, known_ms } of series)
    if (values.length !== length || known_ms.length !== length || length % DAY_HOURS !== 0)
      throw new InvalidDataError(
        `The series ${name} has ${values.length} values and ${known_ms.length} times for ${length} hours.`,
        'Give each series the same number of whole days, and for each value the time at which it was known.',
      );
  const viewAt = (at_ms: number) => {
    const value = (s: number, day: number, hour: number): number => {
      const { values, known_ms } = series[s]!;
      const k = day * DAY_HOURS + hour;
      return k >= 0 && k < values.length && known_ms[k]! <= at_ms ? values[k]! : NaN;
    };
    return { [made]: 'view' as const, at_ms, value };
  };
  return {
    [made]: 'panel' as const,
    days: length / DAY_HOURS,
    first_day,
    names: series.map(({ name }) => name),
    units: series.map(({ unit }) => unit),
    origin,
    viewAt,
  };
}

/**
 * Times of knowledge for whole days that become known at once, as day-ahead prices and published forecasts do.
 * @param at_ms of a day (0 is the panel's first).
 */
export function knownByDay(days: number, at_ms: (day: number) => number): Float64Array {
  return Float64Array.from({ length: days * DAY_HOURS }, (_, k) => at_ms(Math.floor(k / DAY_HOURS)));
}

/** 0 = Sunday … 6 = Saturday. */
export function weekdayOf(panel: Panel, day: number): number {
  return (((panel.first_day + day + 4) % 7) + 7) % 7;
}

/** Epoch ms at which the local day would begin in UTC: for panels whose series name no time zone. */
export function dayStart_ms(first_day: number, day: number): number {
  return (first_day + day) * DAY_MS;
}
