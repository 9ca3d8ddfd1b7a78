/**
 * A tariff as data: what a site pays for energy and power, and gets for what it feeds in. Prices are per kWh or kW in
 * major units of `currency`, without VAT, as suppliers write them; each charge has its VAT. Times of day, days, months
 * and years are local to `time_zone`. Nothing here is German, Norwegian or Texan: the examples in
 * docs/guides/tariffs.md show how those are said with it.
 */
import type { PriceMarket } from '../model/price.ts';

export type Tariff = {
  name: string;
  /** ISO 4217. */
  currency: string;
  /** IANA name. */
  time_zone: string;
  /** Whose public holidays count: a country, with its part where that matters (`DE`, `DE-BY`, `NO`); null: nobody's. */
  holidays: string | null;
  /** Every line of a bill is rounded to the currency's smallest unit by this rule, and lines add up exactly. */
  rounding: Rounding;
  energy: readonly EnergyCharge[];
  feed_in: readonly FeedIn[];
  standing: readonly StandingCharge[];
  demand: readonly DemandCharge[];
  limits: readonly PowerLimit[];
  /** Grams of CO2 behind a kWh from the grid; null: unknown. */
  co2_g_per_kWh: Schedule | null;
};

/** `half-up`: commercial, halves go away from zero. `half-even`: halves go to the even neighbour. */
export type Rounding = 'half-up' | 'half-even';

/** A tariff from the start of a local day (`YYYY-MM-DD` in its own time zone) until the next version begins. */
export type TariffVersion = { valid_from: string; tariff: Tariff };

type Charge = { name: string; vat_percent: number };

/** A price per kWh taken from the grid. All charges of a tariff add up. */
export type EnergyCharge = Charge & {
  price: Price;
  /** Charged is only the energy of this meter point (§14a EnWG module 2), at most the grid's in a slot; null: all. */
  meter: string | null;
  /** Meter points whose energy (as above) is left out, because it has a charge of its own. */
  without: readonly string[];
};

/** A price per kWh fed into the grid; what one gets is positive. All add up. */
export type FeedIn = Charge & {
  price: Price;
  /** Nothing is paid in slots whose price on this market is below zero (§51 EEG 2023). */
  unless_negative: Market | null;
};

/** What is due whatever is taken; negative for a reduction (§14a EnWG module 1). Shared by days where a part is due. */
export type StandingCharge = Charge & { per: 'day' | 'month' | 'year'; amount: number };

/** A price for power: the largest mean power of a billing period (German Leistungspreis, Norwegian effektledd). */
export type DemandCharge = Charge & {
  period: 'month' | 'year';
  /** Power is the mean over intervals of so many minutes of the hour. */
  mean_min: 15 | 30 | 60;
  /** The billed power is the mean of the `count` largest peaks, each of another local day where `distinct_days`. */
  peaks: { count: number; distinct_days: boolean };
  /** Only intervals in which this holds are measured; null: all. */
  when: Window | null;
  price: DemandPrice;
  /** At least this is billed. */
  min_kW: number;
  /** At least `percent` of the largest measured power of the `months` before is billed; null: nothing of the past is. */
  ratchet: { percent: number; months: number } | null;
};

export type DemandPrice =
  | { kind: 'linear' /** For each kW and period (month or year). */; per_kW: number }
  /** The amount of the first step that reaches the billed power is due, and nothing of the others. */
  | { kind: 'steps'; steps: readonly { up_to_kW: number; amount: number }[] }
  /** Each kW has the price of the block that it lies in. */
  | { kind: 'blocks'; blocks: readonly { up_to_kW: number; per_kW: number }[] };

/** Most power at the grid connection while `when` holds; null is no limit. */
export type PowerLimit = { name: string; import_W: number | null; export_W: number | null; when: Window | null };

/** A value per kWh. */
export type Price = Schedule | MarketPrice;
export type Schedule =
  | { kind: 'fixed'; value: number }
  /** The first period that holds counts; the last one always holds. */
  | { kind: 'periods'; periods: readonly Period[] }
  /** By `YYYY-MM`, such as the market value of solar power that is published after each month. */
  | { kind: 'months'; values: Readonly<Record<string, number>> };
export type Period = { name: string; value: number; when: Window | null };

export type Market = { area: string; market: PriceMarket };
/** Market price per kWh (× rate of exchange) × factor + fee, then kept within [min, max]. */
export type MarketPrice = Market & {
  kind: 'market';
  factor: number;
  fee_per_kWh: number;
  /** For a market in another currency: how much of the tariff's currency one unit of `currency` is; null: the same. */
  exchange: { currency: string; rate: number } | null;
  /** The market's price is the mean over so many minutes, whatever its own step. */
  mean_min: 15 | 30 | 60;
  min_per_kWh: number | null;
  max_per_kWh: number | null;
};

/** When something holds: all conditions given must. */
export type Window = {
  /** Parts of the year as `MM-DD`, both ends included; `10-01` to `03-31` runs over the new year. */
  dates: readonly { from: string; to: string }[] | null;
  /** 1 is Monday, 7 Sunday. */
  weekdays: readonly number[] | null;
  /** Minutes of the local day, the end excluded; 22:00 to 06:00 is two parts of the same day. */
  hours: readonly { from_min: number; to_min: number }[] | null;
  /** `count`: days like any other; `as-sunday`; `only` on holidays; `never` on them. */
  holidays: 'count' | 'as-sunday' | 'only' | 'never';
};

/** Whether a local day (`YYYY-MM-DD`) is a public holiday of a region (`DE-BY`). */
export type HolidayCalendar = (region: string, date: string) => boolean;

/** The markets that a tariff asks, each once. */
export function marketsOf(tariff: Tariff): Market[] {
  const found = new Map<string, Market>();
  const note = ({ area, market }: Market) => found.set(`${area} ${market}`, { area, market });
  for (const { price } of [...tariff.energy, ...tariff.feed_in]) if (price.kind === 'market') note(price);
  for (const { unless_negative } of tariff.feed_in) if (unless_negative) note(unless_negative);
  return [...found.values()];
}

/** The meter points beside the grid's whose energy a tariff charges apart, each once. */
export function metersOf(tariff: Tariff): string[] {
  const named = tariff.energy.flatMap(({ meter, without }) => (meter === null ? without : [meter, ...without]));
  return [...new Set(named)];
}
