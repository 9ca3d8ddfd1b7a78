/**
 * Random Fourier features (Rahimi, Recht: "Random features for large-scale kernel machines", NIPS 2007): a linear model
 * on them is a Gaussian-process regression with a squared-exponential kernel, so that a linear bandit learns curved
 * and local rewards too. The frequencies come from a seed and are part of the policy's version.
 */
import { createRandom, type Random } from '../../engine/random.ts';

export type LiftOptions = {
  /** Number of random features; 0 leaves the input as it is. */
  features: number;
  /** Length over which rewards are alike, for one dimension whose values spread over about 0 … 1. */
  length_scale: number;
  /** Standard deviation that the prior gives the curved part, against 1 for every given feature. */
  weight: number;
  /** Factor on the given features: how large the prior lets the straight part be. */
  straight: number;
  seed: number;
};

export type Lift = { dimensions: number; apply(x: readonly number[] | Float64Array): Float64Array };

/** The given features, then `features` cosines of random projections. The length scale grows with √inputs. */
export function createLift(inputs: number, options: LiftOptions): Lift {
  const { features, weight, straight } = options;
  const random = createRandom(options.seed);
  const length = options.length_scale * Math.sqrt(inputs);
  const frequencies = new Float64Array(features * inputs);
  for (let k = 0; k < features; k++) {
    // Between half and twice the length scale, so that broad and narrow patterns are both within reach.
    const own = length * 2 ** (2 * random() - 1);
    for (let j = 0; j < inputs; j++) frequencies[k * inputs + j] = gaussian(random) / own;
  }
  const phases = Float64Array.from({ length: features }, () => 2 * Math.PI * random());
  const amplitude = weight * Math.sqrt(2 / Math.max(1, features));
  return {
    dimensions: inputs + features,
    apply(x) {
      const lifted = new Float64Array(inputs + features);
      for (let j = 0; j < inputs; j++) lifted[j] = straight * x[j]!;
      for (let k = 0; k < features; k++) {
        let phase = phases[k]!;
        for (let j = 0; j < inputs; j++) phase += frequencies[k * inputs + j]! * x[j]!;
        lifted[inputs + k] = amplitude * Math.cos(phase);
      }
      return lifted;
    },
  };
}

/** A standard normal draw (Box, Muller 1958). */
export function gaussian(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
