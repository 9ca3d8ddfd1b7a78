/**
 * How estimates become chances. A strategy gives for the estimates of the free actions a distribution (any positive
 * sum); the floor is mixed in later, and the action is drawn from the result, so that every logged propensity is real.
 */
import { normalCdf, normalOf, normalQuantile, studentOf } from './student.ts';

/** What the model believes of one action: mean ± sd, with `dof` degrees of freedom (Student's t). */
export type Estimate = {
  mean: number;
  /** √(xᵀΛ⁻¹x): the width without any scale of the rewards. */
  width: number;
  /** Posterior standard deviation of the mean in units of the reward. */
  sd: number;
  dof: number;
  /** Rewards that the model behind it has seen, discounted. */
  answers: number;
  rule_score: number;
};
/** @param learnt rewards that the site's model has learnt from so far. */
export type Strategy = (estimates: readonly Estimate[], learnt: number) => Float64Array;

/** The highest of `scores` gets everything; equals share it. */
function best(scores: readonly number[]): Float64Array {
  const top = Math.max(...scores);
  return Float64Array.from(scores, (score) => (score === top ? 1 : 0));
}

/** Li, Chu, Langford, Schapire, WWW 2010: mean + α √(xᵀΛ⁻¹x). */
export const linUcb =
  (alpha: number): Strategy =>
  (estimates) =>
    best(estimates.map(({ mean, width }) => mean + alpha * width));

/** The same with the width in units of the reward as the model has learnt them: mean + α · posterior sd. */
export const scaledUcb =
  (alpha: number): Strategy =>
  (estimates) =>
    best(estimates.map(({ mean, sd }) => mean + alpha * sd));

const QUANTILES = Float64Array.from({ length: 32 }, (_, j) => normalQuantile((j + 0.5) / 32));

/**
 * Linear Thompson sampling under a normal-inverse-gamma posterior (Agrawal, Goyal, ICML 2013; Riquelme, Tucker, Snoek,
 * ICLR 2018), with its propensities computed rather than sampled: P(a is best) = ∫ f_a ∏ F_b over the 32 equal
 * slices of a's marginal. Right for separate models an arm; with a shared model it leaves out their correlation.
 * @param scale factor on the posterior's standard deviation; 1 is the textbook.
 */
export const thompson =
  (scale = 1): Strategy =>
  (estimates) => {
    // Strong rivals first, so that a hopeless action is given up after a few factors.
    const rivals = estimates.map((_, k) => k).sort((a, b) => estimates[b]!.mean - estimates[a]!.mean);
    return Float64Array.from(estimates, (own, i) => {
      let sum = 0;
      for (const z of QUANTILES) {
        const value = own.mean + scale * own.sd * studentOf(z, own.dof);
        let below = 1;
        for (let n = 0; n < rivals.length && below > 1e-7; n++) {
          const k = rivals[n]!;
          if (k !== i) below *= chanceBelow(estimates[k]!, value, scale);
        }
        sum += below;
      }
      return sum;
    });
  };

/** P(a draw of the posterior ≤ value). */
function chanceBelow({ mean, sd, dof }: Estimate, value: number, scale: number): number {
  const width = scale * sd;
  if (width > 0) return normalCdf(normalOf((value - mean) / width, dof));
  return value > mean ? 1 : value === mean ? 0.5 : 0;
}

/**
 * Foster, Rakhlin, "Beyond UCB" (ICML 2020): p = 1 / (k + γ · gap) for all but the greedy action, γ = gain · √(k · t).
 */
export const squareCb =
  (gain: number): Strategy =>
  (estimates, learnt) => {
    const k = estimates.length;
    const top = Math.max(...estimates.map(({ mean }) => mean));
    const greedy = estimates.findIndex(({ mean }) => mean === top);
    const gamma = gain * Math.sqrt(k * (learnt + 1));
    const chances = Float64Array.from(estimates, ({ mean }) => 1 / (k + gamma * (top - mean)));
    chances[greedy] = 0;
    chances[greedy] = 1 - chances.reduce((a, b) => a + b, 0);
    return chances;
  };

/**
 * Foster, Agarwal, Dudík, Luo, Schapire, "Practical contextual bandits with regression oracles" (ICML 2018), elimination
 * variant: even chances among the actions whose upper bound reaches the highest lower bound. For ridge regression the
 * bounds over all weights whose squared error is within β of the least are mean ± √β · √(xᵀΛ⁻¹x).
 */
export const regCb =
  (beta: number): Strategy =>
  (estimates) => {
    const reach = Math.sqrt(beta);
    const lowest = Math.max(...estimates.map(({ mean, width }) => mean - reach * width));
    return Float64Array.from(estimates, ({ mean, width }) => (mean + reach * width >= lowest ? 1 : 0));
  };

/** The best mean with 1 − ε, anyone with ε. */
export const greedy =
  (epsilon: number): Strategy =>
  (estimates) => {
    const chances = best(estimates.map(({ mean }) => mean));
    const equals = chances.reduce((a, b) => a + b, 0);
    return chances.map((p) => ((1 - epsilon) * p) / equals + epsilon / estimates.length);
  };

/** The rule baseline: highest rule score first, nothing learnt. */
export const rule = (): Strategy => (estimates) => best(estimates.map(({ rule_score }) => rule_score));
