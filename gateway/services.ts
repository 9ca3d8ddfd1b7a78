/**
 * What the running box can do, as the HTTP routes, pages, command line and jobs see it. Each service lives in one
 * file of `gateway/services/` (`create<Name>(deps)`), gets its dependencies as arguments and knows no HTTP.
 * `assemble.ts` makes them all.
 */
import type { Logger } from 'pino';
import type { PriceMarket } from '../engine/model/price.ts';
import type {
  Connection,
  Device,
  EnergyPrice,
  MeterPoint,
  MeterRole,
  Role,
  Site,
  VirtualFormula,
} from '../engine/model/site.ts';
import type {
  Clock,
  Columns,
  Database,
  EventBus,
  FileStore,
  Forecast,
  Intake,
  Journal,
  SeriesStore,
} from '../engine/ports.ts';
import type { Config } from './config.ts';
import type { Metrics } from './metrics.ts';
import type { AllowedHostService } from './services/allowed-hosts.ts';
import type { AuditState } from './services/audit-chain.ts';
import type { BackupService } from './services/backups.ts';
import type { ClockQuarantine } from './services/clock-quarantine.ts';
import type { ClockWatch } from './services/clock-watch.ts';
import type { SearchService } from './services/discovery-search.ts';
import type { NotifyService } from './services/notify.ts';
import type { ReadingBook } from './services/reading-counts.ts';
import type { RepairService } from './services/repairs.ts';
import type { StoreState } from './services/store-state.ts';
import type { UploadReader } from './workers/upload-reader.ts';

/** Handed to every service. */
export type Base = {
  config: Config;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  bus: EventBus;
  db: Database;
  series: SeriesStore;
  journal: Journal;
  files: FileStore;
};

export type Services = Base & {
  intake: Intake;
  watch: ClockWatch;
  quarantine: ClockQuarantine;
  live: LiveValues;
  site: SiteService;
  meters: MeterService;
  profiles: ProfileCatalogue;
  devices: DeviceService;
  search: SearchService;
  access: AccessService;
  audit: AuditService;
  audit_chain: AuditChainService;
  jobs: JobService;
  workers: Workers;
  uploads: UploadReader;
  data: DataService;
  repairs: RepairService;
  loads: LoadService;
  prices: PriceService;
  weather: WeatherService;
  forecasts: ForecastService;
  regulation: RegulationService;
  advice: AdviceService;
  alerts: AlertService;
  notify: NotifyService;
  allowedHosts: AllowedHostService;
  quality: QualityService;
  demo: DemoService;
  health: HealthService;
  backups: BackupService;
};

/** Who acts. `person` is a sign-in name, `key:<name>`, `device:<id>`, `command line` or `system`. */
export type Actor = { tenant: string; person: string; role: Role; language: 'en' | 'de' };

// ── Live values (memory) ───────────────────────────────────────────────────────────────────────────────────────
export interface LiveValues {
  /** The newest reading of each quantity of a meter point; never waits for a store. */
  of(tenant: string, meter: string): ReadonlyMap<string, LiveValue>;
  /** Newest instant at which anything of the meter point arrived, or null. */
  last_ms(tenant: string, meter: string): number | null;
  /** Recent power_W values (about 10 minutes, one per 5 s at most), for spark lines. */
  recent(tenant: string, meter: string, quantity: string): readonly { at_ms: number; value: number }[];
}
export type LiveValue = { at_ms: number; received_ms: number; value: number; quality: number };

// ── Site, meters, devices ──────────────────────────────────────────────────────────────────────────────────────
export type SiteSettings = Omit<Site, 'tenant' | 'demo'> & { energy_price: EnergyPrice };
export interface SiteService {
  /** The tenant's site; null before set-up. From memory. */
  get(tenant: string): (Site & { energy_price: EnergyPrice }) | null;
  save(actor: Actor, settings: SiteSettings, options?: { demo?: boolean }): Promise<void>;
  /** Removes the site with its meter points, as if it had never been set up; `meters.refresh` follows. */
  remove(actor: Actor): Promise<void>;
  /** Tenants that exist (`default` always). */
  tenants(): readonly string[];
}

