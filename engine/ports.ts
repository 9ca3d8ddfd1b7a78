/**
 * Every seam of the product. A port has two implementations or a needed fake; all implementations of a port
 * pass one contract suite in `test/contracts/`. `tenant` is a mandatory argument of every call that touches data.
 * All methods reject with UnavailableError when the thing behind them is down, unless they say otherwise.
 */
import type { Explanation } from './forecast/port.ts';
import type { PriceMarket, PriceSeries } from './model/price.ts';
import type { JournalledGroup, Reading, ReadingGroup } from './model/reading.ts';
import type { Closable } from './ports/closable.ts';
import type { Columns, ForecastPoint } from './ports/series.ts';

export type { Clock } from './model/clock.ts';
export type { Closable };

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

// ── Series store: four tables with their own retention (ports/series.ts) ────────────────────────────────────────

export type * from './ports/series.ts';

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
  | { type: 'tariff'; tenant: string }
  | { type: 'forecast'; tenant: string; series: string }
  | { type: 'advice'; tenant: string }
  | { type: 'plan'; tenant: string }
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

// ── Alerts to people (ports/notifier.ts) ────────────────────────────────────────────────────────────────────────

export type * from './ports/notifier.ts';

// ── Documents ──────────────────────────────────────────────────────────────────────────────────────────────────

/** A piece of a document that can be quoted. `start`/`end` are character offsets in the version's full text. */
export type Passage = {
  id: string;
  document: string;
  document_title: string;
  version: string;
  /** First page it stands on (1-based), null for formats without pages. */
  page: number | null;
  /** Heading path in one line, with the paragraph, e.g. `Teil 3 > § 14a Netzorientierte Steuerung (1)`. */
  section: string;
  text: string;
  start: number;
  end: number;
  language: 'en' | 'de';
} & Partial<PassagePlace>;

export type PassageKind = 'text' | 'table' | 'footnote';
/** Where in its document a passage stands. Stored passages have all of it. */
export type PassagePlace = {
  /** Last page it stands on. */
  page_end: number | null;
  /** Heading path, outermost first. */
  headings: readonly string[];
  /** Of the innermost numbered section: `§ 14a`, `Article 5`, `3.2.1`, `Annex II`. */
  number: string | null;
  /** Of the section, as the document counts: `(1)`, `(a)(2)`. */
  paragraph: string | null;
  /** A table is told row by row, each with the table's head: `Class: A | Power: 4.2 kW`. */
  kind: PassageKind;
  /** Place in the document, from 0. */
  position: number;
  /** First sentence that it holds, counted from 1 in its paragraph: long paragraphs make several passages. */
  sentence: number;
  /** Whose reading (parser and chunker) the offsets belong to. */
  reader: string | null;
};

export interface PassageIndex extends Closable {
  /** Puts in whole versions of documents: other passages of the same versions go, older versions stay. The version that
   * came last answers, unless a question says otherwise. Vectors are those of the passages, in their order. */
  add(tenant: string, passages: readonly Passage[], notes?: PassageNotes): Promise<void>;
  /** @param version left out: all of the document */
  remove(tenant: string, document: string, version?: string): Promise<void>;
  /** Best first. */
  search(tenant: string, question: string | PassageQuery, limit: number): Promise<PassageHit[]>;
  /** How telling each word is among the tenant's passages of a language (inverse document frequency, ≥ 0; highest for
   * a word that none holds). Left out where the index cannot say: all words count the same then. */
  rarity?(tenant: string, words: readonly string[], language: 'en' | 'de'): Promise<number[]>;
  /** What a glossary says instead of words of the question: their stems, and the other words. Left out without one. */
  otherwise?(
    tenant: string,
    question: string,
    language: 'en' | 'de',
  ): Promise<readonly { stems: readonly string[]; others: readonly string[] }[]>;
  /** What it holds, with what its owner noted; left out where nothing outlives the process that the owner cannot see. */
  contents?(tenant: string): Promise<HeldDocument[]>;
  /** Share of the truly nearest passages (by all bits, every passage compared) that its search finds, mean over the
   * questions; null where nothing has a vector. */
  recall?(tenant: string, questions: readonly Float32Array[], limit: number): Promise<number | null>;
}
export type PassageHit = {
  passage: Passage;
  score: number;
  /** BM25 of the words. */
  words?: number;
  /** Cosine of question and passage, null without embeddings. */
  meaning?: number | null;
  /** 0, or how exactly the question names this place: from 1 (section) to 4 (law, section and paragraph) and over. */
  named?: number;
};
export type PassageQuery = {
  text: string;
  /** What else says the same, e.g. from a glossary. */
  expansions?: readonly string[];
  /** Its embedding, of length 1. */
  vector?: Float32Array;
  /** Share of the meaning in the order, from 0 (left out: words only) to 1. */
  weight?: number;
  /** Which version of a document may answer; null: none. Left out: the one that came last. */
  versions?: ReadonlyMap<string, string | null>;
};
export type PassageNotes = {
  /** What people call the document besides its title. */
  names?: readonly string[];
  /** Tells the owner whether what the index holds is still the same. */
  fingerprint?: string;
  vectors?: readonly (Float32Array | null)[];
};
export type HeldDocument = { document: string; version: string; fingerprint: string; passages: number };

// ── Embeddings (ports/embedder.ts) ──────────────────────────────────────────────────────────────────────────────

export type * from './ports/embedder.ts';

export interface FileStore extends Closable {
  write(tenant: string, name: string, bytes: Uint8Array): Promise<void>;
  /** Rejects NotFoundError. */
  read(tenant: string, name: string): Promise<Uint8Array>;
  remove(tenant: string, name: string): Promise<void>;
  /** One sentence when it answers. Left out where there is no server behind it. */
  ping?(): Promise<string>;
}

// ── Language models (ports/language.ts) ─────────────────────────────────────────────────────────────────────────

export type * from './ports/language.ts';

// ── Forecast models ────────────────────────────────────────────────────────────────────────────────────────────

/** Pure: the same input gives the same forecast. */
export interface ForecastModel {
  /** Name and version as stored with each forecast. */
  readonly name: string;
  /** @throws InvalidDataError with the reason when the history does not suffice. */
  forecast(input: ForecastInput): ForecastPoint[];
  /** What the mean of the hour that begins at `at_ms` is made of; sums to it. */
  explain?(input: ForecastInput, at_ms: number): Explanation;
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
  /** Local day numbers (days since 1970-01-01) on which people are off. */
  holidays?: readonly number[];
};
