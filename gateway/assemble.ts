/**
 * The box on one screen: opens the stores, makes the services, the connectors and the web application, and returns
 * what the lifecycle starts in this order and closes in reverse. With the catalogues of connectors this is the only
 * place that names a technology.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createMemoryBus } from '../connectors/bus/memory.ts';
import { createPublicHolidays } from '../connectors/holidays/public.ts';
import type { MeterPoint } from '../engine/model/site.ts';
import type { Clock } from '../engine/ports.ts';
import { openVault } from './auth/vault.ts';
import { createMessages } from './broker/messages.ts';
import { createRoutes } from './broker/routes.ts';
import { createBrokerWays } from './broker/ways.ts';
import type { Config } from './config.ts';
import { startDrain } from './drain.ts';
import { openRetrieval } from './embedding.ts';
import { baseUrlOf } from './greeting.ts';
import { clearUploads } from './http/api/uploads.ts';
import { createAuthenticate } from './http/authenticate.ts';
import { createWeb, openWebServer, type WebServer } from './http/server.ts';
import { type Keep, keeping, type Part } from './lifecycle.ts';
import { createMeterAddresses } from './meter-addresses.ts';
import { createMetrics } from './metrics.ts';
import { openOllama } from './ollama.ts';
import { createOutbound } from './outbound.ts';
import { createAccessService } from './services/access.ts';
import { createTariffFacts } from './services/advice/tariff-facts.ts';
import { createAdviceService } from './services/advice.ts';
import { gatherAdviceContext } from './services/advice-context.ts';
import { createAlertService } from './services/alerts.ts';
import { createAllowedHosts } from './services/allowed-hosts.ts';
import { createAnomalyService } from './services/anomalies.ts';
import { createPeopleNames } from './services/answers/people-names.ts';
import { createSiteFacts } from './services/answers/site-facts.ts';
import { type AnswerDeps, createAnswerService } from './services/answers.ts';
import { createAuditService } from './services/audit.ts';
import { createAuditChainService } from './services/audit-chain-service.ts';
import { createBackupService } from './services/backups.ts';
import { createBillService } from './services/bills.ts';
import { clockState, createClockAlerts } from './services/clock-alerts.ts';
import { createClockQuarantine } from './services/clock-quarantine.ts';
import { builtAt, openClockWatch, systemClock } from './services/clock-watch.ts';
import { createDataService } from './services/data.ts';
import { createDemoService } from './services/demo.ts';
import { createDeviceService } from './services/devices.ts';
import { createSearchService } from './services/discovery-search.ts';
import { createDiskWatch } from './services/disk-watch.ts';
import { createFeatureService } from './services/features.ts';
import { createForecastService } from './services/forecasts.ts';
import { createHealthService } from './services/health.ts';
import { createIntake } from './services/intake.ts';
import { createJobService } from './services/jobs.ts';
import { createLoadService } from './services/loads.ts';
import { createMeterService } from './services/meters.ts';
import { createModelFetch } from './services/model-fetch.ts';
import { createModelExport } from './services/models/mlflow-export.ts';
import { codeVersion } from './services/models/training.ts';
import { createModelService } from './services/models.ts';
import { createNeuralBackends } from './services/neural-backends.ts';
import { createWaysOut } from './services/notify/ways.ts';
import { createNotifyService } from './services/notify.ts';
import { createPlanning } from './services/planning.ts';
import { createPolling } from './services/polling.ts';
import { createPredictionService } from './services/predictions.ts';
import { createPriceService } from './services/prices.ts';
import { openProfileCatalogue } from './services/profiles.ts';
import { createQualityService } from './services/quality.ts';
import { openBooks } from './services/reading-counts.ts';
import { createRegulationService, type RegulationService } from './services/regulation.ts';
import { createRepairService } from './services/repairs.ts';
import { createRetention } from './services/retention.ts';
import { createSiteService } from './services/site.ts';
import { createStoreWatch } from './services/store-watch.ts';
import { createTariffService } from './services/tariffs.ts';
import { createWeatherService } from './services/weather.ts';
import type { Services } from './services.ts';
import { openStores } from './stores.ts';
import { loadCertificate } from './tls.ts';
import { createWorkers } from './workers/pool.ts';
import { createTaskProcesses } from './workers/process.ts';
import { createUploadReader } from './workers/upload-reader.ts';

export type Box = {
  services: Services;
  parts: Part[];
  /** Where the box listens; known once started. */
  address(): { scheme: 'http' | 'https'; port: number; mqtt_port: number; mqtts_port: number | null };
};

export type BoxOptions = {
  /** False: no broker, no pollers, no web server; for one command of the command line. */
  listen: boolean;
  /** The system's where left out; tests let days pass. */
  clock?: Clock;
};

