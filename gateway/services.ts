/**
 * What the running box can do, as the HTTP routes, pages, command line and jobs see it. Each service lives in one
 * file of `gateway/services/` (`create<Name>(deps)`), gets its dependencies as arguments and knows no HTTP.
 * `assemble.ts` makes them all.
 */
import type { Logger } from 'pino';
import type { Role } from '../engine/model/site.ts';
import type { Clock, Database, EventBus, FileStore, Intake, Journal, SeriesStore } from '../engine/ports.ts';
import type { Config } from './config.ts';
import type { Metrics } from './metrics.ts';
import type { AccessService } from './services/access.ts';
import type { AdviceService } from './services/advice.ts';
import type { AlertService } from './services/alerts.ts';
import type { AllowedHostService } from './services/allowed-hosts.ts';
import type { AnomalyService } from './services/anomalies.ts';
import type { AnswerService } from './services/answers.ts';
import type { AuditService } from './services/audit.ts';
import type { AuditChainService } from './services/audit-chain-service.ts';
import type { BackupService } from './services/backups.ts';
import type { BillService } from './services/bills.ts';
import type { ClockQuarantine } from './services/clock-quarantine.ts';
import type { ClockWatch } from './services/clock-watch.ts';
import type { DataService } from './services/data.ts';
import type { DemoService } from './services/demo.ts';
import type { DeviceService } from './services/devices.ts';
import type { SearchService } from './services/discovery-search.ts';
import type { FeatureService } from './services/features.ts';
import type { ForecastService } from './services/forecasts.ts';
import type { HealthService } from './services/health.ts';
import type { JobService } from './services/jobs.ts';
import type { LiveValues } from './services/live.ts';
import type { LoadService } from './services/loads.ts';
import type { MeterService } from './services/meters.ts';
import type { ModelFetchService } from './services/model-fetch.ts';
import type { ModelService } from './services/models.ts';
import type { NotifyService } from './services/notify.ts';
import type { Planning } from './services/planning.ts';
import type { PredictionService } from './services/predictions.ts';
import type { PriceService } from './services/prices.ts';
import type { ProfileCatalogue } from './services/profiles.ts';
import type { QualityService } from './services/quality.ts';
import type { RegulationService } from './services/regulation.ts';
import type { RepairService } from './services/repairs.ts';
import type { RetrievalService } from './services/retrieval.ts';
import type { SiteService } from './services/site.ts';
import type { TariffService } from './services/tariffs.ts';
import type { WeatherService } from './services/weather.ts';
import type { Workers } from './workers/pool.ts';
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

export type Services = Base &
  Planning & {
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
    tariffs: TariffService;
    bills: BillService;
    prices: PriceService;
    weather: WeatherService;
    forecasts: ForecastService;
    models: ModelService;
    /** Models of Ollama. */
    model_fetch: ModelFetchService;
    features: FeatureService;
    predictions: PredictionService;
    regulation: RegulationService;
    retrieval: RetrievalService;
    answers: AnswerService;
    advice: AdviceService;
    alerts: AlertService;
    anomalies: AnomalyService;
    notify: NotifyService;
    allowedHosts: AllowedHostService;
    quality: QualityService;
    demo: DemoService;
    health: HealthService;
    backups: BackupService;
  };

/** Who acts. `person` is a sign-in name, `key:<name>`, `device:<id>`, `command line` or `system`. */
export type Actor = { tenant: string; person: string; role: Role; language: 'en' | 'de' };

export type { SecondFactor, SecondFactorService } from './auth/second-factor.ts';
export type { AccessService, ApiKey, Person, Session, SignedIn } from './services/access.ts';
export type { Advice, AdviceAction, AdviceService, Outcome } from './services/advice.ts';
export type { Alert, AlertKind, AlertService } from './services/alerts.ts';
export type { AnswerService } from './services/answers.ts';
export type { AuditEntry, AuditService } from './services/audit.ts';
export type { AuditChainService } from './services/audit-chain-service.ts';
export type { BillService, MonthChange, TariffEffect } from './services/bills.ts';
export type { DataQuery, DataService, Resolution } from './services/data.ts';
export type { DemoService } from './services/demo.ts';
export type { CreatedDevice, DeviceService, DeviceState, NewDevice, TestRead } from './services/devices.ts';
export type { ForecastService } from './services/forecasts.ts';
export type { HealthService } from './services/health.ts';
export type { JobOptions, JobService } from './services/jobs.ts';
export type { LiveValue, LiveValues } from './services/live.ts';
export type { LoadMapping, LoadPreview, LoadReport, LoadService } from './services/loads.ts';
export type { MeterService } from './services/meters.ts';
export type { HorizonModels, ModelService, TrainingState } from './services/models.ts';
export type { PlanService } from './services/plans.ts';
export type { Demand } from './services/prices/demand.ts';
export type { MarketPrices, PriceService, PriceSourceState, SitePrices } from './services/prices.ts';
export type { ProfileCatalogue, ProfileSummary } from './services/profiles.ts';
export type { QualityReport, QualityService } from './services/quality.ts';
export type { Answer, Citation, DocumentState, RegulationService } from './services/regulation.ts';
export type { SiteService, SiteSettings } from './services/site.ts';
export type { StoredVersion, TariffService } from './services/tariffs.ts';
export type { WeatherService } from './services/weather.ts';
export type { Workers } from './workers/pool.ts';
