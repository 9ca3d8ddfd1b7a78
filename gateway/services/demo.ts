/**
 * The demo site: simulators in a process of their own (gateway/demo/main.ts), devices that reach the box as real ones
 * do, 60 days of history, prices and weather from loopback, a regulation text. Leaves without trace.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidDataError } from '../../engine/errors.ts';
import { HOUR_MS, slotStart } from '../../engine/model/time.ts';
import type { Intake } from '../../engine/ports.ts';
import { DEMO_PLACE, DEMO_ZONE } from '../demo/generator.ts';
import { HISTORY_DAYS } from '../demo/history.ts';
import { DEMO_DEVICES, type DemoDevice } from '../demo/meters.ts';
import type { Credential } from '../demo/mqtt-devices.ts';
import { DEMO_PLAN_DEVICES } from '../demo/plan-devices.ts';
import { DEMO_AREA } from '../demo/protocol.ts';
import type {
  Actor,
  Base,
  DeviceService,
  ForecastService,
  MeterService,
  ModelService,
  PlanService,
  RegulationService,
  SiteService,
  SiteSettings,
} from '../services.ts';
import type { ClockQuarantine } from './clock-quarantine.ts';
import { eraseDemo } from './demo/erase.ts';
import { type DemoProcess, openDemoProcess } from './demo/process.ts';
import type { RunningPrices } from './prices.ts';
import type { RunningWeather } from './weather.ts';

export interface DemoService {
  /** Loads 60 days of history, starts the simulators in a process of their own, adds devices and the document. */
  start(actor: Actor): Promise<void>;
  /** Leaves without trace. */
  stop(actor: Actor): Promise<void>;
  running(): boolean;
}

export type DemoServiceDeps = Base & {
  devices: Pick<DeviceService, 'create' | 'remove' | 'update' | 'list' | 'newCredential'>;
  site: Pick<SiteService, 'get' | 'save' | 'remove' | 'tenants'>;
  meters: Pick<MeterService, 'list' | 'save' | 'remove' | 'refresh'>;
  regulation: Pick<RegulationService, 'documents' | 'upload' | 'remove'>;
  forecasts: Pick<ForecastService, 'refresh' | 'latest' | 'forget'>;
  models: Pick<ModelService, 'cancel' | 'forget'>;
  prices: Pick<RunningPrices, 'refresh' | 'useProviderUrls' | 'forget'>;
  weather: Pick<RunningWeather, 'useProviderUrls' | 'forget'>;
  plans: Pick<PlanService, 'saveDevice'>;
  quarantine: Pick<ClockQuarantine, 'erase'>;
  intake: Intake;
  /** Port of the box's own broker, known once it listens. */
  mqtt_port: () => number;
};
export type RunningDemo = DemoService & {
  /** After a restart the demo goes on where one is set up; starts one where the configuration asks for it. */
  resume(): Promise<void>;
  /** Ends the simulators; the demo stays set up. */
  end(): Promise<void>;
};

/** What must outlive a restart. The same seed and start continue the same registers. */
type Stored = { seed: number; started_ms: number; modbus_port: number; price_port: number };

const SEED = 7;
const FIRST_TRY_MS = 2000;
const LONGEST_TRY_MS = 60_000;
const FORECAST_TRIES = 24;
const FORECAST_PAUSE_MS = 5000;
const LOAD_METER = 'demo-load';
const STEPS = {
  simulators: { en: 'Starting the simulators', de: 'Simulatoren werden gestartet' },
  history: { en: 'Loading 60 days of history', de: '60 Tage Vergangenheit werden geladen' },
  devices: { en: 'Starting the devices', de: 'Geräte werden gestartet' },
  done: { en: 'The demo site runs', de: 'Der Demo-Standort läuft' },
};
const TEXTS = [
  { file: 'enwg-auszug.pdf', title: 'Energiewirtschaftsgesetz (Auszug)' },
  { file: 'eu-2019-944-extract.pdf', title: 'Directive (EU) 2019/944 (extract)' },
];
const DAY_MS = 24 * HOUR_MS;

const SITE: SiteSettings = {
  id: 'main',
  name: 'Demo: Hall & Office',
  place: 'Freiburg im Breisgau',
  ...DEMO_PLACE,
  time_zone: DEMO_ZONE,
  country: 'DE',
  currency: 'EUR',
  energy_price: { kind: 'day-ahead', area: DEMO_AREA, factor: 1, fee_per_kWh: 0.118, vat_percent: 19 },
};

