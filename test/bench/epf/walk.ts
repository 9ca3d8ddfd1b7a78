/** Lives through the days of a test span as a box would: train, forecast, then see what came. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { DAY_HOURS, type Panel } from '../../../engine/features/panel.ts';
import { createEnsemble, type EnsembleState, type WeightedMethod } from '../../../engine/forecast/ensemble.ts';

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
  /** Where the state of the walk is kept, so that a walk that was ended goes on. */
  state_file?: string;
};

/** NaN is null. */
type Kept = {
  days: number;
  every: number;
  names: string[];
  ensemble: EnsembleState;
  made: (number | null)[][];
  combined: (number | null)[];
  cpu_s: [string, number][];
};
const KEEP_DAYS = 14;

const LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95];

function cpu_s(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export function walk({ panel, methods, from_day, days, every, progress, state_file }: WalkOptions): Walk {
  const names = methods.map(({ method }) => method.name);
  const kept = state_file && existsSync(state_file) ? read(state_file) : null;
  if (kept && (kept.every !== every || kept.names.join() !== names.join() || kept.days > days))
    throw new Error(`${state_file} is of another walk: remove it, or ask for the same models and days.`);
  const ensemble = createEnsemble({ methods, levels: LEVELS, every_days: every, cpu_s }, kept?.ensemble);
  const cpu = () =>
    new Map(names.map((name) => [name, ensemble.cpu_s.get(name)! + (new Map(kept?.cpu_s).get(name) ?? 0)]));
  const made = methods.map(() => new Float64Array(days * DAY_HOURS));
  const combined = new Float64Array(days * DAY_HOURS);
  for (const [m, values] of (kept?.made ?? []).entries()) made[m]!.set(values.map(fromPlain));
  combined.set((kept?.combined ?? []).map(fromPlain));
  for (let n = kept?.days ?? 0; n < days; n++) {
    const { mean, forecasts } = ensemble.forecast(panel, from_day + n);
    combined.set(mean, n * DAY_HOURS);
    for (const [m, forecast] of forecasts.entries()) made[m]!.set(forecast, n * DAY_HOURS);
    if (n % 28 === 27) progress?.(`${n + 1} of ${days} days`);
    if (!state_file || n % KEEP_DAYS !== KEEP_DAYS - 1) continue;
    const end = (n + 1) * DAY_HOURS;
    write(state_file, {
      ...{ days: n + 1, every, names, ensemble: ensemble.serialise(), cpu_s: [...cpu()] },
      made: made.map((values) => Array.from(values.subarray(0, end), toPlain)),
      combined: Array.from(combined.subarray(0, end), toPlain),
    });
  }
  return {
    methods: new Map(methods.map(({ method }, m) => [method.name, made[m]!])),
    combined,
    cpu_s: cpu(),
  };
}

const toPlain = (value: number): number | null => (Number.isNaN(value) ? null : value);
const fromPlain = (value: number | null): number => value ?? NaN;
const read = (file: string): Kept => JSON.parse(readFileSync(file, 'utf8')) as Kept;

/** Whole or not at all. */
function write(file: string, kept: Kept): void {
  writeFileSync(`${file}.part`, JSON.stringify(kept));
  renameSync(`${file}.part`, file);
}
