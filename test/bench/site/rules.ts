/**
 * The baseline: the spine's rules without a learner, as of commit 6b7ae46, frozen here. There the catalogue asked its
 * rules in a fixed order, of which the first six of KINDS are a copy; what it had no rule for yet follows. Two readings
 * of "the rule policy" are played, and figures are against the one that earns more.
 */
import { KINDS, type Opportunity } from './kinds.ts';

/** Higher is shown first. */
export type Rule = (opportunity: Opportunity, eligible: readonly Opportunity[]) => number;

/** As the catalogue lists them, each kind once before any comes again; of one kind the larger saving first. */
export const byCatalogue: Rule = (opportunity, eligible) => {
  const before = eligible.filter(({ kind, saving }) => kind === opportunity.kind && saving > opportunity.saving);
  return -KINDS.indexOf(opportunity.kind) - KINDS.length * before.length;
};

/** What saves more first; what cannot be counted in money comes after that, as the catalogue lists it. */
export const bySaving: Rule = ({ kind, saving }) => (saving > 0 ? 1 + saving : -KINDS.indexOf(kind) / KINDS.length);

export const RULES = { by_saving: bySaving, by_catalogue: byCatalogue } as const;
export type RuleName = keyof typeof RULES;
