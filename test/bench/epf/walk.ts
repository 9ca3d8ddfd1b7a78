/** Walks over the days of a test span as a box would live them: train, forecast, then see what came. */

import { DAY_HOURS, type Panel } from '../../../engine/features/panel.ts';
import { type Combiner, type CombinerState, createCombiner } from '../../../engine/forecast/combine.ts';
import type { ForecastMethod, TrainedForecaster } from '../../../engine/forecast/port.ts';

export type Walk = {
  /** Forecasts of each method and of their combination, 24 hours a day in a row. */
  methods: Map<string, Float64Array>;
  combined: Float64Array;
  /** Processor seconds of each method's training and forecasting. */
  cpu_s: Map<string, number>;
  weights: CombinerState;
};

export type WalkOptions = {
  panel: Panel;
  /** Target values, for learning after the fact; the methods do not get them. */
  actual: Float64Array;
  methods: readonly ForecastMethod[];
  from_day: number;
  days: number;
  /** The methods learn anew every so many days. */
  every: number;
  progress?: (line: string) => void;
};

export function walk({ panel, actual, methods, from_day, days, every, progress }: WalkOptions): Walk {
  const combiner = createCombiner({ experts: methods.length, slots: DAY_HOURS });
  const made = methods.map(() => new Float64Array(days * DAY_HOURS));
  const combined = new Float64Array(days * DAY_HOURS);
  const trained: (TrainedForecaster | undefined)[] = methods.map(() => undefined);
  const cpu_s = new Map(methods.map(({ name }) => [name, 0]));
  for (let n = 0; n < days; n++) {
    const day = from_day + n;
    const forecasts = methods.map((method, m) => {
      const began = process.cpuUsage();
      if (n % every === 0) trained[m] = method.train(panel, day, trained[m]);
      const forecast = trained[m]!.forecast(panel, day);
      const { user, system } = process.cpuUsage(began);
      cpu_s.set(method.name, cpu_s.get(method.name)! + (user + system) / 1e6);
      made[m]!.set(forecast, n * DAY_HOURS);
      return forecast;
    });
    combined.set(combiner.combine(forecasts), n * DAY_HOURS);
    learn(combiner, forecasts, actual.subarray(day * DAY_HOURS, (day + 1) * DAY_HOURS));
    if (n % 28 === 27) progress?.(`${n + 1} of ${days} days`);
  }
  return {
    methods: new Map(methods.map(({ name }, m) => [name, made[m]!])),
    combined,
    cpu_s,
    weights: combiner.state(),
  };
}

/** A day's prices are known before the next day is forecast. */
function learn(combiner: Combiner, forecasts: readonly Float64Array[], actual: Float64Array): void {
  combiner.observe(forecasts, actual);
}
