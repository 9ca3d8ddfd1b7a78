/** `GET /forecasts?series=load|generation|price`. */
import { HOUR_MS, SLOT_MS, slotStart } from '../../../engine/model/time.ts';
import type { Columns, Forecast, ForecastPoint } from '../../../engine/ports.ts';
import {
  type Fan,
  FORECAST_SERIES,
  type ForecastSeries,
  type ForecastView,
  forecastRegion,
  forecastsPage,
} from '../../../web/pages/forecasts.ts';
import type { SeriesColumns } from '../../../web/pages/now.ts';
import type { Ui } from '../../../web/ui.ts';
import type { Actor, Services } from '../../services.ts';
import type { LiveView } from '../stream.ts';
import { actOnModels, modelsOf, whyOf } from './forecast-models.ts';
import { FORECAST_NEEDS_DAYS, historyDays } from './now.ts';
import { createPageApp, csrfChecked, type PageDeps, readerOf, sendPage, signedIn, uiOf } from './page.ts';

const PAST_MS = 24 * HOUR_MS;
const ERROR_DAYS = 7;

export function createForecastsPage(deps: PageDeps) {
  const { services } = deps;
  const app = createPageApp();
  app.get('/forecasts', signedIn(deps), async (c) => {
    const ui = uiOf(deps, c);
    const series = seriesOf(c.req.query('series'));
    const view = await gather(services, readerOf(c), ui, series);
    const why = view.fan ? await whyOf(services, readerOf(c).tenant, series, c.req.query('hour')) : null;
    return sendPage(c, forecastsPage({ ...view, why }, ui));
  });
  app.post('/forecasts/models', signedIn(deps, 'analyst'), csrfChecked(deps), async (c) => {
    const form = await c.req.parseBody();
    const series = seriesOf(String(form.series ?? ''));
    await actOnModels(services, readerOf(c), series, form);
    return c.redirect(`/forecasts?series=${series}`, 303);
  });
  const live: LiveView = {
    fast: async () => ({}),
    slow: async (actor, ui, query) => {
      const view = await gather(services, actor, ui, seriesOf(query.get('series')));
      return { forecast: forecastRegion(view, ui) };
    },
    isSlow: (event) => event.type === 'forecast' || (event.type === 'progress' && event.task === 'train-models'),
    slowEverySlot: true,
  };
  return { app, live };
}

function seriesOf(text: string | null | undefined): ForecastSeries {
  return FORECAST_SERIES.find((series) => series === text) ?? 'load';
}

async function gather(services: Services, { tenant }: Actor, ui: Ui, series: ForecastSeries): Promise<ForecastView> {
  const slot_ms = slotStart(ui.now_ms);
  const from_ms = slot_ms - PAST_MS;
  const orElse = <T, E>(work: Promise<T>, otherwise: E): Promise<T | E> =>
    work.catch((error: unknown) => {
      services.log.warn({ err: error, series }, 'a part of the Forecasts page could not be gathered');
      return otherwise;
    });
  const none = { model: '', mae: null, naive_mae: null, unit: '', slots: 0 };
  const [forecast, truth, past, error, has_days, models] = await Promise.all([
    orElse(services.forecasts.latest(tenant, series, ui.now_ms), null),
    orElse(truthOf(services, tenant, series, from_ms, slot_ms), NOTHING),
    orElse(services.forecasts.past(tenant, series, from_ms, slot_ms), NOTHING),
    orElse(services.forecasts.error(tenant, series, ERROR_DAYS), none),
    series === 'price' ? FORECAST_NEEDS_DAYS : orElse(historyDays(services, tenant, ui.now_ms), 0),
    orElse(modelsOf(services, tenant, series, ui.time_zone), null),
  ]);
  const factor = series === 'price' ? 1 / 1000 : 1;
  const fan = forecast && fanOf(forecast, slot_ms, factor);
  return {
    series,
    currency: services.site.get(tenant)?.currency ?? ui.format.currency,
    from_ms,
    to_ms: fan ? fan.at_ms.at(-1)! + SLOT_MS : slot_ms + PAST_MS,
    truth: scaled(truth, factor),
    past: scaled(past, factor),
    fan,
    model: forecast && {
      name: forecast.model,
      made_ms: forecast.made_at_ms,
      inputs_known_ms: forecast.inputs_known_ms,
    },
    error: {
      mae: error.mae === null ? null : error.mae * factor,
      naive_mae: error.naive_mae === null ? null : error.naive_mae * factor,
      days: Math.max(1, Math.min(ERROR_DAYS, Math.round((error.slots * SLOT_MS) / (24 * HOUR_MS)))),
    },
    reason: services.forecasts.reason?.(tenant, series) ?? null,
    history: { has_days, need_days: FORECAST_NEEDS_DAYS },
    ...{ models, why: null },
    has_generation: services.meters.list(tenant).some((point) => point.role === 'generation'),
  };
}

const NOTHING: SeriesColumns = { at_ms: [], values: [] };

/** Load and generation as measured; the price as published, per MWh. */
async function truthOf(
  services: Services,
  tenant: string,
  series: ForecastSeries,
  from_ms: number,
  to_ms: number,
): Promise<SeriesColumns> {
  if (series !== 'price') return services.data.balance(tenant, series, from_ms, to_ms);
  const area = services.tariffs.area(tenant);
  if (area === null) return NOTHING;
  return services.prices.market(area, 'day-ahead', from_ms, to_ms);
}

function scaled(columns: SeriesColumns | Columns, factor: number): SeriesColumns {
  return { at_ms: columns.at_ms, values: Array.from(columns.values, (value) => value * factor) };
}

/** The fan from `from_ms` on; null when nothing of the forecast lies ahead. A quantile that is missing becomes the mean. */
function fanOf(forecast: Forecast, from_ms: number, factor: number): Fan | null {
  const points = forecast.points.filter((point) => point.at_ms >= from_ms);
  if (points.length === 0) return null;
  const at = (level: string) => (point: ForecastPoint) => (point.quantiles[level] ?? point.mean) * factor;
  return {
    at_ms: points.map((point) => point.at_ms),
    p10: points.map(at('0.1')),
    p25: points.map(at('0.25')),
    p50: points.map(at('0.5')),
    p75: points.map(at('0.75')),
    p90: points.map(at('0.9')),
  };
}
