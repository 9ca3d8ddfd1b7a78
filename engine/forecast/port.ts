/**
 * The one port of models that forecast a local day's 24 hours. A method learns from a panel as known at the origin of
 * a day; what it learned forecasts, explains itself, and can be stored. Nothing here reads a clock, a disk or chance.
 */
import type { Panel } from '../features/panel.ts';

export interface ForecastMethod {
  /** Name and version, as stored with forecasts and models. */
  readonly name: string;
  /**
   * Learns from what the panel knows at the origin of `day`, whose first series is the target.
   * @param previous what the same method learned for an earlier day of the same panel: spares work. A method may keep
   * what it chose then (scales, penalties) for some days.
   * @throws InvalidDataError with the reason when too little is known.
   */
  train(panel: Panel, day: number, previous?: TrainedForecaster): TrainedForecaster;
  /** @throws InvalidDataError when `state` is not of this method. */
  revive(state: ForecasterState): TrainedForecaster;
}

export interface TrainedForecaster {
  readonly method: string;
  /** Newest target day it has learned from is before this one. */
  readonly trained_day: number;
  /** 24 hourly values of `day` in the target's unit, from what is known at its origin; NaN where that does not do. */
  forecast(panel: Panel, day: number): Float64Array;
  /** How far the members of a method that is several in one lie apart, per hour (standard deviation, target's unit). */
  spread?(panel: Panel, day: number): Float64Array;
  /** What each regressor adds to `base`; the contributions sum to the forecast. Largest first, none that is 0. */
  explain(panel: Panel, day: number, hour: number): Explanation;
  serialise(): ForecasterState;
}

export type Explanation = { base: number; contributions: { feature: string; value: number; adds: number }[] };

/** Plain JSON: equal states give bit-identical forecasts. */
export type ForecasterState = { method: string; trained_day: number; state: unknown };
