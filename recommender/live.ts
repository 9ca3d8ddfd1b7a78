/** The policies that a box may run: a learner by name, under the guard that keeps it from costing more than the rule. */
import { CONSERVATIVE, createConservativePolicy, FORMER_GUARD } from './bandit/conservative.ts';
import { createDefaultPolicy, FORMER_DEFAULTS } from './bandit/default-policy.ts';
import type { EstimatingPolicy } from './bandit/linear-policy.ts';
import { createPolicy, POLICY_NAMES, type PolicyName } from './bandit/policies.ts';
import type { Policy } from './bandit/port.ts';
import { INPUTS } from './moment.ts';

/** `policy` decides; `learner` is what it believes, for what is shown about it. */
export type LivePolicy = { name: PolicyName; policy: Policy; learner: EstimatingPolicy };

/** What runs until another has won. */
export const FIRST_POLICY: PolicyName = 'default';
export const CHALLENGERS: readonly PolicyName[] = POLICY_NAMES;

/** Knows nothing yet: it shows what the rule shows until answers say otherwise. */
export function createLivePolicy(name: PolicyName): LivePolicy {
  const learner = createPolicy(name, INPUTS);
  // The rule has nothing to be kept from.
  if (name === 'rule') return { name, policy: learner, learner };
  return { name, policy: createConservativePolicy(learner, CONSERVATIVE), learner };
}

/** The policy whose decisions are logged under `version`; null where this release does not have it. */
export function livePolicyOf(version: string): LivePolicy | null {
  for (const name of POLICY_NAMES) {
    const made = createLivePolicy(name);
    if (made.policy.version === version) return made;
  }
  for (const { name, learner } of formerLearners()) {
    const policy = createConservativePolicy(learner, FORMER_GUARD);
    if (policy.version === version) return { name, policy, learner };
  }
  return null;
}

/** Those of today and those that the box shipped before, under the guard of that time. */
function formerLearners(): { name: PolicyName; learner: EstimatingPolicy }[] {
  const former = FORMER_DEFAULTS.map((options) => createDefaultPolicy(INPUTS, options));
  const today = POLICY_NAMES.map((name) => ({ name, learner: createPolicy(name, INPUTS) }));
  return [...former.map((learner) => ({ name: 'default' as const, learner })), ...today];
}