const ROOT = join(import.meta.dirname, '..');
/** One core stays free for those who wait. */
const TRAIN_THREADS = Math.max(1, Math.min(4, availableParallelism() - 1));

/**
 * Closes again what it opened when it fails.
 */
export async function assemble(config: Config, log: Logger, options: BoxOptions): Promise<Box> {
  return keeping((keep) => assembleKeeping(keep, config, log, options));
}

async function assembleKeeping(keep: Keep, config: Config, log: Logger, options: BoxOptions): Promise<Box> {
  const metrics = createMetrics();
  const bus = createMemoryBus({ log });
  await clearUploads(config.home);
  const vault = await openVault(config.home);

  const { db, files, journal, series, live, deliveries, newest_ms } = await openStores(keep, { config, log, metrics });
  const watch = await openClockWatch(
    {
      ...{ home: config.home, log, clock: options.clock ?? systemClock(), built_ms: builtAt(ROOT) },
      onTime: (now_ms) => series.drain.setNow(now_ms),
    },
    newest_ms,
  );
  const { clock } = watch;
  const certificate = await loadCertificate(config, clock.now());
  const base = { config, clock, log, metrics, bus, db, series, journal, files };
  const books = keep(await openBooks({ ...base, series }));

  // Who and what: people, site, meters
  const access = createAccessService({ ...base, vault });
  const audit = createAuditService(base);
  const site = createSiteService(base);
  const allowedHosts = createAllowedHosts(base);
  const outbound = keep(
    createOutbound({
      allowed: allowedHosts.entries,
      onDate: (host, at_ms) => watch.witness(`date ${host}`, 'date', at_ms),
    }),
  );
  const meters = createMeterService({ ...base, site });
  const alerts = createAlertService(base);
  const audit_chain = createAuditChainService({ ...base, tenants: site.tenants, alerts });
  const workers = keep(createWorkers());
  // What trains for minutes has threads of its own, so that nobody waits behind it.
  const trainers = keep(createWorkers({ threads: TRAIN_THREADS }));
  const uploads = keep(createUploadReader({ folder: join(config.home, 'uploads') }));
  const jobs = createJobService({ ...base, connection: db.connection });

  // Readings
  const { intake: intakeInTime, close: closeIntake } = createIntake({ ...base, meters, live, books });
  const quarantine = createClockQuarantine({
    ...{ home: config.home, log, watch, intake: intakeInTime },
    max_bytes: config.journal_max_bytes,
  });
  const { intake } = quarantine;
  const catalogue = openProfileCatalogue(join(ROOT, 'firmware-profiles'), {
    onFault: (error) => log.error({ err: error }, 'a device profile is faulty and left out'),
  });
  const brokers = createBrokerWays(config);
  const devices = createDeviceService({
    ...base,
    ...{ meters, audit, alerts, profiles: catalogue, vault, quarantine },
    ...{ listen: brokers.listen, disconnect: brokers.disconnect, forget: brokers.forget },
    addresses: createMeterAddresses({
      allowed: allowedHosts.entries,
      own_ports: () => [server?.port ?? config.port, brokers.port(), ...[brokers.tls_port() ?? []].flat()],
    }),
  });
  const search = createSearchService({ ...base, audit, devices, profiles: catalogue });
  const routes = createRoutes({ devices, meters, decoderOf: devices.decoderOf, ownerOf: devices.ownerOf });
  const messages = createMessages({ ...base, intake, deliveries, devices });
  const polling = createPolling({
    ...base,
    devices,
    meters,
    intake,
    profiles: catalogue,
    live,
    publish: brokers.publish,
  });
  const notify = createNotifyService({
    ...{ ...base, ...{ vault, alerts, jobs, site, meters, devices } },
    ways: createWaysOut({
      outbound,
      clock,
      publish: brokers.publish,
    }),
    baseUrl: () => baseUrlOf(config, { secure: certificate !== null, port: server?.port ?? config.port }),
  });
  const loads = createLoadService({ ...base, intake, site, meters, devices, uploads });

  // Prices, data, intelligence
  const tariffs = createTariffService({ ...base, site });
  const prices = createPriceService({ ...base, site, tariffs, alerts, outbound, uploads });
  const weather = createWeatherService({ ...base, site, outbound });
  const data = createDataService({ series, meters, sitePrices: prices.site });
  const bills = createBillService({ clock, series, meters, site, tariffs, prices });
  const repairs = createRepairService({ ...base, series, meters, site, jobs, sitePrices: prices.site, ratingOf });
  const quality = createQualityService({
    ...base,
    series,
    site,
    meters,
    live,
    alerts,
    jobs,
    enabled: (tenant, device) => devices.get(tenant, device)?.enabled ?? true,
    ratingOf,
  });
  const learning = {
    ...{ ...base, site, balance: data.balance, market: prices.market, tariffs, weather },
    holidays: createPublicHolidays(),
  };
  const code_version = codeVersion(ROOT, version());
  const { mlflow_url } = config;
  const processes = keep(createTaskProcesses());
  const neural = createNeuralBackends({ ...base, processes });
  const models = createModelService({
    ...{ ...learning, alerts, workers, jobs, trainers, threads: TRAIN_THREADS, code_version },
    ...{ neural, networks: config.forecast_networks },
    ...(mlflow_url ? createModelExport(base, { url: mlflow_url, fetch: outbound.allowing([mlflow_url]) }) : {}),
  });
  const features = createFeatureService({ ...learning, jobs, code_version });
  const anomalies = createAnomalyService({
    ...{ ...base, series, site, meters, alerts, jobs, workers },
    sitePrices: prices.site,
  });
  const forecasts = createForecastService({
    ...{ ...learning, forecasts: series.forecasts, workers, jobs },
    ...{ champions: models.champions, onFault: models.failed },
  });
  const predictions = createPredictionService({ ...learning, forecasts, models, workers });
  const planning = createPlanning({
    ...{ ...base, series, site, meters, tariffs, prices, forecasts, weather, data, live, workers, jobs },
    ...{ boxDevices: devices, brokers },
  });
  const { plans } = planning.services;
  const similar: RegulationService['similar'] = (tenant, text, limit) => regulation.similar(tenant, text, limit);
  const compared = createTariffFacts({ clock, log, series, meters, tariffs, prices, workers });
  const looked = { clock, db, site, meters, prices, forecasts, data, alerts, repairs, live, similar };
  const advice = createAdviceService({
    ...{ ...base, jobs, workers, site, data, forecasts, similar },
    gather: (tenant, settings) => gatherAdviceContext({ ...looked, plans, tariffs, compared }, tenant, settings),
  });
  const recordQuestion: AnswerDeps['recordQuestion'] = (actor, question, status) =>
    advice.record(actor, [{ id: randomUUID(), kind: 'question', object: question, detail: { status } }]);
  const ollama = openOllama(config, keep, allowedHosts.entries);
  const { model } = ollama;
  const model_fetch = createModelFetch({ log, ...ollama });
  const retrieval = await openRetrieval({
    ...{ ...base, keep, jobs, audit, alerts, tenants: site.tenants, model },
    ...{ allowed: allowedHosts.entries, people: createPeopleNames(access) },
  });
  const regulation = createRegulationService({
    ...base,
    ...{ audit, alerts, jobs, passages: retrieval.passages },
    recordQuestion,
  });
  const answers = createAnswerService({
    ...{ ...base, access, audit, alerts, jobs, sources: regulation.sources, tenants: site.tenants },
    site: createSiteFacts({ clock, site, prices, data, forecasts, plans, tariffs }),
    model,
    recordQuestion,
  });
  const demo = createDemoService({
    ...base,
    ...{ devices, site, meters, regulation, forecasts, models, prices, weather, intake, quarantine, plans },
    mqtt_port: brokers.port,
  });
  const health = createHealthService({
    ...{ ...base, series, jobs, books, certificate, luna: version() },
    more: [
      { name: 'clock', needed: false, check: () => clockState(watch, quarantine.aside()) },
      { name: 'forecast backend', needed: false, check: () => neural.report() },
      { name: 'backups', needed: false, check: () => backups.check() },
      ...(files.ping ? [{ name: 'files', needed: false, check: () => files.ping?.() ?? '' }] : []),
      ...(config.mqtt_url ? [{ name: 'external broker', needed: false, check: brokers.external }] : []),
    ],
  });

  const backups = createBackupService({
    ...{ ...base, alerts, audit, jobs, processes, trusted: watch.trusted },
    ...{ cluster: db.cluster ?? null, durable: journal.durable, version: version() },
    journal_dir: join(config.home, 'journal'),
  });

  const services: Services = {
    ...base,
    profiles: catalogue,
    ...planning.services,
    ...{ intake, watch, quarantine, live, site, meters, devices, search, access, audit, audit_chain, jobs },
    ...{ workers, uploads, data, repairs, loads, tariffs, bills, prices, weather, forecasts, models, features },
    ...{ predictions, regulation, retrieval, answers, advice, alerts, anomalies, allowedHosts, notify },
    ...{ quality, demo, health, backups, model_fetch },
  };

  // The web
  // A proxy in front may speak TLS for us.
  const secure = certificate !== null || (config.public_url?.startsWith('https:') ?? false);
  const web = createWeb(services, {
    secure,
    version: version(),
    authenticate: createAuthenticate({ access, secure, config }),
  });
  let server: WebServer | null = null;

  const parts: Part[] = [
    { name: 'clock', start: () => watch.start(), close: () => watch.stop() },
    { name: 'database', close: () => db.close(), close_ms: 4000, keep_ms: 1200 },
    { name: 'files', close: () => files.close() },
    {
      name: 'workers',
      close: () => Promise.all([workers.close(), trainers.close(), uploads.close(), processes.close()]).then(() => {}),
    },
    { name: 'outbound', close: () => outbound.close() },
    { name: 'site', start: () => site.start() },
    { name: 'tariffs', start: () => tariffs.start() },
    { name: 'audit', start: () => audit_chain.start(), close: () => audit_chain.stop() },
    { name: 'allowed hosts', start: () => allowedHosts.start() },
    { name: 'meters', start: () => meters.start() },
    { name: 'devices', start: () => devices.start(), close: () => devices.close() },
    {
      name: 'series',
      start: () => startDrain({ ...base, series, books, site, meters, loads, ratingOf }),
      close: () => series.close().finally(() => books.close()),
      close_ms: 3000,
      keep_ms: 800,
    },
    { name: 'journal', close: () => journal.close(), keep_ms: 800 },
    { name: 'intake', close: closeIntake },
    { name: 'clock quarantine', start: () => quarantine.start(), close: () => quarantine.close() },
    { name: 'models', start: () => models.start() },
    { name: 'features', start: () => features.start() },
    { name: 'forecasts', start: () => forecasts.start(), close: () => forecasts.stop() },
    ...planning.parts,
    { name: 'anomalies', start: () => anomalies.start() },
    { name: 'quality', start: () => quality.start(), close: () => quality.stop() },
    { name: 'advice', start: () => advice.start() },
    { name: 'jobs', start: () => jobs.start(), close: () => jobs.stop() },
    { name: 'regulation', start: () => regulation.start(), close: () => regulation.stop() },
    { name: 'retrieval', start: () => retrieval.start(), close: () => retrieval.stop() },
    { name: 'answers', start: () => answers.start(), close: () => answers.stopAll() },
    { name: 'repairs', start: () => repairs.start(), close: () => repairs.stop() },
  ];
  if (options.listen)
    parts.push(
      { name: 'prices', start: () => prices.start(), close: () => prices.stop() },
      { name: 'weather', start: () => weather.start(), close: () => weather.stop() },
      ...brokers.parts({ ...base, certificate, devices, site, meters, routes, messages, deliveries }),
      { name: 'backups', start: () => backups.start(), close: () => backups.stop() },
      { name: 'model fetch', start: () => model_fetch.start(), close: () => model_fetch.stop() },
      { name: 'polling', start: () => polling.start(), close: () => polling.stop() },
      ...planning.listening,
      { name: 'forecast backend', start: () => neural.start(), close: () => neural.stop() },
      { name: 'search', close: () => search.close() },
      {
        name: 'store watch',
        ...createStoreWatch({ ...base, site, alerts, health, suspended: () => series.drain.state().suspended ?? [] }),
      },
      { name: 'clock alerts', ...createClockAlerts({ log, watch, site, alerts }) },
      { name: 'disk watch', ...createDiskWatch({ ...base, site, alerts }) },
      { name: 'notify', start: () => notify.start(), close: () => notify.stop() },
      { name: 'retention', ...createRetention({ ...base, trusted: watch.trusted }) },
      {
        name: 'web',
        start: async () => {
          server = await openWebServer(web, { host: config.host, port: config.port, certificate });
        },
        close: () => server?.close(),
      },
      { name: 'profiles', start: () => catalogue.start(), close: () => catalogue.stop() },
      { name: 'demo', start: () => demo.resume(), close: () => demo.end() },
    );
  return {
    services,
    parts,
    address: () => ({
      scheme: certificate ? 'https' : 'http',
      port: server?.port ?? config.port,
      mqtt_port: brokers.port(),
      mqtts_port: brokers.tls_port(),
    }),
  };

  /** What the profile of the meter point's device says about its largest power. */
  function ratingOf({ tenant, device, channel }: MeterPoint): { rated_power_W?: number } {
    const profile = device === null ? null : devices.list(tenant).find(({ id }) => id === device)?.profile;
    const channels = profile ? catalogue.get(profile)?.channels : undefined;
    const rated_power_W = channels?.find(({ name }) => name === channel)?.rated_power_W;
    return rated_power_W === undefined ? {} : { rated_power_W };
  }
}

function version(): string {
  return (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }).version;
}
