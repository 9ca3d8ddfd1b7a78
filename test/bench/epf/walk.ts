/** Lives through the days of a test span as a box would: train, forecast, then see what came. */
import { DAY_HOURS, type Panel } from '../../../engine/features/panel.ts';
import { createEnsemble, type WeightedMethod } from '../../../engine/forecast/ensemble.ts';

export type Walk = {
  /** Forecasts of each method, and of their combination, 24 hours a day in a row. */
  methods: Map<string, Float64Array>;
  combined: Float64Array;
  /** Processor seconds of each method's training and forecasting. */
  cpu_s: ReadonlyMap<string, number>;
};

export type WalkOptions = {
  panel: Panel;
  methods: readonly WeightedMethod[];
  from_day: number;
  days: number;
  /** The methods learn anew every so many days. */
  every: number;
  progress?: (line: string) => void;
};

const LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95];

function cpu_s(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export function walk({ panel, methods, from_day, days, every, progress }: WalkOptions): Walk {
  const ensemble = createEnsemble({ methods, levels: LEVELS, every_days: every, cpu_s });
  const made = methods.map(() => new Float64Array(days * DAY_HOURS));
  const combined = new Float64Array(days * DAY_HOURS);
  for (let n = 0; n < days; n++) {
    const { mean, forecasts } = ensemble.forecast(panel, from_day + n);
    combined.set(mean, n * DAY_HOURS);
    for (const [m, forecast] of forecasts.entries()) made[m]!.set(forecast, n * DAY_HOURS);
    if (n % 28 === 27) progress?.(`${n + 1} of ${days} days`);
  }
  return {
    methods: new Map(methods.map(({ method }, m) => [method.name, made[m]!])),
    combined,
    cpu_s: ensemble.cpu_s,
  };
}
