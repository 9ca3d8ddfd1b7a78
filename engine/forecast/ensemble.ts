/**
 * The product's day-ahead forecast: several methods, weighted online by how they did, with bands around their mean. It
 * lives from day to day: each call first learns from the days that have become known since.
 */
import { InvalidDataError } from '../errors.ts';
import { DAY_HOURS, type Panel } from '../features/panel.ts';
import { type BandsState, createBands } from './bands.ts';
import { type CombinerState, createCombiner } from './combine.ts';
import type { Explanation, ForecasterState, ForecastMethod, TrainedForecaster } from './port.ts';

export type WeightedMethod = {
  method: ForecastMethod;
  /** Weight before anything was seen, relative to the others'. */
  prior: number;
};

export type EnsembleOptions = {
  methods: readonly WeightedMethod[];
  /** Levels of the quantiles, ascending. */
  levels: readonly number[];
  /** Methods are trained anew after so many days (a method may keep what it has for longer). */
  every_days?: number;
  /** Processor seconds since some start: where given, `cpu_s` of the methods is kept. */
  cpu_s?: () => number;
};

export type EnsembleForecast = {
  /** 24 values in the target's unit. */
  mean: Float64Array;
  /** At [level][hour], rising with the level; NaN until a week of errors was seen. */
  quantiles: Float64Array[];
  /** Each method's own; NaN where it could not forecast. Methods that are several in one add two more at the end: their
   * mean less and plus their spread, from which bands learn how unsure they are. */
  forecasts: Float64Array[];
};

export type Ensemble = {
  /** Trains what is due and forecasts `day` as of its origin. Days are asked in ascending order.
   * @throws InvalidDataError where no method can forecast. */
  forecast(panel: Panel, day: number): EnsembleForecast;
  /** The weighted sum of the methods' explanations of the day forecast last; sums to its mean. */
  explain(panel: Panel, hour: number): Explanation;
  serialise(): EnsembleState;
  /** The same without the methods, which do not change while none is trained. */
  memory(): Omit<EnsembleState, 'models'>;
  readonly cpu_s: ReadonlyMap<string, number>;
};

/** Plain JSON. */
export type EnsembleState = {
  models: (ForecasterState | null)[];
  combiner: CombinerState;
  bands: BandsState;
  /** Forecasts whose outcome was not yet known. NaN is null. */
  pending: { day_number: number; mean: (number | null)[]; forecasts: (number | null)[][] }[];
};

type Pending = { day_number: number; mean: Float64Array; forecasts: Float64Array[] };
/** Outcomes that never come are given up after so many days. */
const PATIENCE_DAYS = 14;

export function createEnsemble(
  { methods, levels, every_days = 1, cpu_s }: EnsembleOptions,
  from?: EnsembleState,
): Ensemble {
  const total = methods.reduce((sum, { prior }) => sum + prior, 0);
  const shares = methods.map(({ prior }) => prior / total);
  const combiner = createCombiner({ experts: methods.length, slots: DAY_HOURS, prior: shares }, from?.combiner);
  const bands = createBands({ slots: DAY_HOURS, levels }, from?.bands);
  const models = methods.map(({ method }, m): TrainedForecaster | undefined => {
    const state = from?.models[m];
    return state ? method.revive(state) : undefined;
  });
  const spent = new Map(methods.map(({ method }) => [method.name, 0]));
  let pending: Pending[] = (from?.pending ?? []).map(revivePending);
  let last: { day: number; weights: Float64Array } | undefined;

  function forecastOne(m: number, panel: Panel, day: number): Float64Array {
    const { method } = methods[m]!;
    const began = cpu_s?.() ?? 0;
    try {
      const age = models[m] ? day - models[m].trained_day : Infinity;
      if (age >= every_days || age < 0) models[m] = method.train(panel, day, models[m]);
      return models[m]!.forecast(panel, day);
    } catch (error) {
      // Too little is known for this method; the others go on.
      if (!(error instanceof InvalidDataError)) throw error;
      return new Float64Array(DAY_HOURS).fill(NaN);
    } finally {
      spent.set(method.name, spent.get(method.name)! + (cpu_s?.() ?? 0) - began);
    }
  }

  /** Both ends of the spread of each method that has one. */
  function endsOf(own: readonly Float64Array[], panel: Panel, day: number): Float64Array[] {
    return own.flatMap((made, m) => {
      const spread = made.every(Number.isNaN) ? undefined : models[m]?.spread?.(panel, day);
      return spread ? [-1, 1].map((sign) => made.map((value, hour) => value + sign * spread[hour]!)) : [];
    });
  }

  function forecast(panel: Panel, day: number): EnsembleForecast {
    pending = settle(pending, panel, day, (one, actual) => {
      bands.observe(one.mean, one.forecasts, actual);
      combiner.observe(one.forecasts.slice(0, methods.length), actual);
    });
    const own = methods.map((_, m) => forecastOne(m, panel, day));
    const forecasts = [...own, ...endsOf(own, panel, day)];
    const mean = combiner.combine(own);
    if (mean.every(Number.isNaN))
      throw new InvalidDataError(
        'No method knows enough to forecast this day.',
        'Import older values, or wait some days.',
      );
    const quantiles = bands.quantiles(mean, forecasts);
    pending.push({ day_number: panel.first_day + day, mean, forecasts });
    last = { day, weights: usedWeights(combiner.weights(), own) };
    return { mean, quantiles, forecasts };
  }

  function explain(panel: Panel, hour: number): Explanation {
    if (!last) throw new InvalidDataError('There is no forecast to explain.', 'Make one first.');
    return weightedExplanation(models, last.weights, panel, last.day, hour);
  }

  const memory = () => ({ combiner: combiner.state(), bands: bands.state(), pending: pending.map(plainPending) });
  const serialise = (): EnsembleState => ({ models: models.map((model) => model?.serialise() ?? null), ...memory() });
  return { forecast, explain, serialise, memory, cpu_s: spent };
}