export interface MeterService {
  /** From memory, ordered by name. */
  list(tenant: string): readonly MeterPoint[];
  get(tenant: string, id: string): MeterPoint | null;
  /** Meter points of a device by channel. */
  ofDevice(tenant: string, device: string): readonly MeterPoint[];
  save(actor: Actor, point: Omit<MeterPoint, 'tenant' | 'site'> & { demo?: boolean }): Promise<void>;
  remove(actor: Actor, id: string): Promise<void>;
  /** Called after every change of meter points or devices. */
  onChange(listener: () => void): () => void;
  /** Reads the tenant's meter points anew and tells the listeners: for whoever changed devices. */
  refresh(tenant: string): Promise<void>;
}

/** State of the way to a device, in memory. */
export type DeviceState = {
  connected: boolean | null;
  last_seen_ms: number | null;
  /** A sentence for people, with the time it happened; null when all is well. */
  last_error: { at_ms: number; text: string } | null;
};
export interface DeviceService {
  list(tenant: string): readonly Device[];
  get(tenant: string, id: string): Device | null;
  state(tenant: string, id: string): DeviceState;
  /** Makes the device, its meter points (from the profile, or one with the device's id) and, for devices that push,
   * a credential: the password is shown once. */
  create(actor: Actor, device: NewDevice): Promise<CreatedDevice>;
  update(actor: Actor, id: string, change: Partial<Pick<Device, 'name' | 'connection' | 'enabled'>>): Promise<void>;
  remove(actor: Actor, id: string, options: { erase_readings: boolean }): Promise<void>;
  newCredential(actor: Actor, id: string): Promise<{ username: string; password: string }>;
  /** Reads or listens once without saving anything. */
  testRead(tenant: string, profile: string | null, connection: Connection, signal: AbortSignal): Promise<TestRead>;
  /** From the MQTT broker: the device behind a user name and password, or null. Constant time. */
  authenticate(username: string, password: string): Promise<{ tenant: string; device: string } | null>;
  /** From connectors: what happened on the way to a device. */
  report(
    tenant: string,
    id: string,
    event: { kind: 'seen' | 'connected' | 'lost' | 'failed'; text?: string; firmware?: string },
  ): void;
}
export type NewDevice = {
  id: string;
  name?: string;
  profile?: string | null;
  connection: Connection;
  demo?: boolean;
  /** Role and name per channel; what is left out comes from the profile (`load` without one). */
  points?: readonly {
    channel: string;
    id?: string;
    name?: string;
    role?: MeterRole;
    parent?: string | null;
    virtual?: VirtualFormula;
    /** The channel gets no meter point (no gas meter on the P1 port). */
    skip?: boolean;
  }[];
};
export type CreatedDevice = {
  id: string;
  username: string | null;
  password: string | null;
  topic: string | null;
  meters: readonly string[];
};
export type TestRead = {
  ok: boolean;
  /** What failed and what to do, in words. */
  problem: string | null;
  firmware: string | null;
  took_ms: number;
  values: readonly { channel: string; quantity: string; value: number; unit: string; raw: string }[];
};

/** The device profiles of `firmware-profiles/`, parsed at start. The full type is connectors/meters/profile. */
export interface ProfileCatalogue {
  list(): readonly ProfileSummary[];
  get(name: string): ProfileSummary | null;
}
export type ProfileSummary = {
  name: string;
  vendor: string;
  model: string;
  transport: 'mqtt' | 'modbus' | 'http';
  /** False while all its golden cases are synthetic. */
  verified: boolean;
  firmware_range: string | null;
  channels: readonly {
    name: string;
    label: string;
    role: MeterRole;
    quantities: readonly string[];
    /** Largest power that the device can measure or give, where the profile knows it. */
    rated_power_W?: number;
  }[];
  /** Defaults that fill the form: port, unit, baud, poll_s, topic example, url example. */
  defaults: Readonly<Record<string, string | number>>;
  notes: string | null;
};

