/**
 * Features of the weather that was forecast for a day, as known at its origin. Series of a panel after the first are
 * weather where they are named here; a panel without any has no such features.
 */
import { meanOf } from './mean.ts';
import { DAY_HOURS, type Panel, type View } from './panel.ts';

export const WEATHER_SERIES = ['temperature', 'irradiance'] as const;
export type WeatherSeries = (typeof WEATHER_SERIES)[number];

const WEEK_DAYS = 7;
/** The best of so many days at an hour stands for a clear sky. */
const CLEAR_DAYS = 21;
/** Walls and air follow the weather after some hours. */
const LAG_HOURS = 3;
const BLOCK_HOURS = 3;
/** Below this (W/m²) it is night. */
const NIGHT_W_m2 = 5;

const COLUMNS = ['', 'less d-1', 'of three hours', 'of the day', 'of the day less d-1', 'of the day less the week'];
const CLEAR = ['against a clear sky', 'of the day against a clear sky'];

/** Places of the weather among the panel's series. */
export function weatherOf(panel: Panel): readonly { name: WeatherSeries; series: number }[] {
  return panel.names.flatMap((known, series) => {
    const name = WEATHER_SERIES.find((one) => one === known);
    return name && series > 0 ? [{ name, series }] : [];
  });
}

export function weatherNames(panel: Panel): readonly string[] {
  return weatherOf(panel).flatMap(({ name }) =>
    [...COLUMNS, ...(name === 'irradiance' ? CLEAR : [])].map((what) => `${name} ${what}`.trim()),
  );
}

const hoursOf = (view: View, series: number, day: number): Float64Array =>
  Float64Array.from({ length: DAY_HOURS }, (_, hour) => view.value(series, day, hour));
const constant = (value: number): Float64Array => new Float64Array(DAY_HOURS).fill(value);
const known = (values: Iterable<number>): number[] => [...values].filter((value) => !Number.isNaN(value));

/** One column of 24 values for each of `weatherNames`; NaN where nothing was known. */
export function weatherColumns(panel: Panel, day: number): Float64Array[] {
  const view = panel.viewAt(panel.origin(day));
  return weatherOf(panel).flatMap(({ name, series }) => {
    const [today, yesterday] = [hoursOf(view, series, day), hoursOf(view, series, day - 1)];
    const week = Array.from({ length: WEEK_DAYS }, (_, k) => meanOf(known(hoursOf(view, series, day - 1 - k))));
    const [mean, before] = [meanOf(known(today)), meanOf(known(yesterday))];
    const lagged = today.map((_, hour) =>
      meanOf(known(Array.from({ length: LAG_HOURS }, (_, k) => [yesterday, today][hour < k ? 0 : 1]!.at(hour - k)!))),
    );
    return [
      today,
      today.map((value, hour) => value - yesterday[hour]!),
      lagged,
      constant(mean),
      constant(mean - before),
      constant(mean - meanOf(known(week))),
      ...(name === 'irradiance' ? clearColumns(view, series, day, today) : []),
    ];
  });
}

function clearColumns(view: View, series: number, day: number, today: Float64Array): Float64Array[] {
  const clear = new Float64Array(DAY_HOURS);
  for (let back = 0; back <= CLEAR_DAYS; back++)
    for (const [hour, value] of hoursOf(view, series, day - back).entries())
      if (value > clear[hour]!) clear[hour] = value;
  const share = today.map((value, hour) => (clear[hour]! > NIGHT_W_m2 ? value / clear[hour]! : NaN));
  const [sum, most] = [meanOf(known(today)), meanOf(clear)];
  return [share, constant(most > 0 ? sum / most : NaN)];
}

/** Means of three hours of a day and the day before, for regressions; NaN where nothing was known. */
export function weatherBlocks(panel: Panel, day: number): number[] {
  const view = panel.viewAt(panel.origin(day));
  return weatherOf(panel).flatMap(({ series }) =>
    [day, day - 1].flatMap((of) => {
      const hours = hoursOf(view, series, of);
      return Array.from({ length: DAY_HOURS / BLOCK_HOURS }, (_, block) =>
        meanOf(known(hours.subarray(block * BLOCK_HOURS, (block + 1) * BLOCK_HOURS))),
      );
    }),
  );
}

export function weatherBlockNames(panel: Panel): readonly string[] {
  const blocks = Array.from({ length: DAY_HOURS / BLOCK_HOURS }, (_, block) => block * BLOCK_HOURS);
  return weatherOf(panel).flatMap(({ name }) =>
    ['', ' d-1'].flatMap((of) => blocks.map((from) => `${name}${of} h${from}-${from + BLOCK_HOURS - 1}`)),
  );
}
