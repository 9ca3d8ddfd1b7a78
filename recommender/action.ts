/** What advice is made of. All plain data: a decision is logged with it and replays from it. */
import type { MeterRole } from '../engine/model/site.ts';

/** In both languages, because who reads it is known only later. */
export type Words = { en: string; de: string };

/** Money in the site's currency; `low` and `high` are the range that the assumptions allow. */
export type Saving = { amount: number; low: number; high: number; currency: string };

export type Action = {
  /** Stable while it is the same advice: kind, object and day. */
  id: string;
  kind: ActionKind;
  text: Words;
  why: Words;
  saving: Saving | null;
  /** After this instant the advice is void. */
  deadline_ms: number | null;
  /** Where to look: a page of ours. */
  link: string | null;
  /** What the learner sees, all about 0 … 1; see features.ts. */
  features: readonly number[];
};

export const ACTION_KINDS = [
  'shift_load',
  'run_battery',
  'charge_vehicles',
  'check_meter',
  'check_base_load',
  'inspect_generation',
] as const;
export type ActionKind = (typeof ACTION_KINDS)[number];

/** Everything a rule may look at, frozen before any rule runs. `null` is a missing value. */
export type AdviceContext = {
  at_ms: number;
  time_zone: string;
  currency: string;
  /** What a kWh costs the site in each slot from the current one on, VAT included. */
  prices: readonly { at_ms: number; per_kWh: number | null }[];
  /** Forecast mean W in slots from the current one on; empty where there is none. */
  load: readonly { at_ms: number; power_W: number }[];
  generation: readonly { at_ms: number; power_W: number }[];
  /** Median energy that the battery gave a day in the last two weeks; null without a battery. */
  battery: { daily_kWh: number | null } | null;
  meters: readonly MeterState[];
  /** Mean load from 01:00 to 04:00, last night and the median of the two weeks before. */
  night: { last_W: number; usual_W: number } | null;
  /** Energy produced yesterday and what was forecast for it. */
  yesterday_generation: { measured_kWh: number; forecast_kWh: number } | null;
};
export type MeterState = {
  id: string;
  name: string;
  role: MeterRole;
  silent_since_ms: number | null;
  stuck_since_ms: number | null;
};

/** A rule of the catalogue: pure, gives the actions that are eligible now. */
export type Rule = (context: AdviceContext) => ActionDraft[];
export type ActionDraft = Omit<Action, 'features'>;
