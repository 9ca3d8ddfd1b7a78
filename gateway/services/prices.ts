/**
 * Prices: asks the sources when something is due, keeps what they say in the series store's price table, and works out
 * what a kWh costs the site. The table is the cache: without any network stored prices stay, and say since when.
 */
import { createPriceProviders } from '../../connectors/prices/catalogue.ts';
import { createFixedPrices } from '../../connectors/prices/fixed.ts';
import { InvalidDataError, NotAllowedError, UnsupportedError } from '../../engine/errors.ts';
import type { PriceMarket } from '../../engine/model/price.ts';
import type { EnergyPrice, Site } from '../../engine/model/site.ts';
import { HOUR_MS, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { Columns, PriceProvider } from '../../engine/ports.ts';
import type { Outbound } from '../outbound.ts';
import type { Actor, AlertService, Base, Demand, SiteService } from '../services.ts';
import type { UploadReader } from '../workers/upload-reader.ts';
import { createDemand } from './prices/demand.ts';
import { NO_SOURCE } from './prices/merge.ts';
import { createRunLog } from './prices/runs.ts';
import { areaOf, nextPoll, staleSince } from './prices/schedule.ts';
import { knownUntil, storeSeries, updateArea } from './prices/update.ts';

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

export type PriceServiceDeps = Pick<Base, 'config' | 'clock' | 'log' | 'metrics' | 'bus' | 'db' | 'series'> & {
  site: Pick<SiteService, 'get' | 'tenants'>;
  alerts: Pick<AlertService, 'raise' | 'clear'>;
  outbound: Pick<Outbound, 'allowing'>;
  uploads: Pick<UploadReader, 'prices'>;
  /** Jitter; Math.random where left out. */
  random?: () => number;
  /** Replaces the sources of the configuration (tests). */
  providers?: readonly PriceProvider[];
};
export type RunningPrices = PriceService & {
  /** Loads the log of runs and begins to ask; returns at once, the first answers come in the background. */
  start(): void;
  stop(): Promise<void>;
  /** Asks what is due at the clock's time, once. */
  poll(): Promise<void>;
  /** Sends all sources to other base URLs, or (null) back to their own; what is due is asked anew. */
  useProviderUrls(urls: Readonly<Record<string, string>> | null): void;
  /** Removes every stored price and run of the area. */
  forget(area: string): Promise<void>;
};

type Task = { area: string; market: PriceMarket; due_ms: number; tries: number; fill_after_ms: number; gaps: boolean };
const TICK_MS = 5000;
const DAY_MS = 86_400_000;

/** `start` after the stores are open, `stop` before they close. */
export function createPriceService(deps: PriceServiceDeps): RunningPrices {
  const { config, clock, log, series, site, alerts } = deps;
  const random = deps.random ?? Math.random;
  const table = series.prices;
  const order = deps.providers?.map(({ name }) => name) ?? config.price_sources;
  const runs = createRunLog(deps);
  const tasks = new Map<string, Task>();
  const running = new Map<Task, Promise<void>>();
  const known = new Map<string, number | null>();
  const open = (provider_urls: Readonly<Record<string, string>>) =>
    createPriceProviders({ ...config, provider_urls, fetch: deps.outbound.allowing(Object.values(provider_urls)) });
  let providers = deps.providers ?? open(config.provider_urls);
  const demand = createDemand({ clock, runs, providers: () => providers });
  let stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;

  /** Areas that sites need, each with its markets. */
  function neededTasks(): Task[] {
    const areas = new Set<string>();
    for (const tenant of site.tenants()) {
      const area = dayAheadOf(site.get(tenant))?.area;
      if (area) areas.add(area);
    }
    return [...areas].flatMap((area) => {
      const markets = new Set(providers.filter((one) => one.serves(area)).flatMap((one) => one.markets));
      return [...markets].map((market) => taskOf(area, market));
    });
  }

  /** From memory; updates and files renew it. */
  async function knownEnd(area: string, of: PriceMarket): Promise<number | null> {
    const key = `${area} ${of}`;
    const found = known.get(key) ?? (await knownUntil(table, area, of, clock.now()));
    known.set(key, found);
    return found;
  }

  function taskOf(area: string, market: PriceMarket): Task {
    const key = `${area} ${market}`;
    const task = tasks.get(key) ?? { area, market, due_ms: 0, tries: 0, fill_after_ms: 0, gaps: false };
    tasks.set(key, task);
    return task;
  }

  function runTask(task: Task): Promise<void> {
    const found = running.get(task);
    if (found) return found;
    const run = update(task).finally(() => running.delete(task));
    running.set(task, run);
    return run;
  }

  async function update(task: Task): Promise<void> {
    const { area, market } = task;
    const { signal } = stopping;
    const now_ms = clock.now();
    // once a day, or an hour after it failed: holes in the past are rare and sources limit requests
    const has_backfill = now_ms >= task.fill_after_ms;
    let [stored, improvable, answered] = [0, false, false];
    try {
      const updating = { ...deps, table, runs, providers, order };
      ({ stored, improvable, answered } = await updateArea(updating, area, market, has_backfill, signal));
      // the network is back: what was missed meanwhile comes next
      if (answered && task.gaps && !has_backfill) task.fill_after_ms = now_ms;
      if (has_backfill) task.gaps = !answered;
      if (has_backfill) task.fill_after_ms = now_ms + (answered ? DAY_MS : HOUR_MS * Math.min(task.tries + 1, 12));
    } catch (error) {
      log.warn({ err: error, area }, 'prices could not be updated');
    }
    if (stored > 0) known.delete(`${area} ${market}`);
    const known_until_ms = await knownEnd(area, market).catch(() => null);
    task.tries = stored > 0 ? 0 : task.tries + 1;
    const next_ms = nextPoll({ area, market, known_until_ms }, clock.now(), task.tries, random());
    const sooner_ms = clock.now() + HOUR_MS * (0.9 + 0.2 * random());
    task.due_ms = improvable || task.gaps ? Math.min(next_ms, sooner_ms) : next_ms;
    if (market === 'day-ahead') await tellStale(area, known_until_ms);
  }

  async function tellStale(area: string, known_until_ms: number | null): Promise<void> {
    const since_ms = staleSince({ area, market: 'day-ahead', known_until_ms }, clock.now());
    for (const tenant of site.tenants()) {
      if (dayAheadOf(site.get(tenant))?.area !== area) continue;
      const told =
        since_ms === null
          ? alerts.clear(tenant, 'prices_stale', area)
          : alerts.raise(tenant, 'prices_stale', area, 'warning', { since_ms });
      await told.catch((error: unknown) => log.warn({ err: error }, 'the alert of stale prices could not be kept'));
    }
  }

  /** The price table is one for the box: nobody may change what others pay. */
  function requireOwnArea({ tenant, role }: Actor, area: string): void {
    if (role !== 'admin')
      throw new NotAllowedError('Only admins may load prices.', 'They rank above all sources and change costs.');
    const own = dayAheadOf(site.get(tenant))?.area;
    if (own !== area)
      throw new InvalidDataError(
        own ? `The site's market area is ${own}, not ${area}.` : 'The site has no market area.',
        'Load prices for the area of the site; PUT /api/v1/site sets it.',
      );
    if (site.tenants().some((other) => other !== tenant && dayAheadOf(site.get(other))?.area === area))
      throw new InvalidDataError(
        `Another organisation on this box has the prices of ${area} too, and they would change for both.`,
        'Have the operator put the table into the folder prices/ of the box, or name an area of your own in the site.',
      );
  }

  async function poll(): Promise<void> {
    const now_ms = clock.now();
    await Promise.all(
      neededTasks()
        .filter(({ due_ms }) => due_ms <= now_ms)
        .map(runTask),
    );
  }

  /** Known prices of the area; a store that does not answer rejects. */
  async function market(area: string, of: PriceMarket, from_ms: number, to_ms: number): Promise<MarketPrices> {
    const now_ms = clock.now();
    const [stored, known_until_ms] = await Promise.all([
      table.read(area, of, slotStart(from_ms), to_ms),
      knownEnd(area, of),
    ]);
    return {
      area,
      market: of,
      currency: stored.currency ?? areaOf(area).currency,
      vat_included: stored.vat_included,
      at_ms: stored.at_ms,
      values: stored.values,
      sources: stored.sources.filter((name) => name !== NO_SOURCE),
      fetched_ms: stored.fetched_ms,
      stale_since_ms: staleSince({ area, market: of, known_until_ms }, now_ms),
    };
  }

  return {
    market,
    async site(tenant, from_ms, to_ms) {
      const found = site.get(tenant);
      if (!found) return { currency: 'EUR', columns: emptyColumns(from_ms, to_ms), sources: [], stale_since_ms: null };
      const tariff = found.energy_price;
      if (tariff.kind === 'fixed') {
        const columns = await fixedColumns(tariff, found.currency, from_ms, to_ms);
        return { currency: found.currency, columns, sources: ['fixed'], stale_since_ms: null };
      }
      const prices = await market(tariff.area, 'day-ahead', from_ms, to_ms);
      const columns = emptyColumns(from_ms, to_ms);
      // a price in another currency than the fee would make a wrong bill: better none
      if (prices.currency === found.currency) fillSitePrices(columns, prices, tariff);
      return { currency: found.currency, columns, sources: prices.sources, stale_since_ms: prices.stale_since_ms };
    },
    async sources(tenant) {
      const found = site.get(tenant);
      const area = dayAheadOf(found)?.area;
      if (!found || !area) return [];
      const next_run_ms = tasks.get(`${area} day-ahead`)?.due_ms ?? null;
      const { currency } = await market(area, 'day-ahead', clock.now(), clock.now() + SLOT_MS);
      const clash =
        currency === found.currency
          ? null
          : `Prices of ${area} are in ${currency}, but the site counts in ${found.currency}: set the site's currency to ${currency}.`;
      return providers
        .filter((one) => one.serves(area))
        .map(({ name }) => {
          const { last_success_ms = null, last_run_ms = null, fault = null } = runs.of(name, area) ?? {};
          return { name, area, last_success_ms, last_run_ms, fault: clash ?? fault, next_run_ms };
        });
    },
    demand: async (area, kind, from_ms, to_ms) => demand({ area, kind, from_ms, to_ms }, stopping.signal),
    async refresh(tenant) {
      const area = dayAheadOf(site.get(tenant))?.area;
      if (area)
        await Promise.all(
          neededTasks()
            .filter((task) => task.area === area)
            .map(runTask),
        );
    },
    async loadCsv(actor, area, csv) {
      if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$/.test(area))
        throw new InvalidDataError(`\`${area}\` is no market area.`, 'Give one such as DE-LU, AT or HB_HOUSTON.');
      requireOwnArea(actor, area);
      const { time_zone, currency } = areaOf(area);
      const loaded = await deps.uploads.prices(csv, { area, time_zone, currency });
      const slots = await storeSeries({ table, clock, order }, loaded);
      known.delete(`${area} day-ahead`);
      log.info({ area, slots, person: actor.person }, 'prices loaded from a file');
      deps.bus.publish({ type: 'prices', tenant: null, area });
      return { slots };
    },
    start() {
      stopping = new AbortController();
      const tick = () => void poll().catch((error: unknown) => log.warn({ err: error }, 'asking for prices failed'));
      void runs.load().catch((error: unknown) => log.warn({ err: error }, 'earlier provider runs are unknown'));
      tick();
      timer = setInterval(tick, TICK_MS);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      stopping.abort();
      await Promise.allSettled(running.values());
    },
    poll,
    useProviderUrls(urls) {
      if (deps.providers) return;
      // what is asked of the old ones is given up; the tasks that come next know nothing of it
      stopping.abort();
      stopping = new AbortController();
      providers = open({ ...config.provider_urls, ...urls });
      tasks.clear();
    },
    async forget(area) {
      await Promise.allSettled(running.values());
      for (const market of ['day-ahead', 'real-time'] as const) await blank(table, area, market, clock.now());
      known.clear();
      await runs.forget(area);
    },
  };
}

