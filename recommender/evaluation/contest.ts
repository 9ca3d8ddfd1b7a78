/**
 * Champion against challengers on the log, before anything goes live: each policy walks through the logged decisions in
 * order, learns from the rewards that were known by then, and is asked how likely it would have chosen what it could
 * have. Its value follows off-policy (estimators.ts); two policies are compared pair by pair on the same rows.
 */

import { createRandom } from '../../engine/random.ts';
import { ACTION_KINDS } from '../action.ts';
import type { PolicyName } from '../bandit/policies.ts';
import type { Candidate, Outcome, SlatePosition } from '../bandit/port.ts';
import { createLivePolicy } from '../live.ts';
import { type EstimatorName, estimateValue, type OffPolicyLog } from './estimators.ts';
import { type Interval, meanAndError, normalInterval } from './intervals.ts';
import { crossFit } from './reward-model.ts';

/** A logged decision with what came of each place; null where nobody answered. */
export type ContestRound = {
  at_ms: number;
  site: string;
  moment: readonly number[];
  candidates: readonly Candidate[];
  positions: readonly SlatePosition[];
  rewards: readonly (number | null)[];
};
export type ContestInput = {
  /** Oldest first. */
  rounds: readonly ContestRound[];
  /** Everything that became known, in order. */
  outcomes: readonly (Outcome & { at_ms: number })[];
  policies: readonly PolicyName[];
  champion: PolicyName;
  /** Rows from here on decide; what came before is only learnt from. */
  from_ms: number;
};
export type PolicyScore = {
  policy: PolicyName;
  value: Record<EstimatorName, Interval>;
  /** Against the champion, doubly robust, 95 %. */
  lead: Interval;
};
export type ContestResult = { rows: number; mean_reward: number; scores: PolicyScore[] };

/** An answered place: who was free, who was chosen with which chance, and what it earned. */
type Row = { round: ContestRound; free: readonly Candidate[]; chosen: number; propensity: number; reward: number };

const FOLDS = 5;
const SEED = 1;
const KIND_INDEX = new Map<string, number>(ACTION_KINDS.map((kind, i) => [kind, i]));

/** @throws InvalidDataError where no row was answered. */
export function holdContest(input: ContestInput): ContestResult {
  const rows = input.rounds.filter(({ at_ms }) => at_ms >= input.from_ms).flatMap(rowsOf);
  const actions = Math.max(1, ...rows.map(({ free }) => free.length));
  const base = baseOf(rows, actions);
  const logs = new Map(
    input.policies.map((name) => [name, { ...base, target: chancesOf(name, input, rows, actions) }]),
  );
  const champion = termsOf(logs.get(input.champion)!);
  const scores = [...logs].map(([policy, log]): PolicyScore => {
    const differences = termsOf(log).map((term, i) => term - champion[i]!);
    const { mean, standard_error } = meanAndError(differences);
    return { policy, value: estimateValue(log), lead: normalInterval(mean, standard_error, 0.95) };
  });
  const mean_reward = rows.reduce((sum, { reward }) => sum + reward, 0) / Math.max(1, rows.length);
  return { rows: rows.length, mean_reward, scores };
}

function rowsOf(round: ContestRound): Row[] {
  return round.positions.flatMap(({ chosen, propensities }, place): Row[] => {
    const reward = round.rewards[place] ?? null;
    const free = round.candidates.filter(({ id }) => id in propensities);
    const at = free.findIndex(({ id }) => id === chosen);
    return reward === null || at < 0 ? [] : [{ round, free, chosen: at, propensity: propensities[chosen]!, reward }];
  });
}

function baseOf(rows: readonly Row[], actions: number): Omit<OffPolicyLog, 'target'> {
  const rewards = Float64Array.from(rows, ({ reward }) => reward);
  // The model knows kinds; each row's candidates are then looked up by theirs.
  const kinds = rows.map(({ free }) => free.map(({ arm }) => KIND_INDEX.get(arm) ?? 0));
  const byKind = crossFit(
    {
      x: rows.map(({ round, free, chosen }) => [...round.moment, ...free[chosen]!.features]),
      chosen: kinds.map((own, i) => own[rows[i]!.chosen]!),
      rewards,
      actions: ACTION_KINDS.length,
    },
    FOLDS,
    SEED,
  );
  const estimates = new Float64Array(rows.length * actions);
  for (const [i, own] of kinds.entries())
    for (const [a, kind] of own.entries()) estimates[i * actions + a] = byKind[i * ACTION_KINDS.length + kind]!;
  return {
    ...{ actions, rewards, estimates },
    chosen: Int32Array.from(rows, ({ chosen }) => chosen),
    propensities: Float64Array.from(rows, ({ propensity }) => propensity),
  };
}

/** How likely the policy would have chosen each free action, having learnt what was known by then and no more. */
function chancesOf(name: PolicyName, input: ContestInput, rows: readonly Row[], actions: number): Float64Array {
  const { learner } = createLivePolicy(name);
  const target = new Float64Array(rows.length * actions);
  let known = 0;
  for (const [i, { round, free }] of rows.entries()) {
    while (known < input.outcomes.length && input.outcomes[known]!.at_ms <= round.at_ms)
      learner.update([input.outcomes[known++]!]);
    const asked = { site: round.site, features: round.moment, slate: 1, at_ms: round.at_ms };
    const [first] = learner.decide(asked, free, createRandom(SEED)).positions;
    for (const [a, { id }] of free.entries()) target[i * actions + a] = first!.propensities[id]!;
  }
  return target;
}

/** The doubly robust term of each row. */
function termsOf({ actions, chosen, propensities, rewards, target, estimates }: OffPolicyLog): Float64Array {
  return Float64Array.from(chosen, (at, i) => {
    const row = i * actions;
    let expected = 0;
    for (let a = 0; a < actions; a++) expected += target[row + a]! * estimates[row + a]!;
    return expected + (target[row + at]! / propensities[i]!) * (rewards[i]! - estimates[row + at]!);
  });
}
