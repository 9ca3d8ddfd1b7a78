/** Everything a rule may look at, frozen before any rule runs. `null` is a missing value, `undefined` was not supplied. */
import type { MeterRole } from '../engine/model/site.ts';

/** Mean W of the slot that starts at `at_ms`. */
export type ForecastSlot = { at_ms: number; power_W: number };

export type AdviceContext = {
  at_ms: number;
  time_zone: string;
  currency: string;
  /** What a kWh costs the site in each slot from the current one on, VAT included. */
  prices: readonly { at_ms: number; per_kWh: number | null }[];
  /** Forecast in slots from the current one on; empty where there is none. */
  load: readonly ForecastSlot[];
  generation: readonly ForecastSlot[];
  /** Median energy that the battery gave a day in the last two weeks; null without a battery. */
  battery: BatteryState | null;
  meters: readonly MeterState[];
  /** Mean load from 01:00 to 04:00, last night and the median of the two weeks before. */
  night: { last_W: number; usual_W: number } | null;
  /** Energy produced yesterday and what was forecast for it. */
  yesterday_generation: { measured_kWh: number; forecast_kWh: number } | null;

  /** What follows is optional: without it the actions that need it are not eligible. */
  plan?: BatteryPlan | null;
  /** Cars and loads that a person may charge or run as the plan has it; none that the box switches itself. */
  planned?: readonly PlannedUse[];
  climate?: ClimateState | null;
  peak?: PeakState | null;
  /** Charging points; undefined where nobody knows. */
  chargers?: readonly { id: string; name: string }[];
  tariffs?: TariffComparison | null;
  section_14a?: Section14a | null;
  /** Passages that became relevant: uploaded or asked about lately and not read yet, best first. */
  passages?: readonly PassageHint[];
  /** Repairs of readings that nobody else has looked at yet, newest first. */
  repairs?: readonly RepairHint[];
  /** What a kWh fed in brings; null where it is not known. */
  feed_in_per_kWh?: number | null;
  /** Mean price of the last 30 days, per kWh. */
  usual_per_kWh?: number | null;
  /** How often each kind was shown today and in the last seven days: people tire. */
  shown?: Readonly<Record<string, { day: number; week: number }>>;
};

export type BatteryState = {
  daily_kWh: number | null;
  /** Limits, where they are known: what would exceed them is never advised. */
  capacity_kWh?: number;
  power_W?: number;
  soc_percent?: number;
  reserve_percent?: number;
  /** The box sets it by its plan: nobody has to do anything by hand. */
  by_box?: boolean;
};

/** When the optimiser would charge and discharge, and what that saves against doing nothing. */
export type BatteryPlan = {
  id: string;
  charge: { from_ms: number; to_ms: number };
  discharge: { from_ms: number; to_ms: number };
  energy_kWh: number;
  saving: { amount: number; low: number; high: number };
};

/** One device in its next stay or window: when the plan runs it, and what that saves against all at once from its begin on. */
export type PlannedUse = {
  device: string;
  name: string;
  kind: 'vehicle' | 'load';
  plan: string;
  /** Ascending, apart from each other. */
  run: readonly { from_ms: number; to_ms: number }[];
  instead: { from_ms: number; to_ms: number };
  energy_kWh: number;
  /** The car leaves, the load's window ends. */
  until_ms: number;
  saving: { amount: number; low: number; high: number };
};

/** A heat pump, cooling or ventilation whose rooms can store warmth or cold for some hours. */
export type ClimateState = {
  mode: 'heat' | 'cool';
  electric_W: number;
  room_C: number;
  /** Rooms must stay within. */
  comfort_C: readonly [low: number, high: number];
};

export type PeakState = {
  /** Highest 15-minute mean of the grid in this billing month so far. */
  month_peak_W: number;
  /** What a kW more costs at the next bill (Leistungspreis). */
  demand_charge_per_kW: number;
  /** What the highest power is taken of; a month where it is left out. */
  period?: 'month' | 'year';
};

/** Cost of the coming year under each tariff, simulated with the site's own load. */
export type TariffComparison = {
  current: { id: string; name: string; cost_year: number };
  offers: readonly {
    id: string;
    name: string;
    cost_year: number;
    low_year: number;
    high_year: number;
    /** Last day to order it, or null. */
    until_ms: number | null;
  }[];
};

/** § 14a EnWG: controllable consumers pay a lower grid fee under one of three modules. */
export type Section14a = {
  /** Connected power of the controllable consumers; the law is for those above 4.2 kW. */
  devices_W: number;
  module: 1 | 2 | 3 | null;
  /** Savings a year of the modules that are allowed here. */
  modules: readonly { module: 1 | 2 | 3; saving_year: number; low_year: number; high_year: number }[];
};

export type PassageHint = {
  id: string;
  document: string;
  document_title: string;
  version: string;
  page: number | null;
  section: string;
  quote: string;
  /** 0 … 1: how close it is to what is read and asked here. */
  relevance: number;
};

export type RepairHint = {
  id: string;
  meter: string;
  meter_name: string;
  quantity: string;
  from_ms: number;
  to_ms: number;
  /** Values that were set. */
  count: number;
  at_ms: number;
};

export type MeterState = {
  id: string;
  name: string;
  role: MeterRole;
  silent_since_ms: number | null;
  stuck_since_ms: number | null;
};