function dayAheadOf(site: { energy_price: EnergyPrice } | null): (EnergyPrice & { kind: 'day-ahead' }) | null {
  return site?.energy_price.kind === 'day-ahead' ? site.energy_price : null;
}

function emptyColumns(from_ms: number, to_ms: number): Columns {
  const first = slotStart(from_ms);
  const count = Math.max(0, Math.ceil((to_ms - first) / SLOT_MS));
  return {
    at_ms: Float64Array.from({ length: count }, (_, i) => first + i * SLOT_MS),
    values: new Float64Array(count).fill(Number.NaN),
    quality: new Int32Array(count),
  };
}

/** Per kWh with VAT and fee: (price × factor + fee) × (1 + VAT), where the source leaves VAT out. */
function fillSitePrices(
  { at_ms, values }: Columns,
  prices: MarketPrices,
  { factor, fee_per_kWh, vat_percent }: EnergyPrice & { kind: 'day-ahead' },
): void {
  const vat = 1 + vat_percent / 100;
  const market_vat = prices.vat_included ? 1 : vat;
  const place = new Map(Array.from(at_ms, (slot_ms, i) => [slot_ms, i]));
  for (let i = 0; i < prices.at_ms.length; i++) {
    const slot = place.get(prices.at_ms[i] ?? Number.NaN);
    if (slot === undefined) continue;
    values[slot] = ((prices.values[i] ?? Number.NaN) / 1000) * factor * market_vat + fee_per_kWh * vat;
  }
}