export function createDemoService(deps: DemoServiceDeps): RunningDemo {
  const { config, clock, log, bus, db, site, devices, meters, prices, weather } = deps;
  let demo: DemoProcess | null = null;
  let tenant_of_demo: string | null = null;
  let retry: NodeJS.Timeout | undefined;
  let ended = false;
  let working: Promise<unknown> = Promise.resolve();

  /** One thing at a time: a stop during a start waits for it. */
  function alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = working.then(work, work);
    working = mine.catch(() => {});
    return mine;
  }

  const progress = ({ tenant, language }: Actor, percent: number, step: keyof typeof STEPS) =>
    bus.publish({ type: 'progress', tenant, task: 'demo', done: percent, total: 100, text: STEPS[step][language] });

  async function launch(actor: Actor, stored: Stored): Promise<Stored> {
    const opened = await openDemoProcess(stored, log, (died) => onDeath(actor, died));
    demo = opened;
    tenant_of_demo = actor.tenant;
    prices.useProviderUrls(opened.urls);
    weather.useProviderUrls(opened.urls);
    const now = { ...stored, modbus_port: opened.modbus_port, price_port: opened.price_port };
    await save(actor.tenant, now);
    return now;
  }

  /** A simulator that dies is started again, ever slower. */
  function onDeath(actor: Actor, died: DemoProcess, pause_ms = FIRST_TRY_MS): void {
    if (ended || demo !== died) return;
    demo = null;
    log.warn({ tenant: actor.tenant }, 'the demo process ended; it is started again');
    retry = setTimeout(() => {
      alone(() => revive(actor)).catch((error: unknown) => {
        log.warn({ err: error }, 'the demo could not go on');
        demo = died;
        onDeath(actor, died, Math.min(pause_ms * 2, LONGEST_TRY_MS));
      });
    }, pause_ms);
  }

  async function revive(actor: Actor): Promise<void> {
    const stored = await load(actor.tenant);
    if (ended || !stored || !site.get(actor.tenant)?.demo) return;
    const { modbus_port } = await launch(actor, stored);
    if (modbus_port !== stored.modbus_port)
      for (const device of DEMO_DEVICES)
        if (device.unit !== null)
          await devices.update(actor, device.id, { connection: connectionOf(device, modbus_port) });
    const credentials: Credential[] = [];
    for (const { id, unit } of DEMO_DEVICES)
      if (unit === null) credentials.push({ id, ...(await devices.newCredential(actor, id)) });
    await demo?.publish(`mqtt://127.0.0.1:${deps.mqtt_port()}`, credentials);
  }

  async function begin(actor: Actor): Promise<void> {
    const { tenant } = actor;
    const known = site.get(tenant);
    if (known && !known.demo)
      throw new InvalidDataError(
        'A site is set up already, so the demo cannot take its place.',
        'Run the demo in a box of its own: LUNA_HOME=… LUNA_DEMO=1 make run.',
      );
    if (known) return;
    const other = site.tenants().find((one) => one !== tenant && site.get(one));
    if (other !== undefined)
      throw new InvalidDataError(
        site.get(other)?.demo
          ? 'Another organisation runs the demo already.'
          : 'Another organisation has a site on this box, and the invented prices of the demo would reach its bills.',
        'Run the demo in a box of its own: LUNA_HOME=… LUNA_DEMO=1 make run.',
      );
    try {
      await setUp(actor);
    } catch (error) {
      await leave(actor).catch((left: unknown) => log.error({ err: left }, 'the demo could not be removed'));
      throw error;
    }
  }

  async function setUp(actor: Actor): Promise<void> {
    const { tenant } = actor;
    const started_ms = slotStart(clock.now());
    progress(actor, 0, 'simulators');
    await site.save(actor, SITE, { demo: true });
    const stored = await launch(actor, { seed: SEED, started_ms, modbus_port: 0, price_port: 0 });
    const credentials = await createDevices(actor, stored.modbus_port);
    void prices.refresh(tenant).catch((error: unknown) => log.warn({ err: error }, 'demo prices did not come'));
    for (const device of DEMO_PLAN_DEVICES[actor.language]) await deps.plans.saveDevice(actor, device);
    await loadHistory(actor, started_ms);
    progress(actor, 90, 'devices');
    await demo?.publish(`mqtt://127.0.0.1:${deps.mqtt_port()}`, credentials);
    await uploadTexts(actor);
    void firstForecasts(tenant, started_ms).catch((error: unknown) => log.warn({ err: error }, 'no demo forecast yet'));
    progress(actor, 100, 'done');
  }

  async function createDevices(actor: Actor, modbus_port: number): Promise<Credential[]> {
    const credentials: Credential[] = [];
    for (const device of DEMO_DEVICES) {
      const { id, profile, role, parent, meter } = device;
      const name = device.name[actor.language];
      const points = [{ channel: 'main', id, name, role, parent }];
      const connection = connectionOf(device, modbus_port);
      const made = await devices.create(actor, { id, name, profile, connection, demo: true, points });
      if (made.username !== null && made.password !== null)
        credentials.push({ id, username: made.username, password: made.password });
      log.debug({ device: id, meter }, 'demo device made');
    }
    await meters.save(actor, {
      id: LOAD_METER,
      name: actor.language === 'de' ? 'Verbrauch des Gebäudes' : 'Building load',
      role: 'load',
      device: null,
      channel: 'main',
      parent: null,
      virtual: ['demo-grid', 'demo-pv', 'demo-battery'].map((meter) => ({ meter, factor: 1 })),
      demo: true,
    });
    return credentials;
  }

  async function loadHistory(actor: Actor, started_ms: number): Promise<void> {
    const { tenant } = actor;
    const begun = performance.now();
    let rejected = 0;
    await demo?.history(started_ms - HISTORY_DAYS * DAY_MS, started_ms, async (readings, done, total) => {
      const group = { tenant, source: 'demo', device: null, received_ms: clock.now(), readings };
      rejected += (await deps.intake(group)).rejected.length;
      progress(actor, 5 + Math.round((80 * done) / total), 'history');
    });
    log.info({ tenant, rejected, took_ms: Math.round(performance.now() - begun) }, 'demo history loaded');
  }

  /** Forecasts need the slots of the history, which follow it within seconds. */
  /** Until one knows the whole history: its slots are still being computed while the first ones are made. */
  async function firstForecasts(tenant: string, started_ms: number): Promise<void> {
    for (let tries = 0; tries < FORECAST_TRIES && tenant_of_demo === tenant && !ended; tries++) {
      await new Promise((resolve) => setTimeout(resolve, FORECAST_PAUSE_MS));
      await deps.forecasts.refresh(tenant);
      const made = await deps.forecasts.latest(tenant, 'load', clock.now());
      if (made && made.inputs_known_ms > started_ms - HOUR_MS) return;
    }
  }

  async function uploadTexts(actor: Actor): Promise<void> {
    for (const { file, title } of TEXTS) {
      const bytes = await readFile(join(import.meta.dirname, '..', 'demo', 'regulation', file));
      await deps.regulation.upload(actor, { name: file, bytes: new Uint8Array(bytes), title, demo: true });
    }
  }

  async function leave(actor: Actor): Promise<void> {
    clearTimeout(retry);
    const dying = demo;
    demo = null;
    tenant_of_demo = null;
    await dying?.close();
    prices.useProviderUrls(null);
    weather.useProviderUrls(null);
    await deps.models.cancel(actor);
    await eraseDemo(deps, actor, SITE);
    deps.models.forget(actor.tenant);
    deps.forecasts.forget?.(actor.tenant);
    await prices.forget(DEMO_AREA);
    await weather.forget(actor.tenant);
  }

  async function load(tenant: string): Promise<Stored | null> {
    const [row] = await db.asTenant(tenant, (sql) =>
      sql<{ value: Stored }>(`select value from setting where name = 'demo'`),
    );
    return row?.value ?? null;
  }

  async function save(tenant: string, stored: Stored): Promise<void> {
    await db.asTenant(tenant, (sql) =>
      sql(
        `insert into setting (tenant_id, name, value) values ($1, 'demo', $2)
         on conflict (tenant_id, name) do update set value = excluded.value`,
        [tenant, JSON.stringify(stored)],
      ),
    );
  }

  return {
    start: (actor) => alone(() => begin(actor)),
    stop: (actor) =>
      alone(async () => {
        if (!site.get(actor.tenant)?.demo) throw new InvalidDataError('There is no demo to end.');
        await leave(actor);
      }),
    running: () => tenant_of_demo !== null,
    async resume() {
      ended = false;
      const tenant = site.tenants().find((one) => site.get(one)?.demo);
      const actor: Actor = { tenant: tenant ?? 'default', person: 'system', role: 'admin', language: 'en' };
      const work = tenant !== undefined ? () => revive(actor) : () => begin(actor);
      // the box is ready without waiting for it
      if (tenant !== undefined || (config.demo && !site.get(actor.tenant)))
        alone(work).catch((error: unknown) => log.error({ err: error }, 'the demo could not start'));
    },
    async end() {
      ended = true;
      clearTimeout(retry);
      const dying = demo;
      demo = null;
      await dying?.close();
    },
  };
}

function connectionOf({ unit, topic, meter }: DemoDevice, modbus_port: number) {
  if (unit === null) return { kind: 'mqtt' as const, topic };
  return { kind: 'modbus-tcp' as const, host: '127.0.0.1', port: modbus_port, unit, poll_s: meter === 'grid' ? 2 : 5 };
}
