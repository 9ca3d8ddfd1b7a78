/** Forecasts of load, generation and price: gathers history, lets a worker compute, stores, scores. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { Quality } from '../../engine/model/quality.ts';
import { addDays, HOUR_MS, SLOT_MS, sameTimeBefore, slotStart } from '../../engine/model/time.ts';
import type { Columns, Forecast } from '../../engine/ports.ts';
import type { Base, DataService, JobService, PriceService, SiteService, TariffService, Workers } from '../services.ts';
import type { ForecastTask, ForecastTaskResult } from '../workers/forecast.ts';

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

export const FORECAST_SERIES = ['load', 'generation', 'price'] as const;
type Series = (typeof FORECAST_SERIES)[number];

const DAY_MS = 24 * HOUR_MS;
const HISTORY_MS = 400 * DAY_MS;
const HORIZON_MS = 48 * HOUR_MS;
const QUANTILES = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];
/** The live model is chosen anew this often. */
const CHOICE_MS = DAY_MS;
/** And when the history has grown by this factor. */
const GROWN = 1.2;
/** "A day ahead": what was forecast at least this long before. */
const LEAD_MS = DAY_MS;
/** With fewer slots forecast a day ahead their error says too little. */
const TRACKED_LEAST = 48;
const QUEUE = 'forecast';
/** Those that are made from slots. */
const METERED: Series[] = ['load', 'generation'];
const SETTLE_MS = 4000;
const RETRY_MS = 60_000;

export type ForecastDeps = Pick<Base, 'clock' | 'log' | 'metrics' | 'bus'> & {
  forecasts: Base['series']['forecasts'];
  workers: Workers;
  jobs: Pick<JobService, 'define' | 'send' | 'schedule'>;
  site: Pick<SiteService, 'get' | 'tenants'>;
  balance: DataService['balance'];
  market: PriceService['market'];
  tariffs: Pick<TariffService, 'area'>;
};

type History = {
  columns: Columns;
  unit: string;
  from_ms: number;
  time_zone: string;
  known_ms: number;
  /** Tells this history from one with other values. */
  known: string;
};
type Live = {
  model: string;
  chosen_ms: number;
  /** Known values of the history when it was chosen. */
  chosen_values: number;
  scores: ForecastTaskResult['scores'];
  known: string;
  made_ms: number;
};