// ── People, keys, audit ────────────────────────────────────────────────────────────────────────────────────────
export type Person = {
  id: string;
  login: string;
  name: string;
  role: Role;
  language: 'en' | 'de';
  disabled: boolean;
  last_sign_in_ms: number | null;
  /** Whether they give a one-time code when they sign in. */
  second_factor: boolean;
};
export type ApiKey = { id: string; name: string; role: Role; created_ms: number; last_used_ms: number | null };
export type Session = {
  actor: Actor;
  person_id: string;
  name: string;
  csrf: string;
  token_sha256: string;
  /** The role demands a second factor that is not set up: until then nothing else is open. */
  lacks_code: boolean;
};
/** Of one person: since when, how many recovery codes are left, and what the app needs while it is being set up. */
export type SecondFactor = {
  since_ms: number | null;
  recovery_left: number;
  setup: { seed: string; uri: string } | null;
};
/** One-time codes (RFC 6238). `person_id` is the actor's own, but for `remove`, by which an admin resets somebody's. */
export interface SecondFactorService {
  of(tenant: string, person_id: string): Promise<SecondFactor>;
  begin(actor: Actor, person_id: string): Promise<void>;
  /** With a code of the app; ends all sessions and tokens. @returns recovery codes, shown once. */
  confirm(actor: Actor, person_id: string, code: string): Promise<string[]>;
  /** @returns new recovery codes, shown once; the former ones are void. */
  renewCodes(actor: Actor, person_id: string): Promise<string[]>;
  /** Ends all sessions and tokens too. */
  remove(actor: Actor, person_id: string): Promise<void>;
  /** Roles whose people must have one. */
  roles(tenant: string): Promise<Role[]>;
  demand(actor: Actor, roles: readonly Role[]): Promise<void>;
}
export type SignedIn = { token: string; session: Session; device?: string };
export interface AccessService {
  /** True until there is an admin who can sign in. */
  needsSetup(tenant: string): Promise<boolean>;
  /** The one-time token of the set-up link; null once an admin has signed in. The same over restarts until then. */
  setupToken(): Promise<string | null>;
  /** Rejects NotAllowedError (never saying whether the login exists), or TooManyTriesError for this address and login.
   * `device` is what an earlier sign-in returned: who has it does not wait for strangers' wrong tries.
   * Rejects CodeNeededError where the person has a second factor and gave no `code`: with its ticket `signInWithCode`. */
  signIn(login: string, password: string, from: string, device?: string, code?: string): Promise<SignedIn>;
  /** The second step, within five minutes. Wrong codes count as tries. Rejects as `signIn`. */
  signInWithCode(ticket: string, code: string, from: string, device?: string): Promise<SignedIn>;
  /** Whether the password is the person's; a wrong one counts as a try and rejects as `signIn`. Begins nothing. */
  confirmPassword(login: string, password: string, from: string, device?: string): Promise<void>;
  /** A session of its own for who has just proven to be this person, after all were ended. */
  renew(session: Session): Promise<{ token: string; session: Session }>;
  second_factor: SecondFactorService;
  /** @returns null for an unknown or expired token. */
  session(token: string): Promise<Session | null>;
  /** By token, or by `token_sha256` of the session. */
  signOut(token: string): Promise<void>;
  /** `Authorization: Bearer` of an API key or one of our JWTs; null when it is neither or revoked. */
  bearer(token: string): Promise<Actor | null>;
  /** A JWT for a program, from login and password or an API key. */
  issueToken(actor: Actor): Promise<{ token: string; expires_ms: number }>;
  listPeople(tenant: string): Promise<Person[]>;
  addPerson(
    actor: Actor,
    person: { login: string; name: string; role: Role; password: string; language?: 'en' | 'de' },
  ): Promise<Person>;
  changePerson(
    actor: Actor,
    id: string,
    change: { role?: Role; name?: string; disabled?: boolean; password?: string; language?: 'en' | 'de' },
  ): Promise<void>;
  removePerson(actor: Actor, id: string): Promise<void>;
  listKeys(tenant: string): Promise<ApiKey[]>;
  /** `key` is shown once. */
  createKey(actor: Actor, name: string, role: Role): Promise<{ id: string; key: string }>;
  revokeKey(actor: Actor, id: string): Promise<void>;
}

