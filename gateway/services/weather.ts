/** Weather of each site, fetched every hour or so and cached on disk. Optional: nothing ever waits for it. */

import { z } from 'zod';
import { createOpenMeteo } from '../../connectors/weather/open-meteo.ts';
import { NotFoundError } from '../../engine/errors.ts';
import type { KnownWeather } from '../../engine/forecast/box/model-port.ts';
import { WEATHER_LEAD_MS } from '../../engine/forecast/box/slot-panel.ts';
import { HOUR_MS } from '../../engine/model/time.ts';
import type { WeatherHour, WeatherProvider } from '../../engine/ports.ts';
import type { Outbound } from '../outbound.ts';
import type { Base, SiteService } from '../services.ts';

export interface WeatherService {
  hours(
    tenant: string,
    from_ms: number,
    to_ms: number,
  ): Promise<{ at_ms: number; temperature_C: number | null; irradiance_W_m2: number | null; forecast: boolean }[]>;
  /** What had been forecast so long before each hour, oldest first: what models may learn from. Empty at first. */
  known(tenant: string): Promise<KnownWeather[]>;
  state(tenant: string): Promise<{ enabled: boolean; last_success_ms: number | null; fault: string | null }>;
}

export type WeatherServiceDeps = Pick<Base, 'config' | 'clock' | 'log' | 'metrics' | 'files'> & {
  site: Pick<SiteService, 'get' | 'tenants'>;
  outbound: Pick<Outbound, 'allowing'>;
  random?: () => number;
  /** Replaces the configured source (tests). */
  provider?: WeatherProvider;
};
export type RunningWeather = WeatherService & {
  start(): void;
  stop(): Promise<void>;
  /** Fetches what is due at the clock's time, once; failures are kept as state, never thrown. */
  poll(): Promise<void>;
  /** Sends the source to another base URL, or (null) back to its own. */
  useProviderUrls(urls: Readonly<Record<string, string>> | null): void;
  /** Removes what is kept of the tenant. */
  forget(tenant: string): Promise<void>;
};

const FILE = 'weather.json';
const DAY_MS = 24 * HOUR_MS;
const PAST_DAYS = 60;
const AHEAD_DAYS = 3;
/** Hours older than this are dropped from the cache. */
const KEEP_DAYS = 420;
const TICK_MS = 10_000;

const Cache = z.object({
  /** Place the hours are of. */
  latitude: z.number(),
  longitude: z.number(),
  fetched_ms: z.number(),
  hours: z.array(
    z.object({
      at_ms: z.number(),
      temperature_C: z.number().nullable(),
      irradiance_W_m2: z.number().nullable(),
      forecast: z.boolean(),
      /** By how long before the hour (ms): temperature and irradiance as forecast then at the latest. */
      ahead: z.record(z.string(), z.tuple([z.number().nullable(), z.number().nullable()])).optional(),
    }),
  ),
});
type CachedHour = z.infer<typeof Cache>['hours'][number];
type Cached = z.infer<typeof Cache>;
type TenantState = { cache: Cached | null; fault: string | null; due_ms: number; tries: number };

