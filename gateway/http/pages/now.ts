/** `GET /`, its live regions, and the answer to the first recommendation. */

import { addDays, dayStart, HOUR_MS, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Columns, Forecast } from '../../../engine/ports.ts';
import {
  type FanColumns,
  type FirstAdvice,
  type NextDay,
  type NowView,
  nowPage,
  nowRegions,
} from '../../../web/pages/now.ts';
import { adviceAnswered } from '../../../web/pages/now-cards.ts';
import type { Html, Ui } from '../../../web/ui.ts';
import type { Actor, Services } from '../../services.ts';
import type { LiveView } from '../stream.ts';
import { answerOf, incompleteAnswer } from './advice.ts';
import { dataState } from './data-state.ts';
import { createDayCost } from './day-cost.ts';
import { createKeptInTime, type Patience } from './kept-in-time.ts';
import { createOpenAlerts } from './open-alerts.ts';
import {
  createPageApp,
  csrfChecked,
  type PageDeps,
  readerOf,
  sendError,
  sendPage,
  sendPart,
  signedIn,
  uiOf,
} from './page.ts';
import { powerFlow } from './power-flow.ts';
import { pricePhase } from './price-windows.ts';
import { storeWaiting } from './store-waiting.ts';

const PAST_MS = 3 * HOUR_MS;
const AHEAD_MS = 24 * HOUR_MS;
/** Days of readings from which a forecast can be made. */
export const FORECAST_NEEDS_DAYS = 7;
const HISTORY_DAYS = 8;
/** New slots come every few seconds from a busy site; what is made from them is gathered this often. */
const SLOW_MS = 15_000;
/** How long the page waits for what comes from the stores: where it has something a little older to show, and else. */
const PATIENCE: Record<Haste, Patience> = {
  patient: { with_older_ms: Number.POSITIVE_INFINITY, otherwise_ms: Number.POSITIVE_INFINITY },
  page: { with_older_ms: 150, otherwise_ms: 2_000 },
  live: { with_older_ms: 0, otherwise_ms: 0 },
};

/** The Now page and what the stream needs to keep it alive. */
export function createNowPage(deps: PageDeps) {
  const { services } = deps;
  const gather = createGatherNow(services);
  const app = createPageApp();
  app.get('/', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    return sendPage(c, nowPage(await gather(readerOf(c), ui), ui));
  });
  app.post('/now/advice', signedIn(deps), csrfChecked(deps), async (c) => {
    const answer = answerOf(await c.req.parseBody());
    if (!answer) return sendError(deps, c, incompleteAnswer());
    await services.advice.feedback(readerOf(c), answer.decision, answer.action, answer.outcome);
    if (!c.req.header('hx-request')) return c.redirect('/', 303);
    return sendPart(c, adviceAnswered(answer.outcome, uiOf(deps, c)));
  });
  return { app, live: liveNow(gather) };
}

/** `patient` waits for everything however long it takes, `live` for nothing but what is in memory. */
type Haste = 'patient' | 'page' | 'live';
type Gather = (actor: Actor, ui: Ui, haste?: Haste) => Promise<NowView | null>;

function liveNow(gather: Gather): LiveView {
  const regions = async (actor: Actor, ui: Ui, names: readonly (keyof typeof nowRegions)[], haste: Haste) => {
    const view = await gather(actor, ui, haste);
    const found: Record<string, Html> = {};
    if (view) for (const name of names) found[name] = nowRegions[name](view, ui);
    return found;
  };
  return {
    fast: (actor, ui) => regions(actor, ui, ['as-of', 'state', 'flow', 'data'], 'live'),
    slow: (actor, ui) => regions(actor, ui, ['cost', 'advice', 'next', 'data'], 'patient'),
    slowEverySlot: true,
    isSlow: (event) => ['slots', 'prices', 'forecast', 'advice'].includes(event.type),
  };
}

