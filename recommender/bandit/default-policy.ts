/**
 * The policy that the box ships. Advice that is described by features of its own, as all of the box's, shares a model of
 * kinds and features; where there is only a context, each action has a lifted model of it. Parameters were chosen on
 * simulated tasks (bench `bandit-tune`) and on the tuning half of the simulated sites (bench `bandit-site`), and on
 * nothing else; a new choice is a new version.
 */
import { createConservativePolicy } from './conservative.ts';
import { createDescribedPolicy, type DescribedOptions } from './described-policy.ts';
import { PROPENSITY_FLOOR } from './floor.ts';
import { createLinearPolicy, type EstimatingPolicy, sha256 } from './linear-policy.ts';
import type { Candidate, DecisionContext, Policy } from './port.ts';
import { seal, unseal } from './snapshot.ts';
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

export type SiteParameters = Omit<DescribedOptions, 'version' | 'inputs' | 'strategy' | 'floor'>;
export const SITE_PARAMETERS: SiteParameters = {
  scales: { own: 0.5, kind: 0.9, moment: 0.15 },
  usual_reward: 0.27,
  /** Of saving, certainty, urgency, shown today, shown this week. */
  usual_slopes: [0.28, 0, 0, 0, -0.1],
  noise: { variance: 0.09, rewards: 60 },
  sharing: { share: 0.5, from_rewards: 30 },
  half_life_days: 45,
  surprise: { limit: 10, kept: 0.1 },
};

export const DEFAULT_VERSION = 'hybrid-ucb/3';

/** What the box shipped before, so that the decisions of that time can be made again. */
export const FORMER_DEFAULTS: readonly { version: string; site: SiteParameters }[] = [
  {
    version: 'hybrid-ucb/2',
    site: {
      scales: { own: 0.3, kind: 0.6, moment: 0.1 },
      ...{ usual_reward: 0.3, usual_slopes: [] },
      noise: { variance: 0.16, rewards: 60 },
      sharing: { share: 0.5, from_rewards: 30 },
      half_life_days: 45,
      surprise: { limit: 5, kept: 0.1 },
    },
  },
];
const LIFT_SEED = 7;

export function defaultStrategy(parameters: DefaultParameters = DEFAULT_PARAMETERS): Strategy {
  return scaledUcb(parameters.alpha);
}

/**
 * The learner alone: LinUCB whose bound is in units of the reward as it was learnt.
 * @param inputs length of the context's and a candidate's features together.
 */
export function createDefaultPolicy(
  inputs: number,
  {
    floor = PROPENSITY_FLOOR,
    discount = 1,
    parameters = DEFAULT_PARAMETERS,
    site = SITE_PARAMETERS,
    version = DEFAULT_VERSION,
  } = {},
): EstimatingPolicy {
  const { features, length_scale, weight, straight, ridge, noise_rewards, curiosity } = parameters;
  const strategy = defaultStrategy(parameters);
  const lifted = createLinearPolicy({
    ...{ version, inputs, strategy, models: 'per_arm', ridge, discount, floor, curiosity },
    lift: { features, length_scale, weight, straight, seed: LIFT_SEED },
    prior_strength: 20,
    noise: { rewards: noise_rewards },
  });
  const described = createDescribedPolicy({ version, inputs, strategy, floor, ...site });
  return joined(version, lifted, described, inputs);
}

/** As the box runs it: the learner under its guard. Where no rule prefers anything the learner decides alone. */
export function createShippedPolicy(
  inputs: number,
  options: Parameters<typeof createDefaultPolicy>[1] & { caution?: number; trials?: number } = {},
): Policy {
  const { floor, caution, trials } = options;
  return createConservativePolicy(createDefaultPolicy(inputs, options), {
    ...{ floor, ...(caution === undefined ? {} : { caution }), ...(trials === undefined ? {} : { trials }) },
  });
}

/** Each decision and each reward goes to the model that it is for. */
function joined(
  version: string,
  lifted: EstimatingPolicy,
  described: EstimatingPolicy,
  inputs: number,
): EstimatingPolicy {
  const isDescribed = ({ features }: DecisionContext) => features.length < inputs;
  const of = (context: DecisionContext, candidates: readonly Candidate[]) =>
    isDescribed(context) && candidates.length > 0 ? described : lifted;
  return {
    version,
    stateHash: () => sha256(`${lifted.stateHash()} ${described.stateHash()}`),
    estimate: (context, candidates) => of(context, candidates).estimate(context, candidates),
    decide: (context, candidates, random) => of(context, candidates).decide(context, candidates, random),
    update(outcomes) {
      for (const outcome of outcomes) (outcome.context.length < inputs ? described : lifted).update([outcome]);
    },
    snapshot: () => ({ policy: version, state: seal([lifted.snapshot(), described.snapshot()]) }),
    restore(snapshot) {
      const [first, second] = unseal(snapshot, version) as ReturnType<Policy['snapshot']>[];
      lifted.restore(first!);
      described.restore(second!);
    },
  };
}
