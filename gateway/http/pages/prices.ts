/** `GET /prices`: today and tomorrow, where they come from; `POST /prices/refresh` asks the sources at once. */
import { html } from 'hono/html';
import { addDays, dayStart, HOUR_MS, instantOf, localTime, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { SeriesColumns } from '../../../web/pages/now.ts';
import { type PriceDay, type PricesView, pricesPage, pricesRegion } from '../../../web/pages/prices.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Actor, Services } from '../../services.ts';
import type { LiveView } from '../stream.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, sendPart, signedIn, uiOf } from './page.ts';
import { priceWindows } from './price-windows.ts';

/** European day-ahead auctions are published shortly before 13:00 in the market's zone. */
const PUBLICATION_HOUR = 13;

export function createPricesPage(deps: PageDeps) {
  const { services } = deps;
  const app = createPageApp();
  app.get('/prices', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    return sendPage(c, pricesPage(await gather(services, readerOf(c), ui), ui));
  });
  app.post('/prices/refresh', signedIn(deps, 'admin'), csrfChecked(deps), async (c) => {
    await services.prices.refresh(readerOf(c).tenant);
    if (!c.req.header('hx-request')) return c.redirect('/prices', 303);
    return sendPart(c, html`<p role="status">${uiOf(deps, c).t('prices.asked')}</p>`);
  });
  const live: LiveView = {
    fast: async () => ({}),
    slow: async (actor, ui) => ({ prices: pricesRegion(await gather(services, actor, ui), ui) }),
    isSlow: (event) => event.type === 'prices',
    slowEverySlot: true,
  };
  return { app, live };
}

async function gather(services: Services, { tenant }: Actor, ui: Ui): Promise<PricesView> {
  const tariff = services.tariffs.current(tenant)?.tariff ?? null;
  const simple = services.tariffs.simple(tenant);
  const area = services.tariffs.area(tenant);
  if (simple?.kind === 'fixed' || tariff === null) {
    const { per_kWh, vat_percent } = simple?.kind === 'fixed' ? simple : { per_kWh: 0, vat_percent: 0 };
    return {
      kind: 'fixed',
      per_kWh: per_kWh * (1 + vat_percent / 100),
      currency: tariff?.currency ?? ui.format.currency,
    };
  }
  const today_ms = dayStart(ui.now_ms, ui.time_zone);
  const tomorrow_ms = addDays(today_ms, 1, ui.time_zone);
  const end_ms = addDays(today_ms, 2, ui.time_zone);
  const [prices, market, sources] = await Promise.all([
    services.prices.site(tenant, today_ms, end_ms),
    area === null ? NOTHING : services.prices.market(area, 'day-ahead', today_ms, end_ms),
    services.prices.sources(tenant),
  ]);
  const perKWh = { at_ms: market.at_ms, values: Array.from(market.values, (value) => value / 1000) };
  const days = [
    dayOf(prices.columns, perKWh, today_ms, tomorrow_ms, slotStart(ui.now_ms)),
    dayOf(prices.columns, perKWh, tomorrow_ms, end_ms, tomorrow_ms),
  ] as const;
  const known = Array.from(days[0].site.values).filter(Number.isFinite);
  const here = Array.from(days[0].site.at_ms).indexOf(slotStart(ui.now_ms));
  const current = here < 0 ? Number.NaN : days[0].site.values[here]!;
  return {
    kind: 'market',
    currency: prices.currency,
    area,
    tariff: simple ?? tariff.name,
    current: Number.isNaN(current) ? null : current,
    mean_today: known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length,
    days,
    sources: sources.map((source) => ({ ...source, used: prices.sources.includes(source.name) })),
    stale_since_ms: prices.stale_since_ms,
    publication_ms: nextPublication(ui),
  };
}

const NOTHING: SeriesColumns = { at_ms: [], values: [] };

function nextPublication({ now_ms, time_zone }: Ui): number {
  const { year, month, day } = localTime(now_ms, time_zone);
  return instantOf(time_zone, year, month, day, PUBLICATION_HOUR);
}

/** One local day. What is past is shown; windows are named only among slots from `named_from_ms` on, the whole day where less than 4 h remain. */
function dayOf(
  site: SeriesColumns,
  market: SeriesColumns,
  from_ms: number,
  to_ms: number,
  named_from_ms: number,
): PriceDay {
  const ours = cut(site, from_ms, to_ms);
  const theirs = cut(market, from_ms, to_ms);
  const start_ms = to_ms - named_from_ms >= 4 * HOUR_MS ? named_from_ms : from_ms;
  return {
    from_ms,
    to_ms,
    site: ours,
    market: theirs,
    windows: priceWindows(ours, start_ms, to_ms),
    negative: negativeStretches(theirs),
  };
}

function cut({ at_ms, values }: SeriesColumns, from_ms: number, to_ms: number) {
  const inside = Array.from(at_ms, (at, i) => ({ at, value: values[i]! })).filter(
    ({ at }) => at >= from_ms && at < to_ms,
  );
  return {
    at_ms: Float64Array.from(inside, ({ at }) => at),
    values: Float64Array.from(inside, ({ value }) => value),
  };
}

/** Consecutive slots below zero as stretches. */
export function negativeStretches({ at_ms, values }: SeriesColumns): { from_ms: number; to_ms: number }[] {
  const found: { from_ms: number; to_ms: number }[] = [];
  for (let i = 0; i < at_ms.length; i++) {
    if (!(values[i]! < 0)) continue;
    const last = found.at(-1);
    if (last && last.to_ms === at_ms[i]) last.to_ms = at_ms[i]! + SLOT_MS;
    else found.push({ from_ms: at_ms[i]!, to_ms: at_ms[i]! + SLOT_MS });
  }
  return found;
}