export interface AuditService {
  record(actor: Actor, act: string, object: string, detail?: Record<string, unknown>): Promise<void>;
  list(tenant: string, options: { limit: number; before?: number }): Promise<AuditEntry[]>;
}
/** Each entry is sealed with the one before, and the box signs the newest. */
export interface AuditChainService {
  /** Whether the log is as it was written, and the first entry that is not. Reads all of it. */
  verify(tenant: string): Promise<AuditState>;
  /** The same, up to half a minute old. */
  state(tenant: string): Promise<AuditState>;
  /** JSON lines with the hashes, the signatures and the public key, to verify elsewhere (docs/guides/audit.md). */
  export(tenant: string): AsyncIterable<string>;
}
export type AuditEntry = {
  id: number;
  at_ms: number;
  actor: string;
  act: string;
  object: string;
  detail: Record<string, unknown>;
};

// ── Jobs and workers ───────────────────────────────────────────────────────────────────────────────────────────
export interface JobService {
  /** Declares what a queue does; call before `start`. A handler that throws is retried with backoff and jitter. */
  define<Payload extends object>(
    name: string,
    handler: (payload: Payload, signal: AbortSignal) => Promise<void>,
    options?: JobOptions,
  ): void;
  send(name: string, payload: object, options?: { dedupe?: string; delay_s?: number }): Promise<void>;
  /** Runs `name` on a cron line (UTC) or every so many seconds. */
  schedule(name: string, every: { cron: string } | { seconds: number }, payload: object): void;
  start(): Promise<void>;
  stop(): Promise<void>;
  depth(): Promise<readonly { name: string; waiting: number; active: number; failed: number }[]>;
}
export type JobOptions = { retries?: number; timeout_s?: number; concurrency?: number };

/** Heavy pure work off the serving thread (piscina). Each task is a file in gateway/workers/. */
export interface Workers {
  run<Output>(task: string, input: unknown, options?: { signal?: AbortSignal; timeout_ms?: number }): Promise<Output>;
  close(): Promise<void>;
}

// ── Data ───────────────────────────────────────────────────────────────────────────────────────────────────────
export type Resolution = 'raw' | 'slot' | 'hour' | 'day' | 'month';
export type DataQuery = {
  meter: string;
  quantity: string;
  from_ms: number;
  to_ms: number;
  resolution: Resolution;
  tz: string;
};
export interface DataService {
  /** One meter point and quantity. Registers give their increase per slot/hour/day, raw gives the register itself;
   * virtual meter points are computed. Periods without data are NaN. */
  query(tenant: string, query: DataQuery): Promise<{ unit: string; columns: Columns }>;
  /** Totals of many meter points; `meters` null = all. Row order: meter, then period. */
  totals(
    tenant: string,
    query: {
      meters: readonly string[] | null;
      quantity: string;
      from_ms: number;
      to_ms: number;
      resolution: 'hour' | 'day' | 'month';
      tz: string;
    },
  ): Promise<{ bounds_ms: number[]; rows: { meter: string; values: Float64Array; quality: Int32Array }[] }>;
  /** Building-level series in mean W per slot (load = grid import + generation + battery discharge − charge − export;
   * generation; grid; battery), from the meter points' roles. */
  balance(
    tenant: string,
    kind: 'load' | 'generation' | 'grid' | 'battery',
    from_ms: number,
    to_ms: number,
  ): Promise<Columns>;
  /** What energy taken from the grid cost (− what was fed in, valued at 0 until a feed-in tariff is set), VAT included. */
  cost(
    tenant: string,
    from_ms: number,
    to_ms: number,
  ): Promise<{ currency: string; amount: number | null; import_kWh: number | null; missing_slots: number }>;
}

