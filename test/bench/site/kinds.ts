/** The kinds of advice of the simulator: those of the catalogue that the product is built towards. */

export const KINDS = [
  'shift_load',
  'run_battery',
  'charge_vehicles',
  'check_meter',
  'check_base_load',
  'clean_generation',
  'precondition',
  'lower_peak',
  'change_tariff',
  'set_14a_module',
  'read_regulation',
  'confirm_repair',
] as const;
export type Kind = (typeof KINDS)[number];

type KindFacts = {
  /** 0 a click … 1 half a day of work. People follow what is less work more often (Muthulingam et al. 2013). */
  effort: number;
  /** What it is worth where nothing can be measured, in place of the measured share; null is measured. */
  worth: number | null;
  /** Days until the meters show the effect. */
  effect_days: number;
  /** Work that is left on a weekend where nobody is there. */
  on_site: boolean;
};

export const KIND_FACTS: Record<Kind, KindFacts> = {
  shift_load: { effort: 0.5, worth: null, effect_days: 1, on_site: true },
  run_battery: { effort: 0.3, worth: null, effect_days: 1, on_site: false },
  charge_vehicles: { effort: 0.2, worth: null, effect_days: 1, on_site: true },
  check_meter: { effort: 0.5, worth: 0.6, effect_days: 0, on_site: true },
  check_base_load: { effort: 0.7, worth: null, effect_days: 3, on_site: true },
  clean_generation: { effort: 0.8, worth: null, effect_days: 4, on_site: true },
  precondition: { effort: 0.4, worth: null, effect_days: 1, on_site: false },
  lower_peak: { effort: 0.6, worth: null, effect_days: 1, on_site: true },
  change_tariff: { effort: 0.9, worth: 0.8, effect_days: 0, on_site: false },
  set_14a_module: { effort: 0.8, worth: 0.6, effect_days: 0, on_site: false },
  read_regulation: { effort: 0.3, worth: 0.4, effect_days: 0, on_site: false },
  confirm_repair: { effort: 0.1, worth: 0.4, effect_days: 0, on_site: false },
};

/** One piece of advice that is possible on a day. */
export type Opportunity = {
  /** The same while it is the same advice. */
  id: string;
  kind: Kind;
  /** Expected saving in the market's currency with its range; 0 where it cannot be said. */
  saving: number;
  certainty: number;
  /** 1 at once … 0 whenever. */
  urgency: number;
};

/** Everything that is known of a site on the morning of a day, before anybody decides. */
export type SiteDay = {
  day: number;
  weekend: boolean;
  /** (dearest − cheapest) / (|dearest| + |cheapest|) of the coming 24 hours. */
  spread: number;
  /** Mean price against that of the month before, −1 … 1. */
  price_level: number;
  temperature_C: number;
  /** 0 … 1 through the year. */
  season: number;
  opportunities: Opportunity[];
};