/** `start` declares the job and its schedule (before the job service starts); `stop` ends the wait for new prices. */
export function createForecastService(deps: ForecastDeps): ForecastService & { start(): void; stop(): void } {
  const { clock, log, metrics, bus } = deps;
  const live = new Map<string, Live>();
  const reasons = new Map<string, string>();
  const waiting = new Map<string, NodeJS.Timeout>();
  const tried = new Map<string, number>();
  let unsubscribe: (() => void) | null = null;

  async function make(tenant: string, series: Series): Promise<void> {
    const key = `${tenant} ${series}`;
    try {
      const history = await gather(deps, tenant, series);
      const before = live.get(key);
      const now = clock.now();
      const unchanged = before?.known === history.known && slotStart(before.made_ms) === slotStart(now);
      if (unchanged) return;
      // A history that has grown since (an import) may suit another model.
      const values = countOf(history.columns);
      const stale = !before || now - before.chosen_ms >= CHOICE_MS || values >= GROWN * before.chosen_values;
      const result = await compute(deps, history, series, stale ? null : before.model);
      await deps.forecasts.write(tenant, {
        series,
        unit: history.unit,
        made_at_ms: now,
        model: result.model,
        inputs_known_ms: history.known_ms,
        points: result.points,
      });
      live.set(key, {
        model: result.model,
        // A live model that could not forecast was replaced for now; the next round chooses again.
        chosen_ms: stale ? now : result.model === before.model ? before.chosen_ms : 0,
        chosen_values: stale ? values : before.chosen_values,
        scores: result.scores ?? before?.scores ?? null,
        known: history.known,
        made_ms: now,
      });
      reasons.delete(key);
      metrics.forecasts.inc({ tenant, series, model: result.model, outcome: 'made' });
      bus.publish({ type: 'forecast', tenant, series });
    } catch (error) {
      if (!(error instanceof InvalidDataError)) {
        metrics.forecasts.inc({ tenant, series, model: '', outcome: 'failed' });
        throw error;
      }
      live.delete(key);
      reasons.set(key, error.message);
      metrics.forecasts.inc({ tenant, series, model: '', outcome: 'no history' });
      log.debug({ tenant_id: tenant, series, reason: error.message }, 'no forecast');
    }
  }

  const service: ForecastService & { start(): void; stop(): void } = {
    latest: (tenant, series, at_ms) => deps.forecasts.latest(tenant, seriesNamed(series), at_ms),
    reason: (tenant, series) => reasons.get(`${tenant} ${series}`) ?? null,
    async refresh(tenant, series) {
      if (!deps.site.get(tenant)) return;
      const failures: unknown[] = [];
      for (const one of series === undefined ? FORECAST_SERIES : [seriesNamed(series)])
        await make(tenant, one).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) throw failures[0];
    },
    error: (tenant, series, days) => scoreOf(deps, tenant, seriesNamed(series), days, live.get(`${tenant} ${series}`)),
    past: (tenant, series, from_ms, to_ms) =>
      deps.forecasts.track(tenant, seriesNamed(series), from_ms, to_ms, LEAD_MS),
    start() {
      deps.jobs.define<{ series?: string[]; tenant?: string }>(QUEUE, async ({ series, tenant }) => {
        for (const one of tenant === undefined ? deps.site.tenants() : [tenant])
          for (const name of series ?? FORECAST_SERIES) await service.refresh(one, name);
      });
      // A little after each slot, when its last readings are in.
      deps.jobs.schedule(QUEUE, { cron: '1,16,31,46 * * * *' }, {});
      unsubscribe = bus.subscribe((event) => {
        if (event.type === 'prices') {
          for (const tenant of deps.site.tenants()) if (areaOf(deps, tenant) === event.area) queue(tenant, ['price']);
        } else if (event.type === 'slots' && isNews(event)) soon(event.tenant);
      });
    },
    stop() {
      unsubscribe?.();
      unsubscribe = null;
      for (const timer of waiting.values()) clearTimeout(timer);
      waiting.clear();
    },
  };
  return service;

  function queue(tenant: string, series: Series[]): void {
    deps.jobs
      .send(QUEUE, { tenant, series }, { dedupe: `${series.join('+')} ${tenant}` })
      .catch((error: unknown) => log.warn({ err: error, tenant_id: tenant }, 'a forecast was not queued'));
  }

  /** A history that was loaded, or the first slots where a forecast was missing: nobody should wait for the schedule. */
  function isNews({ tenant, from_ms, to_ms }: { tenant: string; from_ms: number; to_ms: number }): boolean {
    return to_ms - from_ms > DAY_MS || METERED.some((series) => reasons.has(`${tenant} ${series}`));
  }

  /** Once the slots have settled, and at most once a minute. */
  function soon(tenant: string): void {
    if (waiting.has(tenant)) return;
    const rest_ms = (tried.get(tenant) ?? 0) + RETRY_MS - clock.now();
    const timer = setTimeout(
      () => {
        waiting.delete(tenant);
        tried.set(tenant, clock.now());
        queue(tenant, METERED);
      },
      Math.max(SETTLE_MS, rest_ms),
    );
    waiting.set(tenant, timer.unref());
  }
}

function seriesNamed(name: string): Series {
  const series = FORECAST_SERIES.find((one) => one === name);
  if (series) return series;
  throw new NotFoundError(`There is no forecast of "${name}".`, `Ask for ${FORECAST_SERIES.join(', ')}.`);
}

function areaOf({ tariffs }: ForecastDeps, tenant: string): string | null {
  return tariffs.area(tenant);
}

async function gather(deps: ForecastDeps, tenant: string, series: Series): Promise<History> {
  const site = deps.site.get(tenant);
  if (!site) throw new InvalidDataError('There is no site yet.', 'Set the site up first.');
  const { time_zone } = site;
  const now_ms = slotStart(deps.clock.now());
  if (series === 'price') return priceHistory(deps, tenant, now_ms, time_zone);
  const all = await deps.balance(tenant, series, now_ms - HISTORY_MS, now_ms);
  const columns = whole(all);
  const known_ms = newest(columns);
  if (known_ms === null)
    throw new InvalidDataError(
      series === 'load' ? 'No meter has measured the load yet.' : 'No meter measures generation.',
      'Add a meter with this role.',
    );
  return { columns, unit: 'W', from_ms: now_ms, time_zone, known_ms, known: fingerprint(columns) };
}

/** Published prices reach into the future: the forecast begins after the last of them. */
async function priceHistory(deps: ForecastDeps, tenant: string, now_ms: number, time_zone: string): Promise<History> {
  const area = areaOf(deps, tenant);
  if (area === null)
    throw new InvalidDataError('The site has a fixed energy price: there is nothing to forecast.', 'None is needed.');
  const prices = await deps.market(area, 'day-ahead', now_ms - HISTORY_MS, now_ms + 3 * DAY_MS);
  const columns = { at_ms: prices.at_ms, values: prices.values, quality: new Int32Array(prices.at_ms.length) };
  const known_ms = newest(columns);
  if (known_ms === null)
    throw new InvalidDataError(`No prices of ${area} are stored yet.`, 'Check the price sources, or load a CSV.');
  const from_ms = Math.max(now_ms, known_ms + SLOT_MS);
  const unit = `${prices.currency}/MWh`;
  return { columns, unit, from_ms, time_zone, known_ms, known: fingerprint(columns) };
}