/** CSV and JSON-lines files of readings. */
export interface LoadService {
  /** First rows and a guessed mapping, nothing stored. */
  preview(tenant: string, bytes: Uint8Array, fileName: string): Promise<LoadPreview>;
  /** Idempotent; progress over the bus as task `load:<id>`, under `options.id` (a UUID) where given. */
  load(
    actor: Actor,
    file: { name: string; bytes: Uint8Array } | { name: string; path: string },
    mapping?: LoadMapping,
    options?: { id?: string },
  ): Promise<LoadReport>;
  recent(tenant: string): Promise<readonly (LoadReport & { id: string; file_name: string; started_ms: number })[]>;
}
export type LoadMapping = {
  at: string /** Column of the meter id, or null with `meter_id`. */;
  meter: string | null;
  meter_id?: string;
  time_zone?: string;
  columns: Record<string, string>;
  decimal_comma?: boolean;
  /** For interval quantities: the column of the interval's start, or the interval's length and which end `at` names. */
  from?: string;
  interval_min?: number;
  interval_stamp?: 'start' | 'end';
  /** Makes meter points that do not exist as push devices; admins only. */
  create_meters?: boolean;
};
export type LoadPreview = { columns: string[]; rows: string[][]; mapping: LoadMapping; problems: string[] };
export type LoadReport = {
  id: string;
  lines: number;
  accepted: number;
  flagged: number;
  rejected: number /** First 1,000. */;
  faults: { line: number; problem: string }[];
  unchanged: boolean;
};

export interface QualityService {
  report(tenant: string, meter: string, day: string): Promise<QualityReport | null>;
  /** For the meter list: the newest report of each meter point, and the 96 cells of today (quality flags; -1 no data). */
  today(tenant: string, meter: string): Promise<{ cells: Int32Array }>;
}
export type QualityReport = {
  meter: string;
  day: string;
  /** ok | warning | fault */
  state: 'ok' | 'warning' | 'fault';
  checks: {
    name: 'schema' | 'nulls' | 'ranges' | 'gaps' | 'outliers' | 'agreement';
    quantity: string;
    passed: boolean;
    count: number;
    text: string;
    text_de?: string;
  }[];
};

// ── Prices, weather, forecasts ─────────────────────────────────────────────────────────────────────────────────
export interface PriceService {
  /** Market prices of an area in slots, without VAT and per MWh. */
  market(area: string, market: PriceMarket, from_ms: number, to_ms: number): Promise<MarketPrices>;
  /** What a kWh costs the site in each slot, VAT and fee included; NaN where the market price is missing. */
  site(
    tenant: string,
    from_ms: number,
    to_ms: number,
  ): Promise<{ currency: string; columns: Columns; sources: readonly string[]; stale_since_ms: number | null }>;
  /** For the page: the state of each configured source. */
  sources(tenant: string): Promise<readonly PriceSourceState[]>;
  /** Fetches what is due now (also run by schedule). */
  refresh(tenant: string): Promise<void>;
  /** Only for the tenant's own market area, which no other tenant of the box may have. @throws NotAllowedError, InvalidDataError */
  loadCsv(actor: Actor, area: string, csv: string): Promise<{ slots: number }>;
  /** Demand of the power system of an area. @throws NotFoundError where no source tells it, UnavailableError */
  demand?(area: string, kind: Demand['kind'], from_ms: number, to_ms: number): Promise<Demand>;
}
/** Mean power of each hour, ascending. */
export type Demand = {
  area: string;
  kind: 'actual' | 'forecast';
  source: string;
  fetched_ms: number;
  hours: readonly { at_ms: number; power_MW: number }[];
};
export type MarketPrices = {
  area: string;
  market: PriceMarket;
  currency: string;
  /** True where the only source includes VAT (Tibber): then the values hold it. */
  vat_included?: boolean;
  at_ms: Float64Array;
  values: Float64Array;
  sources: readonly string[];
  fetched_ms: number | null;
  stale_since_ms: number | null;
};
export type PriceSourceState = {
  name: string;
  area: string;
  last_success_ms: number | null;
  last_run_ms: number | null;
  fault: string | null;
  next_run_ms: number | null;
};

