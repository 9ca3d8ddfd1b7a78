/**
 * The policy that the box ships. Its parameters were chosen on the simulated tasks of test/bench/bandit/tasks.ts
 * (bench `bandit-tune`) and on nothing else; a new choice is a new version.
 */
import { PROPENSITY_FLOOR } from './floor.ts';
import { createLinearPolicy, type EstimatingPolicy } from './linear-policy.ts';
import { type Strategy, scaledUcb } from './strategies.ts';

export const DEFAULT_PARAMETERS = {
  alpha: 0.7,
  curiosity: 0.2,
  noise_rewards: 1,
  ridge: 1,
  features: 128,
  length_scale: 0.3,
  weight: 2,
  straight: 1,
};
export type DefaultParameters = typeof DEFAULT_PARAMETERS;

export const DEFAULT_VERSION = 'lifted-ucb/1';
const LIFT_SEED = 7;

export function defaultStrategy(parameters: DefaultParameters = DEFAULT_PARAMETERS): Strategy {
  return scaledUcb(parameters.alpha);
}

/**
 * LinUCB on given and random Fourier features, its bound in units of the reward as it was learnt.
 * @param inputs length of the context's and a candidate's features together.
 */
export function createDefaultPolicy(
  inputs: number,
  { floor = PROPENSITY_FLOOR, discount = 1, parameters = DEFAULT_PARAMETERS, version = DEFAULT_VERSION } = {},
): EstimatingPolicy {
  const { features, length_scale, weight, straight, ridge, noise_rewards, curiosity } = parameters;
  return createLinearPolicy({
    ...{ version, inputs, strategy: defaultStrategy(parameters), models: 'per_arm', ridge, discount, floor, curiosity },
    lift: { features, length_scale, weight, straight, seed: LIFT_SEED },
    prior_strength: 20,
    noise: { rewards: noise_rewards },
  });
}