/** Hands on the forecasts whose outcome became known, oldest first. @returns those still open. */
function settle(
  pending: readonly Pending[],
  panel: Panel,
  day: number,
  observe: (one: Pending, actual: Float64Array) => void,
): Pending[] {
  const view = panel.viewAt(panel.origin(day));
  const today = panel.first_day + day;
  return pending.filter((one) => {
    const past = one.day_number - panel.first_day;
    const actual = Float64Array.from({ length: DAY_HOURS }, (_, hour) => view.value(0, past, hour));
    if (actual.every(Number.isNaN) || one.day_number >= today) return today - one.day_number < PATIENCE_DAYS;
    // Made before the day before was over, its evening is not known yet: all of it comes at once.
    if (Number.isNaN(actual[DAY_HOURS - 1]!) && today - one.day_number < 2) return true;
    observe(one, actual);
    return false;
  });
}

function weightedExplanation(
  models: readonly (TrainedForecaster | undefined)[],
  weights: Float64Array,
  panel: Panel,
  day: number,
  hour: number,
): Explanation {
  const adds = new Map<string, { value: number; adds: number }>();
  let base = 0;
  for (const [m, model] of models.entries()) {
    const weight = weights[hour * models.length + m]!;
    if (!model || weight === 0) continue;
    const one = model.explain(panel, day, hour);
    base += weight * one.base;
    for (const part of one.contributions) {
      const known = adds.get(part.feature) ?? { value: part.value, adds: 0 };
      adds.set(part.feature, { ...known, adds: known.adds + weight * part.adds });
    }
  }
  const contributions = [...adds].map(([feature, part]) => ({ feature, ...part }));
  return { base, contributions: contributions.sort((a, b) => Math.abs(b.adds) - Math.abs(a.adds)) };
}

/** Weights of the methods that did forecast, per hour summing to 1. */
function usedWeights(weights: Float64Array, forecasts: readonly Float64Array[]): Float64Array {
  const used = weights.map((weight, i) =>
    Number.isNaN(forecasts[i % forecasts.length]![Math.floor(i / forecasts.length)]!) ? 0 : weight,
  );
  for (let at = 0; at < used.length; at += forecasts.length) {
    const sum = used.subarray(at, at + forecasts.length).reduce((a, b) => a + b, 0);
    for (let k = at; k < at + forecasts.length; k++) used[k] = sum > 0 ? used[k]! / sum : 0;
  }
  return used;
}

const plain = (values: Float64Array): (number | null)[] =>
  Array.from(values, (value) => (Number.isNaN(value) ? null : value));

const plainPending = ({ day_number, mean, forecasts }: Pending): EnsembleState['pending'][number] => ({
  day_number,
  mean: plain(mean),
  forecasts: forecasts.map(plain),
});

function revivePending({ day_number, mean, forecasts }: EnsembleState['pending'][number]): Pending {
  const values = (list: (number | null)[]) => Float64Array.from(list, (value) => value ?? NaN);
  return { day_number, mean: values(mean), forecasts: forecasts.map(values) };
}