export interface WeatherService {
  hours(
    tenant: string,
    from_ms: number,
    to_ms: number,
  ): Promise<{ at_ms: number; temperature_C: number | null; irradiance_W_m2: number | null; forecast: boolean }[]>;
  state(tenant: string): Promise<{ enabled: boolean; last_success_ms: number | null; fault: string | null }>;
}

export interface ForecastService {
  /** `series` is load, generation or price. */
  latest(tenant: string, series: string, at_ms: number): Promise<Forecast | null>;
  /** Why there is no forecast of the series now, in a sentence; null where there is one or none was tried yet. */
  reason?(tenant: string, series: string): string | null;
  /** Makes and stores forecasts that are due. */
  refresh(tenant: string, series?: string): Promise<void>;
  /** Mean absolute error over past days of the live model and of the naive "same as last week". */
  error(
    tenant: string,
    series: string,
    days: number,
  ): Promise<{ model: string; mae: number | null; naive_mae: number | null; unit: string; slots: number }>;
  /** What was forecast a day ahead for past slots, to lay behind the truth. */
  past(tenant: string, series: string, from_ms: number, to_ms: number): Promise<Columns>;
}

// ── Regulation ─────────────────────────────────────────────────────────────────────────────────────────────────
export type Citation = {
  document: string;
  document_title: string;
  version: string;
  page: number | null;
  section: string;
  quote: string;
  start: number;
  end: number;
};
export type Answer = {
  status: 'answered' | 'abstained';
  sentences: { text: string; citations: Citation[] }[];
  nearest: {
    document: string;
    document_title: string;
    version: string;
    page: number | null;
    section: string;
    text: string;
    score: number;
  }[];
};
export type DocumentState = {
  id: string;
  title: string;
  version: string;
  pages: number | null;
  language: string;
  state: 'queued' | 'reading' | 'ready' | 'refused';
  reason: string | null;
  uploaded_ms: number;
  uploaded_by: string;
  passages: number;
  demo: boolean;
};
export interface RegulationService {
  ask(actor: Actor, question: string): Promise<Answer>;
  documents(tenant: string): Promise<DocumentState[]>;
  upload(
    actor: Actor,
    file: ({ bytes: Uint8Array } | { path: string }) & {
      name: string;
      title?: string;
      version?: string;
      demo?: boolean;
    },
  ): Promise<DocumentState>;
  remove(actor: Actor, id: string): Promise<void>;
  /** Builds the passage index of the tenant anew from the stored passages. */
  reindex(tenant: string): Promise<{ documents: number; passages: number }>;
  file(tenant: string, id: string, version?: string): Promise<{ bytes: Uint8Array; name: string }>;
  /** The boxes (PDF points, origin top left) of a quote on its page, to mark it. */
  marks(
    tenant: string,
    id: string,
    version: string,
    page: number,
    quote: string,
  ): Promise<{
    width: number;
    height: number;
    boxes: { x: number; y: number; width: number; height: number }[];
    text: string;
  }>;
}

