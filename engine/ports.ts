/**
 * Every seam of the product. A port has two implementations or a needed fake; all implementations of a port
 * pass one contract suite in `test/contracts/`. `tenant` is a mandatory argument of every call that touches data.
 * All methods reject with UnavailableError when the thing behind them is down, unless they say otherwise.
 */
import type { PriceMarket, PriceSeries } from './model/price.ts';
import type { QualityFlags } from './model/quality.ts';
import type { JournalledGroup, Reading, ReadingGroup } from './model/reading.ts';

export type { Clock } from './model/clock.ts';

/** Something that `assemble` opened and `lifecycle` closes. */
export interface Closable {
  close(): Promise<void>;
}

// ── Journal ──────────────────────────────────────────────────────────────────────────────────────────────────

/** The write-ahead log of readings. What `append` resolved is on disk (fsync) and survives kill -9. */
export interface Journal extends Closable {
  /** Appends groups in one go and resolves with the sequence number of the last, after its fsync (group commit).
   * Rejects with UnavailableError when the disk is full or the bound is reached: the sender must not be acknowledged. */
  append(groups: readonly ReadingGroup[]): Promise<number>;
  /** Everything up to and including `seq` is in the series store: whole segments before it may go. */
  release(seq: number): Promise<void>;
  /** Records above `seq` stay on disk though released, as far as the bound allows: the backup has not copied them yet.
   * null lets go. */
  hold?(seq: number | null): void;
  /** A reader met damage in this segment: keeps its bytes under another name, though it may be released. Once a segment. */
  setAside?(segment: string): Promise<void>;
  stats(): JournalStats;
}

export type JournalStats = {
  /** Last sequence number written and fsynced; 0 for an empty journal. */
  last_seq: number;
  released_seq: number;
  bytes: number;
  segments: number;
  /** File names of segments that failed their checksum and were set aside. */
  quarantined: readonly string[];
};

/** Reads a journal that another thread or process is writing. */
export interface JournalReader extends Closable {
  /** Groups after `seq` in order, at most about `max_bytes` of them; empty when there is nothing new. */
  read(after_seq: number, max_bytes: number): Promise<JournalledGroup[]>;
}

// ── Series store: four tables with their own retention ─────────────────────────────────────────────────────────

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

// ── Relational ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Postgres through one unprivileged role; row-level security is forced on every tenant table. */
export interface Database extends Closable {
  /** Runs `work` in one transaction that sees only `tenant`'s rows. */
  asTenant<T>(tenant: string, work: (sql: Sql) => Promise<T>): Promise<T>;
  /** The declared tables without tenant (tenants, directory, market runs, migrations). Tenant tables look empty here. */
  asSystem<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
  ping(): Promise<void>;
}
/** Parametrised SQL ($1, $2, …); resolves with the rows: timestamptz as Date, date as `YYYY-MM-DD`, bigint as number.
 * An array as a parameter becomes a Postgres array; for jsonb pass JSON.stringify(…). */
export type Sql = <Row = Record<string, unknown>>(text: string, parameters?: readonly unknown[]) => Promise<Row[]>;

// ── Backups ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where a store puts the files of its backup; whoever gave it makes them durable. `path` is relative, with `/`. */
export type BackupSink = {
  /** Copies what `from` holds; rejects with ENOENT when it is gone. */
  copy(path: string, from: string): Promise<void>;
  write(path: string, bytes: Uint8Array): Promise<void>;
};
/** What a table held, whatever the order of its rows. */
export type TableFacts = Record<string, { rows: number; hash: string }>;

// ── Events inside the box ──────────────────────────────────────────────────────────────────────────────────────

/** What is worth telling a waiting page. Small: pages fetch the rest. */
export type LunaEvent =
  | { type: 'readings'; tenant: string; meters: readonly string[] }
  | { type: 'device'; tenant: string; device: string }
  | { type: 'slots'; tenant: string; meter: string; quantity: string; from_ms: number; to_ms: number }
  | { type: 'prices'; tenant: null; area: string }
  | { type: 'forecast'; tenant: string; series: string }
  | { type: 'advice'; tenant: string }
  | { type: 'alert'; tenant: string }
  | { type: 'documents'; tenant: string }
  | { type: 'progress'; tenant: string; task: string; done: number; total: number | null; text: string };

export interface EventBus extends Closable {
  publish(event: LunaEvent): void;
  /** @returns a function that ends the subscription. A subscriber that throws harms nobody else. */
  subscribe(listener: (event: LunaEvent) => void): () => void;
}

// ── Devices ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where every connector hands in what it decoded; resolves once the readings are in the journal (fsync). */
export type Intake = (group: ReadingGroup) => Promise<IntakeOutcome>;
export type IntakeOutcome = {
  accepted: number;
  /** Kept with a flag (out of range, clock ahead). */
  flagged: number;
  /** Not kept, each with its place and reason. */
  rejected: readonly { index: number; problem: string; reading?: Partial<Reading> }[];
};

// ── Prices and weather ─────────────────────────────────────────────────────────────────────────────────────────

/**
 * The box's way out to addresses that people or providers give: as the global fetch, but it rejects NotAllowedError for
 * hosts on private networks that no admin allowed.
 */
