/**
 * Regressors of one local day to come, as the LEAR model has them (Lago et al. 2021, Applied Energy 293, 116983): the
 * target on days before, day-ahead forecasts of other quantities for the day itself and for days before, the weekday.
 * Every value is read through a view as of the day's own origin.
 */
import { DAY_HOURS, type Panel, weekdayOf } from './panel.ts';

export type DayAheadSpec = {
  /** Lags in days of the target, which is the panel's first series. */
  target_lags: readonly number[];
  /** Lags in days of each further series; 0 is the day to come. */
  exogenous_lags: readonly number[];
};
export const LEAR_SPEC: DayAheadSpec = { target_lags: [1, 2, 3, 7], exogenous_lags: [0, 1, 7] };

/** 24 columns of one series, `lag` days before, from column `at` on. Series 0 is the target. */
export type DayBlock = { readonly name: string; readonly series: number; readonly lag: number; readonly at: number };

export type DayRows = {
  readonly width: number;
  readonly blocks: readonly DayBlock[];
  /** Columns from here on are 0 or 1 and are not to be scaled. */
  readonly dummies_from: number;
  readonly names: readonly string[];
  /** Regressors of `day` as known at its origin; NaN where something is missing. Kept: do not write to it. */
  row(day: number): Float64Array;
};

/** Rows are made when first asked for: those of past days never change, for they are as of their own origins. */
export function createDayRows(panel: Panel, spec: DayAheadSpec = LEAR_SPEC): DayRows {
  const blocks = panel.names
    .flatMap((name, series) =>
      (series === 0 ? spec.target_lags : spec.exogenous_lags).map((lag) => ({ name, series, lag })),
    )
    .map((block, b) => ({ ...block, at: b * DAY_HOURS }));
  const dummies_from = blocks.length * DAY_HOURS;
  const width = dummies_from + 7;
  const hours = Array.from({ length: DAY_HOURS }, (_, hour) => hour);
  const names = [
    ...blocks.flatMap(({ name, lag }) => hours.map((hour) => `${name} d-${lag} h${hour}`)),
    ...['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'],
  ];
  const kept = new Map<number, Float64Array>();
  const row = (day: number): Float64Array => {
    const known = kept.get(day);
    if (known) return known;
    const view = panel.viewAt(panel.origin(day));
    const x = new Float64Array(width);
    for (const { series, lag, at } of blocks)
      for (let hour = 0; hour < DAY_HOURS; hour++) x[at + hour] = view.value(series, day - lag, hour);
    x[dummies_from + weekdayOf(panel, day)] = 1;
    kept.set(day, x);
    return x;
  };
  return { width, blocks, dummies_from, names, row };
}