async function fixedColumns(
  tariff: EnergyPrice & { kind: 'fixed' },
  currency: Site['currency'],
  from_ms: number,
  to_ms: number,
): Promise<Columns> {
  const provider = createFixedPrices({ per_MWh: tariff.per_kWh * 1000, currency });
  const signal = new AbortController().signal;
  const { slots } = await provider.fetch({ area: 'FIXED', market: 'day-ahead', from_ms, to_ms, signal });
  const vat = 1 + tariff.vat_percent / 100;
  return {
    at_ms: Float64Array.from(slots, ({ at_ms }) => at_ms),
    values: Float64Array.from(slots, ({ value }) => ((value ?? Number.NaN) / 1000) * vat),
    quality: new Int32Array(slots.length),
  };
}

/** Removes the prices; a store that cannot (QuestDB) gets nulls, which are no prices either. */
async function blank(
  table: Base['series']['prices'],
  area: string,
  market: PriceMarket,
  now_ms: number,
): Promise<void> {
  try {
    if (table.remove) return await table.remove(area, market);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error;
  }
  const stored = await table.read(area, market, 0, now_ms + 30 * DAY_MS);
  const slots = Array.from(stored.at_ms, (at_ms) => ({ at_ms, value: null }));
  const { currency, vat_included } = stored;
  if (slots.length > 0)
    await table.write({ area, market, currency: currency ?? 'EUR', vat_included, source: NO_SOURCE, slots }, now_ms);
}