/** Slots of which only a part was measured would look like a low: they count as not known. */
function whole({ at_ms, values, quality }: Columns): Columns {
  return { at_ms, values: values.map((value, i) => (quality[i]! & Quality.PARTIAL ? NaN : value)), quality };
}

function newest({ at_ms, values }: Columns): number | null {
  const last = values.findLastIndex((value) => !Number.isNaN(value));
  return last < 0 ? null : at_ms[last]!;
}

function countOf({ values }: Columns): number {
  return values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
}

/** Count and sums of the known values: changes with every import, repair or new reading that matters. */
function fingerprint({ at_ms, values }: Columns): string {
  let [count, sum, moment] = [0, 0, 0];
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    count++;
    sum += value;
    moment += value * (at_ms[i]! / SLOT_MS);
  }
  return `${count} ${sum} ${moment}`;
}

async function compute(
  deps: ForecastDeps,
  { columns, from_ms, time_zone }: History,
  series: Series,
  model: string | null,
): Promise<ForecastTaskResult> {
  const now_ms = deps.clock.now();
  const end_ms = Math.max(addDays(now_ms, 2, time_zone), slotStart(now_ms) + HORIZON_MS, from_ms + DAY_MS);
  const task: ForecastTask = {
    history: columns,
    from_ms,
    slots: (end_ms - from_ms) / SLOT_MS,
    time_zone,
    quantiles: QUANTILES,
    floor: series === 'price' ? null : 0,
    model,
  };
  return deps.workers.run<ForecastTaskResult>(QUEUE, task, { timeout_ms: 60_000 });
}

/** Errors of what was forecast a day ahead; before there is half a day of that, those on the held-out days of the choice. */
async function scoreOf(
  deps: ForecastDeps,
  tenant: string,
  series: Series,
  days: number,
  live: Live | undefined,
): Promise<Awaited<ReturnType<ForecastService['error']>>> {
  const to_ms = slotStart(deps.clock.now());
  const from_ms = to_ms - days * DAY_MS;
  const latest = await deps.forecasts.latest(tenant, series, deps.clock.now(), { from_ms: to_ms, to_ms });
  const model = latest?.model ?? live?.model ?? '';
  const unit = latest?.unit ?? (series === 'price' ? `${deps.site.get(tenant)?.currency ?? 'EUR'}/MWh` : 'W');
  const tracked = await deps.forecasts.track(tenant, series, from_ms, to_ms, LEAD_MS);
  const time_zone = deps.site.get(tenant)?.time_zone ?? 'UTC';
  const actual = tracked.at_ms.length === 0 ? null : await actualOf(deps, tenant, series, from_ms - 8 * DAY_MS, to_ms);
  const score = actual ? errorsOf(tracked, actual, time_zone) : { mae: null, naive_mae: null, slots: 0 };
  if (score.slots >= TRACKED_LEAST || !live?.scores) return { model, unit, ...score };
  const held = (name: string) => live.scores?.find((one) => one.model === name);
  const naive = live.scores.find((one) => one.model.startsWith('seasonal-naive'));
  return { model, unit, mae: held(model)?.mae ?? null, naive_mae: naive?.mae ?? null, slots: held(model)?.slots ?? 0 };
}

async function actualOf(
  deps: ForecastDeps,
  tenant: string,
  series: Series,
  from_ms: number,
  to_ms: number,
): Promise<Map<number, number>> {
  const area = areaOf(deps, tenant);
  if (series === 'price' && area === null) return new Map();
  const { at_ms, values } =
    series === 'price'
      ? await deps.market(area!, 'day-ahead', from_ms, to_ms)
      : whole(await deps.balance(tenant, series, from_ms, to_ms));
  const known = new Map<number, number>();
  for (const [i, value] of values.entries()) if (!Number.isNaN(value)) known.set(at_ms[i]!, value);
  return known;
}

/** Mean absolute errors on the slots where the truth, the forecast and last week's value are all known. */
function errorsOf(tracked: Columns, actual: ReadonlyMap<number, number>, time_zone: string) {
  let [mae, naive_mae, slots] = [0, 0, 0];
  for (const [i, at_ms] of tracked.at_ms.entries()) {
    const truth = actual.get(at_ms);
    const week = actual.get(sameTimeBefore(at_ms, 7, time_zone));
    const value = tracked.values[i]!;
    if (truth === undefined || week === undefined || Number.isNaN(value)) continue;
    mae += Math.abs(truth - value);
    naive_mae += Math.abs(truth - week);
    slots++;
  }
  return slots === 0
    ? { mae: null, naive_mae: null, slots }
    : { mae: mae / slots, naive_mae: naive_mae / slots, slots };
}
