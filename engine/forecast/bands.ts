/**
 * Quantiles around any point forecast: conformal prediction on errors divided by their expected size, per time of day
 * (Vovk et al. 2005; Kath & Ziel 2021, International Journal of Forecasting 37), with levels that adapt to the coverage
 * seen (adaptive conformal inference: Gibbs & Candès 2021, NeurIPS). Quantiles never cross.
 */
import { createScaleModel, type ScaleState } from './scale.ts';

export type Bands = {
  /** Quantiles of each level, ascending, at [level][slot]; NaN until enough was seen. */
  quantiles(point: Float64Array, forecasts: readonly Float64Array[]): Float64Array[];
  /** Learns from what came; NaN where not known. Give the point and forecasts that the bands were made from. */
  observe(point: Float64Array, forecasts: readonly Float64Array[], actual: Float64Array): void;
  state(): BandsState;
};

/** Plain JSON. */
export type BandsState = {
  scale: ScaleState;
  /** Standardised errors of the newest days, oldest first, each of all times of day. NaN is null. */
  errors: (number | null)[][];
  /** Adapted level of each asked one, at [slot][level]. */
  levels: number[][];
  /** Mean size of the values at each time of day; left out in states of before it was kept. */
  typical?: number[];
};

export type BandsOptions = {
  /** Times of day with bands of their own. */
  slots: number;
  /** Ascending, each within (0, 1). */
  levels: readonly number[];
  /** Errors of so many days. */
  window_days?: number;
  /** By how much a level moves after a miss, in levels. */
  step?: number;
};

const LEAST_DAYS = 7;

export function createBands(options: BandsOptions, from?: BandsState): Bands {
  const { slots, levels, window_days = 182, step = 0.005 } = options;
  const scale = createScaleModel(slots, from?.scale);
  const errors = (from?.errors ?? []).map((day) => Float64Array.from(day, (value) => value ?? NaN));
  const typical = Float64Array.from(from?.typical ?? new Float64Array(slots).fill(NaN));
  /** Times of day at which there is nothing, as generation at night: no error to learn from, nothing to be unsure of. */
  const isDark = (slot: number) =>
    typical[slot]! <= DARK * typical.reduce((most, value) => (value > most ? value : most), 0);
  const adapted = Array.from({ length: slots }, (_, slot) => Float64Array.from(from?.levels[slot] ?? levels));

  function quantiles(point: Float64Array, forecasts: readonly Float64Array[]): Float64Array[] {
    const made = levels.map(() => new Float64Array(slots).fill(NaN));
    if (errors.length < LEAST_DAYS) return made;
    const sizes = floored(scale.expect(forecasts));
    for (let slot = 0; slot < slots; slot++) {
      if (isDark(slot)) {
        for (const ofLevel of made) ofLevel[slot] = point[slot]!;
        continue;
      }
      // A time of day that was dark until now is taken like the others.
      const own = pooled(errors, slot);
      const sorted = own.length < 2 * LEAST_DAYS ? pooledAll(errors) : own;
      if (sorted.length < 2 * LEAST_DAYS) continue;
      const ofSlot = Float64Array.from(levels, (_, k) => quantileAt(sorted, adapted[slot]![k]!)).sort();
      for (let k = 0; k < levels.length; k++) made[k]![slot] = point[slot]! + sizes[slot]! * ofSlot[k]!;
    }
    return made;
  }

  function observe(point: Float64Array, forecasts: readonly Float64Array[], actual: Float64Array): void {
    const missed = quantiles(point, forecasts);
    const sizes = floored(scale.expect(forecasts));
    const signed = actual.map((value, slot) => (isDark(slot) && value === 0 ? NaN : value - point[slot]!));
    for (let slot = 0; slot < slots; slot++)
      for (let k = 0; k < levels.length; k++) {
        const quantile = missed[k]![slot]!;
        if (Number.isNaN(quantile) || Number.isNaN(actual[slot]!)) continue;
        const level = adapted[slot]![k]! + step * (levels[k]! - (actual[slot]! < quantile ? 1 : 0));
        adapted[slot]![k] = Math.min(0.9995, Math.max(0.0005, level));
      }
    if (!sizes.every(Number.isNaN)) {
      errors.push(signed.map((error, slot) => error / sizes[slot]!));
      if (errors.length > window_days) errors.shift();
    }
    scale.observe(forecasts, signed);
    for (let slot = 0; slot < slots; slot++) {
      const size = Math.abs(actual[slot]!);
      if (Number.isNaN(size)) continue;
      typical[slot] = Number.isNaN(typical[slot]!) ? size : typical[slot]! + (size - typical[slot]!) / TYPICAL_DAYS;
    }
  }

  const state = (): BandsState => ({
    scale: scale.state(),
    errors: errors.map((day) => Array.from(day, (value) => (Number.isNaN(value) ? null : value))),
    levels: adapted.map((ofSlot) => [...ofSlot]),
    ...(typical.some(Number.isNaN) ? {} : { typical: [...typical] }),
  });
  return { quantiles, observe, state };
}

/** A time of day whose values are below this share of the day's largest is dark. */
const DARK = 1e-3;
const TYPICAL_DAYS = 14;
/** Share of the mean size that every size has at least. */
const LEAST_SIZE = 0.1;

/** Next to hours without any error (generation at night) a small one would else stand for hundreds of usual ones. */
function floored(sizes: Float64Array): Float64Array {
  const least = (LEAST_SIZE * sizes.reduce((sum, size) => sum + size, 0)) / sizes.length;
  return sizes.map((size) => Math.max(least, size));
}

/** Ascending errors of a time of day and its neighbours, its own twice. */
function pooled(errors: readonly Float64Array[], slot: number): Float64Array {
  const found = new Float64Array(errors.length * 4);
  let count = 0;
  for (const day of errors)
    for (const at of [slot - 1, slot, slot, slot + 1]) {
      const error = day[at];
      if (error !== undefined && !Number.isNaN(error)) found[count++] = error;
    }
  return found.subarray(0, count).sort();
}

function pooledAll(errors: readonly Float64Array[]): Float64Array {
  return Float64Array.from(errors.flatMap((day) => [...day].filter((error) => !Number.isNaN(error)))).sort();
}

/** Between the two nearest order statistics at (n + 1) · level; the extremes at the ends. */
function quantileAt(sorted: Float64Array, level: number): number {
  const place = Math.min(sorted.length - 1, Math.max(0, level * (sorted.length + 1) - 1));
  const low = Math.floor(place);
  const high = Math.min(sorted.length - 1, low + 1);
  return sorted[low]! + (place - low) * (sorted[high]! - sorted[low]!);
}
