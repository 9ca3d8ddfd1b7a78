/** Forecasts of load, generation and price: gathers history, lets a worker compute, stores, scores. */
import { InvalidDataError, NotFoundError } from '../../engine/errors.ts';
import { BAND_LEVELS, type WalkMemory } from '../../engine/forecast/box/model-port.ts';
import { addDays, HOUR_MS, SLOT_MS, slotStart } from '../../engine/model/time.ts';
import type { Columns, Forecast } from '../../engine/ports.ts';
import type { Base, JobService, Workers } from '../services.ts';
import type { ForecastTask, ForecastTaskResult } from '../workers/forecast.ts';
import type { StoredModel } from '../workers/live-models.ts';
import { countOf, gatherHistory, type HistoryDeps, type SiteHistory } from './forecasts/history.ts';
import { LEAD_MS, scoreOf } from './forecasts/scores.ts';

export interface ForecastService {
  /** `series` is load, generation or price. */
  latest(tenant: string, series: string, at_ms: number): Promise<Forecast | null>;
  /** Thirty days ahead, for planning; made anew when the last is older than six hours.
   * @throws InvalidDataError with the reason where too little is known. */
  planning?(tenant: string, series: string): Promise<Forecast>;
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
  /** What spares a live model most of its work; undefined before it has forecast. */
  memory?(run: string): WalkMemory | undefined;
  /** Nothing of the tenant stays in memory. */
  forget?(tenant: string): void;
}

export const FORECAST_SERIES = ['load', 'generation', 'price'] as const;
type Series = (typeof FORECAST_SERIES)[number];

const DAY_MS = 24 * HOUR_MS;
const HORIZON_MS = 48 * HOUR_MS;
/** The live model is chosen anew this often. */
const CHOICE_MS = DAY_MS;
/** And when the history has grown by this factor. */
const GROWN = 1.2;
const PLANNING_DAYS = 30;
/** What is stored of the thirty days, beside the series itself. */
const planningOf = (series: Series) => `${series}@planning`;
const PLANNING_FRESH_MS = 6 * HOUR_MS;
/** The job makes it anew a little before. */
const PLANNING_AHEAD_MS = 5 * HOUR_MS;
/** The newest forecast is answered from memory this long before the store is asked again. */
const REMEMBERED_MS = 60_000;
const QUEUE = 'forecast';
/** Those that are made from slots. */
const METERED: Series[] = ['load', 'generation'];
const SETTLE_MS = 4000;
const RETRY_MS = 60_000;
const MOST_MEMORIES = 64;

export type ForecastDeps = HistoryDeps &
  Pick<Base, 'log' | 'metrics' | 'bus'> & {
    forecasts: Base['series']['forecasts'];
    workers: Workers;
    jobs: Pick<JobService, 'define' | 'send' | 'schedule'>;
    /** Trained models that have won their place. */
    champions?: (tenant: string, series: Series) => Promise<StoredModel[]>;
    /** A champion that could not be used: told once a forecast. */
    onFault?: (tenant: string, series: Series, run: string, fault: string) => void;
  };

