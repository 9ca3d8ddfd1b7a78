/**
 * Prices: asks the sources when something is due, keeps what they say in the series store's price table, and works out
 * what a kWh costs the site. The table is the cache: without any network stored prices stay, and say since when.
 */
import { createPriceProviders } from '../../connectors/prices/catalogue.ts';
import { InvalidDataError, NotAllowedError, UnsupportedError } from '../../engine/errors.ts';
import type { PriceMarket } from '../../engine/model/price.ts';
import { HOUR_MS, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { Columns, PriceProvider } from '../../engine/ports.ts';
import type { SlotPrices, TariffContext } from '../../engine/tariff/prices.ts';
import type { Tariff, TariffVersion } from '../../engine/tariff/tariff.ts';
import { priceVersions } from '../../engine/tariff/version-prices.ts';
import type { Outbound } from '../outbound.ts';
import type { Actor, AlertService, Base, Demand, SiteService, TariffService } from '../services.ts';
import type { UploadReader } from '../workers/upload-reader.ts';
import { createDemand } from './prices/demand.ts';
import { NO_SOURCE } from './prices/merge.ts';
import { createRunLog } from './prices/runs.ts';
import { areaOf, nextPoll, staleSince } from './prices/schedule.ts';
import { askMarkets, sitePrices, slotsTouched } from './prices/site-prices.ts';
import { knownUntil, storeSeries, updateArea } from './prices/update.ts';

export interface PriceService {
  /** Market prices of an area in slots, without VAT and per MWh. */
  market(area: string, market: PriceMarket, from_ms: number, to_ms: number): Promise<MarketPrices>;
  /** What a kWh from the grid costs the site in each slot, and what one fed in earns, VAT and fees included; NaN where
   * a price is missing. Power has its price in the bill. */
  site(tenant: string, from_ms: number, to_ms: number): Promise<SitePrices>;
  /** The same with limits, CO2 and what is missing, under the site's tariff or a draft of it.
   * @throws InvalidDataError where a market is in another currency than the tariff expects */
  slots(tenant: string, from_ms: number, to_ms: number, draft?: readonly TariffVersion[]): Promise<SlotPrices>;
  /** What pricing a time under a tariff needs: market prices and holidays. */
  context(versions: readonly TariffVersion[], from_ms: number, to_ms: number): Promise<TariffContext>;
  /** For the page: the state of each configured source. */
  sources(tenant: string): Promise<readonly PriceSourceState[]>;
  /** Fetches what is due now (also run by schedule). */
  refresh(tenant: string): Promise<void>;
  /** Only for the tenant's own market area, which no other tenant of the box may have. @throws NotAllowedError, InvalidDataError */
  loadCsv(actor: Actor, area: string, csv: string): Promise<{ slots: number }>;
  /** Demand of the power system of an area. @throws NotFoundError where no source tells it, UnavailableError */
  demand?(area: string, kind: Demand['kind'], from_ms: number, to_ms: number): Promise<Demand>;
}

export type SitePrices = {
  currency: string;
  columns: Columns;
  /** Left out where nothing is paid for what is fed in. */
  feed_in?: Columns;
  sources: readonly string[];
  stale_since_ms: number | null;
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

export type PriceServiceDeps = Pick<Base, 'config' | 'clock' | 'log' | 'metrics' | 'bus' | 'db' | 'series'> & {
  site: Pick<SiteService, 'get' | 'tenants'>;
  tariffs: Pick<TariffService, 'versions' | 'current' | 'area' | 'areas' | 'isHoliday'>;
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
  const { config, clock, log, series, site, tariffs, alerts } = deps;
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
    const areas = new Set(site.tenants().flatMap((tenant) => tariffs.areas(tenant)));
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
      if (!tariffs.areas(tenant).includes(area)) continue;
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
    const own = tariffs.areas(tenant);
    if (!own.includes(area))
      throw new InvalidDataError(
        own.length > 0 ? `The site's market area is ${own.join(', ')}, not ${area}.` : 'The site has no market area.',
        "Load prices for an area that the site's tariff names.",
      );
    if (site.tenants().some((other) => other !== tenant && tariffs.areas(other).includes(area)))
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

  /** Hourly means reach to the ends of their hours. */
  const ask = (versions: readonly TariffVersion[], from_ms: number, to_ms: number) =>
    askMarkets(versions, tariffs.isHoliday, (one) =>
      market(one.area, one.market, Math.floor(from_ms / HOUR_MS) * HOUR_MS, Math.ceil(to_ms / HOUR_MS) * HOUR_MS),
    );

  return {
    market,
    async site(tenant, from_ms, to_ms) {
      const versions = tariffs.versions(tenant);
      const currency = versions[0]?.tariff.currency ?? site.get(tenant)?.currency ?? 'EUR';
      return sitePrices(versions, slotsTouched(from_ms, to_ms), await ask(versions, from_ms, to_ms), currency);
    },
    async slots(tenant, from_ms, to_ms, draft) {
      const versions = draft ?? tariffs.versions(tenant);
      const { context } = await ask(versions, from_ms, to_ms);
      return priceVersions(versions, { at_ms: slotsTouched(from_ms, to_ms) }, context);
    },
    context: async (versions, from_ms, to_ms) => (await ask(versions, from_ms, to_ms)).context,
    async sources(tenant) {
      const area = tariffs.area(tenant);
      const tariff = tariffs.current(tenant)?.tariff;
      if (!tariff || area === null) return [];
      const next_run_ms = tasks.get(`${area} day-ahead`)?.due_ms ?? null;
      const { currency } = await market(area, 'day-ahead', clock.now(), clock.now() + SLOT_MS);
      const clash = currencyClash(tariff, area, currency);
      return providers
        .filter((one) => one.serves(area))
        .map(({ name }) => {
          const { last_success_ms = null, last_run_ms = null, fault = null } = runs.of(name, area) ?? {};
          return { name, area, last_success_ms, last_run_ms, fault: clash ?? fault, next_run_ms };
        });
    },
    demand: async (area, kind, from_ms, to_ms) => demand({ area, kind, from_ms, to_ms }, stopping.signal),
    async refresh(tenant) {
      const areas = tariffs.areas(tenant);
      await Promise.all(
        neededTasks()
          .filter(({ area }) => areas.includes(area))
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

/** In words, where the tariff counts in another currency than the prices that came. */
function currencyClash(tariff: Tariff, area: string, currency: string): string | null {
  const asked = tariff.energy.flatMap(({ price }) => (price.kind === 'market' && price.area === area ? price : []));
  const expected = asked.map(({ exchange }) => exchange?.currency ?? tariff.currency).find((one) => one !== currency);
  if (expected === undefined) return null;
  return `Prices of ${area} are in ${currency}, but the tariff counts in ${expected}: write it in ${currency}, or give the market an exchange rate.`;
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
