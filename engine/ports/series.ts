/** The store of time series: four tables with their own retention. Part of `engine/ports.ts`. */
import type { PriceMarket, PriceSeries } from '../model/price.ts';
import type { QualityFlags } from '../model/quality.ts';
import type { JournalledGroup } from '../model/reading.ts';
import type { Closable } from './closable.ts';

export interface SeriesStore extends Closable {
  readonly kind: 'duckdb' | 'questdb' | 'memory';
  readonly readings: ReadingTable;
  readonly slots: SlotTable;
  readonly prices: PriceTable;
  readonly forecasts: ForecastTable;
  /** Resolves when a trivial question was answered; rejects UnavailableError otherwise. */
  ping(): Promise<void>;
  /** Removes everything of the given meter points, or all of the tenant (`meters` null). */
  erase(tenant: string, meters: readonly string[] | null): Promise<void>;
  /** Removes what is older than each table's limit (epoch ms; null keeps for ever). */
  prune(limits: RetentionLimits): Promise<void>;
  /** Writes a consistent copy of everything to `file` while the store goes on, and resolves, after its fsync, with the
   * journal's cursor in it. Left out where the store's operator backs it up. */
  snapshot?(file: string): Promise<{ cursor: number }>;
}

export type RetentionLimits = {
  readings_before_ms: number | null;
  slots_before_ms: number | null;
  prices_before_ms: number | null;
  forecasts_before_ms: number | null;
};

/** Columns of one series, ascending in time. NaN in `values` is a null. */
export type Columns = { at_ms: Float64Array; values: Float64Array; quality: Int32Array };

export type SeriesRange = { meter: string; quantity: string; from_ms: number; to_ms: number };

/** Raw readings: one value per (tenant, meter, quantity, instant), the latest accepted. */
export interface ReadingTable {
  /** Applies journal groups in order and, atomically with them, the cursor. A group whose `seq` is not above the
   * cursor is ignored, so that a group is applied once however often it is offered. Where a value differs from the
   * stored one, the stored one goes to the change log and the new one is marked CHANGED. Repairs stay. */
  append(groups: readonly JournalledGroup[]): Promise<AppendOutcome>;
  /** Sequence number of the last applied group; 0 at first. */
  cursor(): Promise<number>;
  /** Readings with from_ms ≤ at < to_ms, repairs laid over them; with `edges` also the last before and the first after. */
  read(tenant: string, range: SeriesRange, options?: { edges?: boolean; limit?: number }): Promise<ReadingColumns>;
  /** Values that a later one replaced, oldest first. */
  changes(tenant: string, range: SeriesRange): Promise<ReadingChange[]>;
  /** Sets or (value undefined) lifts a person's value over a reading's instant. No import overwrites it. */
  repair(tenant: string, repairs: readonly Repair[]): Promise<void>;
}

/** For interval quantities `from_ms` holds each interval's start, otherwise it is null. */
export type ReadingColumns = Columns & { from_ms: Float64Array | null };

export type AppendOutcome = {
  /** Groups applied now, and those that the cursor showed to be applied already. */
  applied: number;
  ignored: number;
  /** Readings stored, of which new values for a known instant. */
  stored: number;
  changed: number;
  /** What was touched, so that its slots can be computed again. */
  touched: readonly TouchedSeries[];
};
export type TouchedSeries = { tenant: string; meter: string; quantity: string; from_ms: number; to_ms: number };
export type ReadingChange = { at_ms: number; value: number; replaced_by: number; changed_ms: number };
export type Repair = { meter: string; quantity: string; at_ms: number; value: number | null | undefined; by: string };

/** 15-minute slots, computed from readings; and spans of known energy over gaps. */
export interface SlotTable {
  /** Replaces the slots and spans of one series inside [from_ms, to_ms): computing again gives the same.
   * A span belongs to the range that holds its end: from_ms < end ≤ to_ms. */
  replace(tenant: string, range: SeriesRange, slots: SlotColumns, spans: readonly Span[]): Promise<void>;
  read(tenant: string, range: SeriesRange): Promise<SlotColumns>;
  spans(tenant: string, range: SeriesRange): Promise<Span[]>;
  /** One row per meter and period between consecutive `bounds_ms` (local days, months, hours: n + 1 bounds for n
   * periods): the sum of slots (mean for gauges) and of the spans that end in the period. `meters` null = all of the tenant. */
  totals(tenant: string, query: TotalsQuery): Promise<TotalsRow[]>;
}

/** `at_ms` is the slot's start. Energy in the unit of the quantity per slot; power as mean W. */
export type SlotColumns = Columns;
/** A register's difference over a gap longer than 2 h: known as a sum, unknown in its course. */
export type Span = { from_ms: number; to_ms: number; value: number; quality: QualityFlags };
export type TotalsQuery = {
  meters: readonly string[] | null;
  quantity: string;
  bounds_ms: readonly number[];
  aggregate: 'sum' | 'mean';
};
/** `period` indexes into bounds_ms; `value` null where the period has no data; `slots` counts those that had a value. */
export type TotalsRow = { meter: string; period: number; value: number | null; quality: QualityFlags; slots: number };

/** Market prices are public, so they carry no tenant. */
export interface PriceTable {
  /** Inserts or replaces slots of (area, market). */
  write(series: PriceSeries, fetched_ms: number): Promise<void>;
  read(area: string, market: PriceMarket, from_ms: number, to_ms: number): Promise<StoredPrices>;
  /** Removes every price of (area, market). A store that cannot is written nulls instead. */
  remove?(area: string, market: PriceMarket): Promise<void>;
}
export type StoredPrices = {
  currency: string | null;
  vat_included: boolean;
  /** NaN is a null of the source. */
  at_ms: Float64Array;
  values: Float64Array;
  /** The sources the values came from, and when the newest of them was fetched (null: nothing stored). */
  sources: readonly string[];
  fetched_ms: number | null;
};

export interface ForecastTable {
  write(tenant: string, forecast: Forecast): Promise<void>;
  /** The newest forecast of `series` made at or before `at_ms`, cut to [from_ms, to_ms) where given. */
  latest(
    tenant: string,
    series: string,
    at_ms: number,
    cut?: { from_ms: number; to_ms: number },
  ): Promise<Forecast | null>;
  /** For each target slot in the range the value that was forecast at least `lead_ms` before it, for scoring. */
  track(tenant: string, series: string, from_ms: number, to_ms: number, lead_ms: number): Promise<Columns>;
}

/** `series` is `load`, `generation`, `price`, or `<meter>:<quantity>`. */
export type Forecast = {
  series: string;
  unit: string;
  made_at_ms: number;
  /** Name and version, e.g. `hourly-ridge/1`. */
  model: string;
  /** Newest instant of any input the model saw. */
  inputs_known_ms: number;
  points: ForecastPoint[];
};
/** `quantiles` by level as text: `{"0.1": 12, "0.5": 20, "0.9": 31}`; monotone. */
export type ForecastPoint = { at_ms: number; mean: number; quantiles: Record<string, number> };