type Live = {
  model: string;
  /** The forecaster that needs no training. */
  base: string;
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
  const memories = new Map<string, WalkMemory>();
  const remembered = new Map<string, { forecast: Forecast; until_ms: number }>();
  let unsubscribe: (() => void) | null = null;

  async function make(tenant: string, series: Series): Promise<void> {
    const key = `${tenant} ${series}`;
    try {
      const history = await gatherHistory(deps, tenant, series);
      const before = live.get(key);
      const now = clock.now();
      const unchanged = before?.known === history.known && slotStart(before.made_ms) === slotStart(now);
      if (unchanged) return;
      // A history that has grown since (an import) may suit another model.
      const values = countOf(history.columns);
      const stale = !before || now - before.chosen_ms >= CHOICE_MS || values >= GROWN * before.chosen_values;
      const champions = await championsOf(tenant, series);
      const result = await compute(deps, history, series, { model: stale ? null : before.base, champions });
      for (const { run, fault } of result.champions) if (fault) deps.onFault?.(tenant, series, run, fault);
      remember(result.champions);
      // The site may have gone meanwhile, with all that was known of it.
      if (!deps.site.get(tenant)) return;
      const made: Forecast = {
        series,
        unit: history.unit,
        made_at_ms: now,
        model: result.model,
        inputs_known_ms: history.known_ms,
        points: result.points,
      };
      await deps.forecasts.write(tenant, made);
      remembered.set(key, { forecast: made, until_ms: now + REMEMBERED_MS });
      live.set(key, {
        model: result.model,
        base: result.base,
        // A live model that could not forecast was replaced for now; the next round chooses again.
        chosen_ms: stale ? now : result.base === before.base ? before.chosen_ms : 0,
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

  /** Champions with what they know of the days since they were trained. */
  async function championsOf(tenant: string, series: Series): Promise<StoredModel[]> {
    const found = (await deps.champions?.(tenant, series)) ?? [];
    return found.map((one) => {
      const memory = memories.get(one.run);
      return memory ? { ...one, memory } : one;
    });
  }

  /** The runs used last come last. */
  function remember(champions: ForecastTaskResult['champions']): void {
    for (const { run, memory } of champions) {
      memories.delete(run);
      if (memory) memories.set(run, memory);
    }
    for (const run of [...memories.keys()].slice(0, Math.max(0, memories.size - MOST_MEMORIES))) memories.delete(run);
  }

  const service: ForecastService & { start(): void; stop(): void } = {
    memory: (run) => memories.get(run),
    async latest(tenant, series, at_ms) {
      const key = `${tenant} ${seriesNamed(series)}`;
      const known = remembered.get(key);
      const isFresh = known !== undefined && known.until_ms > clock.now() && known.forecast.made_at_ms <= at_ms;
      metrics.forecast_cache.inc({ outcome: isFresh ? 'hit' : 'miss' });
      if (isFresh) return known.forecast;
      const forecast = await deps.forecasts.latest(tenant, seriesNamed(series), at_ms);
      if (forecast && at_ms >= clock.now() - SLOT_MS)
        remembered.set(key, { forecast, until_ms: clock.now() + REMEMBERED_MS });
      return forecast;
    },
    planning: (tenant, series) => planning(tenant, seriesNamed(series)),
    forget(tenant) {
      for (const series of FORECAST_SERIES)
        for (const name of [series, planningOf(series)])
          for (const kept of [remembered, live, reasons]) kept.delete(`${tenant} ${name}`);
    },
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
          for (const name of series ?? FORECAST_SERIES) {
            await service.refresh(one, name);
            await planAhead(one, seriesNamed(name));
          }
      });
      // A little after each slot, when its last readings are in.
      deps.jobs.schedule(QUEUE, { cron: '1,16,31,46 * * * *' }, {});
      unsubscribe = bus.subscribe((event) => {
        if (event.type === 'prices') {
          for (const tenant of deps.site.tenants())
            if (deps.tariffs.area(tenant) === event.area) queue(tenant, ['price']);
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

  async function planning(tenant: string, series: Series, fresh_ms = PLANNING_FRESH_MS): Promise<Forecast> {
    const now = clock.now();
    const key = `${tenant} ${planningOf(series)}`;
    const keep = (forecast: Forecast): Forecast => {
      remembered.set(key, { forecast, until_ms: now + REMEMBERED_MS });
      return forecast;
    };
    const known = remembered.get(key);
    const isKnown = known !== undefined && known.until_ms > now && now - known.forecast.made_at_ms < fresh_ms;
    metrics.forecast_cache.inc({ outcome: isKnown ? 'hit' : 'miss' });
    if (isKnown) return known.forecast;
    const stored = await deps.forecasts.latest(tenant, planningOf(series), now);
    if (stored && now - stored.made_at_ms < fresh_ms) return keep(stored);
    const history = await gatherHistory(deps, tenant, series);
    const champions = await championsOf(tenant, series);
    const result = await compute(deps, history, series, {
      model: PLANNING_MODEL,
      champions: champions.filter(({ horizon }) => horizon === 'planning'),
      days: PLANNING_DAYS,
    });
    const forecast: Forecast = {
      series: planningOf(series),
      ...{ unit: history.unit, made_at_ms: now, model: result.model },
      ...{ inputs_known_ms: history.known_ms, points: result.points },
    };
    if (!deps.site.get(tenant)) return forecast;
    await deps.forecasts.write(tenant, forecast);
    remember(result.champions);
    return keep(forecast);
  }

  /** Made before somebody asks for it, who would have to wait. */
  async function planAhead(tenant: string, series: Series): Promise<void> {
    if (!deps.site.get(tenant) || !live.has(`${tenant} ${series}`)) return;
    await planning(tenant, series, PLANNING_AHEAD_MS).catch((error: unknown) => {
      if (!(error instanceof InvalidDataError)) throw error;
    });
  }

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

/** Sees thirty days ahead and needs no training. */
const PLANNING_MODEL = 'day-profiles/1';

type How = { model: string | null; champions: readonly StoredModel[]; days?: number };

async function compute(
  deps: ForecastDeps,
  { columns, from_ms, time_zone, holidays, weather }: SiteHistory,
  series: Series,
  { model, champions, days }: How,
): Promise<ForecastTaskResult> {
  const now_ms = deps.clock.now();
  const end_ms =
    days === undefined
      ? Math.max(addDays(now_ms, 2, time_zone), slotStart(now_ms) + HORIZON_MS, from_ms + DAY_MS)
      : addDays(from_ms, days, time_zone);
  const task: ForecastTask = {
    history: columns,
    ...{ from_ms, slots: (end_ms - from_ms) / SLOT_MS, time_zone, holidays, weather },
    quantiles: BAND_LEVELS,
    floor: series === 'price' ? null : 0,
    ...{
      model,
      kind: series,
      champions: champions.filter(({ horizon }) => days !== undefined || horizon !== 'planning'),
    },
  };
  return deps.workers.run<ForecastTaskResult>(QUEUE, task, { timeout_ms: 60_000 });
}