// ── Advice ─────────────────────────────────────────────────────────────────────────────────────────────────────
export type AdviceAction = {
  id: string;
  kind: string;
  text: { en: string; de: string };
  why: { en: string; de: string };
  saving: { amount: number; low: number; high: number; currency: string } | null;
  propensity: number;
  deadline_ms: number | null;
  /** Where to look: a page of ours. */
  link: string | null;
};
export type Advice = { decision_id: string; made_ms: number; actions: AdviceAction[] };
export type Outcome = 'accepted' | 'dismissed' | 'snoozed';
export interface AdviceService {
  /** The current decision for the tenant's site (a new one where the last is outdated). */
  recommend(actor: Actor): Promise<Advice>;
  feedback(actor: Actor, decision: string, action: string, outcome: Outcome): Promise<void>;
  explain(actor: Actor, decision: string): Promise<Record<string, unknown>>;
  history(
    tenant: string,
    limit: number,
  ): Promise<
    { decision_id: string; at_ms: number; action: AdviceAction; outcome: Outcome | null; outcome_ms: number | null }[]
  >;
  /** Views, clicks and questions; idempotent by `id`. */
  record(
    actor: Actor,
    events: readonly {
      id: string;
      kind: 'view' | 'click' | 'question';
      object: string;
      at_ms?: number;
      detail?: Record<string, unknown>;
    }[],
  ): Promise<{ stored: number }>;
}

export interface AlertService {
  /** Opens, or refreshes while open. One open alert per (kind, object). */
  raise(
    tenant: string,
    kind: AlertKind,
    object: string,
    severity: 'info' | 'warning' | 'fault',
    detail?: Record<string, unknown>,
  ): Promise<void>;
  clear(tenant: string, kind: AlertKind, object: string): Promise<void>;
  list(tenant: string, options?: { open_only?: boolean; limit?: number }): Promise<Alert[]>;
  /** @returns null for one that does not exist. */
  get(tenant: string, id: string): Promise<Alert | null>;
  /** Those of the ids that exist. */
  byId(tenant: string, ids: readonly string[]): Promise<ReadonlyMap<string, Alert>>;
  /** Notes who has seen it, once: nobody further is told. @throws NotFoundError */
  acknowledge(actor: Actor, id: string): Promise<Alert>;
}
export type AlertKind =
  | 'meter_silent'
  | 'meter_stuck'
  | 'device_unreachable'
  | 'prices_stale'
  | 'journal_quarantine'
  | 'journal_full'
  | 'series_store_down'
  | 'series_table_suspended'
  | 'dead_letters'
  | 'register_reset'
  | 'register_jump'
  | 'unit_changed'
  | 'meters_mixed'
  | 'meter_gap'
  | 'meter_standstill'
  | 'night_load'
  | 'quality_fault'
  | 'document_refused'
  | 'disk_low'
  | 'disk_full'
  | 'clock_wrong'
  | 'channel_failing'
  | 'backup_failed'
  | 'backup_stale'
  | 'audit_broken';
export type Alert = {
  id: string;
  kind: AlertKind;
  object: string;
  severity: 'info' | 'warning' | 'fault';
  detail: Record<string, unknown>;
  opened_ms: number;
  closed_ms: number | null;
  acknowledged_ms: number | null;
  acknowledged_by: string | null;
};

export interface DemoService {
  /** Loads 60 days of history, starts the simulators in a process of their own, adds devices and the document. */
  start(actor: Actor): Promise<void>;
  /** Leaves without trace. */
  stop(actor: Actor): Promise<void>;
  running(): boolean;
}

export interface HealthService {
  /** 200 conditions of /readyz, and what the Admin page shows. */
  report(): Promise<{
    ready: boolean;
    parts: { name: string; state: 'ok' | 'degraded' | 'down'; text: string; since_ms: number | null }[];
  }>;
  /** Whether the series store takes readings, what waits for it, and when there will be no more room; costs nothing. */
  store(): StoreState;
  /** Brings what `store` foretells up to date; called every few seconds. */
  look(): Promise<void>;
  /** What came in and what became of it. */
  readings(): ReadingBook;
}
