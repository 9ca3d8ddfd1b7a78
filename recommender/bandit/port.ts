/**
 * The port of every policy that chooses advice. A policy is a pure function of its state: the same state, context,
 * candidates and random numbers give the same choice bit for bit.
 */
import type { Random } from '../../engine/random.ts';

export type DecisionContext = {
  /** Whose advice it is: each site has its own model, and all sites share a prior. */
  site: string;
  /** What is known about the moment, all about −1 … 1; the same length every time. */
  features: readonly number[];
  /** How many different actions to choose, best first. */
  slate: number;
  /** When; what was learnt long before counts less. Without it nothing is forgotten. */
  at_ms?: number;
};

/** An eligible action. What must not be shown is left out before: a policy never sees it. */
export type Candidate = {
  id: string;
  /** What rewards are shared over: the kind of advice. */
  arm: string;
  /** What sets it apart from others of its arm, all about −1 … 1; the same length every time, often empty. */
  features: readonly number[];
  /** What the rule baseline ranks by; higher is shown first. */
  rule_score: number;
};

/** One place of the slate: the real probability of every action that was still free, in the order of the candidates. */
export type SlatePosition = { chosen: string; propensities: Record<string, number>; guard?: Guard };
/** What a conservative policy has to remember of a decision until its reward comes; see conservative.ts. */
export type Guard = { deviated: boolean; rule_mean: number; rule_variance: number };
export type Choice = { policy: string; positions: SlatePosition[] };

/** A reward that came later. `null` is silence: nothing is known, and nothing is learnt. */
export type Outcome = {
  site: string;
  context: readonly number[];
  arm: string;
  features: readonly number[];
  rule_score: number;
  reward: number | null;
  /** Where the reward of something learnt before has changed (its effect was measured): what it was then. */
  before?: number;
  /** When the reward became known. */
  at_ms?: number;
  /** As the decision's position had it. */
  guard?: Guard;
};

/** A policy's whole state as text: equal text is the same state bit for bit. */
export type PolicySnapshot = { policy: string; state: string };

export type Policy = {
  /** Name and version: changes whenever the same state could decide otherwise. */
  readonly version: string;
  /** Names the state: the same for the same outcomes learnt in the same order. Logged with every decision. */
  stateHash(): string;
  /** @throws InvalidDataError for candidates with equal ids, or features of another length or not finite. */
  decide(context: DecisionContext, candidates: readonly Candidate[], random: Random): Choice;
  /** Learns from rewards in the order given, whenever they come. */
  update(outcomes: readonly Outcome[]): void;
  snapshot(): PolicySnapshot;
  /** @throws InvalidDataError for a snapshot of another version or one that is damaged. */
  restore(snapshot: PolicySnapshot): void;
};
