/** What advice is made of. All plain data: a decision is logged with it and replays from it. */
import type { AdviceContext } from './context.ts';

export type { AdviceContext, MeterState } from './context.ts';

/** In both languages, because who reads it is known only later. */
export type Words = { en: string; de: string };

/** Money in the site's currency; `low` and `high` are the range that the assumptions allow. */
export type Saving = { amount: number; low: number; high: number; currency: string };

/** What the advice rests on, so that a person can look for themselves. */
export type Evidence = {
  slots?: readonly { from_ms: number; to_ms: number }[];
  plan?: string;
  meter?: string;
  passage?: { id: string; document: string; version: string; page: number | null; section: string; quote: string };
  repair?: string;
};

/**
 * How the meters can tell later what an accepted action brought: against the counterfactual that was forecast when the
 * decision was made. `gain` is money for one more unit measured than expected; see effect.ts.
 */
export type Measure =
  /** Energy in slots. `expected_W` null: what is usual at that time of day. */
  | {
      kind: 'energy';
      series: 'load' | 'battery';
      slots: readonly { at_ms: number; gain_per_kWh: number; expected_W: number | null }[];
    }
  /** The highest slot of the grid in [from_ms, to_ms), and what a kW below `expected_W` saves. */
  | { kind: 'peak'; from_ms: number; to_ms: number; expected_W: number; gain_per_kW: number }
  /** Mean load of the two nights after, from 01:00 to 04:00, and what a W below `reference_W` saves. */
  | { kind: 'night'; reference_W: number; gain_per_W: number }
  /** Share of the forecast generation that the three days after give, and what the whole share is worth a day. */
  | { kind: 'yield'; reference: number; gain: number };

export type Action = {
  /** Stable while it is the same advice: kind and object, and the day where it is about a day. */
  id: string;
  kind: ActionKind;
  text: Words;
  why: Words;
  saving: Saving | null;
  /** After this instant the advice is void. */
  deadline_ms: number | null;
  /** Minutes of work, about. */
  effort_min: number;
  evidence: Evidence;
  /** Grows with what is at stake (money, W, …): what was dismissed returns only when it is half as much again. */
  stake: number;
  measure: Measure | null;
  /** Where to look: a page of ours. */
  link: string | null;
  /** What the learner sees of it, all about 0 … 1; see features.ts. */
  features: readonly number[];
};

export const ACTION_KINDS = [
  'shift_load',
  'precondition',
  'run_battery',
  'lower_peak',
  'check_base_load',
  'check_meter',
  'inspect_generation',
  'change_tariff',
  'set_14a_module',
  'read_passage',
  'confirm_repair',
  'charge_vehicles',
  'use_surplus',
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

/** A rule of the catalogue: pure, gives the actions that are eligible now. */
export type Rule = (context: AdviceContext) => ActionDraft[];
/** Effort is a fact of the kind, features follow from the whole. */
export type ActionDraft = Omit<Action, 'features' | 'effort_min'>;
