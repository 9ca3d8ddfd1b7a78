/**
 * The learner for advice that is described by features of its own: one model a site over all kinds, so that an answer to
 * one kind also says something of others. A new site starts from the mean of what all sites have learnt, without their
 * certainty. What is old counts less, and where answers contradict what was believed nearly everything is forgotten.
 */

import { layoutOf, MOST_KINDS, type RowLayout, type RowScales, rowOf } from './described-rows.ts';
import { PROPENSITY_FLOOR } from './floor.ts';
import {
  correctReward,
  createLinearModel,
  forget,
  grow,
  type LinearModel,
  learnReward,
  predict,
} from './linear-model.ts';
import { type EstimatingPolicy, nextHash, sha256 } from './linear-policy.ts';
import type { Candidate, Choice, DecisionContext, Outcome } from './port.ts';
import { checkCandidates, checkFeatures, drawSlate } from './slate.ts';
import { decodeModel, encodeModel, type StoredModel, seal, unseal } from './snapshot.ts';
import type { Estimate, Strategy } from './strategies.ts';
import { createSurprise, type Surprise, surprised } from './surprise.ts';

export type DescribedOptions = {
  version: string;
  inputs: number;
  strategy: Strategy;
  scales: RowScales;
  /** What is expected of advice that nobody has answered yet. */
  usual_reward: number;
  /** How much more is expected where one of the advice's own features is 1; for advice with as many features. */
  usual_slopes: readonly number[];
  /** Variance of a reward around its mean before any was seen, and how many rewards that is worth. */
  noise: { variance: number; rewards: number };
  /** Share of what other sites think of a kind that a new site starts with, and the rewards it takes to know that. */
  sharing: { share: number; from_rewards: number };
  half_life_days: number;
  /** Evidence (log of the odds) of a change at which a site forgets, and the share that it keeps. */
  surprise: { limit: number; kept: number };
  floor?: number;
};

type SiteState = { model: LinearModel; learnt: number; forgot_ms: number | null; surprise: Surprise };
type State = {
  /** Length of the context; null before the first decision or reward. */
  moment: number | null;
  /** Kinds in the order in which they were first answered. */
  kinds: string[];
  sites: Map<string, SiteState>;
  /** What all sites together have learnt. */
  all: SiteState | null;
  hash: string;
};
type Stored = {
  moment: number | null;
  kinds: string[];
  sites: [string, StoredSite][];
  all: StoredSite | null;
  hash: string;
};
type StoredSite = { model: StoredModel; learnt: number; forgot_ms: number | null; surprise: Surprise };

const DAY_MS = 86_400_000;
/** Forgetting costs d³: it waits for whole weeks. */
const FORGET_EVERY_MS = 7 * DAY_MS;

