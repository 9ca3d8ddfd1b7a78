/**
 * Policies on Bayesian linear models: which model a reward teaches (one an arm, or one for all), where a new site starts
 * (what all sites have learnt), and how estimates become chances (a strategy).
 */
import { createHash } from 'node:crypto';
import { PROPENSITY_FLOOR } from './floor.ts';
import { createLift, type LiftOptions } from './lift.ts';
import {
  correctReward,
  createFromShared,
  createLinearModel,
  type LinearModel,
  learnReward,
  predict,
} from './linear-model.ts';
import type { Candidate, Choice, DecisionContext, Outcome, Policy } from './port.ts';
import { checkCandidates, checkFeatures, drawSlate } from './slate.ts';
import { decodeState, encodeState } from './snapshot.ts';
import type { Estimate, Strategy } from './strategies.ts';

export type LinearPolicyOptions = {
  version: string;
  /** Length of the context's and a candidate's features together. */
  inputs: number;
  strategy: Strategy;
  /** `per_arm`: every kind of advice has weights of its own; `shared`: one model, told apart by features only. */
  models: 'per_arm' | 'shared';
  /** Random Fourier features beside the given ones; null for a straight model. */
  lift: LiftOptions | null;
  /** Ridge term: precision of a weight nobody knows anything of. */
  ridge: number;
  /** Weight of a reward after one more of the same model; 1 forgets nothing. */
  discount: number;
  /** How many rewards the knowledge of all sites is worth to a new one; 0 keeps sites apart. */
  prior_strength: number;
  /** The noise's prior: worth `rewards` rewards whose mean square is that of all rewards so far. */
  noise: { rewards: number };
  /** Share of the rewards' mean square that uncertainty never falls below, however quiet the rewards seen are. */
  curiosity: number;
  floor?: number;
};

type SiteState = { models: Map<string, LinearModel>; learnt: number };
export type LinearPolicyState = {
  sites: Map<string, SiteState>;
  /** What all sites together have learnt, by arm. */
  shared: Map<string, LinearModel>;
  /** Count and sum of squares of all rewards, discounted. */
  rewards: { count: number; squares: number };
  hash: string;
};

const ALL_ARMS = '*';

/** A policy that also says what it believes of each candidate, in their order. */
export type EstimatingPolicy = Policy & {
  estimate(context: DecisionContext, candidates: readonly Candidate[]): Estimate[];
};

