/**
 * Online combination of forecasters: Bernstein Online Aggregation with a learning rate per expert that tunes itself
 * (after Wintenberger 2017, Machine Learning 106), on the gradient of the absolute error.
 * The weights of an hour learn from it and, less, from the hours around it.
 */

/** Slower than the theory's rate: on the years before the test spans even weights are hard to beat by much. */
const DAMPING = 0.3;

export type Combiner = {
  /** Weight of expert k in hour h at [h × experts + k]; each hour's sum to 1. */
  weights(): Float64Array;
  /** The combined forecast; an expert whose value is NaN is left out, and the others' weights grow. */
  combine(forecasts: readonly Float64Array[]): Float64Array;
  /** Learns from a day: NaN (an hour or an expert) teaches nothing. */
  observe(forecasts: readonly Float64Array[], actual: Float64Array): void;
  state(): CombinerState;
};

/** Plain JSON. */
export type CombinerState = { experts: number; slots: number; regret: number[]; bounds: number[]; squares: number[] };

export type CombinerOptions = {
  experts: number;
  /** Times of day that have weights of their own. */
  slots: number;
  /** Weights before anything was seen; even by default. */
  prior?: readonly number[];
  /** Regret of the hours this near counts as well. */
  reach?: number;
};

export function createCombiner(options: CombinerOptions, from?: CombinerState): Combiner {
  const { experts, slots, reach = 6 } = options;
  const prior = options.prior ?? Array.from({ length: experts }, () => 1 / experts);
  const regret = Float64Array.from(from?.regret ?? new Float64Array(experts * slots));
  const bounds = Float64Array.from(from?.bounds ?? new Float64Array(experts * slots));
  const squares = Float64Array.from(from?.squares ?? new Float64Array(experts * slots));
  const rate = (i: number) =>
    squares[i] === 0
      ? Infinity
      : DAMPING * Math.min(1 / (2 * bounds[i]!), Math.sqrt(Math.log(1 / prior[i % experts]!) / squares[i]!));

  function weights(): Float64Array {
    const made = new Float64Array(experts * slots);
    for (let slot = 0; slot < slots; slot++) {
      const base = slot * experts;
      const scores = prior.map((share, k) => {
        const eta = rate(base + k);
        return Number.isFinite(eta) ? Math.log(share) + eta * regret[base + k]! : NaN;
      });
      const top = Math.max(...scores.filter((score) => !Number.isNaN(score)));
      // Experts that never erred differently from the whole have the weight they came with.
      const raw = scores.map((score, k) =>
        Number.isNaN(score) || top === -Infinity ? prior[k]! : Math.exp(score - top),
      );
      const sum = raw.reduce((a, b) => a + b, 0);
      for (let k = 0; k < experts; k++) made[base + k] = raw[k]! / sum;
    }
    return made;
  }

  function combine(forecasts: readonly Float64Array[]): Float64Array {
    const w = weights();
    return Float64Array.from({ length: slots }, (_, slot) => {
      let [sum, total] = [0, 0];
      for (const [k, forecast] of forecasts.entries()) {
        if (Number.isNaN(forecast[slot]!)) continue;
        sum += w[slot * experts + k]! * forecast[slot]!;
        total += w[slot * experts + k]!;
      }
      return total > 0 ? sum / total : NaN;
    });
  }

  function observe(forecasts: readonly Float64Array[], actual: Float64Array): void {
    const combined = combine(forecasts);
    // How much following expert k alone would have gained, to first order, per hour.
    const gains = forecasts.map((forecast) =>
      combined.map((value, slot) => Math.sign(value - actual[slot]!) * (value - forecast[slot]!)),
    );
    for (const [k, gain] of gains.entries())
      for (let slot = 0; slot < slots; slot++) {
        const r = smoothed(gain, slot, reach);
        if (Number.isNaN(r) || r === 0) continue;
        const i = slot * experts + k;
        bounds[i] = Math.max(bounds[i]!, Math.abs(r));
        squares[i]! += r * r;
        regret[i]! += r - rate(i) * r * r;
      }
  }

  return {
    weights,
    combine,
    observe,
    state: () => ({ experts, slots, regret: [...regret], bounds: [...bounds], squares: [...squares] }),
  };
}

/** Mean over the hours within `reach`, which count less the farther away they are. */
function smoothed(values: Float64Array, at: number, reach: number): number {
  let [sum, total] = [0, 0];
  for (let k = Math.max(0, at - reach); k <= Math.min(values.length - 1, at + reach); k++) {
    if (Number.isNaN(values[k]!)) continue;
    const weight = 1 / (1 + Math.abs(k - at));
    sum += weight * values[k]!;
    total += weight;
  }
  return total === 0 ? NaN : sum / total;
}