export function createDescribedPolicy(options: DescribedOptions): EstimatingPolicy {
  const { version, inputs, strategy, scales, floor = PROPENSITY_FLOOR } = options;
  let state: State = { moment: null, kinds: [], sites: new Map(), all: null, hash: sha256(version) };

  return {
    version,
    estimate,
    stateHash: () => state.hash,
    decide(context, candidates, random): Choice {
      const estimates = estimate(context, candidates);
      const learnt = state.sites.get(context.site)?.learnt ?? 0;
      const chances = (free: readonly number[]) =>
        strategy(
          free.map((i) => estimates[i]!),
          learnt,
        );
      return { policy: version, positions: drawSlate(candidates, context.slate, chances, random, floor) };
    },
    update(outcomes) {
      for (const outcome of outcomes) if (outcome.reward !== null) learn(outcome, outcome.reward);
    },
    snapshot() {
      const sites = [...state.sites].map(([id, site]): [string, StoredSite] => [id, encodeSite(site)]);
      const stored: Stored = { ...state, sites, all: state.all && encodeSite(state.all) };
      return { policy: version, state: seal(stored) };
    },
    restore(snapshot) {
      const stored = unseal(snapshot, version) as Stored;
      const sites = stored.sites.map(([id, site]): [string, SiteState] => [id, decodeSite(site)]);
      state = { ...stored, sites: new Map(sites), all: stored.all && decodeSite(stored.all) };
    },
  };

  function layout(moment: number): RowLayout {
    return layoutOf(state.moment ?? moment, inputs - (state.moment ?? moment));
  }

  function estimate(context: DecisionContext, candidates: readonly Candidate[]): Estimate[] {
    checkCandidates(context, candidates, inputs);
    const where = layout(context.features.length);
    const site = state.sites.get(context.site);
    const variance = varianceOf(site);
    const answers = site?.model.count ?? 0;
    const dof = 2 * options.noise.rewards + answers;
    const fresh = site ? null : newModel(where);
    return candidates.map(({ arm, features, rule_score }) => {
      const { mean, spread } = believed(site?.model ?? fresh!, where, context.features, features, arm);
      const width = Math.sqrt(spread);
      return { mean, width, sd: Math.sqrt(variance) * width, dof, answers, rule_score };
    });
  }

  /** With what a kind's block would start at where the model has none yet. */
  function believed(
    model: LinearModel,
    where: RowLayout,
    moment: readonly number[],
    own: readonly number[],
    arm: string,
  ): { mean: number; spread: number } {
    const { common, block } = where;
    const kind = state.kinds.indexOf(arm);
    const known = kind >= 0 && common + (kind + 1) * block <= model.dimensions;
    const found = predict(model, rowOf(where, scales, moment, own, known ? kind : null, model.dimensions));
    if (known) return found;
    const part = rowOf({ common: 0, block }, scales, moment, [], 0, Math.max(1, block));
    const means = kind >= 0 ? blockMeans(where, kind) : new Float64Array(block);
    let { mean, spread } = found;
    for (let i = 0; i < block; i++) {
      mean += means[i]! * part[i]!;
      spread += part[i]! * part[i]!;
    }
    return { mean, spread };
  }

  function varianceOf(site: SiteState | undefined): number {
    const { variance, rewards } = options.noise;
    const { count, residual } = site?.model ?? { count: 0, residual: 0 };
    return (rewards * variance + residual) / (rewards + count);
  }

  function learn(outcome: Outcome, reward: number): void {
    checkFeatures(`The reward for ${outcome.arm}`, outcome.context, outcome.features, inputs);
    if (!Number.isFinite(reward)) checkFeatures(`The reward for ${outcome.arm}`, [reward], [], 1);
    state.moment ??= outcome.context.length;
    state.hash = nextHash(state.hash, outcome);
    if (!state.kinds.includes(outcome.arm) && state.kinds.length < MOST_KINDS) state.kinds.push(outcome.arm);
    const where = layout(outcome.context.length);
    const site = state.sites.get(outcome.site) ?? newSite(where, outcome.at_ms);
    state.sites.set(outcome.site, site);
    state.all ??= { ...newSite(where, outcome.at_ms), model: bareModel(where) };
    for (const one of [site, state.all]) teach(one, where, outcome, reward);
  }

  function teach(site: SiteState, where: RowLayout, outcome: Outcome, reward: number): void {
    const { context, features, arm, before, at_ms } = outcome;
    fade(site, at_ms);
    const kind = state.kinds.indexOf(arm);
    makeRoom(site, where, kind);
    const x = rowOf(where, scales, context, features, kind < 0 ? null : kind, site.model.dimensions);
    if (before !== undefined) {
      correctReward(site.model, x, reward - before);
      return;
    }
    const { mean } = predict(site.model, x);
    learnReward(site.model, x, reward);
    site.learnt++;
    // What all sites have learnt does not change with one of them.
    if (site !== state.all && surprised(site.surprise, mean, reward, options.surprise.limit))
      forget(site.model, options.surprise.kept);
  }

  function fade(site: SiteState, at_ms: number | undefined): void {
    if (at_ms === undefined) return;
    site.forgot_ms ??= at_ms;
    const passed = at_ms - site.forgot_ms;
    if (passed < FORGET_EVERY_MS) return;
    forget(site.model, 0.5 ** (passed / DAY_MS / options.half_life_days));
    site.forgot_ms = at_ms;
  }

  function makeRoom({ model }: SiteState, where: RowLayout, kind: number): void {
    const { common, block } = where;
    for (let next = (model.dimensions - common) / block; next <= kind; next++)
      grow(model, model === state.all?.model ? new Float64Array(block) : blockMeans(where, next));
  }

  /** What a site expects of a kind before its own first answer. */
  function blockMeans({ common, block }: RowLayout, kind: number): Float64Array {
    const at = common + kind * block;
    const { share, from_rewards } = options.sharing;
    const known = state.all && state.all.learnt >= from_rewards && at + block <= state.all.model.dimensions;
    if (!known) return new Float64Array(block);
    return state.all!.model.weights.slice(at, at + block).map((weight) => share * weight);
  }

  function newSite(where: RowLayout, at_ms: number | undefined): SiteState {
    return { model: newModel(where), learnt: 0, forgot_ms: at_ms ?? null, surprise: createSurprise() };
  }

  function newModel(where: RowLayout): LinearModel {
    const known = state.all && state.all.learnt >= options.sharing.from_rewards;
    const model = bareModel(where, known ? state.all!.model.weights : undefined);
    if (known) makeRoom({ model } as SiteState, where, (state.all!.model.dimensions - where.common) / where.block - 1);
    return model;
  }

  function bareModel({ common }: RowLayout, weights?: Float64Array): LinearModel {
    const model = createLinearModel(0, 1);
    const means = new Float64Array(common);
    means[0] = options.usual_reward;
    if (options.usual_slopes.length === common - 1)
      for (const [i, slope] of options.usual_slopes.entries()) means[1 + i] = slope / scales.own;
    if (weights) means.set(weights.subarray(0, common));
    grow(model, means);
    return model;
  }
}

function encodeSite({ model, ...rest }: SiteState): StoredSite {
  return { ...rest, model: encodeModel(model) };
}

function decodeSite({ model, ...rest }: StoredSite): SiteState {
  return { ...rest, model: decodeModel(model) };
}