/**
 * Gathers the page. What changes with a slot is kept for some seconds or until something new was published, so that live
 * values cost no question to a store. A part that fails leaves its place empty; the page still comes. It comes also while
 * the stores take their time: with what was gathered before, or without it.
 */
export function createGatherNow(services: Services): Gather {
  const dayCost = createDayCost(services);
  const openAlerts = createOpenAlerts(services);
  const slowParts = createKeptInTime((actor: Actor, ui: Ui) => gatherSlow(services, actor, ui, dayCost));
  let version = 0;
  services.bus.subscribe((event) => {
    if (['prices', 'forecast', 'advice'].includes(event.type)) version++;
  });
  return async (actor, ui, haste = 'page') => {
    const points = services.meters.list(actor.tenant);
    if (points.length === 0) return null;
    const tick = `${slotStart(ui.now_ms)}:${Math.floor(ui.now_ms / SLOW_MS)}`;
    const name = `${actor.tenant}:${actor.person}:${ui.language}`;
    const slow = await slowParts({ name, version, tick }, PATIENCE[haste], actor, ui);
    const { next, cost, advice, site_prices, load_forecast } = slow ?? pendingPart(ui);
    const at_ms = slotStart(ui.now_ms);
    return {
      flow: powerFlow(points, services.live, actor.tenant, ui.now_ms),
      expected_load_W: load_forecast?.points.find((point) => point.at_ms === at_ms)?.mean ?? null,
      phase: site_prices ? pricePhase(site_prices.columns, ui.now_ms) : null,
      as_of_ms: newest(points.map((point) => services.live.last_ms(actor.tenant, point.id))),
      alerts: await openAlerts(actor.tenant, ui),
      data: { ...dataState(services, actor.tenant, ui, site_prices, load_forecast), pending: slow === null },
      store: storeWaiting(services, actor, ui.now_ms),
      cost,
      advice,
      next,
    };
  };
}

function newest(instants: readonly (number | null)[]): number | null {
  const known = instants.filter((at_ms) => at_ms !== null);
  return known.length === 0 ? null : Math.max(...known);
}

type SitePrices = Awaited<ReturnType<Services['prices']['site']>>;
type SlowPart = {
  next: NextDay;
  cost: NowView['cost'];
  advice: FirstAdvice | null;
  site_prices: (SitePrices & { fetched_ms: number | null }) | null;
  load_forecast: Forecast | null;
};

async function gatherSlow(
  services: Services,
  actor: Actor,
  ui: Ui,
  dayCost: ReturnType<typeof createDayCost>,
): Promise<SlowPart> {
  const { tenant } = actor;
  const now_ms = ui.now_ms;
  const from_ms = slotStart(now_ms) - PAST_MS;
  const to_ms = slotStart(now_ms) + AHEAD_MS;
  const today_ms = dayStart(now_ms, ui.time_zone);
  const orNull = <T>(part: string, work: Promise<T>): Promise<T | null> =>
    work.catch((error: unknown) => {
      services.log.warn({ err: error, part }, 'a part of the Now page could not be gathered');
      return null;
    });
  const hasGeneration = services.meters.list(tenant).some((point) => point.role === 'generation');
  const [prices, sources, load, generation, load_forecast, generation_forecast, cost, advice, has_days] =
    await Promise.all([
      orNull('prices', services.prices.site(tenant, today_ms, Math.max(to_ms, addDays(today_ms, 2, ui.time_zone)))),
      orNull('price sources', services.prices.sources(tenant)),
      orNull('load', services.data.balance(tenant, 'load', from_ms, slotStart(now_ms))),
      hasGeneration
        ? orNull('generation', services.data.balance(tenant, 'generation', from_ms, slotStart(now_ms)))
        : null,
      orNull('load forecast', services.forecasts.latest(tenant, 'load', now_ms)),
      hasGeneration ? orNull('generation forecast', services.forecasts.latest(tenant, 'generation', now_ms)) : null,
      orNull('cost', dayCost(tenant, now_ms, ui.time_zone)),
      orNull('advice', firstAdvice(services, actor, ui)),
      orNull('history', historyDays(services, tenant, now_ms)),
    ]);
  const fetched = (sources ?? []).flatMap((source) => source.last_success_ms ?? []);
  return {
    next: {
      from_ms,
      to_ms,
      load: load ?? NOTHING,
      load_forecast: fanOf(load_forecast, from_ms, to_ms),
      generation: hasGeneration ? (generation ?? NOTHING) : null,
      generation_forecast: fanOf(generation_forecast, from_ms, to_ms),
      price: prices ? cut(prices.columns, from_ms, to_ms) : NOTHING,
      failed: load === null,
      history: { has_days: has_days ?? 0, need_days: FORECAST_NEEDS_DAYS },
    },
    cost: cost ?? { ...NO_COST, currency: ui.format.currency },
    advice,
    site_prices: prices ? { ...prices, fetched_ms: fetched.length ? Math.max(...fetched) : null } : null,
    load_forecast,
  };
}