export function createWeatherService(deps: WeatherServiceDeps): RunningWeather {
  const { config, clock, log, files, site, metrics } = deps;
  const random = deps.random ?? Math.random;
  const states = new Map<string, Promise<TenantState>>();
  let [stopping, timer] = [new AbortController(), undefined as NodeJS.Timeout | undefined];
  let polling: Promise<void> | undefined;
  const open = (base_url: string | undefined) =>
    createOpenMeteo({ base_url, now: () => clock.now(), fetch: deps.outbound.allowing(base_url ? [base_url] : []) });
  let provider = deps.provider ?? open(config.provider_urls['open-meteo']);
  const enabled = config.weather !== 'off';

  function stateOf(tenant: string): Promise<TenantState> {
    const state = states.get(tenant) ?? load(tenant);
    states.set(tenant, state);
    return state;
  }

  async function load(tenant: string): Promise<TenantState> {
    try {
      const bytes = await files.read(tenant, FILE);
      return { cache: Cache.parse(JSON.parse(new TextDecoder().decode(bytes))), fault: null, due_ms: 0, tries: 0 };
    } catch (error) {
      if (!(error instanceof NotFoundError)) log.warn({ err: error }, 'cached weather is unreadable and fetched anew');
      return { cache: null, fault: null, due_ms: 0, tries: 0 };
    }
  }

  async function update(tenant: string): Promise<void> {
    const place = site.get(tenant);
    const state = await stateOf(tenant);
    const now_ms = clock.now();
    if (place?.latitude == null || place.longitude == null || state.due_ms > now_ms) return;
    const { latitude, longitude } = place;
    const same = state.cache?.latitude === latitude && state.cache.longitude === longitude ? state.cache : null;
    const past = same ? Math.min(PAST_DAYS, Math.ceil((now_ms - same.fetched_ms) / DAY_MS) + 1) : PAST_DAYS;
    const range = { from_ms: now_ms - past * DAY_MS, to_ms: now_ms + AHEAD_DAYS * DAY_MS };
    try {
      const fresh = await provider.fetch({ latitude, longitude, ...range, signal: stopping.signal });
      state.cache = { latitude, longitude, fetched_ms: now_ms, hours: merge(same?.hours ?? [], fresh, now_ms) };
      [state.fault, state.tries] = [null, 0];
      // The next hour writes it again; a restart until then fetches it anew.
      await files
        .write(tenant, FILE, new TextEncoder().encode(JSON.stringify(state.cache)))
        .catch((error: unknown) => log.warn({ err: error, tenant_id: tenant }, 'the weather was not kept on disk'));
    } catch (error) {
      state.fault = (error as Error).message;
      state.tries += 1;
    }
    metrics.provider_runs.inc({ provider: provider.name, outcome: state.fault === null ? 'ok' : 'fault' });
    const pause_ms = state.fault === null ? HOUR_MS : Math.min(5 * 60_000 * 1.5 ** state.tries, HOUR_MS);
    state.due_ms = clock.now() + pause_ms * (0.8 + 0.4 * random());
  }

  function poll(): Promise<void> {
    if (!enabled) return Promise.resolve();
    polling ??= Promise.allSettled(site.tenants().map(update)).then(() => {
      polling = undefined;
    });
    return polling;
  }

  return {
    async hours(tenant, from_ms, to_ms) {
      const { cache } = await stateOf(tenant);
      const now_ms = clock.now();
      return (
        (cache?.hours ?? [])
          .filter(({ at_ms }) => at_ms >= from_ms && at_ms < to_ms)
          // what was a forecast for an hour that is over stays one
          .map(({ ahead: _, ...hour }) => ({ ...hour, forecast: hour.forecast || hour.at_ms > now_ms }))
      );
    },
    known: async (tenant) => knownOf((await stateOf(tenant)).cache?.hours ?? []),
    async state(tenant) {
      const { cache, fault } = await stateOf(tenant);
      return { enabled, last_success_ms: cache?.fetched_ms ?? null, fault };
    },
    start() {
      stopping = new AbortController();
      void poll();
      timer = setInterval(() => void poll(), TICK_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await polling;
    },
    poll,
    useProviderUrls(urls) {
      if (deps.provider) return;
      provider = open(urls?.['open-meteo'] ?? config.provider_urls['open-meteo']);
      for (const state of states.values()) void state.then((one) => Object.assign(one, { due_ms: 0 }));
    },
    async forget(tenant) {
      await polling;
      states.delete(tenant);
      await files.remove(tenant, FILE);
    },
  };
}

/** Fresh hours win; older ones stay. What was forecast long enough before an hour is kept beside what came of it. */
function merge(before: readonly CachedHour[], fresh: readonly WeatherHour[], now_ms: number): CachedHour[] {
  const hours = new Map(before.map((hour) => [hour.at_ms, hour]));
  for (const hour of fresh) {
    const ahead = { ...hours.get(hour.at_ms)?.ahead };
    for (const lead_ms of LEADS_MS)
      if (hour.at_ms - now_ms >= lead_ms) ahead[lead_ms] = [hour.temperature_C, hour.irradiance_W_m2];
    hours.set(hour.at_ms, Object.keys(ahead).length === 0 ? hour : { ...hour, ahead });
  }
  return [...hours.values()]
    .filter(({ at_ms }) => at_ms > now_ms - KEEP_DAYS * DAY_MS)
    .sort((a, b) => a.at_ms - b.at_ms);
}

/** How long before an hour the horizons of forecasts need its weather. */
const LEADS_MS = Object.values(WEATHER_LEAD_MS);

function knownOf(hours: readonly CachedHour[]): KnownWeather[] {
  return LEADS_MS.flatMap((lead_ms) => {
    const found = hours.flatMap(({ at_ms, ahead }) => (ahead?.[lead_ms] ? [{ at_ms, pair: ahead[lead_ms] }] : []));
    const at_ms = Float64Array.from(found, (hour) => hour.at_ms);
    const valuesOf = (k: 0 | 1) => Float64Array.from(found, ({ pair }) => pair[k] ?? NaN);
    const series = [
      { name: 'temperature', unit: '°C', lead_ms, at_ms, values: valuesOf(0) },
      { name: 'irradiance', unit: 'W/m²', lead_ms, at_ms, values: valuesOf(1) },
    ] as const;
    return series.filter(({ values }) => values.some((value) => !Number.isNaN(value)));
  });
}