export type HttpFetch = (url: string, init?: HttpRequest) => Promise<HttpResponse>;
export type HttpRequest = {
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal;
  redirect?: 'follow' | 'error';
};
export type HttpResponse = {
  readonly ok: boolean;
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly body: AsyncIterable<Uint8Array> | null;
  text(): Promise<string>;
};

export interface PriceProvider {
  /** e.g. `energy-charts`. */
  readonly name: string;
  readonly markets: readonly PriceMarket[];
  /** Whether it can serve this market area with its configuration (token, account). */
  serves(area: string): boolean;
  /** Prices of [from_ms, to_ms) in 15-minute slots. `slots` is empty where they are not published yet;
   * rejects UnavailableError (down, slow, rate limit) or InvalidDataError (a shape that it should not have). */
  fetch(request: PriceRequest): Promise<PriceSeries>;
  /** Demand of the whole system that its areas are in, for sources that tell it; rejects as `fetch` does. */
  fetchDemand?(request: DemandRequest): Promise<DemandHour[]>;
}
export type DemandRequest = { kind: 'actual' | 'forecast'; from_ms: number; to_ms: number; signal: AbortSignal };
/** Mean system demand of the hour that starts at `at_ms`. */
export type DemandHour = { at_ms: number; power_MW: number };
export type PriceRequest = { area: string; market: PriceMarket; from_ms: number; to_ms: number; signal: AbortSignal };

export interface WeatherProvider {
  readonly name: string;
  /** Hourly past and forecast values for a place. */
  fetch(request: {
    latitude: number;
    longitude: number;
    from_ms: number;
    to_ms: number;
    signal: AbortSignal;
  }): Promise<WeatherHour[]>;
}
export type WeatherHour = {
  at_ms: number;
  temperature_C: number | null;
  irradiance_W_m2: number | null;
  forecast: boolean;
};

// ── Alerts to people ───────────────────────────────────────────────────────────────────────────────────────────

/** Brings messages about alerts to people or machines over one channel. */
export interface Notifier {
  /** Resolves with what the other side said, once it took the message. Rejects UnavailableError (down, slow: later may
   * work) or InvalidDataError (refused: the same again is refused again), in words for people and without secrets.
   * A second delivery of the same `id` can be recognised as such by the other side. */
  send(message: NotifierMessage, signal: AbortSignal): Promise<string>;
}
export type NotifierMessage = {
  /** The same in every attempt. */
  id: string;
  made_ms: number;
  /** E-mail address; null where the channel itself is the address. */
  to: string | null;
  language: 'en' | 'de';
  subject: string;
  /** The whole message as plain text. */
  text: string;
  /** A message from the settings page: about nothing. */
  test: boolean;
  site: string;
  alerts: readonly NotifiedAlert[];
  /** Further alerts that the message counts but does not list. */
  more: number;
};
export type NotifiedAlert = {
  id: string;
  kind: string;
  /** The meter point, device, area or file it is about, and its name. */
  object: string;
  name: string;
  severity: 'info' | 'warning' | 'fault';
  /** What the message tells about it. */
  what: 'opened' | 'escalated' | 'repeated' | 'acknowledged' | 'solved';
  /** What happened and what to do, in the message's language. */
  text: string;
  remedy: string;
  link: string | null;
  opened_ms: number;
  closed_ms: number | null;
  acknowledged_by: string | null;
};

// ── Documents ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A piece of a document that can be quoted. `start`/`end` are character offsets in the version's full text. */
export type Passage = {
  id: string;
  document: string;
  document_title: string;
  version: string;
  /** First page it stands on (1-based), null for formats without pages. */
  page: number | null;
  /** Heading path, e.g. `§ 14a Netzorientierte Steuerung`. */
  section: string;
  text: string;
  start: number;
  end: number;
  language: 'en' | 'de';
};

export interface PassageIndex extends Closable {
  /** Adds or replaces passages by id; those of other versions of the same documents go, so that one version answers. */
  add(tenant: string, passages: readonly Passage[]): Promise<void>;
  remove(tenant: string, document: string): Promise<void>;
  /** Best first. */
  search(tenant: string, question: string, limit: number): Promise<PassageHit[]>;
  /** How telling each word is among the tenant's passages of a language (inverse document frequency, ≥ 0; highest for
   * a word that none holds). Left out where the index cannot say: all words count the same then. */
  rarity?(tenant: string, words: readonly string[], language: 'en' | 'de'): Promise<number[]>;
}
export type PassageHit = { passage: Passage; score: number };

export interface FileStore extends Closable {
  write(tenant: string, name: string, bytes: Uint8Array): Promise<void>;
  /** Rejects NotFoundError. */
  read(tenant: string, name: string): Promise<Uint8Array>;
  remove(tenant: string, name: string): Promise<void>;
}

// ── Forecast models ────────────────────────────────────────────────────────────────────────────────────────────

/** Pure: the same input gives the same forecast. */
export interface ForecastModel {
  /** Name and version as stored with each forecast. */
  readonly name: string;
  /** @throws InvalidDataError with the reason when the history does not suffice. */
  forecast(input: ForecastInput): ForecastPoint[];
}
export type ForecastInput = {
  /** Slot values up to (not including) `from_ms`, ascending; NaN is missing. */
  history: Columns;
  from_ms: number;
  /** Number of 15-minute slots to forecast. */
  slots: number;
  time_zone: string;
  quantiles: readonly number[];
  /** Lower bound of what is possible (0 for load and generation), or null. */
  floor: number | null;
};