/** In place of what is still being gathered. */
function pendingPart(ui: Ui): SlowPart {
  const from_ms = slotStart(ui.now_ms) - PAST_MS;
  const to_ms = slotStart(ui.now_ms) + AHEAD_MS;
  return {
    next: {
      ...{ from_ms, to_ms, load: NOTHING, load_forecast: null, generation: null, generation_forecast: null },
      ...{ price: NOTHING, pending: true, history: { has_days: 0, need_days: FORECAST_NEEDS_DAYS } },
    },
    cost: { ...NO_COST, failed: false, pending: true, currency: ui.format.currency },
    ...{ advice: null, site_prices: null, load_forecast: null },
  };
}

const NO_COST = { amount: null, import_kWh: null, missing_slots: 0, usual: null, failed: true };
const NOTHING = { at_ms: new Float64Array(), values: new Float64Array() };

function cut(columns: Pick<Columns, 'at_ms' | 'values'>, from_ms: number, to_ms: number) {
  const start = columns.at_ms.findIndex((at_ms) => at_ms >= from_ms);
  const end = columns.at_ms.findIndex((at_ms) => at_ms >= to_ms);
  const range = [start < 0 ? columns.at_ms.length : start, end < 0 ? columns.at_ms.length : end] as const;
  return { at_ms: columns.at_ms.subarray(...range), values: columns.values.subarray(...range) };
}

/** Mean and the 10–90 % band of a forecast inside [from_ms, to_ms). */
export function fanOf(forecast: Forecast | null, from_ms: number, to_ms: number): FanColumns | null {
  const points = forecast?.points.filter((point) => point.at_ms >= from_ms && point.at_ms < to_ms) ?? [];
  if (points.length === 0) return null;
  return {
    at_ms: points.map((point) => point.at_ms),
    mean: points.map((point) => point.mean),
    low: points.map((point) => point.quantiles['0.1'] ?? point.mean),
    high: points.map((point) => point.quantiles['0.9'] ?? point.mean),
  };
}

async function firstAdvice(services: Services, actor: Actor, ui: Ui): Promise<FirstAdvice | null> {
  const { decision_id, actions } = await services.advice.recommend(actor);
  const action = actions[0];
  if (!action) return null;
  return {
    decision_id,
    action: {
      id: action.id,
      text: action.text[ui.language],
      why: action.why[ui.language],
      saving: action.saving,
      deadline_ms: action.deadline_ms,
      link: action.link,
    },
  };
}

/** Days' worth of load values in the last days. */
export async function historyDays(services: Services, tenant: string, now_ms: number): Promise<number> {
  const from_ms = slotStart(now_ms) - HISTORY_DAYS * 24 * HOUR_MS;
  const load = await services.data.balance(tenant, 'load', from_ms, slotStart(now_ms));
  const known = load.values.reduce((count, value) => count + (Number.isNaN(value) ? 0 : 1), 0);
  return Math.floor((known * SLOT_MS) / (24 * HOUR_MS) + 0.1);
}