export function createLinearPolicy(options: LinearPolicyOptions): EstimatingPolicy {
  const { version, inputs, strategy, discount, ridge, floor = PROPENSITY_FLOOR } = options;
  const lift = options.lift ? createLift(inputs, options.lift) : null;
  const dimensions = lift?.dimensions ?? inputs;
  let state: LinearPolicyState = emptyState(version);

  const modelOf = (arm: string) => (options.models === 'shared' ? ALL_ARMS : arm);
  const lifted = (context: readonly number[], features: readonly number[]): Float64Array => {
    const x = features.length === 0 ? context : [...context, ...features];
    return lift ? lift.apply(x) : Float64Array.from(x);
  };

  return {
    version,
    estimate,
    stateHash: () => state.hash,
    decide(context, candidates, random): Choice {
      const estimates = estimate(context, candidates);
      const learnt = state.sites.get(context.site)?.learnt ?? 0;
      const positions = drawSlate(
        candidates,
        context.slate,
        (free) =>
          strategy(
            free.map((i) => estimates[i]!),
            learnt,
          ),
        random,
        floor,
      );
      return { policy: version, positions };
    },
    update(outcomes) {
      for (const outcome of outcomes) if (outcome.reward !== null) learn(outcome, outcome.reward);
    },
    snapshot: () => ({ policy: version, state: encodeState(state) }),
    restore(snapshot) {
      state = decodeState(snapshot, version, dimensions);
    },
  };

  function estimate(context: DecisionContext, candidates: readonly Candidate[]): Estimate[] {
    checkCandidates(context, candidates, inputs);
    const bare = candidates.some(({ features }) => features.length === 0) ? lifted(context.features, []) : null;
    const site = state.sites.get(context.site);
    const { count, squares } = state.rewards;
    const scale = count > 0 ? squares / count : 1;
    return candidates.map(({ arm, features, rule_score }) => {
      const x = bare && features.length === 0 ? bare : lifted(context.features, features);
      const own = site?.models.get(modelOf(arm));
      const { mean, spread, seen, residual } = own
        ? { ...predict(own, x), seen: own.count, residual: own.residual }
        : beforeFirst(modelOf(arm), x);
      const shape = options.noise.rewards + seen / 2;
      const variance = (options.noise.rewards * scale + residual / 2) / shape + options.curiosity * scale;
      const width = Math.sqrt(spread);
      return { mean, width, sd: Math.sqrt(variance) * width, dof: 2 * shape, answers: own?.count ?? 0, rule_score };
    });
  }

  /** What is believed of an arm before the site's own first reward: the mean of all sites, as wide as the prior is weak. */
  function beforeFirst(arm: string, x: Float64Array) {
    const shared = options.prior_strength > 0 ? state.shared.get(arm) : undefined;
    let length = 0;
    for (const value of x) length += value * value;
    const widest = length / ridge;
    if (!shared) return { mean: 0, spread: widest, seen: 0, residual: 0 };
    const { mean, spread } = predict(shared, x);
    const share = Math.min(1, options.prior_strength / shared.count);
    const seen = share * shared.count;
    return { mean, spread: Math.min(widest, spread / share), seen, residual: share * shared.residual };
  }

  function learn(outcome: Outcome, reward: number): void {
    checkFeatures(`The reward for ${outcome.arm}`, outcome.context, outcome.features, inputs);
    if (!Number.isFinite(reward)) checkFeatures(`The reward for ${outcome.arm}`, [reward], [], 1);
    const arm = modelOf(outcome.arm);
    const x = lifted(outcome.context, outcome.features);
    const site = state.sites.get(outcome.site) ?? { models: new Map<string, LinearModel>(), learnt: 0 };
    state.sites.set(outcome.site, site);
    state.hash = nextHash(state.hash, outcome);
    const { before } = outcome;
    const teach = (model: LinearModel) =>
      before === undefined ? learnReward(model, x, reward) : correctReward(model, x, reward - before);
    teach(siteModel(site, arm));
    if (options.prior_strength > 0) teach(sharedModel(arm));
    if (before !== undefined) {
      state.rewards.squares += reward * reward - before * before;
      return;
    }
    site.learnt++;
    state.rewards.count = discount * state.rewards.count + 1;
    state.rewards.squares = discount * state.rewards.squares + reward * reward;
  }

  function siteModel(site: SiteState, arm: string): LinearModel {
    const known = site.models.get(arm);
    if (known) return known;
    const shared = options.prior_strength > 0 ? state.shared.get(arm) : undefined;
    const model = shared
      ? createFromShared(shared, options.prior_strength)
      : createLinearModel(dimensions, ridge, discount);
    site.models.set(arm, model);
    return model;
  }

  function sharedModel(arm: string): LinearModel {
    const known = state.shared.get(arm);
    if (known) return known;
    const model = createLinearModel(dimensions, ridge, discount);
    state.shared.set(arm, model);
    return model;
  }
}

function emptyState(version: string): LinearPolicyState {
  return { sites: new Map(), shared: new Map(), rewards: { count: 0, squares: 0 }, hash: sha256(version) };
}

/** A chain over everything learnt: as good a name for the state as a hash of it all, and as cheap as one reward. */
export function nextHash(chain: string, { site, context, arm, features, reward, before, at_ms }: Outcome): string {
  return sha256(JSON.stringify([chain, site, context, arm, features, reward, before ?? null, at_ms ?? null]));
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
