/** Every learner behind the port, with sensible parameters, by name: challengers for the shipped policy. */
import { createDefaultPolicy } from './default-policy.ts';
import { createLinearPolicy, type EstimatingPolicy } from './linear-policy.ts';
import { greedy, linUcb, regCb, rule, type Strategy, squareCb, thompson } from './strategies.ts';

export const POLICY_NAMES = [
  'default',
  'linucb',
  'linucb_shared',
  'thompson',
  'squarecb',
  'regcb',
  'greedy',
  'rule',
] as const;
export type PolicyName = (typeof POLICY_NAMES)[number];

export type PolicySettings = { floor?: number; discount?: number; prior_strength?: number };

const STRATEGIES: Record<Exclude<PolicyName, 'default'>, () => Strategy> = {
  linucb: () => linUcb(0.3),
  linucb_shared: () => linUcb(0.3),
  thompson: () => thompson(0.5),
  squarecb: () => squareCb(10),
  regcb: () => regCb(0.1),
  greedy: () => greedy(0.05),
  rule,
};

/** @param inputs length of the context's and a candidate's features together. */
export function createPolicy(name: PolicyName, inputs: number, settings: PolicySettings = {}): EstimatingPolicy {
  if (name === 'default') return createDefaultPolicy(inputs, settings);
  return createLinearPolicy({
    version: `${name}/2`,
    inputs,
    strategy: STRATEGIES[name](),
    models: name === 'linucb_shared' ? 'shared' : 'per_arm',
    lift: null,
    ridge: 1,
    discount: settings.discount ?? 1,
    prior_strength: settings.prior_strength ?? 20,
    noise: { rewards: 1 },
    curiosity: 0,
    floor: settings.floor,
  });
}
